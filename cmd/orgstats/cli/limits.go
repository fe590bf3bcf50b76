package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"time"

	"github.com/orgstats/orgstats/service/limit"
)

// limitFlags bound how much the service works on. The upper bounds lie far above what makes sense.
type limitFlags struct {
	Concurrency      int           `help:"How many requests ClickHouse works on at once; others queue. More than ClickHouse has processors makes every answer slower, and does not answer more requests a second. 0: one more than this machine's processors with the embedded engine, a quarter of --connections with a server." env:"ORGSTATS_CONCURRENCY" default:"0" placeholder:"N" least:"0" most:"1000000"`
	Queue            int           `help:"How many requests may queue; further ones are answered with 503 at once. More refuses fewer requests of a burst, and holds memory for them. Organizations take turns." env:"ORGSTATS_QUEUE" default:"64" placeholder:"N" least:"0" most:"1000000"`
	QueueTime        time.Duration `help:"How long a request may queue before it is answered with 503. Once requests have queued for most of the last half of this time, the service is overloaded, and a request may queue only as long as one takes on average. More refuses fewer requests of a burst, but answers them later." env:"ORGSTATS_QUEUE_TIME" default:"2s" placeholder:"TIME" least:"0s"`
	OrganizationRate float64       `help:"Requests a second that an organization may send on average; further ones are answered with 429. A burst may have as many as two seconds allow. 0 sets no limit." env:"ORGSTATS_ORGANIZATION_RATE" default:"1000" placeholder:"N" least:"0" most:"1000000"`
	UserRate         float64       `help:"The same for one user." env:"ORGSTATS_USER_RATE" default:"100" placeholder:"N" least:"0" most:"1000000"`
	Clients          int           `help:"Connections of clients that may be open at once; further ones are refused. Each that is sending a request holds up to 320 KiB." env:"ORGSTATS_CLIENTS" default:"2000" placeholder:"N" least:"1" most:"1000000"`
}

// gate creates the gate. A fetch runs some four statements at a time, and nearly occupies a processor of its own.
func (f *limitFlags) gate(connections int, embedded bool) *limit.Gate {
	places := max(1, connections/4)
	if embedded {
		places = runtime.NumCPU() + 1
	}
	return limit.NewGate(limit.GateOptions{UnderWay: cmp.Or(f.Concurrency, places), Waiting: f.Queue, Patience: f.QueueTime})
}

func (f *limitFlags) rates() *limit.Rates {
	return limit.NewRates(limit.RateOptions{Organization: f.OrganizationRate, User: f.UserRate})
}

// edgeFlags configure how the service is exposed to the network.
type edgeFlags struct {
	TLSCert        string   `name:"tls-cert" help:"PEM file with the certificate and its chain, to speak TLS; plain HTTP if not given, for a proxy in front. Files that are replaced are noticed within seconds." env:"ORGSTATS_TLS_CERT" placeholder:"FILE"`
	TLSKey         string   `name:"tls-key" help:"PEM file with the certificate's private key." env:"ORGSTATS_TLS_KEY" placeholder:"FILE"`
	TrustedProxies []string `help:"Networks of proxies whose X-Forwarded-For is believed, for the client's address in the log; none if not given." env:"ORGSTATS_TRUSTED_PROXIES" placeholder:"CIDR,…"`
	CORSOrigins    []string `name:"cors-origins" help:"Origins whose pages may ask from a browser; none if not given." env:"ORGSTATS_CORS_ORIGINS" placeholder:"ORIGIN,…"`
	EmbedOrigins   []string `help:"Origins whose applications may embed the dashboard in a frame and hand it tokens; none if not given. Give those only that may see what their users see." env:"ORGSTATS_EMBED_ORIGINS" placeholder:"ORIGIN,…"`
}

func (f *edgeFlags) mistakes() (all []error) {
	if (f.TLSCert == "") != (f.TLSKey == "") {
		all = append(all, errors.New("--tls-cert (ORGSTATS_TLS_CERT) and --tls-key (ORGSTATS_TLS_KEY) go together; give both, or neither"))
	}
	for _, proxy := range f.TrustedProxies {
		if _, err := parseNetwork(proxy); err != nil {
			all = append(all, fmt.Errorf("--trusted-proxies (ORGSTATS_TRUSTED_PROXIES) has %q; give networks such as 10.0.0.0/8, or addresses", proxy))
		}
	}
	all = append(all, notOrigins("--cors-origins (ORGSTATS_CORS_ORIGINS)", f.CORSOrigins)...)
	return append(all, notOrigins("--embed-origins (ORGSTATS_EMBED_ORIGINS)", f.EmbedOrigins)...)
}

// originPattern leaves no room for what would end a directive of the page's policy, or let more than one host in.
var originPattern = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[^\s/?#;,'"*@\\]+$`)

// notOrigins returns a mistake for each value of a flag that is no origin.
func notOrigins(flag string, values []string) (all []error) {
	for _, origin := range values {
		u, err := url.Parse(origin)
		if err != nil || origin != u.Scheme+"://"+u.Host || !originPattern.MatchString(origin) {
			all = append(all, fmt.Errorf("%s has %q; an origin has the form https://app.example.com", flag, origin))
		}
	}
	return all
}

// proxies returns the networks of trusted proxies. The flags must be free of mistakes.
func (f *edgeFlags) proxies() (all []netip.Prefix) {
	for _, proxy := range f.TrustedProxies {
		network, _ := parseNetwork(proxy)
		all = append(all, network)
	}
	return all
}

// parseNetwork parses a network, or an address as a network of one.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}
