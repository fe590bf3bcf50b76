package loader

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode"
)

// format is one that an input may be in instead of lines of JSON, recognized by the bytes that it begins with.
type format struct {
	name   string
	magic  string
	more   func(head []byte) bool // what else must hold, where lines that are merely wrong could begin with the magic
	filter string                 // command that unpacks standard input, or the file that it is given
	unpack string                 // command that needs the archive as a file
	fix    string                 // what to do where no command does it
}

const (
	fixUTF  = "convert it to UTF-8 first, such as with iconv"
	fixRows = "write its rows as lines of JSON first"
)

// formats are those that are refused, by the name of each: read as lines, every line of them would be rejected.
var formats = []format{
	{name: "compressed with xz", magic: "\xfd7zXZ\x00", filter: "xz -dc"},
	{name: "compressed with bzip2", magic: "BZh", more: isBzip2, filter: "bzip2 -dc"},
	{name: "compressed with lz4", magic: lz4Magic, filter: "lz4 -dc"},
	{name: "compressed with lz4", magic: "\x02\x21\x4c\x18", filter: "lz4 -dc"},
	{name: "compressed with lzip", magic: "LZIP\x01", filter: "lzip -dc"},
	{name: "compressed with lzop", magic: "\x89LZO\x00", filter: "lzop -dc"},
	{name: "compressed with lzma", magic: "\x5d\x00\x00", more: isLzma, filter: "xz --format=lzma -dc"},
	{name: "compressed with compress", magic: "\x1f\x9d", filter: "gzip -dc"},
	{name: "compressed with snappy", magic: "\xff\x06\x00\x00sNaPpY", fix: "decompress it first"},
	{name: "a zip archive", magic: "PK\x03\x04", unpack: "unzip -p"},
	{name: "a zip archive", magic: "PK\x05\x06", unpack: "unzip -p"},
	{name: "a zip archive", magic: "PK\x07\x08", unpack: "unzip -p"},
	{name: "a 7z archive", magic: "7z\xbc\xaf\x27\x1c", unpack: "7z x -so"},
	{name: "a rar archive", magic: "Rar!\x1a\x07", unpack: "unrar p -inul"},
	{name: "a tar archive", more: isTar, filter: "tar -xO -f"},
	{name: "a Parquet file", magic: "PAR1", more: isBinary, fix: fixRows},
	{name: "a Parquet file", magic: "PARE", more: isBinary, fix: fixRows}, // encrypted
	{name: "an ORC file", magic: "ORC", more: isBinary, fix: fixRows},
	{name: "an Avro file", magic: "Obj\x01", fix: "write its records as lines of JSON first"},
	{name: "an Arrow file", magic: "ARROW1\x00", fix: fixRows},
	{name: "an SQLite database", magic: "SQLite format 3\x00", fix: fixRows},
	{name: "an archive of pg_dump", magic: "PGDMP", fix: "restore it, and replicate the database"},
	{name: "text in UTF-32", magic: "\xff\xfe\x00\x00", fix: fixUTF},
	{name: "text in UTF-32", magic: "\x00\x00\xfe\xff", fix: fixUTF},
	{name: "text in UTF-32", more: isWide("x000x000", "000x000x"), fix: fixUTF}, // without a byte order mark
	{name: "text in UTF-16", magic: "\xff\xfe", fix: fixUTF},
	{name: "text in UTF-16", magic: "\xfe\xff", fix: fixUTF},
	{name: "text in UTF-16", more: isWide("x0x0", "0x0x"), fix: fixUTF}, // the first two characters of JSON are ASCII
}

// within are the formats that are read, but not inside each other, by the name of the inner one.
var within = []format{
	{name: "gzip", more: func(head []byte) bool { return bytes.HasPrefix(head, gzipMagic) }},
	{name: "zstd", more: isZstd},
}

// formatBytes is how much of an input its format is recognized by: the header of tar is the longest.
const formatBytes = 512

// formatError says that an input is in a format that is not read.
type formatError struct {
	format
	outer string // gzip or zstd, if the format is inside of that
	twice bool   // the format is one of those that are read
}

func (e *formatError) Error() string {
	name, advice := e.name, e.fix
	if e.twice {
		name = "compressed twice, with " + name
	}
	if e.outer != "" {
		name += " inside " + e.outer
	}
	if advice == "" {
		advice = "unpack it first, such as by: " + e.command() + " | orgstats load -"
	}
	return "is " + name + ", which is not read: " + advice
}

// command returns a command that writes what is inside of a FILE, from the outermost format to the innermost.
func (e *formatError) command() string {
	outer := e.outer + " -dc FILE"
	switch {
	case e.twice:
		return outer
	case e.outer == "":
		return e.filter + e.unpack + " FILE"
	case e.unpack != "":
		return outer + " > ARCHIVE && " + e.unpack + " ARCHIVE"
	case strings.HasSuffix(e.filter, " -f"):
		return outer + " | " + e.filter + " -"
	}
	return outer + " | " + e.filter
}

