package loader

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/orgstats/orgstats/loader/record"
)

// rejects writes the lines that are no records to a file of newline-delimited JSON, made when there is a first one.
type rejects struct {
	path string
	file *os.File
	out  *bufio.Writer
	n    [numCounted]uint64 // rejected lines of each type
}

// reject is a line of the rejects file.
type reject struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Type   string `json:"type,omitempty"`
	ID     string `json:"id,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	Text   string `json:"text"` // the line itself, "" when it was too long to be read
}

func (r *rejects) add(path string, number int64, e *record.Error, text []byte) error {
	if r.file == nil {
		file, err := os.OpenFile(r.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("make the rejects file: %w", err)
		}
		r.file, r.out = file, bufio.NewWriter(file)
	}
	r.n[counted(e.Type)]++
	encoder := json.NewEncoder(r.out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(reject{path, number, e.Type, e.ID, e.Field, e.Reason, string(text)}); err != nil {
		return fmt.Errorf("write the rejects file: %w", err)
	}
	return nil
}

func (r *rejects) close() error {
	if r.file == nil {
		return nil
	}
	if err := errors.Join(r.out.Flush(), r.file.Sync(), r.file.Close()); err != nil {
		return fmt.Errorf("write the rejects file: %w", err)
	}
	return nil
}
