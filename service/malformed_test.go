package service

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// untimed returns a service that waits for the rest of a request for longer than a test does: what it answers it has
// answered because of what came.
func untimed(t *testing.T) (*running, *recorder) {
	t.Helper()
	asked := &recorder{}
	return start(t, Config{Answerer: asked, ReadTimeout: time.Hour, IdleTimeout: time.Hour}), asked
}

// with returns a good request with more headers, and what follows them.
func with(headers, rest string) string {
	return strings.Replace(rawRequest(admin, day), "Host: test\r\n", "Host: test\r\n"+headers, 1) + rest
}

// lined returns a good request with another request line.
func lined(line string) string {
	_, rest, _ := strings.Cut(rawRequest(admin, day), "\r\n")
	return line + "\r\n" + rest
}

// hosted returns a good request with another host, or with none.
func hosted(header string) string {
	return strings.Replace(rawRequest(admin, day), "Host: test\r\n", header, 1)
}

const target = statsPath + "?" + day

type malformedRow struct {
	why, text string
	status    int
	says      string // in the sentence
}

var malformedLines = []malformedRow{
	{"a header is folded with a space", with("X: a\r\n b\r\n", ""), 400, "Folded header lines are obsolete"},
	{"with a tab", with("X: a\r\n\tb\r\n", ""), 400, "Folded"},
	{"twice", with("X: a\r\n b\r\n c\r\n", ""), 400, "Folded"},
	{"what is folded looks like a header", with("X: a\r\n b: c\r\n", ""), 400, "Folded"},
	{"what is folded is empty", with("X: a\r\n \r\n", ""), 400, "Folded"},
	{"the host is folded", hosted("Host:\r\n test\r\n"), 400, "Folded"},
	{"the last header, the token, is folded", strings.Replace(rawRequest(admin, day), "Bearer ", "Bearer\r\n ", 1), 400, "Folded"},
	{"the first header begins with a space", hosted(" Host: test\r\n"), 400, "Folded"},
	{"a body's length is folded", with("Content-Length:\r\n 5\r\n", "hello"), 400, "Folded"},
	{"a trailer is folded", with("Transfer-Encoding: chunked\r\n", "0\r\nX: a\r\n b\r\n\r\n"), 400, "Folded"},
	{"every line ends with LF alone, which a proxy may take for part of a line", strings.ReplaceAll(rawRequest(admin, day), "\r\n", "\n"), 400, "CR LF"},
	{"one header does", with("X: a\nContent-Length: 5\r\n", ""), 400, "LF alone"},
	{"the empty line does", strings.TrimSuffix(rawRequest(admin, day), "\r\n") + "\n", 400, "LF alone"},
	{"an empty line before does", "\n" + rawRequest(admin, day), 400, "LF alone"},
	{"a CR in a value", with("X: a\rb\r\n", ""), 400, "A CR stands without the LF"},
	{"two CRs", with("X: a\r\r\n", ""), 400, "A CR"},
	{"every line ends with CR alone", strings.ReplaceAll(rawRequest(admin, day), "\r\n", "\r"), 400, "A CR"},
	{"no colon", with("nonsense\r\n", ""), 400, "no colon"},
	{"no colon in the last header", strings.TrimSuffix(rawRequest(admin, day), "\r\n") + "nonsense\r\n\r\n", 400, "no colon"},
	{"a space before the colon", with("X : a\r\n", ""), 400, "followed by a space"},
	{"a tab before it", with("X\t: a\r\n", ""), 400, "followed by a space or a tab"},
	{"a space before that of a length", with("Content-Length : 5\r\n", "hello"), 400, "followed by a space"},
	{"no name", with(": a\r\n", ""), 400, "no name"},
	{"NUL in a name", with("X\x00: a\r\n", ""), 400, "The name of a header"},
	{"DEL in a name", with("X\x7f: a\r\n", ""), 400, "The name of a header"},
	{"a name that is not ASCII", with("Xü: a\r\n", ""), 400, "The name of a header"},
	{"brackets in a name", with("X(y): a\r\n", ""), 400, "The name of a header"},
	{"NUL in a value", with("X: a\x00\r\n", ""), 400, "control character"},
	{"ESC in a value", with("X: a\x1b[1m\r\n", ""), 400, "control character"},
	{"more headers than anybody needs", with(strings.Repeat("a:\r\n", 300), ""), 431, "256"},
}

