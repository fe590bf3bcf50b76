package loader

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/orgstats/orgstats/loader/compresstest"
)

const conversation = `{"type":"conversation","id":"c1","organizationId":"o","userId":"u","createdAt":"2026-01-01T00:00:00Z"}` + "\n"

// skippable returns a frame of zstd that is to be skipped.
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
		{"several, of other kinds", bytes.Join([][]byte{skippable(0x5f, "abc"), skippable(0x57, ""), compresstest.Zstd(t, conversation)}, nil), conversation},
		{"nothing else", skippable(0x50, "abc"), ""},
		{"one at each place", bytes.Join([][]byte{skippable(0x50, "a"), compresstest.Zstd(t, conversation), skippable(0x50, "b"), compresstest.Zstd(t, conversation), skippable(0x50, "c")}, nil), conversation + conversation},
	} {
		if text, err := readAll(t, Input{Path: row.why, Reader: bytes.NewReader(row.data)}); err != nil || text != row.want {
			t.Errorf("%s: %q, %v, want %q", row.why, text, err, row.want)
		}
	}
	frame := string(skippable(0x50, "abcdef"))
	for _, row := range []struct{ why, data string }{
		{"lz4 behind one", frame + "\x04\x22\x4d\x18"},
		{"lines behind one", frame + conversation},
		{"gzip behind one", frame + string(compresstest.Gzip(t, conversation))},
		{"one byte behind one", frame + "x"},
		{"one that is cut off", frame[:10]},
		{"one without its size", frame[:6]},
		{"the second without its content", frame + frame[:8]},
	} {
		if text, err := readAll(t, Input{Path: "x", Reader: strings.NewReader(row.data)}); err == nil {
			t.Errorf("%s: is no error: %q", row.why, text)
		}
	}
}

func TestZerosAfterGzipAreIgnored(t *testing.T) {
	one := compresstest.Gzip(t, conversation)
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
		{"an empty member", [][]byte{compresstest.Gzip(t, ""), one}, conversation},
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

// archived returns an archive of tar with one file.
func archived(t *testing.T, name string) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(conversation))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, conversation); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// oldTar returns an archive as tar wrote them before it had a magic: it is told by the sum of its header alone.
func oldTar(t *testing.T) string {
	t.Helper()
	head := []byte(archived(t, "records.ndjson"))
	clear(head[257:512])
	sum := 8 * int(' ')
	for i, b := range head[:512] {
		if i < 148 || i >= 156 {
			sum += int(b)
		}
	}
	copy(head[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return string(head)
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
		{"tar", archived(t, "records.ndjson"), "tar archive"},
		{"tar in gzip", string(compresstest.Gzip(t, archived(t, "records.ndjson"))), "tar archive"},
		{"tar in zstd", string(compresstest.Zstd(t, archived(t, "records.ndjson"))), "tar archive"},
		{"tar of a format without a magic", oldTar(t), "tar archive"},
		{"the same in gzip", string(compresstest.Gzip(t, oldTar(t))), "tar archive"},
		{"tar of a file whose name begins like a record", archived(t, `{"type"`), "tar archive"},
		{"gzip in gzip", string(compresstest.Gzip(t, string(compresstest.Gzip(t, conversation)))), "compressed twice"},
		{"zstd in gzip", string(compresstest.Gzip(t, string(compresstest.Zstd(t, conversation)))), "compressed twice"},
		{"zstd in gzip that begins with a frame to skip", string(compresstest.Gzip(t, string(append(skippable(0x50, "a"), compresstest.Zstd(t, conversation)...)))), "compressed twice"},
		{"lz4 behind a frame to skip", string(skippable(0x5a, "abc")) + "\x04\x22\x4d\x18\x64", "lz4"},
		{"lzma", "\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x3d", "lzma"},
		{"lzma that tells its size", "\x5d\x00\x00\x01\x00\x40\x9c\x00\x00\x00\x00\x00\x00\x00\x3d", "lzma"},
		{"ORC", "ORC\x11\x00\x00\x0a\x03\x00\x00\x00", "ORC"},
		{"ORC without compression", "ORC\x0a\x06\x08\x02\x12\x02", "ORC"},
		{"encrypted Parquet", "PARE\x15\x04", "Parquet"},
		{"Parquet", "PAR1\x15\x04", "Parquet"},
		{"Avro", "Obj\x01\x04", "Avro"},
		{"SQLite", "SQLite format 3\x00\x10", "SQLite"},
		{"UTF-16, little end first", utf16Text(false, "\ufeff"), "UTF-16"},
		{"UTF-16, big end first", utf16Text(true, "\ufeff"), "UTF-16"},
		{"UTF-16 without a mark", utf16Text(false, ""), "UTF-16"},
		{"UTF-16 without a mark, big end first", utf16Text(true, ""), "UTF-16"},
		{"UTF-16 in gzip", string(compresstest.Gzip(t, utf16Text(false, "\ufeff"))), "UTF-16"},
		{"UTF-32", "\xff\xfe\x00\x00{\x00\x00\x00", "UTF-32"},
		{"UTF-32 without a mark", "{\x00\x00\x00\"\x00\x00\x00", "UTF-32"},
		{"UTF-32 without a mark, big end first", "\x00\x00\x00{\x00\x00\x00\"", "UTF-32"},
	} {
		_, err := readAll(t, Input{Path: "records", Reader: strings.NewReader(row.data)})
		if _, ok := errors.AsType[*formatError](err); !ok || !strings.Contains(err.Error(), row.says) || !strings.HasPrefix(err.Error(), "records: is ") {
			t.Errorf("%s: %v", row.why, err)
		}
		_, slow := readAll(t, Input{Path: "records", Reader: iotest.OneByteReader(strings.NewReader(row.data))})
		if slow == nil || slow.Error() != err.Error() {
			t.Errorf("%s, byte by byte: %v", row.why, slow)
		}
		path := filepath.Join(t.TempDir(), "records")
		if err := os.WriteFile(path, []byte(row.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := checkInputs([]Input{{Path: path}}); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s, before anything is loaded: %v", row.why, err)
		}
	}
}

// Lines that are no JSON are rejected one by one, beside others that are right: a file is not refused for one of them.
// What is JSON is read, whatever it holds where other formats have their magic.
func TestLinesAreNotTakenForFormats(t *testing.T) {
	member := `{"type":"member","organizationId":"o","userId":"u","updatedAt":"2026-01-01T00:00:00Z","publicMetadata":{"a":"`
	for _, text := range []string{
		"", "B", "BZh is a word", "BZh91AY text\n" + conversation, "PK", "\xef\xbb\xbf" + conversation, " " + conversation, "\n\n" + conversation, "\x00\x00", "nonsense",
		member + strings.Repeat("x", 257-len(member)) + "ustar\"}}\n",                                               // where tar has its magic
		"{\x00\"type\":1}\n" + conversation, "\x00{\"type\":1}\n" + conversation, "\x00\x00\x00{}\n" + conversation, // bytes that were lost
		` {"type":"conversation","id":"` + strings.Repeat("0", 700) + `"}` + "\n", // digits everywhere, as in a header of tar
		"PAR1 is a word\n" + conversation, "ORC is another\n" + conversation, "]\x00\x00\n" + conversation,
	} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			if got, err := readAll(t, Input{Path: "x", Reader: r}); err != nil || got != text {
				t.Errorf("%q: %q, %v", text, got, err)
			}
		}
	}
}

