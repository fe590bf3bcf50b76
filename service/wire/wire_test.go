package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

const maxBody = 64

// outcome is what became of bytes.
type outcome struct {
	kept                         string
	fault                        *Fault
	begun, complete, alone, ends bool
}

// scan returns bytes to a scanner in pieces of a size, until one is wrong.
func scan(text string, piece int) (o outcome) {
	s := Scanner{MaxBody: maxBody}
	for p := range slices.Chunk([]byte(text), piece) {
		kept, fault := s.Scan(p)
		if fault != nil {
			return outcome{fault: fault}
		}
		o.kept += string(p[:kept])
	}
	return outcome{o.kept, nil, s.Begun(), s.Complete(), s.Alone(), s.Close()}
}

const head = "GET /a?b HTTP/1.1\r\nHost: test\r\n"

func TestWhatIsKept(t *testing.T) {
	for _, row := range []struct {
		why, text, kept string
		complete, alone bool
	}{
		{"nothing", "", "", false, false},
		{"an empty line", "\r\n", "", false, false},
		{"half a head", head, head, false, false},
		{"a request", head + "\r\n", head + "\r\n", true, true},
		{"behind empty lines", "\r\n\r\n" + head + "\r\n", head + "\r\n", true, true},
		{"before another, which has nothing to do with it", head + "\r\n\n\x00", head + "\r\n\n\x00", true, false},
		{"with a tab for a space", head + "X:\ta\tb\r\n\r\n", head + "X: a\tb\r\n\r\n", true, true},
		{"with half a body", head + "Content-Length: 5\r\n\r\nhe", head + "Content-Length: 5\r\n\r\nhe", false, false},
		{"with a body", head + "Content-Length: 5\r\n\r\nhello", head + "Content-Length: 5\r\n\r\nhello", true, false},
		{
			"with extensions and a trailer", head + "Transfer-Encoding: chunked\r\n\r\n5;a;b=\"c\"\r\nhello\r\n0;d\r\nX-Forwarded-For: e\r\nF: \tg\r\n\r\n",
			head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, false,
		},
	} {
		for piece := 1; piece <= max(1, len(row.text)); piece++ {
			got := scan(row.text, piece)
			if got.fault != nil || got.kept != row.kept || got.complete != row.complete || got.alone != row.alone {
				t.Fatalf("%s, in pieces of %d: got %+v", row.why, piece, got)
			}
		}
	}
}

// What is wrong shows in its first wrong byte, and not only once the line ends.
func TestFaultsShowAtOnce(t *testing.T) {
	for text, want := range map[string]*Fault{
		"\x16":                            errMethod,
		"GET /\x00":                       errTargetByte,
		"GET /#":                          errFragment,
		"GET / h":                         errRequestLine,
		"GET / HTTP/2":                    errVersion,
		head + " ":                        errFolded,
		head + "X: a\r\n\t":               errFolded,
		head + "X ":                       errSpace,
		head + "X: \x00":                  errValue,
		head + "X: a\rb":                  errBareCR,
		head + "Host: test\r\nX":          errTwoHosts,
		head + "Content-Length: +5\r\n\r": errLength,
		head + "Transfer-Encoding: chunked\r\n\r\n5\n": errChunk,
	} {
		for piece := 1; piece <= len(text); piece++ {
			if got := scan(text, piece); got.fault != want {
				t.Errorf("%q, in pieces of %d: %v, want %v", text, piece, got.fault, want)
			}
		}
		if got := scan(text[:len(text)-1], 1); got.fault != nil {
			t.Errorf("%q: %v before the last byte", text, got.fault)
		}
	}
}

// FuzzScan sees that bytes mean the same in whatever pieces they come, and that fasthttp and net/http, which parse what
// is kept, find the request's end where the scanner does.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		head + "\r\n", "\r\n" + head + "Connection: close\r\n\r\n", head + "Content-Length: 5\r\n\r\nhello", "OPTIONS * HTTP/1.0\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX: y\r\n\r\n", "GET http://test:80/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		head + "X: a\r\n b\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", head + "Expect: 100-continue\r\n\r\n",
	} {
		f.Add(text, 3)
	}
	f.Fuzz(func(t *testing.T, text string, piece int) {
		whole := scan(text, max(1, len(text)))
		if parts := scan(text, 1+max(piece, -piece)%64&63); parts != whole {
			t.Fatalf("%q: %+v in pieces, %+v whole", text, parts, whole)
		}
		if whole.fault != nil || !whole.complete {
			return
		}
		request := untilComplete(text)
		for name, parse := range map[string]func(*bufio.Reader) error{"fasthttp": parseFast, "net/http": parseNet} {
			const marker = "\x00marker"
			reader := bufio.NewReaderSize(strings.NewReader(request+marker), len(request)+64)
			if err := parse(reader); err != nil {
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%q: %s waits for more", request, name)
				}
				continue // it is answered with 400
			}
			if rest, _ := io.ReadAll(reader); string(rest) != marker {
				t.Errorf("%q: %s leaves %q", request, name, rest)
			}
		}
	})
}

// untilComplete returns what is kept of the first request in a text.
func untilComplete(text string) string {
	var kept []byte
	s := Scanner{MaxBody: maxBody}
	for p := range slices.Chunk([]byte(text), 1) {
		n, _ := s.Scan(p)
		kept = append(kept, p[:n]...)
		if s.Complete() {
			break
		}
	}
	return string(kept)
}

func parseFast(reader *bufio.Reader) error {
	var request fasthttp.Request
	if err := request.Header.Read(reader); err != nil {
		return err
	}
	return request.ContinueReadBody(reader, maxBody, false)
}

func parseNet(reader *bufio.Reader) error {
	request, err := http.ReadRequest(reader)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err
}

func BenchmarkScan(b *testing.B) {
	text := []byte(head + "Authorization: Bearer " + strings.Repeat("x", 800) + "\r\nAccept: */*\r\nAccept-Encoding: gzip, br\r\n" +
		"User-Agent: bench/1.0\r\n\r\n")
	s := Scanner{MaxBody: maxBody}
	first := bytes.Clone(text[:1])
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_, _ = s.Scan(first) // as fasthttp reads
		_, _ = s.Scan(text[1:])
		if !s.Alone() {
			b.Fatal("it is not what it is")
		}
		s.Next()
	}
}
