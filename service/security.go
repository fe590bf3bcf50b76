package service

import "github.com/valyala/fasthttp"

// securityHeaders belong to every answer that does not set its own. Answers are data: nothing in them may be run,
// framed or taken for another type.
var securityHeaders = []struct{ name, value string }{
	{fasthttp.HeaderXContentTypeOptions, "nosniff"},
	{fasthttp.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"},
	{fasthttp.HeaderReferrerPolicy, "no-referrer"},
	{fasthttp.HeaderCacheControl, "no-store"},
}

// transportSecurity tells browsers to come back over TLS only, for a year. It is sent over TLS alone, where it counts.
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
