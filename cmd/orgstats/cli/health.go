package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

type healthCommand struct {
	Listen  string        `help:"Where the service listens; it is asked on this machine." env:"ORGSTATS_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDRESS:PORT"`
	TLSCert string        `name:"tls-cert" help:"The service's own setting: when it is set, the service speaks TLS. The certificate is not checked: this asks the process beside it, by a name that no certificate has." env:"ORGSTATS_TLS_CERT" placeholder:"FILE"`
	Timeout time.Duration `help:"How long the answer may take." default:"5s" placeholder:"TIME"`
}

// Run requests /readyz, and fails unless the service is ready.
func (c *healthCommand) Run(p *program) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the service gives no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	const most = 4 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return fmt.Errorf("the service's answer broke off: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not ready: %s: %s", response.Status, body)
	}
	_, err = fmt.Fprintln(p.stdout, strings.TrimSpace(string(body)))
	return err
}

// url returns the URL of /readyz on this machine: a service that listens on every address listens on loopback, too.
func (c *healthCommand) url() (string, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", fmt.Errorf("--listen (ORGSTATS_LISTEN) is %q; it has the form ADDRESS:PORT, as in 127.0.0.1:8080", c.Listen)
	}
	if address, err := netip.ParseAddr(host); host == "" || err == nil && address.IsUnspecified() {
		host = "127.0.0.1"
		if address.Is6() {
			host = "::1"
		}
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/readyz", nil
}
