package e2e

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serve()
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	unready := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"error":"Not ready: clickhouse"}`))
	}))
	defer unready.Close()
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hung.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ready":true}`)) }))
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	secure.StartTLS()
	defer secure.Close()

	for _, c := range []struct {
		reason    string
		listen    string
		arguments []string
		status    int
		says      string
	}{
		{"a service that is ready", s.address, nil, cli.ExitOK, "ready"},
		{"one that listens everywhere is asked on the loopback address", "0.0.0.0:" + port, nil, cli.ExitOK, "ready"},
		{"the same, written short", ":" + port, nil, cli.ExitOK, "ready"},
		{"one that speaks TLS", secure.Listener.Addr().String(), []string{"--tls-cert", "cert.pem"}, cli.ExitOK, "ready"},
		{"one that is not ready says what", unready.Listener.Addr().String(), nil, cli.ExitFailed, "Not ready: clickhouse"},
		{"one that hangs", hung.Listener.Addr().String(), []string{"--timeout", "200ms"}, cli.ExitFailed, "no answer"},
		{"nothing is there", "127.0.0.1:1", nil, cli.ExitFailed, "no answer"},
		{"no address", "8080", nil, cli.ExitFailed, "ORGSTATS_LISTEN"},
	} {
		o := install(t)
		o.env = []string{"ORGSTATS_LISTEN=" + c.listen}
		if got := o.run(append([]string{"health"}, c.arguments...)...); got.status != c.status || !strings.Contains(got.stdout+got.stderr, c.says) {
			t.Errorf("%s: status %d, want %d and a word of %q: %s%s", c.reason, got.status, c.status, c.says, got.stdout, got.stderr)
		}
	}
}
