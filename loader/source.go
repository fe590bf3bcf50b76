package loader

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// StandardInput is the path that stands for standard input.
const StandardInput = "-"

// zstdWindow bounds the memory of a zstd stream; it is what `zstd --ultra -22` uses.
const zstdWindow = 128 << 20

// Input is something to load: a file, or what a program makes.
type Input struct {
	Path   string    // of the file, or a name for the reader
	Reader io.Reader // nil: the file is opened when its turn comes
}

// Files returns the inputs that the paths name; "-" is standard input.
func Files(paths []string) []Input {
	inputs := make([]Input, len(paths))
	for i, path := range paths {
		inputs[i].Path = path
		if path == StandardInput {
			inputs[i].Reader = os.Stdin
		}
	}
	return inputs
}

// source is an open input, decompressed.
type source struct {
	io.Reader
	path  string
	close []func() error
}

// openSource opens an input, gzip or zstd or plain by its content. Bytes read from the input itself, before
// decompression, are counted by read.
func openSource(ctx context.Context, in Input, read func(n int)) (*source, error) {
	raw, err := openRaw(ctx, in)
	if err != nil {
		return nil, err
	}
	s := &source{path: in.Path, close: []func() error{raw.Close}}
	buffered := bufio.NewReaderSize(&countingReader{raw, read}, 1<<20)
	if err := s.decompress(buffered); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", in.Path, err), s.Close())
	}
	return s, nil
}

func openRaw(ctx context.Context, in Input) (io.ReadCloser, error) {
	if in.Reader == nil {
		return os.Open(in.Path)
	}
	return interruptible(ctx, in.Reader), nil
}

// interruptible returns what a reader reads until the context ends, even while the reader waits for bytes, as standard
// input may for ever.
func interruptible(ctx context.Context, r io.Reader) io.ReadCloser {
	out, in := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = in.CloseWithError(ctx.Err()) })
	go func() {
		defer stop()
		_, err := io.CopyBuffer(in, struct{ io.Reader }{r}, make([]byte, 256<<10))
		_ = in.CloseWithError(err)
	}()
	return out
}

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

const lz4Magic = "\x04\x22\x4d\x18"

func (s *source) decompress(r *bufio.Reader) error {
	skipped, err := skipFrames(r)
	if err != nil {
		return fmt.Errorf("read as zstd: %w", err)
	}
	head := firstBytes(r)
	switch {
	case bytes.HasPrefix(head, gzipMagic) && !skipped:
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("read as gzip: %w", err)
		}
		unzipped.Multistream(false)
		return s.plain(&gunzip{r, unzipped}, "gzip") // the reader's Close would free nothing, and only say again what reading has said
	case isZstd(head) || skipped && len(head) > 0 && !bytes.HasPrefix(head, []byte(lz4Magic)):
		unzipped, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return fmt.Errorf("read as zstd: %w", err)
		}
		s.close = append(s.close, func() error { unzipped.Close(); return nil })
		return s.plain(unzipped, "zstd")
	}
	s.Reader = r
	return refuseFormats(r, "")
}

// plain checks what was decompressed from a format, unless it is in one that is not read.
func (s *source) plain(r io.Reader, outer string) error {
	buffered := bufio.NewReaderSize(r, 64<<10)
	s.Reader = buffered
	return refuseFormats(buffered, outer)
}

// Close closes the file and what decompresses it.
func (s *source) Close() error {
	var err error
	for _, f := range s.close {
		err = errors.Join(err, f())
	}
	return err
}

type countingReader struct {
	io.Reader
	count func(n int)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.count(n)
	return n, err
}

// checkInputs reports every file that can't be read at once, before anything is loaded, and returns the size of all
// files together; 0 when it is not known.
func checkInputs(inputs []Input) (size int64, err error) {
	known := true
	for _, in := range inputs {
		if in.Reader != nil {
			known = false
			continue
		}
		info, statErr := os.Stat(in.Path)
		switch {
		case statErr != nil:
			err = errors.Join(err, statErr)
		case info.IsDir():
			err = errors.Join(err, fmt.Errorf("%s is a directory; name the files in it", in.Path))
		case !info.Mode().IsRegular():
			known = false
		default:
			size += info.Size()
			err = errors.Join(err, checkFormat(in))
		}
	}
	if !known {
		size = 0
	}
	return size, err
}
