package loader

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gunzip reads members of gzip one after the other. Zeros after one are ignored, as gzip(1) does: tapes and block
// devices fill up with them. Anything else is an error.
type gunzip struct {
	raw    *bufio.Reader
	member *gzip.Reader
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
	b := byte(0)
	for b == 0 {
		var err error
		if b, err = g.raw.ReadByte(); err != nil {
			return err
		}
	}
	if err := g.raw.UnreadByte(); err != nil {
		return err
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
