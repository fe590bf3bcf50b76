package service

import (
	"bytes"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgstats/orgstats/service/transport"
	"github.com/orgstats/orgstats/service/wire"
)

// anyHost stands in for the host of every request.
const anyHost = "service"

// faultCodes are the codes of what the connection found wrong.
var faultCodes = map[wire.Kind]code{
	wire.Malformed:    codeInvalid,
	wire.BodyTooLarge: codeBodyTooLarge,
	wire.Expectation:  codeExpectation,
	wire.HeadTooLarge: codeHeadTooLarge,
	wire.Coding:       codeCoding,
	wire.Version:      codeVersion,
}

// refuse answers what could not be read as a request.
func (s *Service) refuse(http *fasthttp.RequestCtx, err error) {
	e := &exchange{
		http: http, id: newRequestID(), client: peer(http.RemoteAddr()), route: RouteInvalid, started: time.Now(),
		span: trace.SpanFromContext(s.base), // none: nobody traces what is no request
	}
	if c, ok := http.Conn().(*transport.Conn); ok {
		if fault := c.Fault(); fault != nil {
			err = fault
		}
	}
	s.show(e, refusal(err))
	s.end(e)
}

// refusal is what may be shown of an error in reading a request. Fasthttp's quote the request, which may hold a token,
// so they are not logged.
func refusal(err error) *failure {
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

// received makes of a client's expectation what fasthttp knows: that it is to be asked for the body, in these letters.
// A client that speaks HTTP/1.0, or has no body to send, must not be.
func received(header *fasthttp.RequestHeader) (same fasthttp.RequestConfig) {
	if len(header.Peek(fasthttp.HeaderExpect)) == 0 {
		return same
	}
	header.Del(fasthttp.HeaderExpect)
	hasBody := header.ContentLength() > 0 || header.ContentLength() == -1 // -1: it is chunked
	if header.IsHTTP11() && hasBody {
		header.Set(fasthttp.HeaderExpect, "100-continue")
	}
	return same
}

// origin is the path and the query of a request's URL, which may be a whole one.
func origin(target []byte) []byte {
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
