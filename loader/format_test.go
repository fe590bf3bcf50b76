package loader

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

const conversation = `{"type":"conversation","id":"c1","organizationId":"o","userId":"u","createdAt":"2026-01-01T00:00:00Z"}` + "\n"

// skippable is a frame of zstd that is to be skipped.
func skippable(kind byte, content string) []byte {
	return append([]byte{kind, 0x2a, 0x4d, 0x18, byte(len(content)), 0, 0, 0}, content...)
}

func TestZstdMayBeginWithFramesToSkip(t *testing.T) {
	for name, want := range map[string]int{"one.ndjson.zst": 1, "skippable-first.ndjson.zst": 2} {
		text, err := readAll(t, Input{Path: filepath.Join("testdata", name)})
		if n := strings.Count(text, "\n"); err != nil || n != want {
			t.Errorf("%s: %d lines, %v, want %d", name, n, err, want)
		}
	}
	for _, row := range []struct {
		why  string
		data []byte
		want string
	}{
		{"several, of other kinds", bytes.Join([][]byte{skippable(0x5f, "abc"), skippable(0x57, ""), zstandard(t, conversation)}, nil), conversation},
		{"nothing else", skippable(0x50, "abc"), ""},
		{"one at each place", bytes.Join([][]byte{skippable(0x50, "a"), zstandard(t, conversation), skippable(0x50, "b"), zstandard(t, conversation), skippable(0x50, "c")}, nil), conversation + conversation},
	} {
		if text, err := readAll(t, Input{Path: row.why, Reader: bytes.NewReader(row.data)}); err != nil || text != row.want {
			t.Errorf("%s: %q, %v, want %q", row.why, text, err, row.want)
		}
	}
	if _, err := readAll(t, Input{Path: "x", Reader: bytes.NewReader(append(skippable(0x50, "a"), "\x04\x22\x4d\x18"...))}); err == nil {
		t.Error("frames of lz4 behind one that is to be skipped are no error")
	}
}

func TestZerosAfterGzipAreIgnored(t *testing.T) {
	one := gzipped(t, conversation)
	zeros := make([]byte, 5<<20)
	for _, row := range []struct {
		why   string
		parts [][]byte
		want  string
	}{
		{"a few", [][]byte{one, zeros[:7]}, conversation},
		{"many", [][]byte{one, zeros}, conversation},
		{"behind the second member", [][]byte{one, one, zeros[:512]}, conversation + conversation},
		{"between members", [][]byte{one, zeros[:512], one, zeros[:1]}, conversation + conversation},
		{"an empty member", [][]byte{gzipped(t, ""), one}, conversation},
	} {
		text, err := readAll(t, Input{Path: row.why, Reader: bytes.NewReader(bytes.Join(row.parts, nil))})
		if err != nil || text != row.want {
			t.Errorf("%s: %d bytes, %v, want %d", row.why, len(text), err, len(row.want))
		}
	}
	for _, row := range []struct {
		why   string
		parts [][]byte
	}{
		{"other bytes behind", [][]byte{one, []byte("garbage")}},
		{"other bytes behind zeros", [][]byte{one, zeros[:9], []byte("garbage")}},
		{"one byte of a member", [][]byte{one, one[:1]}},
		{"a member that is cut off", [][]byte{one, one[:len(one)-3]}},
		{"one that is cut off and filled up", [][]byte{one[:len(one)-6], zeros[:512]}},
	} {
		if text, err := readAll(t, Input{Path: row.why, Reader: bytes.NewReader(bytes.Join(row.parts, nil))}); err == nil {
			t.Errorf("%s: is no error: %q", row.why, text)
		}
	}
}

// tar is the head of an archive.
func tar() string {
	return "records.ndjson" + strings.Repeat("\x00", 257-14) + "ustar\x0000" + strings.Repeat("\x00", 247)
}

func utf16Text(big bool, mark string) (text string) {
	for _, u := range utf16.Encode([]rune(mark + conversation)) {
		if big {
			text += string([]byte{byte(u >> 8), byte(u)})
		} else {
			text += string([]byte{byte(u), byte(u >> 8)})
		}
	}
	return text
}

func TestOtherFormatsAreRefusedByName(t *testing.T) {
	for _, row := range []struct{ why, data, says string }{
		{"xz", "\xfd7zXZ\x00\x00\x04", "xz -dc"},
		{"bzip2", "BZh91AY&SY\x01\x02", "bzip2 -dc"},
		{"bzip2 of nothing", "BZh9\x17\x72\x45\x38\x50\x90\x00\x00", "bzip2 -dc"},
		{"lz4", "\x04\x22\x4d\x18\x64", "lz4"},
		{"zip", "PK\x03\x04\x14\x00", "zip archive"},
		{"7z", "7z\xbc\xaf\x27\x1c\x00", "7z archive"},
		{"tar", tar(), "tar archive"},
		{"tar in gzip", string(gzipped(t, tar())), "tar archive"},
		{"tar in zstd", string(zstandard(t, tar())), "tar archive"},
		{"gzip in gzip", string(gzipped(t, string(gzipped(t, conversation)))), "compressed twice"},
		{"zstd in gzip", string(gzipped(t, string(zstandard(t, conversation)))), "compressed twice"},
		{"Parquet", "PAR1\x15\x04", "Parquet"},
		{"Avro", "Obj\x01\x04", "Avro"},
		{"SQLite", "SQLite format 3\x00\x10", "SQLite"},
		{"UTF-16, little end first", utf16Text(false, "\ufeff"), "UTF-16"},
		{"UTF-16, big end first", utf16Text(true, "\ufeff"), "UTF-16"},
		{"UTF-16 without a mark", utf16Text(false, ""), "UTF-16"},
		{"UTF-16 without a mark, big end first", utf16Text(true, ""), "UTF-16"},
		{"UTF-16 in gzip", string(gzipped(t, utf16Text(false, "\ufeff"))), "UTF-16"},
		{"UTF-32", "\xff\xfe\x00\x00{\x00\x00\x00", "UTF-32"},
	} {
		_, err := readAll(t, Input{Path: "records", Reader: strings.NewReader(row.data)})
		if _, ok := errors.AsType[*formatError](err); !ok || !strings.Contains(err.Error(), row.says) || !strings.HasPrefix(err.Error(), "records: is ") {
			t.Errorf("%s: %v", row.why, err)
		}
		path := filepath.Join(t.TempDir(), "records")
		if err := os.WriteFile(path, []byte(row.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := checkInputs([]Input{{Path: path}}); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s, before anything is loaded: %v", row.why, err)
		}
	}
	for _, text := range []string{"", "B", "BZh is a word", "PK", "\xef\xbb\xbf" + conversation, " " + conversation, "\n\n" + conversation, "\x00\x00", "nonsense"} {
		if got, err := readAll(t, Input{Path: "x", Reader: strings.NewReader(text)}); err != nil || got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// The first line is not waited for longer than it takes to come.
func TestAFormatIsToldByTheFirstBytes(t *testing.T) {
	out, in := io.Pipe()
	opened := make(chan error, 1)
	go func() {
		s, err := openSource(t.Context(), Input{Path: "x", Reader: out}, ignore)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	if _, err := io.WriteString(in, conversation); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
	_ = in.Close()
}
