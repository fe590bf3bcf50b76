package service

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"
)

const jsonType = "application/json; charset=utf-8"

// cacheControl says that answers belong to one caller, so that no shared cache may keep them.
const cacheControl = "private, no-cache"

// respond writes a JSON answer. The value must be one that encoding/json can't fail on.
func respond(response *fasthttp.Response, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	response.SetStatusCode(status)
	response.SetBody(body)
	response.Header.SetContentType(jsonType)
	response.Header.Set(fasthttp.HeaderCacheControl, cacheControl)
	return nil
}

// respondFailure writes a failure and the headers that belong to its status.
func respondFailure(response *fasthttp.Response, f *failure) error {
	switch f.code {
	case codeUnauthorized:
		response.Header.Set(fasthttp.HeaderWWWAuthenticate, "Bearer")
	case codeTimeout:
		// RFC 9110 wants a 408's connection closed, so that nobody sends into one that the client has given up.
		response.SetConnectionClose()
	}
	if f.retry > 0 {
		response.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(seconds(f.retry)))
	}
	return respond(response, responses[f.code].status, struct {
		Error   string    `json:"error"`
		Details []mistake `json:"details,omitempty"`
	}{f.sentence, f.details})
}

// rejection is the response to a connection beyond the limit, whatever it was about to ask.
var rejection = func() string {
	body := fmt.Sprintf(`{"error":%q}`, responses[codeOverloaded].sentence)
	return fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: %d\r\n"+
		"Connection: close\r\n\r\n%s", jsonType, len(body), seconds(retryOverloaded), body)
}()

// seconds rounds up to the whole seconds that Retry-After has, at least one.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// tag sets the ETag of an answer, and leaves the body out when the caller has it already (RFC 9110, section 13.1.2).
func tag(request *fasthttp.Request, response *fasthttp.Response) {
	etag := `"` + strconv.FormatUint(xxhash.Sum64(response.Body()), 16) + `"`
	response.Header.Set(fasthttp.HeaderETag, etag)
	if matches(string(request.Header.Peek(fasthttp.HeaderIfNoneMatch)), etag) {
		response.ResetBody()
		response.SetStatusCode(fasthttp.StatusNotModified)
	}
}

// matches reports whether an If-None-Match header names the tag, weakly or not, or any.
func matches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}

// securityHeaders belong to every answer that does not set its own. Answers are data: nothing in them may be run,
// framed or taken for another type.
var securityHeaders = []struct{ name, value string }{
	{fasthttp.HeaderXContentTypeOptions, "nosniff"},
	{fasthttp.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"},
	{fasthttp.HeaderReferrerPolicy, "no-referrer"},
	{fasthttp.HeaderCacheControl, "no-store"},
}

// transportSecurity makes browsers come back over TLS only, for a year. It is sent over TLS alone, where it counts.
const transportSecurity = "max-age=31536000"

func (s *Service) secure(header *fasthttp.ResponseHeader) {
	for _, h := range securityHeaders {
		if len(header.Peek(h.name)) == 0 {
			header.Set(h.name, h.value)
		}
	}
	if s.config.TLS != nil {
		header.Set(fasthttp.HeaderStrictTransportSecurity, transportSecurity)
	}
}

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

// isPreflight reports whether a browser asks what the page of an allowed origin may send.
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
