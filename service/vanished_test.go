package service

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// stage is how far clients come before they vanish without a word: their network is gone, and nothing closes the
// connection, as behind a proxy that forwards nothing any more.
type stage struct {
	why   string
	reach func(t *testing.T, c *net.TCPConn)
	limit time.Duration // by when the service must have let go
}

const (
	shortRead  = 300 * time.Millisecond
	shortIdle  = 600 * time.Millisecond
	shortWrite = 900 * time.Millisecond
	cutOff     = shortWrite + 20*time.Second // below defaultWriteTimeout, which would hide that the setting is ignored
)

func TestClientsThatVanishAreLetGo(t *testing.T) {
	files := pairIn(t.TempDir())
	files.write(t, "test.example")
	secured, err := TLSFiles(files.cert, files.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	text := rawRequest(admin, day)
	say := func(text string) func(*testing.T, *net.TCPConn) {
		return func(t *testing.T, c *net.TCPConn) { send(t, c, text) }
	}
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": secured} {
		t.Run(name, func(t *testing.T) {
			slow := newGate()
			service := start(t, Config{
				TLS: config, Answerer: slow, ReadTimeout: shortRead, IdleTimeout: shortIdle, WriteTimeout: shortWrite,
				RequestTimeout: shortWrite,
			})
			over := func(more string) func(*testing.T, *net.TCPConn) {
				return func(t *testing.T, c *net.TCPConn) {
					if config == nil {
						send(t, c, more)
						return
					}
					// The handshake comes first. On a busy machine it may take longer than the service waits.
					_, _ = io.WriteString(tls.Client(c, &tls.Config{InsecureSkipVerify: true}), more)
				}
			}
			stages := []stage{
				{"having connected", say(""), shortRead},
				{"in the middle of a handshake", say("\x16\x03\x01\x02"), shortRead},
				{"in the middle of a request", over(text[:40]), shortRead},
				{"while its question is answered", over(text), shortRead + shortWrite + shortIdle},
				{"between two requests", over("GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"), shortRead + shortIdle},
			}
			for _, s := range stages {
				service.vanish(t, s)
			}
		})
	}
}

// vanish lets clients come to the stage and vanish, and expects that nothing is left of them.
func (r *running) vanish(t *testing.T, s stage) {
	t.Helper()
	const clients = 20
	gone := make([]*net.TCPConn, clients)
	for i := range gone {
		gone[i] = r.dial(t)
		s.reach(t, gone[i])
	}
	began := time.Now()
	for _, c := range gone {
		// Until the service closes it, to which reading adds nothing. It is reset if the service closed it before the
		// client had come as far as it should, which happens on a busy machine.
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", s.why, err)
		}
	}
	r.expectNothingLeft(t, s.why)
	// A busy machine may take longer, but nothing here may take the ten seconds or more of the limits' defaults.
	if took := time.Since(began); took > s.limit+defaultReadTimeout*4/5 {
		t.Errorf("%s: clients were let go after %s, want about %s", s.why, took, s.limit)
	}
}

// expectNothingLeft waits until no connection is open, and none has a goroutine.
func (r *running) expectNothingLeft(t *testing.T, why string) {
	t.Helper()
	enginetest.Await(t, why+": no connection is left", func() bool { open, _ := r.Connections(); return open == 0 })
	enginetest.Await(t, why+": no goroutine is left", func() bool { return goroutinesIn("fasthttp.(*Server).serveConn") == 0 })
}

// goroutinesIn counts the goroutines that are in a function.
func goroutinesIn(function string) int {
	stacks := make([]byte, 4<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte(function))
}

// A client that asks on and on and reads nothing, or a byte now and then, fills the socket's buffers. It is cut off,
// and others are answered all the while.
func TestClientsThatDoNotReadAreCutOff(t *testing.T) {
	for name, read := range map[string]int{"nothing is read": 0, "a byte is read now and then": 1} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			service := start(t, Config{WriteTimeout: shortWrite, Observe: func(o Observation) {
				if o.Route == "/openapi.json" {
					sent.Add(1)
				}
			}})
			deaf := service.dial(t)
			for asked := int64(1); ; asked++ {
				send(t, deaf, "GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n")
				if !service.answersOrCuts(t, func() bool { return sent.Load() == asked }) {
					t.Logf("it was cut off after %d answers", sent.Load())
					break
				}
				_, _ = deaf.Read(make([]byte, read))
			}
			service.expectNothingLeft(t, name)
		})
	}
}

// answersOrCuts waits until the one connection has its answer, or was cut off: then it gives false. Others are answered
// meanwhile.
func (r *running) answersOrCuts(t *testing.T, answered func() bool) bool {
	t.Helper()
	for deadline := time.Now().Add(cutOff); !answered(); time.Sleep(time.Millisecond) {
		other := r.dial(t)
		send(t, other, strings.Replace(rawRequest(admin, day), "Host:", "Connection: close\r\nHost:", 1))
		if got := readAnswer(t, other); got.status != 200 {
			t.Errorf("another is answered with %d", got.status)
		}
		_ = other.Close()
		if open, _ := r.Connections(); open == 0 {
			return false
		}
		if time.Now().After(deadline) {
			t.Fatalf("who reads nothing was neither answered nor cut off within %s", cutOff)
		}
	}
	return true
}
