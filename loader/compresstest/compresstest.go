// Package compresstest compresses and decompresses texts for tests, in the formats that the loader reads.
package compresstest

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Gzip returns a text as a gzip file of one member.
func Gzip[T string | []byte](tb testing.TB, text T) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// Gunzip returns the text in a gzip file.
func Gunzip(tb testing.TB, content []byte) []byte {
	tb.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// Zstd returns a text as a zstd frame with a checksum.
func Zstd[T string | []byte](tb testing.TB, text T) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true))
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}
