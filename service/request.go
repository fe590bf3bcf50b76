package service

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/dashboard"
	"github.com/orgstats/orgstats/service/stats"
	"github.com/orgstats/orgstats/service/transport"
)

// anyHost stands in for the host of every request.
const anyHost = "service"

// request is one request and what becomes of it. Its strings are copies: fasthttp reuses its buffers.
type request struct {
	http    *fasthttp.RequestCtx
	ctx     context.Context // of the request's span
	span    trace.Span
	id      string
	client  netip.Addr
	method  string
	route   string
	path    string
	query   string
	caller  auth.Caller
	cost    stats.CostMeter
	failure *failure
	probe   bool // sent by a machine every few seconds
	started time.Time
}

type requestKey struct{}

// requestOf returns what handle put into the request.
func requestOf(c *fiber.Ctx) *request {
	return c.Context().UserValue(requestKey{}).(*request)
}

// begin reads what is needed of the request. It leaves the path alone as the URL, because fasthttp reads an unescaped
// :// in a query as the start of an absolute URL, and one host for all, because fasthttp's rules for hosts are its own
// and nothing here depends on them.
func (s *Service) begin(http *fasthttp.RequestCtx) *request {
	path, query, _ := bytes.Cut(originForm(http.Request.Header.RequestURI()), []byte{'?'})
	r := &request{
		http:    http,
		id:      requestID(&http.Request.Header),
		client:  s.client(http),
		method:  string(http.Method()),
		route:   s.routeOf(string(path)),
		path:    string(path),
		query:   string(query),
		started: time.Now(),
	}
	http.Request.SetRequestURI(r.path)
	http.Request.Header.SetHost(anyHost)
	http.SetUserValue(requestKey{}, r)
	s.startSpan(r)
	return r
}

// routeOf returns the route of a path.
func (s *Service) routeOf(path string) string {
	switch {
	case s.paths[path]:
		return path
	case strings.HasPrefix(path, dashboard.AssetsPath):
		return RouteAsset
	}
	return RouteOther
}

// end adds the headers of every response, decides whether the connection stays open, and reports what became of the
// request.
func (s *Service) end(r *request) {
	r.http.Response.Header.Set(fiber.HeaderXRequestID, r.id)
	s.allowOrigin(&r.http.Request.Header, &r.http.Response.Header)
	s.secure(&r.http.Response.Header)
	if c, ok := r.http.Conn().(*transport.Conn); ok && !c.Finish() {
		r.http.SetConnectionClose()
	}
	o := s.observation(r)
	s.logRequest(r, o)
	r.endSpan(o)
	s.config.Observe(o)
}

// originForm returns the path and the query of a request's URL, which may be an absolute one.
func originForm(target []byte) []byte {
	if len(target) == 0 || target[0] == '/' {
		return target
	}
	_, rest, absolute := bytes.Cut(target, []byte("://"))
	if !absolute {
		return target
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		return []byte{'/'}
	}
	if rest[end] == '?' {
		return append([]byte{'/'}, rest[end:]...)
	}
	return rest[end:]
}

// requestIDPattern allows what is short and harmless wherever it is copied to: headers, logs, ClickHouse's query log.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID returns the id that the caller sent in X-Request-Id, if it is a good one, else a new one.
func requestID(header *fasthttp.RequestHeader) string {
	if id := header.Peek(fiber.HeaderXRequestID); requestIDPattern.Match(id) {
		return string(id)
	}
	return newRequestID()
}

// newRequestID returns 16 random hexadecimal digits.
func newRequestID() string { return fmt.Sprintf("%016x", rand.Uint64()) }

// client returns the address of the caller: the other end of the connection, unless that is a trusted proxy. Each proxy
// appends the address that it was called from to X-Forwarded-For. So the list is read from its end for as long as
// trusted proxies wrote it; what stands before may be anybody's invention.
func (s *Service) client(http *fasthttp.RequestCtx) netip.Addr {
	address := peer(http.RemoteAddr())
	if !s.trusts(address) {
		return address
	}
	var hops []string
	for _, header := range http.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor) {
		hops = append(hops, strings.Split(string(header), ",")...)
	}
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return address
		}
		if address = next.Unmap(); !s.trusts(address) {
			return address
		}
	}
	return address
}

func (s *Service) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(s.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// peer returns the address of a connection's other end, the zero address where it has none.
func peer(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}
