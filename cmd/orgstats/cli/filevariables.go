package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// FileSuffix, appended to the name of a variable, names a variable that holds a file's path instead of the value,
// because Docker and others pass secrets as files.
const FileSuffix = "_FILE"

// maxFileVariable is the maximum size in bytes of a variable's file; a key in PEM has a few hundred.
const maxFileVariable = 64 << 10

// fileVariables resolves flags from files that the environment names: the content of the file that is named for one of
// a flag's variables. It collects all mistakes, so that they are reported at once.
func fileVariables(mistakes *[]error) kong.ResolverFunc {
	return func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			path := os.Getenv(name + FileSuffix)
			if path == "" {
				continue
			}
			value, err := readFileVariable(path)
			switch {
			case os.Getenv(name) != "":
				*mistakes = append(*mistakes, fmt.Errorf("%s and %s are both set; give one", name, name+FileSuffix))
			case err != nil:
				*mistakes = append(*mistakes, fmt.Errorf("%s: %w", name+FileSuffix, err))
			default:
				return value, nil
			}
		}
		return nil, nil
	}
}

// readFileVariable returns a file's text without the line breaks at its end, which editors append.
func readFileVariable(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFileVariable+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxFileVariable:
		return "", fmt.Errorf("%s has more than %d bytes", path, maxFileVariable)
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return value, nil
}
