package loader

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/loader/record"
)

func TestRejectsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rejects.ndjson")
	r := rejects{path: path}
	const text = `{"type":"message","text":"<b>&\u2028 it's"}`
	for _, e := range []struct {
		number int64
		err    record.Error
		text   string
	}{
		{7, record.Error{Type: "message", ID: "m1", Field: "usage.inputTokens", Reason: "is -3"}, text},
		{9, record.Error{Reason: "is not JSON"}, "\xff"},
		{12, record.Error{Type: "kbFile", Reason: "too long"}, ""},
	} {
		if err := r.add("in.ndjson", e.number, &e.err, []byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}

	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("records of people are in a file of mode %v", info.Mode())
	}
	want := []reject{
		{File: "in.ndjson", Line: 7, Type: "message", ID: "m1", Field: "usage.inputTokens", Reason: "is -3", Text: text},
		{File: "in.ndjson", Line: 9, Reason: "is not JSON", Text: "\ufffd"},
		{File: "in.ndjson", Line: 12, Type: "kbFile", Reason: "too long"},
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); n++ {
		var got reject
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if n >= len(want) || got != want[n] {
			t.Errorf("line %d is %+v", n+1, got)
		}
		if n == 0 && !strings.Contains(lines.Text(), "<b>&") {
			t.Errorf("%s is not readable", lines.Text())
		}
	}
	if n != len(want) {
		t.Errorf("the file has %d lines, want %d", n, len(want))
	}
	if r.n != [numCounted]uint64{1: 1, 2: 1, unknownKind: 1} {
		t.Errorf("the counts are %v", r.n)
	}
}

func TestNoRejectsFileWithoutRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rejects.ndjson")
	r := rejects{path: path}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
}

func TestRejectsAreNotWrittenOverAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rejects.ndjson")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := rejects{path: path}
	if err := r.add("in.ndjson", 1, &record.Error{Reason: "is not JSON"}, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "precious" {
		t.Errorf("the file is %q now, %v", text, err)
	}
}
