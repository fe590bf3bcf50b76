package loader

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// format is one that an input may be in instead of lines of JSON, told by bytes at a place in it.
type format struct {
	name  string
	at    int
	magic string
	mend  string // what to do with the file, if that is not to decompress it by the command
	by    string // command that writes what the file holds to standard output
}

const mendUTF = "convert it to UTF-8 first, such as with iconv"

// formats are those that are refused, by the name of each: read as lines, every line of them would be rejected.
var formats = []format{
	{name: "compressed with xz", magic: "\xfd7zXZ\x00", by: "xz -dc"},
	{name: "compressed with bzip2", magic: "BZh", by: "bzip2 -dc"},
	{name: "compressed with lz4", magic: "\x04\x22\x4d\x18", by: "lz4 -dc"},
	{name: "compressed with lz4", magic: "\x02\x21\x4c\x18", by: "lz4 -dc"},
	{name: "compressed with lzip", magic: "LZIP\x01", by: "lzip -dc"},
	{name: "compressed with lzop", magic: "\x89LZO\x00", by: "lzop -dc"},
	{name: "compressed with lzma", magic: "\x5d\x00\x00", by: "xz --format=lzma -dc"},
	{name: "compressed with compress", magic: "\x1f\x9d", by: "gzip -dc"},
	{name: "compressed with snappy", magic: "\xff\x06\x00\x00sNaPpY", mend: "decompress it first"},
	{name: "a zip archive", magic: "PK\x03\x04", by: "unzip -p"},
	{name: "a zip archive", magic: "PK\x05\x06", by: "unzip -p"},
	{name: "a zip archive", magic: "PK\x07\x08", by: "unzip -p"},
	{name: "a 7z archive", magic: "7z\xbc\xaf\x27\x1c", by: "7z x -so"},
	{name: "a rar archive", magic: "Rar!\x1a\x07", by: "unrar p -inul"},
	{name: "a tar archive", at: 257, magic: "ustar", by: "tar -xOf"},
	{name: "a Parquet file", magic: "PAR1", mend: "write its rows as lines of JSON first"},
	{name: "an Avro file", magic: "Obj\x01", mend: "write its records as lines of JSON first"},
	{name: "an Arrow file", magic: "ARROW1\x00", mend: "write its rows as lines of JSON first"},
	{name: "an SQLite database", magic: "SQLite format 3\x00", mend: "write its rows as lines of JSON first"},
	{name: "an archive of pg_dump", magic: "PGDMP", mend: "restore it, and replicate the database"},
	{name: "text in UTF-32", magic: "\xff\xfe\x00\x00", mend: mendUTF},
	{name: "text in UTF-32", magic: "\x00\x00\xfe\xff", mend: mendUTF},
	{name: "text in UTF-16", magic: "\xff\xfe", mend: mendUTF},
	{name: "text in UTF-16", magic: "\xfe\xff", mend: mendUTF},
}

// twice are the formats that are read, but not within each other.
var twice = []format{
	{name: "compressed twice", magic: string(gzipMagic), by: "gzip -dc"},
	{name: "compressed twice", magic: string(zstdMagic), by: "zstd -dc"},
}

// formatBytes is how much of an input tells its format.
const formatBytes = 512

// formatError says that an input is in a format that is not read.
type formatError struct{ format }

func (e *formatError) Error() string {
	if e.by == "" {
		return fmt.Sprintf("is %s, which is not read: %s", e.name, e.mend)
	}
	return fmt.Sprintf("is %s, which is not read: unpack it first, such as by: %s FILE | orgstats load -", e.name, e.by)
}

// refuseFormats is a *formatError if what comes is in one of the formats. It waits for no more than the first bytes: a source may be slow.
func refuseFormats(r *bufio.Reader, more ...format) error {
	if _, err := r.Peek(1); err != nil {
		return nil // whoever reads it meets the error, too
	}
	head, _ := r.Peek(min(r.Buffered(), formatBytes))
	for _, f := range append(more, formats...) {
		if len(head) > f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) && (f.magic != "BZh" || isBzip2(head)) {
			return &formatError{f}
		}
	}
	if len(head) >= 2 && (head[0] == 0) != (head[1] == 0) {
		return &formatError{format{name: "text in UTF-16", mend: mendUTF}} // without a byte order mark
	}
	return nil
}

// isBzip2 tells bzip2's header from words that begin like it.
func isBzip2(head []byte) bool {
	return len(head) >= 10 && (bytes.Equal(head[4:10], []byte("1AY&SY")) || bytes.Equal(head[4:10], []byte("\x17\x72\x45\x38\x50\x90")))
}

// isZstd reports whether a file of zstd begins: with a frame, or with one that is to be skipped, as pzstd writes (RFC 8878, section 3.1.2).
func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, zstdMagic) || len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

// checkFormat is a *formatError if a file is in a format that is not read.
func checkFormat(in Input, open func(Input) (*source, error)) error {
	s, err := open(in)
	if wrong, ok := errors.AsType[*formatError](err); ok {
		return fmt.Errorf("%s: %w", in.Path, wrong)
	}
	if err == nil {
		_ = s.Close() // it is opened again, and read
	}
	return nil // other failures are told when the file's turn comes
}

// gunzip reads members of gzip one after the other. Zeros after one are ignored, as gzip(1) does: tapes and block devices fill up with
// them. Anything else is an error.
type gunzip struct {
	raw    *bufio.Reader
	member memberReader
}

// memberReader is a gzip reader.
type memberReader interface {
	io.Reader
	Reset(io.Reader) error
	Multistream(bool)
}

func (g *gunzip) Read(p []byte) (int, error) {
	for {
		n, err := g.member.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil // of the member
			}
			return n, err
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
}

// next goes to the next member, io.EOF if there is none.
func (g *gunzip) next() error {
	for {
		b, err := g.raw.ReadByte()
		switch {
		case err != nil:
			return err
		case b == 0:
			continue
		}
		if err := g.raw.UnreadByte(); err != nil {
			return err
		}
		break
	}
	if head, err := g.raw.Peek(len(gzipMagic)); err != nil || !bytes.Equal(head, gzipMagic) {
		return fmt.Errorf("%w: behind its gzip data there are bytes that are neither that nor zeros, as when something was appended", gzip.ErrHeader)
	}
	if err := g.member.Reset(g.raw); err != nil {
		return err
	}
	g.member.Multistream(false)
	return nil
}
