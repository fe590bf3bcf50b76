package loader

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/orgstats/orgstats/loader/compresstest"
)

func ignore(int) {}

// readAll opens an input and reads it to its end.
func readAll(t *testing.T, in Input) (string, error) {
	t.Helper()
	s, err := openSource(t.Context(), in, ignore)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(s)
	if closeErr := s.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return string(text), err
}

func TestCompressionIsSeenInTheContent(t *testing.T) {
	long := strings.Repeat("0123456789abcdef\n", 200_000)
	for _, row := range []struct {
		why     string
		content []byte
		want    string
	}{
		{"plain text", []byte("one\ntwo\n"), "one\ntwo\n"},
		{"nothing at all", nil, ""},
		{"less than it takes to tell", []byte("{"), "{"},
		{"the first byte of gzip alone", []byte{0x1f}, "\x1f"},
		{"gzip", compresstest.Gzip(t, "one\ntwo\n"), "one\ntwo\n"},
		{"gzip of nothing", compresstest.Gzip(t, ""), ""},
		{"gzip files that were put together with cat", slicesOf(compresstest.Gzip(t, "one\n"), compresstest.Gzip(t, ""), compresstest.Gzip(t, "two\n")), "one\ntwo\n"},
		{"zstd", compresstest.Zstd(t, "one\ntwo\n"), "one\ntwo\n"},
		{"zstd files that were put together", slicesOf(compresstest.Zstd(t, "one\n"), compresstest.Zstd(t, "two\n")), "one\ntwo\n"},
		{"more than fits into the buffers", compresstest.Gzip(t, long), long},
		{"the same as zstd", compresstest.Zstd(t, long), long},
	} {
		t.Run(row.why, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "the.name.says.nothing")
			if err := os.WriteFile(path, row.content, 0o600); err != nil {
				t.Fatal(err)
			}
			for name, in := range map[string]Input{
				"file":          {Path: path},
				"reader":        {Path: "a reader", Reader: bytes.NewReader(row.content)},
				"a few a read":  {Path: "a reader", Reader: iotest.HalfReader(bytes.NewReader(row.content))},
				"data with EOF": {Path: "a reader", Reader: iotest.DataErrReader(bytes.NewReader(row.content))},
			} {
				if got, err := readAll(t, in); err != nil || got != row.want {
					t.Errorf("%s: got %d bytes, want %d; %v", name, len(got), len(row.want), err)
				}
			}
		})
	}
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestBrokenInputsAreReported(t *testing.T) {
	text := strings.Repeat("a line of some length that is not the same everywhere\n", 1000)
	zipped, squeezed := compresstest.Gzip(t, text), compresstest.Zstd(t, text)
	changed := bytes.Clone(zipped)
	changed[len(changed)-6] ^= 1 // a byte of the checksum
	for _, row := range []struct {
		why     string
		content []byte
		want    error // nil: any
	}{
		{"gzip that ends within its header", zipped[:5], io.ErrUnexpectedEOF},
		{"gzip that ends within its data", zipped[:len(zipped)/2], io.ErrUnexpectedEOF},
		{"gzip that ends before its checksum", zipped[:len(zipped)-8], io.ErrUnexpectedEOF},
		{"gzip whose checksum is another", changed, gzip.ErrChecksum},
		{"gzip with something else behind it", slicesOf(zipped, []byte("plain text")), gzip.ErrHeader},
		{"the second of two gzip files is cut off", slicesOf(zipped, zipped[:len(zipped)/2]), io.ErrUnexpectedEOF},
		{"zstd that ends within its data", squeezed[:len(squeezed)/2], io.ErrUnexpectedEOF},
		{"zstd that ends before its checksum", squeezed[:len(squeezed)-4], io.ErrUnexpectedEOF},
		{"zstd with something else behind it", slicesOf(squeezed, []byte("plain text")), zstd.ErrMagicMismatch},
	} {
		_, err := readAll(t, Input{Path: "broken", Reader: bytes.NewReader(row.content)})
		if !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.why, err, row.want)
		}
	}
	failure := errors.New("the disk is gone")
	for _, head := range []string{"", "one\n", string(zipped[:len(zipped)/2])} {
		in := Input{Path: "broken", Reader: io.MultiReader(strings.NewReader(head), iotest.ErrReader(failure))}
		if _, err := readAll(t, in); !errors.Is(err, failure) {
			t.Errorf("an error after %d bytes gave %v", len(head), err)
		}
	}
}

func TestBytesReadAreThoseOfTheFile(t *testing.T) {
	content := compresstest.Gzip(t, strings.Repeat("x", 1<<20))
	read := 0
	s, err := openSource(t.Context(), Input{Path: "a reader", Reader: bytes.NewReader(content)}, func(n int) { read += n })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := io.Copy(io.Discard, s); err != nil || read != len(content) {
		t.Errorf("%d bytes of %d were counted, %v", read, len(content), err)
	}
}

func TestInputsAreCheckedBeforeAnyIsRead(t *testing.T) {
	dir := t.TempDir()
	ten, twenty := filepath.Join(dir, "ten"), filepath.Join(dir, "twenty")
	for path, size := range map[string]int{ten: 10, twenty: 20} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		why   string
		paths []string
		want  int64
	}{
		{"the sizes of files add up", []string{ten, twenty, ten}, 40},
		{"standard input has no size", []string{ten, StandardInput}, 0},
		{"nor has a device", []string{ten, os.DevNull}, 0},
	} {
		if size, err := checkInputs(Files(row.paths)); err != nil || size != row.want {
			t.Errorf("%s: got %d, want %d; %v", row.why, size, row.want, err)
		}
	}
	missing := filepath.Join(dir, "missing")
	_, err := checkInputs(Files([]string{ten, missing, dir}))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gave %v", err)
	}
	for _, path := range []string{missing, dir + " is a directory"} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not say %q", err, path)
		}
	}
}
