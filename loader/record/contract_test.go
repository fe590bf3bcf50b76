package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contractLines returns the lines of the contract's data, in the order of loading.
func contractLines(tb testing.TB) [][]byte {
	tb.Helper()
	var lines [][]byte
	for _, name := range []string{"1-first.ndjson", "2-messages.ndjson.gz", "3-later.ndjson"} {
		file, err := os.Open(filepath.Join("..", "..", "testdata", "contract", name))
		if err != nil {
			tb.Fatal(err)
		}
		defer file.Close()
		var text io.Reader = file
		if strings.HasSuffix(name, ".gz") {
			if text, err = gzip.NewReader(file); err != nil {
				tb.Fatal(err)
			}
		}
		scanner := bufio.NewScanner(text)
		for scanner.Scan() {
			lines = append(lines, bytes.Clone(scanner.Bytes()))
		}
		if err := scanner.Err(); err != nil {
			tb.Fatal(err)
		}
	}
	return lines
}

func TestContractDataHas13RejectedLines(t *testing.T) {
	accepted, rejected := 0, 0
	for _, line := range contractLines(t) {
		if Blank(line) {
			continue
		}
		_, err := Parse(line)
		if err == nil {
			accepted++
			continue
		}
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("error of type %T, want *Error", err)
		}
		rejected++
		t.Log(err)
	}
	if rejected != 13 || accepted < 1000 {
		t.Errorf("%d lines accepted and %d rejected, want more than 1000 and 13", accepted, rejected)
	}
}
