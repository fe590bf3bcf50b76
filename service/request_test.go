package service

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func TestClientAddress(t *testing.T) {
	loopback := []string{"127.0.0.0/8", "::1/128"}
	for _, row := range []struct {
		why       string
		trusted   []string
		forwarded []string
		want      string
	}{
		{"nobody is trusted who is not configured", nil, []string{"203.0.113.9"}, "127.0.0.1"},
		{"a trusted proxy says who asked it", loopback, []string{"203.0.113.9"}, "203.0.113.9"},
		{"a trusted proxy that says nothing is who asks", loopback, nil, "127.0.0.1"},
		{"what a client invents stands before what the proxy adds", loopback, []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		{"proxies before it are skipped if they are trusted", append(loopback, "10.0.0.0/8"), []string{"203.0.113.9, 10.1.2.3"}, "203.0.113.9"},
		{"and are the client if not", loopback, []string{"203.0.113.9, 10.1.2.3"}, "10.1.2.3"},
		{"several headers are one list", append(loopback, "10.0.0.0/8"), []string{"203.0.113.9", "10.1.2.3"}, "203.0.113.9"},
		{"nothing before what can't be read is believed", append(loopback, "10.0.0.0/8"), []string{"203.0.113.9, unknown, 10.1.2.3"}, "10.1.2.3"},
		{"IPv6", loopback, []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv4 in IPv6 is IPv4", loopback, []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
	} {
		t.Run(row.why, func(t *testing.T) {
			config := Config{}
			for _, network := range row.trusted {
				config.TrustedProxies = append(config.TrustedProxies, netip.MustParsePrefix(network))
			}
			service := start(t, config)
			header := bearer(tokenOf(admin))
			header["X-Forwarded-For"] = row.forwarded
			service.do(t, http.MethodGet, statsPath+"?"+day, header)
			want := `"client":"` + row.want + `"`
			enginetest.Await(t, "the client's address is logged: "+want, func() bool { return strings.Contains(service.log.String(), want) })
		})
	}
}
