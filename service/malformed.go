package service

import (
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgstats/orgstats/service/transport"
	"github.com/orgstats/orgstats/service/wire"
)

// faultCodes are the codes of what is wrong with a request's bytes.
var faultCodes = map[wire.Kind]code{
	wire.Malformed:    codeInvalid,
	wire.BodyTooLarge: codeBodyTooLarge,
	wire.Expectation:  codeExpectation,
	wire.HeadTooLarge: codeHeadTooLarge,
	wire.Coding:       codeCoding,
	wire.Version:      codeVersion,
}

// handleInvalid is fasthttp's error handler: it answers what could not be read as a request.
func (s *Service) handleInvalid(http *fasthttp.RequestCtx, err error) {
	r := &request{
		http: http, id: newRequestID(), client: peer(http.RemoteAddr()), route: RouteInvalid, started: time.Now(),
		span: trace.SpanFromContext(s.base), // none: what is no request is not traced
	}
	if c, ok := http.Conn().(*transport.Conn); ok {
		if fault := c.Fault(); fault != nil {
			err = fault
		}
	}
	s.respondError(r, readFailure(err))
	s.end(r)
}

// readFailure returns what may be shown of an error in reading a request. Errors of fasthttp quote the request, which
// may hold a token, so they are not logged.
func readFailure(err error) *failure {
	if fault, ok := errors.AsType[*wire.Fault](err); ok {
		return &failure{code: faultCodes[fault.Kind], sentence: fault.Sentence, cause: fault}
	}
	if _, ok := errors.AsType[*fasthttp.ErrSmallBuffer](err); ok {
		return failureOf(codeHeadTooLarge, nil)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return failureOf(codeTimeout, nil)
	}
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		return failureOf(codeBodyTooLarge, nil)
	}
	return failureOf(codeInvalid, nil)
}

// normalizeExpect rewrites a client's Expect header, once it is received, to the only form that fasthttp knows: that
// the client is to be asked for the body. A client that speaks HTTP/1.0, or has no body to send, must not be.
func normalizeExpect(header *fasthttp.RequestHeader) (unchanged fasthttp.RequestConfig) {
	if len(header.Peek(fasthttp.HeaderExpect)) == 0 {
		return unchanged
	}
	header.Del(fasthttp.HeaderExpect)
	hasBody := header.ContentLength() > 0 || header.ContentLength() == -1 // -1: it is chunked
	if header.IsHTTP11() && hasBody {
		header.Set(fasthttp.HeaderExpect, "100-continue")
	}
	return unchanged
}