var malformedRequestLines = []malformedRow{
	{"two spaces before the URL", lined("GET  " + target + " HTTP/1.1"), 400, "one space"},
	{"two spaces behind it", lined("GET " + target + "  HTTP/1.1"), 400, "one space"},
	{"a space at the end", lined("GET " + target + " HTTP/1.1 "), 400, "one space"},
	{"a space at the beginning", lined(" GET " + target + " HTTP/1.1"), 400, "one space"},
	{"tabs for spaces", lined("GET\t" + target + "\tHTTP/1.1"), 400, "one space"},
	{"a space in the URL", lined("GET " + target + "&agentId=a b HTTP/1.1"), 400, "%20"},
	{"NUL in the URL", lined("GET " + target + "&agentId=a\x00b HTTP/1.1"), 400, "control character"},
	{"DEL in the URL", lined("GET " + statsPath + "\x7f HTTP/1.1"), 400, "control character"},
	{"a fragment behind the path", lined("GET " + statsPath + "#x?" + day + " HTTP/1.1"), 400, "%23"},
	{"a method that is none", lined("G[]T " + target + " HTTP/1.1"), 400, "HTTP method"},
	{"NUL in the method", lined("G\x00T " + target + " HTTP/1.1"), 400, "HTTP method"},
	{"no version, as in HTTP/0.9", "GET " + target + "\r\n", 400, "request line"},
	{"no version, but headers", lined("GET " + target), 400, "request line"},
	{"no URL", lined("GET HTTP/1.1"), 400, "request line"},
	{"HTTP in lower case", lined("GET " + target + " http/1.1"), 400, "request line"},
	{"another protocol", lined("GET " + target + " HTTPS/1.1"), 400, "request line"},
	{"a version of two digits", lined("GET " + target + " HTTP/1.10"), 400, "request line"},
	{"a version without a point", lined("GET " + target + " HTTP/11"), 400, "request line"},
	{"HTTP/0.9 by name", lined("GET " + target + " HTTP/0.9"), 505, "Use HTTP/1.1"},
	{"HTTP/2 begins", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 505, "Use HTTP/1.1"},
	{"HTTP/3.7", lined("GET " + target + " HTTP/3.7"), 505, "Use HTTP/1.1"},
	{"a path that does not begin with /", lined("GET " + target[1:] + " HTTP/1.1"), 400, "begins with /"},
	{"a host for a URL", lined("GET test:443 HTTP/1.1"), 400, "begins with /"},
	{"an asterisk of another method than OPTIONS", lined("GET * HTTP/1.1"), 400, "begins with /"},
	{"CONNECT to a path", lined("CONNECT " + target + " HTTP/1.1"), 400, "begins with /"},
	{"a URL of another scheme", lined("GET ftp://test" + target + " HTTP/1.1"), 400, "http://host/path"},
	{"a URL without a host", lined("GET http://" + target + " HTTP/1.1"), 400, "The host"},
	{"a URL with a user", lined("GET http://u:p@test" + target + " HTTP/1.1"), 400, "The host"},
	{"a TLS client on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "Speak plain HTTP/1.1"},
	{"its first byte alone", "\x16", 400, "Speak plain HTTP/1.1"},
	{"a client of SSH", "SSH-2.0-OpenSSH_9.2\r\n", 400, "request line"},
	{"a client of SMTP", "EHLO test\r\n", 400, "request line"},
	{"empty lines without end", strings.Repeat("\r\n", 1000), 400, "empty lines"},
	{"an empty line and nonsense", "\r\n\x00", 400, "HTTP method"},
}

var malformedFraming = []malformedRow{
	{"no host", hosted(""), 400, "no Host"},
	{"a URL's host does not stand in for it", strings.Replace(hosted(""), " /", " http://test/", 1), 400, "no Host"},
	{"two hosts", hosted("Host: test\r\nhost: other\r\n"), 400, "more than one Host"},
	{"the same host twice", hosted("Host: test\r\nHost: test\r\n"), 400, "more than one Host"},
	{"a space in the host", hosted("Host: a b\r\n"), 400, "The host"},
	{"a path behind the host", hosted("Host: a/b\r\n"), 400, "The host"},
	{"a user before the host", hosted("Host: a@b\r\n"), 400, "The host"},
	{"a port that is no number", hosted("Host: a:b\r\n"), 400, "The host"},
	{"an address without its bracket", hosted("Host: [::1\r\n"), 400, "The host"},
	{"brackets around what is no address", hosted("Host: [test]\r\n"), 400, "The host"},
	{"a host with a % that stands for nothing", hosted("Host: a%zz\r\n"), 400, "The host"},
	{"a host that is too long", hosted("Host: " + strings.Repeat("a", 300) + "\r\n"), 400, "The host"},

	{"a negative length", with("Content-Length: -5\r\n", "hello"), 400, "Content-Length"},
	{"a length with a sign", with("Content-Length: +5\r\n", "hello"), 400, "Content-Length"},
	{"a length in hexadecimal", with("Content-Length: 0x5\r\n", "hello"), 400, "Content-Length"},
	{"an empty length", with("Content-Length:\r\n", ""), 400, "Content-Length"},
	{"a list of lengths", with("Content-Length: 5, 5\r\n", "hello"), 400, "Content-Length"},
	{"two lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), 400, "more than once"},
	{"the same length twice", with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400, "more than once"},
	{"a length beyond all numbers", with("Content-Length: 99999999999999999999999\r\n", ""), 413, "too large"},
	{"a length beyond the limit", with("Content-Length: 1000000\r\n", ""), 413, "too large"},
	{"it is not asked for, either", with("Expect: 100-continue\r\nContent-Length: 1000000\r\n", ""), 413, "too large"},

	{"a length and chunks", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400, "more than once"},
	{"chunks and a length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400, "more than once"},
	{"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400, "more than once"},
	{"chunked twice in a line", with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400, "end in chunked"},
	{"a coding without an end", with("Transfer-Encoding: gzip\r\n", ""), 400, "end in chunked"},
	{"a coding that there was once", with("Transfer-Encoding: identity\r\n", ""), 400, "end in chunked"},
	{"no coding", with("Transfer-Encoding:\r\n", ""), 400, "end in chunked"},
	{"almost chunked", with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400, "end in chunked"},
	{"chunked behind a control character", with("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), 400, "control character"},
	{"an unknown coding", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501, "No transfer coding but chunked"},
	{"chunks in HTTP/1.0", strings.Replace(with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), "HTTP/1.1", "HTTP/1.0", 1), 400, "Before HTTP/1.1"},
	{"a chunk's size is no number", with("Transfer-Encoding: chunked\r\n", "zz\r\nhello\r\n0\r\n\r\n"), 400, "not chunked"},
	{"it has a prefix", with("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"), 400, "not chunked"},
	{"it has a sign", with("Transfer-Encoding: chunked\r\n", "-5\r\nhello\r\n0\r\n\r\n"), 400, "not chunked"},
	{"it has a space behind it", with("Transfer-Encoding: chunked\r\n", "5 \r\nhello\r\n0\r\n\r\n"), 400, "not chunked"},
	{"it is beyond all numbers", with("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n"), 400, "not chunked"},
	{"it is beyond the limit", with("Transfer-Encoding: chunked\r\n", "10001\r\n"), 413, "too large"},
	{"it is missing", with("Transfer-Encoding: chunked\r\n", "\r\n\r\n"), 400, "not chunked"},
	{"a chunk is longer than it says", with("Transfer-Encoding: chunked\r\n", "3\r\nhello\r\n0\r\n\r\n"), 400, "not chunked"},
	{"lines of chunks end with LF alone", with("Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"), 400, "not chunked"},
	{"LF in an extension", with("Transfer-Encoding: chunked\r\n", "5;a\nhello\r\n0\r\n\r\n"), 400, "not chunked"},
	{"an extension without end", with("Transfer-Encoding: chunked\r\n", "5;"+strings.Repeat("x", 300_000)), 413, "too large"},
	{"a trailer that is none", with("Transfer-Encoding: chunked\r\n", "0\r\nnonsense\r\n\r\n"), 400, "no colon"},
	{"miracles are expected", with("Expect: miracles\r\n", ""), 417, "100-continue"},
}

// What is no request is answered for its first wrong byte, and logged so. ClickHouse hears nothing of it.
func TestMalformedRequests(t *testing.T) {
	service, asked := untimed(t)
	for name, rows := range map[string][]malformedRow{
		"lines": malformedLines, "request lines": malformedRequestLines, "framing": malformedFraming,
	} {
		t.Run(name, func(t *testing.T) {
			for _, row := range rows {
				t.Run(row.why, func(t *testing.T) {
					connection := service.dial(t)
					send(t, connection, row.text)
					service.expectRefusal(t, connection, row)
				})
				t.Run(row.why+", behind a good request", func(t *testing.T) {
					connection := service.dial(t)
					send(t, connection, "GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
					readAnswer(t, connection)
					send(t, connection, row.text)
					service.expectRefusal(t, connection, row)
				})
			}
		})
	}
	if n := len(asked.questions); n > 0 {
		t.Errorf("%d questions were asked", n)
	}
}

// expectRefusal reads an answer that must be a row's, and the connection's last.
func (r *running) expectRefusal(t *testing.T, connection net.Conn, row malformedRow) {
	t.Helper()
	reader := bufio.NewReader(connection)
	got := readNext(t, reader)
	if got.status != row.status || !strings.Contains(got.Error, row.says) {
		t.Errorf("got %d %s, want %d that says %q", got.status, got.body, row.status, row.says)
	}
	if got.header.Get("Connection") != "close" {
		t.Error("the answer does not say that the connection closes")
	}
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("then came %q, %v, want a clean end", rest, err)
	}
	r.expectLogged(t, got.header.Get("X-Request-Id"), fmt.Sprintf(`"status":%d`, row.status), `"level":"INFO"`)
}

// expectLogged waits for the one line of a request, and sees what it holds.
func (r *running) expectLogged(t *testing.T, id string, parts ...string) {
	t.Helper()
	var lines []string
	enginetest.Await(t, "the request is logged", func() bool {
		lines = nil
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, `"request_id":"`+id+`"`) {
				lines = append(lines, line)
			}
		}
		return len(lines) > 0
	})
	for _, part := range parts {
		if len(lines) != 1 || !strings.Contains(lines[0], part) {
			t.Errorf("logged as %q, want one line with %s", lines, part)
		}
	}
}

// A request that ends in the middle is no request, wherever it ends.
func TestCutRequests(t *testing.T) {
	service, asked := untimed(t)
	for _, text := range []string{
		"GET", rawRequest(admin, day)[:100], with("Content-Length: 5\r\n", "hell"), with("Transfer-Encoding: chunked\r\n", ""),
		with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), with("Transfer-Encoding: chunked\r\n", "0\r\n"),
	} {
		connection := service.dial(t)
		send(t, connection, text)
		if err := connection.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		service.expectRefusal(t, connection, malformedRow{"", "", 400, "ended before"})
	}
	if n := len(asked.questions); n > 0 {
		t.Errorf("%d questions were asked", n)
	}
}

// A body that does not come is waited for as long as for anything, and then it is no longer.
func TestMissingBodiesTimeOut(t *testing.T) {
	service := start(t, Config{ReadTimeout: 50 * time.Millisecond})
	for _, text := range []string{
		with("Content-Length: 5\r\n", ""), with("Transfer-Encoding: chunked\r\n", ""), with("Transfer-Encoding: chunked\r\n", "5;a"),
		with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
	} {
		connection := service.dial(t)
		send(t, connection, text)
		if got := readAnswer(t, connection); got.status != 408 {
			t.Errorf("%q: got %d %s", text, got.status, got.body)
		}
	}
}

// Whatever follows a request in the same breath is neither answered nor taken for a part of it.
func TestNothingIsSmuggledBehindARequest(t *testing.T) {
	service, asked := untimed(t)
	for why, rest := range map[string]string{
		"a request": rawRequest(member, day), "nonsense": "hello\r\n\r\n", "a body without a length": "hello", "NUL": "\x00",
	} {
		connection := service.dial(t)
		send(t, connection, rawRequest(admin, day)+rest)
		reader := bufio.NewReader(connection)
		if got := readNext(t, reader); got.status != 200 || got.header.Get("Connection") != "close" {
			t.Errorf("%s: got %d %v", why, got.status, got.header)
		}
		if more, err := io.ReadAll(reader); err != nil || len(more) > 0 {
			t.Errorf("%s: then came %q, %v, want a clean end", why, more, err)
		}
		if q := asked.only(t); q.UserID != admin.UserID {
			t.Errorf("%s: asked %v", why, q)
		}
	}
}
