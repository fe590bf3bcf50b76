package service

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/transport"
)

// handle stands around fiber's routes, so that whatever happens is answered in JSON and logged once.
func (s *Service) handle(http *fasthttp.RequestCtx) {
	if c, ok := http.Conn().(*transport.Conn); ok && !c.Complete() {
		s.handleInvalid(http, nil) // fasthttp does without the end of a trailer
		return
	}
	r := s.begin(http)
	defer s.end(r)
	defer func() {
		if cause := recover(); cause != nil {
			http.Response.Reset()
			s.respondError(r, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	if len(r.path)+len(r.query) > maxURL {
		s.respondError(r, failureOf(codeURLTooLong, nil))
		return
	}
	if s.isPreflight(&http.Request.Header) {
		answerPreflight(&http.Response)
		return
	}
	if strings.Contains(r.path, "://") {
		// fasthttp would read what follows as an absolute URL, and fiber would answer for its path.
		s.respondError(r, fiber.ErrNotFound)
		return
	}
	if r.path == "*" || r.method == fiber.MethodConnect || !slices.Contains(fiber.DefaultMethods, r.method) {
		// They are about the service as a whole, or about no path of it; and fiber would answer unknown methods in
		// plain text.
		http.Response.Header.Set(fasthttp.HeaderAllow, "GET, HEAD")
		s.respondError(r, fiber.ErrMethodNotAllowed)
		return
	}
	s.routes(http)
}

// handleError is fiber's error handler: every error of a route comes here.
func (s *Service) handleError(c *fiber.Ctx, err error) error {
	s.respondError(requestOf(c), err)
	return nil
}

// respondError answers with what may be shown of an error.
func (s *Service) respondError(r *request, err error) {
	r.failure = asFailure(err)
	if err := respondFailure(&r.http.Response, r.failure); err != nil {
		s.log.Error("failed to write an error response", "error", err, "request_id", r.id)
	}
}
