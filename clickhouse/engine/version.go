package engine

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed package.json
var packageJSON []byte

// PinnedVersion returns the version of the library that `make engine` fetches for this program.
func PinnedVersion() string {
	var manifest struct{ Dependencies map[string]string }
	if err := json.Unmarshal(packageJSON, &manifest); err != nil {
		panic(err) // the file is part of the program
	}
	for _, version := range manifest.Dependencies {
		return version
	}
	panic("package.json names no library")
}

// checkVersion rejects data that a newer ClickHouse has written, whose formats an older one may not be able to read.
func checkVersion(library, data string) error {
	if slices.Compare(release(library), release(data)) >= 0 {
		return nil
	}
	return fmt.Errorf("the data was written by version %s of the engine's library, and this one is the older %s: run `make engine`, or set %s to a library as new",
		data, library, LibraryVariable)
}

// release returns the numbers of the year and the month that a ClickHouse version begins with.
func release(version string) []int {
	var numbers []int
	for part := range strings.SplitSeq(version, ".") {
		number, err := strconv.Atoi(part)
		if err != nil || len(numbers) == 2 {
			break
		}
		numbers = append(numbers, number)
	}
	return numbers
}
