package service

import (
	"slices"

	"github.com/valyala/fasthttp"
)

const (
	corsMethods = "GET, HEAD"
	corsHeaders = "Authorization, If-None-Match, X-Request-Id, Traceparent, Tracestate"
	corsExposed = "ETag, Retry-After, X-Request-Id"
	// corsMaxAge is for how many seconds a browser may remember what it is allowed; more is cut by most of them.
	corsMaxAge = "7200"
)

// allowOrigin lets the pages of an allowed origin read the answer, whatever it is. Others get no word of it, and their
// browsers keep the answer from them. There are no cookies, hence no credentials to allow.
func (s *Service) allowOrigin(request *fasthttp.RequestHeader, response *fasthttp.ResponseHeader) {
	if len(s.config.Origins) == 0 {
		return
	}
	response.Add(fasthttp.HeaderVary, fasthttp.HeaderOrigin) // for caches between: the answer depends on it
	origin := string(request.Peek(fasthttp.HeaderOrigin))
	if slices.Contains(s.config.Origins, origin) {
		response.Set(fasthttp.HeaderAccessControlAllowOrigin, origin)
		response.Set(fasthttp.HeaderAccessControlExposeHeaders, corsExposed)
	}
}

// isPreflight tells whether a browser asks what the page of an allowed origin may send.
func (s *Service) isPreflight(request *fasthttp.RequestHeader) bool {
	return string(request.Method()) == fasthttp.MethodOptions &&
		len(request.Peek(fasthttp.HeaderAccessControlRequestMethod)) > 0 &&
		slices.Contains(s.config.Origins, string(request.Peek(fasthttp.HeaderOrigin)))
}

// answerPreflight says it, for every path alike.
func answerPreflight(response *fasthttp.Response) {
	response.SetStatusCode(fasthttp.StatusNoContent)
	response.Header.Set(fasthttp.HeaderAccessControlAllowMethods, corsMethods)
	response.Header.Set(fasthttp.HeaderAccessControlAllowHeaders, corsHeaders)
	response.Header.Set(fasthttp.HeaderAccessControlMaxAge, corsMaxAge)
}
