package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

// Clients ask continuously, over connections of one request and of many, while the service is told to stop. Whatever
// was asked over a connection that existed before is answered in full.
func TestShutdownCutsNoRequestOff(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("records", conversationLine("c1"))
	if o := i.run("load", "records"); o.status != cli.ExitOK {
		t.Fatal(o.stderr)
	}
	s := i.serve()
	c := &clients{server: s, request: s.requestText(adminOfA, always())}
	for n := range 12 {
		c.running.Add(1)
		go c.run(n%2 == 0)
	}
	if !enginetest.Eventually(func() bool { return c.answered.Load() > 50 }) {
		t.Fatal("the service answers too little")
	}
	c.stopping.Store(true)
	s.signal(syscall.SIGTERM)
	c.running.Wait()
	if o := s.wait(); o.status != cli.ExitOK {
		t.Errorf("status %d: %s", o.status, s.stderr.lastWords())
	}
	t.Logf("%d requests were answered", c.answered.Load())
}

// requestText returns a request as it is sent over the wire.
func (s *server) requestText(caller auth.Caller, query url.Values) string {
	return fmt.Sprintf("GET /api/dashboard/getStats?%s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n", query.Encode(), s.token(caller))
}

type clients struct {
	*server
	request  string
	running  sync.WaitGroup
	answered atomic.Int64
	stopping atomic.Bool // the service was told to stop, or is about to be
}

// run asks until the service accepts no more connections.
func (c *clients) run(keep bool) {
	defer c.running.Done()
	for {
		late := c.stopping.Load()
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			if !late && !c.stopping.Load() {
				c.Errorf("no connection: %v", err)
			}
			return
		}
		err = c.talk(conn, keep)
		_ = conn.Close()
		if err != nil && !late {
			c.Errorf("a request was cut off: %v", err)
		}
	}
}

// talk asks over one connection: once, or until the service closes it if the connection is to be kept.
func (c *clients) talk(conn net.Conn, keep bool) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	reader := bufio.NewReader(conn)
	for {
		if _, err := io.WriteString(conn, c.request); err != nil {
			return err
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			c.Errorf("status %d, %s, %v", response.StatusCode, body, err)
			return nil
		}
		c.answered.Add(1)
		if !keep || response.Close {
			return nil
		}
	}
}
