package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// FileSuffix, behind the name of a variable, makes it the name of one that holds a file's path in place of the value:
// secrets that Docker and others hand over as files.
const FileSuffix = "_FILE"

// maxFileVariable is how many bytes such a file may have; a key in PEM has a few hundred.
const maxFileVariable = 64 << 10

// fileVariables resolves flags from files that the environment names. It gathers what is wrong, so that all of it is
// reported at once.
type fileVariables struct{ mistakes []error }

// Validate has nothing to say: what is wrong is found flag by flag.
func (*fileVariables) Validate(*kong.Application) error { return nil }

// Resolve gives the content of the file that is named for one of the flag's variables; nil when none is.
func (f *fileVariables) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		path := os.Getenv(name + FileSuffix)
		if path == "" {
			continue
		}
		if os.Getenv(name) != "" {
			f.mistakes = append(f.mistakes, fmt.Errorf("%s and %s are both set; give one", name, name+FileSuffix))
			continue
		}
		value, err := readFileVariable(path)
		if err != nil {
			f.mistakes = append(f.mistakes, fmt.Errorf("%s: %w", name+FileSuffix, err))
			continue
		}
		return value, nil
	}
	return nil, nil
}

// readFileVariable gives a file's text without the line breaks at its end, which editors put there.
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