// The advice must work: what is packed within something is unpacked from the outside in.
func TestAdviceForFormats(t *testing.T) {
	xz := "\xfd7zXZ\x00\x00\x04"
	for _, row := range []struct{ why, data, want string }{
		{"alone", xz, "records: is compressed with xz, which is not read: unpack it first, such as by: xz -dc FILE | orgstats load -"},
		{"in gzip", string(compresstest.Gzip(t, xz)), "records: is compressed with xz inside gzip, which is not read: unpack it first, such as by: gzip -dc FILE | xz -dc | orgstats load -"},
		{"in zstd", string(compresstest.Zstd(t, xz)), "records: is compressed with xz inside zstd, which is not read: unpack it first, such as by: zstd -dc FILE | xz -dc | orgstats load -"},
		{
			"zstd in gzip", string(compresstest.Gzip(t, string(compresstest.Zstd(t, conversation)))),
			"records: is compressed twice, with zstd inside gzip, which is not read: unpack it first, such as by: gzip -dc FILE | orgstats load -",
		},
		{
			"gzip in zstd", string(compresstest.Zstd(t, string(compresstest.Gzip(t, conversation)))),
			"records: is compressed twice, with gzip inside zstd, which is not read: unpack it first, such as by: zstd -dc FILE | orgstats load -",
		},
		{"tar", archived(t, "a"), "records: is a tar archive, which is not read: unpack it first, such as by: tar -xO -f FILE | orgstats load -"},
		{"tar in gzip", string(compresstest.Gzip(t, archived(t, "a"))), "records: is a tar archive inside gzip, which is not read: unpack it first, such as by: gzip -dc FILE | tar -xO -f - | orgstats load -"},
		{"zip in gzip", string(compresstest.Gzip(t, "PK\x03\x04\x14\x00")), "records: is a zip archive inside gzip, which is not read: unpack it first, such as by: gzip -dc FILE > ARCHIVE && unzip -p ARCHIVE | orgstats load -"},
		{"UTF-16 in gzip", string(compresstest.Gzip(t, utf16Text(false, "\ufeff"))), "records: is text in UTF-16 inside gzip, which is not read: convert it to UTF-8 first, such as with iconv"},
	} {
		if _, err := readAll(t, Input{Path: "records", Reader: strings.NewReader(row.data)}); err == nil || err.Error() != row.want {
			t.Errorf("%s:\ngot  %v\nwant %s", row.why, err, row.want)
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
	if _, err := io.WriteString(in, "{}\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
	_ = in.Close()
}
