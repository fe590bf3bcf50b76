package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ebitengine/purego"
)

// LibraryVariable is the environment variable that names the library.
const LibraryVariable = "ORGSTATS_LIBCHDB"

const libraryName = "libchdb.so"

// platforms are the platforms for which the library is published.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}

func checkPlatform(platform string) error {
	if slices.Contains(platforms, platform) {
		return nil
	}
	return fmt.Errorf("there is no embedded engine for %s (only for %s): name a ClickHouse server with ORGSTATS_CLICKHOUSE_URL",
		platform, strings.Join(platforms, ", "))
}

// findLibrary returns the library's path: the named one, else that of ORGSTATS_LIBCHDB, else the one beside the
// program, else the one in the lib folder next to the program's.
func findLibrary(named string) (string, error) {
	if named = cmp.Or(named, os.Getenv(LibraryVariable)); named != "" {
		return existingFile(named)
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	folder := filepath.Dir(program)
	for _, path := range []string{filepath.Join(folder, libraryName), filepath.Join(folder, "..", "lib", libraryName)} {
		if path, err := existingFile(path); err == nil {
			return path, nil
		}
	}
	return "", missingLibrary("beside the program in " + folder)
}

func existingFile(path string) (string, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir():
		return "", missingLibrary("at " + path)
	case err != nil:
		return "", fmt.Errorf("the engine's library cannot be read: %w", err)
	}
	return filepath.Abs(path)
}

func missingLibrary(place string) error {
	return fmt.Errorf("the engine's library (%s) is not there %s: run `make engine`, or set %s to its path", libraryName, place, LibraryVariable)
}

// library is the opened ClickHouse library.
type library struct {
	version func() string
	query   func(argc int32, argv **byte) uintptr
	failure func(result uintptr) string
}

func openLibrary(path string) (*library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	var l library
	for name, function := range map[string]any{
		"chdb_version":       &l.version,
		"chdb_query_cmdline": &l.query,
		"chdb_result_error":  &l.failure,
	} {
		if err != nil {
			break
		}
		var symbol uintptr
		if symbol, err = purego.Dlsym(handle, name); err == nil {
			purego.RegisterFunc(function, symbol)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the engine's library %s cannot be used on %s (%w): run `make engine` on this machine, or set %s to a library for it",
			path, runtime.GOOS+"/"+runtime.GOARCH, err, LibraryVariable)
	}
	return &l, nil
}
