package service

import (
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"
)

// tag gives an answer its ETag, and leaves the body out when the caller has it already (RFC 9110, section 13.1.2).
func tag(request *fasthttp.Request, response *fasthttp.Response) {
	etag := `"` + strconv.FormatUint(xxhash.Sum64(response.Body()), 16) + `"`
	response.Header.Set(fasthttp.HeaderETag, etag)
	if matches(string(request.Header.Peek(fasthttp.HeaderIfNoneMatch)), etag) {
		response.ResetBody()
		response.SetStatusCode(fasthttp.StatusNotModified)
	}
}

// matches tells whether an If-None-Match header names the tag, weakly or not, or any.
func matches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}
