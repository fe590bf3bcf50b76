package service

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// What callers may send is short and harmless wherever it is copied to: headers, logs, ClickHouse's query log.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID is the id that the caller sent in X-Request-Id, if it is a good one, else a new one.
func requestID(header *fasthttp.RequestHeader) string {
	if id := header.Peek(fiber.HeaderXRequestID); requestIDPattern.Match(id) {
		return string(id)
	}
	return newRequestID()
}

// newRequestID makes 16 hexadecimal digits.
func newRequestID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// client is the address of who asks: the other end of the connection, unless that is a trusted proxy. Each proxy adds
// the one that it was asked by at the end of X-Forwarded-For; so the list is read from its end for as long as proxies
// that are trusted say so, and what stands before may be anybody's invention.
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

// peer is the address of a connection's other end, the zero address where it has none.
func peer(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}
