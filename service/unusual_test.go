package service

import (
	"bufio"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service/stats"
)

// What HTTP allows works, however useless it is.
func TestUnusualRequestsAreAnswered(t *testing.T) {
	service, asked := untimed(t)
	for _, row := range []struct {
		why, text string
		keeps     bool // the connection
	}{
		{"nothing unusual", rawRequest(admin, day), true},
		{"HTTP/1.0 closes", lined("GET " + target + " HTTP/1.0"), false},
		{"HTTP/1.0 needs no host", strings.Replace(hosted(""), "HTTP/1.1", "HTTP/1.0", 1), false},
		{"HTTP/1.0 keeps where it is asked to", strings.Replace(with("Connection: Keep-Alive\r\n", ""), "HTTP/1.1", "HTTP/1.0", 1), true},
		{"a later HTTP/1 is read as one that knows less", lined("GET " + target + " HTTP/1.2"), false},
		{"a whole URL", lined("GET http://test" + target + " HTTP/1.1"), true},
		{"a whole URL of another host, scheme and port", lined("GET HTTPS://other:443" + target + " HTTP/1.1"), true},
		{"an empty host", hosted("Host:\r\n"), true},
		{"a host with a port", hosted("Host: test:8080\r\n"), true},
		{"a host that is an address", hosted("Host: [::1]:8080\r\n"), true},
		{"a host that is percent-encoded", hosted("Host: t%65st\r\n"), true},
		{"a host with unusual characters", hosted("Host: a_b,c!\r\n"), true},
		{"a tab before a value", strings.ReplaceAll(rawRequest(admin, day), ": ", ":\t"), true},
		{"no space before a value", hosted("Host:test\r\n"), true},
		{"a tab in a value", with("X: a\tb\r\n", ""), true},
		{"a value beyond ASCII", with("X: \xfcber\r\n", ""), true},
		{"an empty value", with("X:\r\nY: \r\n", ""), true},
		{"every character of a name", with("!#$%&'*+-.^_`|~09aZ: a\r\n", ""), true},
		{"a URL beyond ASCII", lined("GET " + target + "&agentId=ü|\" HTTP/1.1"), true},
		{"100 headers", with(strings.Repeat("X: y\r\n", 100), ""), true},
		{"an empty line before", "\r\n" + rawRequest(admin, day), true},
		{"several", "\r\n\r\n\r\n" + rawRequest(admin, day), true},
		{"a body of no bytes", with("Content-Length: 0\r\n", ""), true},
		{"a body is read and ignored, and the connection closes", with("Content-Length: 5\r\n", "hello"), false},
		{"of a form, and not a good one", with("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n", "hello"), false},
		{"in chunks", with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), false},
		{
			"in chunks by another spelling, with an extension and a trailer",
			with("Transfer-Encoding:\tChunked \r\n", "05;a=\"b\"\r\nhello\r\n0;c\r\nX: y\r\nAuthorization: z\r\n\r\n"), false,
		},
		{"a WebSocket, which is not offered", with("Connection: Upgrade\r\nUpgrade: websocket\r\n", ""), true},
		{"HTTP/2, which is not offered", with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", ""), true},
		{"a close, by another spelling", with("Connection: Close\r\n", ""), false},
		{"a close among others", with("Connection: x, close\r\n", ""), false},
		{"a close, taken back", with("Connection: close\r\nConnection: keep-alive\r\n", ""), false},
		{"an expectation without a body", with("Expect: 100-continue\r\n", ""), true},
		{"an expectation of HTTP/1.0", strings.Replace(with("Expect: miracles\r\n", ""), "HTTP/1.1", "HTTP/1.0", 1), false},
	} {
		t.Run(row.why, func(t *testing.T) {
			connection := service.dial(t)
			send(t, connection, row.text)
			got := readAnswer(t, connection)
			if got.status != 200 || (got.header.Get("Connection") != "close") != row.keeps {
				t.Errorf("got %d %s %v", got.status, got.body, got.header)
			}
			if q := asked.only(t); q.UserID != admin.UserID {
				t.Errorf("asked %v", q)
			}
			service.expectLogged(t, got.header.Get("X-Request-Id"), `"status":200`, `"path":"`+statsPath+`"`)
		})
	}
}

