package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state records where the engine of a data directory runs, or last ran; its ports are used again if they are free.
type state struct {
	PID      int    `json:"pid"`
	TCPPort  int    `json:"tcpPort"`
	HTTPPort int    `json:"httpPort"`
	Version  string `json:"version"` // of the library that last wrote the data
}

// readState reads the state. It returns the zero state if no engine has run yet.
func readState(path string) (state, error) {
	var s state
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("the engine's state cannot be read: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s is damaged (%w): remove it, and the next start writes it anew", path, err)
	}
	return s, nil
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}

// writeFile replaces a file atomically, so that neither a reader nor a crash ever leaves half of it visible. The mode
// is 0600.
func writeFile(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