// refuseFormats returns a *formatError if what comes is in one of the formats. Outer is gzip or zstd, if what comes was
// decompressed from it.
func refuseFormats(r *bufio.Reader, outer string) error {
	head := firstBytes(r)
	if outer != "" {
		for _, f := range within {
			if f.more(head) {
				return &formatError{format: f, outer: outer, twice: true}
			}
		}
	}
	for _, f := range formats {
		if bytes.HasPrefix(head, []byte(f.magic)) && (f.more == nil || f.more(head)) {
			return &formatError{format: f, outer: outer}
		}
	}
	return nil
}

// firstBytes returns enough to recognize a format, or the first line, or all that there is. A source may be slow, and
// return a few bytes at a time: it is waited for no longer than reading a record would wait. Whoever reads on meets its
// error, too.
func firstBytes(r *bufio.Reader) []byte {
	for n := 1; ; {
		_, err := r.Peek(n)
		head, _ := r.Peek(min(r.Buffered(), formatBytes))
		if err != nil || len(head) == formatBytes || bytes.HasPrefix(head, gzipMagic) || isZstd(head) || isRecord(head) {
			return head
		}
		n = len(head) + 1
	}
}

// isRecord reports whether head is a whole line that looks like JSON, at which waiting for more of a file ends. Other
// files have line ends anywhere.
func isRecord(head []byte) bool {
	line, _, whole := bytes.Cut(bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n"), []byte("\n"))
	return whole && line[0] == '{' && bytes.IndexByte(line, 0) < 0
}

// isBzip2 distinguishes the header of bzip2 from words that begin like it.
func isBzip2(head []byte) bool {
	return len(head) >= 10 && (bytes.Equal(head[4:10], []byte("1AY&SY")) || bytes.Equal(head[4:10], []byte("\x17\x72\x45\x38\x50\x90")))
}

// isLzma recognizes lzma's header, which has no magic: its dictionary's size is 2^n or 2^n + 2^(n-1), and the size of
// what it holds is unknown or below 2^38, as xz has it.
func isLzma(head []byte) bool {
	if len(head) < 13 {
		return false
	}
	dictionary, size := binary.LittleEndian.Uint32(head[1:]), binary.LittleEndian.Uint64(head[5:])
	highest := uint32(1) << max(bits.Len32(dictionary)-1, 0)
	return (dictionary == highest || dictionary == highest|highest>>1) && (size == math.MaxUint64 || size < 1<<38)
}

// isTar recognizes a header of tar by its sum, which old archives have, too, where newer ones have a magic that a text
// may hold in the same place.
func isTar(head []byte) bool {
	if len(head) < 512 || bytes.IndexByte(head, 0) < 0 { // no line of JSON holds a zero
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head[:512])).Next()
	return !errors.Is(err, tar.ErrHeader) && !errors.Is(err, io.EOF)
}

// isBinary distinguishes a file from a line of text that begins with the same letters.
func isBinary(head []byte) bool {
	return bytes.ContainsFunc(head, func(c rune) bool { return c < ' ' && !unicode.IsSpace(c) })
}

// isWide recognizes ASCII in units of several bytes by where its zeros are: 0 in a shape stands for a zero, x for
// anything else. One zero is not enough: a line that holds one is merely wrong.
func isWide(shapes ...string) func(head []byte) bool {
	return func(head []byte) bool {
		return slices.ContainsFunc(shapes, func(shape string) bool {
			for i := range len(shape) {
				if i >= len(head) || (head[i] == 0) != (shape[i] == '0') {
					return false
				}
			}
			return true
		})
	}
}

// isZstd reports whether a file of zstd begins: with a frame, or with one that is to be skipped, as pzstd writes (RFC
// 8878, section 3.1.2).
func isZstd(head []byte) bool { return bytes.HasPrefix(head, zstdMagic) || isSkippable(head) }

func isSkippable(head []byte) bool {
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

// skipFrames goes past frames that are to be skipped, and reports whether there were any. They are those of lz4 as
// well: what follows decides which of the two it is.
func skipFrames(r *bufio.Reader) (any bool, err error) {
	const head = 8 // a magic and a size
	for isSkippable(firstBytes(r)) {
		frame, err := r.Peek(head)
		if err != nil {
			return true, noEnd(err)
		}
		size := int64(binary.LittleEndian.Uint32(frame[4:]))
		if n, err := io.CopyN(io.Discard, r, head+size); err != nil {
			return true, fmt.Errorf("after %d of the %d bytes of a frame that is to be skipped: %w", n, head+size, noEnd(err))
		}
		any = true
	}
	return any, nil
}

// noEnd turns an end that comes too early into an error.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// checkFormat returns a *formatError if a file is in a format that is not read.
func checkFormat(in Input) error {
	s, err := openSource(context.Background(), in, func(int) {})
	if wrong, ok := errors.AsType[*formatError](err); ok {
		return fmt.Errorf("%s: %w", in.Path, wrong)
	}
	if err == nil {
		_ = s.Close() // it is opened again, and read
	}
	return nil // other failures are reported when the file's turn comes
}