func TestTargetsThatAreNoPath(t *testing.T) {
	service, _ := untimed(t)
	for _, row := range []malformedRow{
		{"OPTIONS of the service", lined("OPTIONS * HTTP/1.1"), 405, "GET and HEAD"},
		{"no proxy is here", lined("CONNECT test:443 HTTP/1.1"), 405, "GET and HEAD"},
		{"an absolute URL of no path of the service", lined("GET http://test/nothing HTTP/1.1"), 404, "nothing"},
		{"a path without a host", strings.Replace(lined("GET //test/livez HTTP/1.0"), "Host: test\r\n", "", 1), 404, "nothing"},
		{"a URL in a path", lined("GET /a://test/livez HTTP/1.1"), 404, "nothing"},
		{"a % that two digits don't follow, in the path", lined("GET /livez%zz HTTP/1.1"), 404, "nothing"},
		{"and in the query", lined("GET " + target + "&agentId=%zz HTTP/1.1"), 400, "%25"},
		{"a fragment behind the query, which may be part of a value", lined("GET " + target + "&agentId=a#x HTTP/1.1"), 400, "%23"},
		{"a method in lower case", lined("get " + target + " HTTP/1.1"), 405, "GET and HEAD"},
	} {
		connection := service.dial(t)
		send(t, connection, row.text)
		got := readAnswer(t, connection)
		if got.status != row.status || !strings.Contains(got.Error, row.says) {
			t.Errorf("%s: got %d %s, want %d that says %q", row.why, got.status, got.body, row.status, row.says)
		}
	}
}

// An absolute URL without a path is the root, where the dashboard is (RFC 9112, section 3.2.2).
func TestAURLWithoutAPathIsTheRoot(t *testing.T) {
	service, _ := untimed(t)
	connection := service.dial(t)
	send(t, connection, lined("GET http://test HTTP/1.1"))
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 200 ") {
		t.Errorf("the answer begins with %q, %v", line, err)
	}
}

// A client that expects to be asked for its body is, if there is one to ask for and it speaks HTTP/1.1.
func TestExpectations(t *testing.T) {
	service, _ := untimed(t)
	for _, row := range []struct {
		why, text string
		asked     bool
	}{
		{"a body", with("Expect: 100-continue\r\nContent-Length: 5\r\n", ""), true},
		{"by another spelling", with("Expect: 100-Continue\r\nContent-Length: 5\r\n", ""), true},
		{"in chunks", with("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", ""), true},
		{"no body", with("Expect: 100-continue\r\n", ""), false},
	} {
		t.Run(row.why, func(t *testing.T) {
			connection := service.dial(t)
			send(t, connection, row.text)
			reader := bufio.NewReader(connection)
			line, err := reader.ReadString('\n')
			if err != nil || strings.HasPrefix(line, "HTTP/1.1 100 ") != row.asked {
				t.Errorf("the answer begins with %q, %v", line, err)
			}
		})
	}
}

// BenchmarkRequest measures what a request costs when its answer costs nothing.
func BenchmarkRequest(b *testing.B) {
	service := start(b, Config{Answerer: answererFunc(func(context.Context, stats.Request) (stats.Answer, error) { return stats.Answer{}, nil })})
	connection := service.dial(b)
	_ = connection.SetDeadline(time.Time{})
	text := []byte(with("Accept: */*\r\nAccept-Encoding: gzip, br\r\nUser-Agent: bench/1.0\r\nX-Padding: "+strings.Repeat("x", 700)+"\r\n", ""))
	answer := make([]byte, 8192)
	for b.Loop() {
		if _, err := connection.Write(text); err != nil {
			b.Fatal(err)
		}
		if _, err := connection.Read(answer); err != nil {
			b.Fatal(err)
		}
	}
}
