package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/openapi"
)

// probeTimeout bounds the checks of /readyz: a probe times out after a few seconds.
const probeTimeout = 3 * time.Second

// readyPath is the path of readyz.
const readyPath = "/readyz"

// livez answers that the process serves.
func (s *Service) livez(c *fiber.Ctx) error {
	requestOf(c).probe = true
	return respond(c.Response(), fasthttp.StatusOK, map[string]bool{"live": true})
}

// readyz answers whether requests can be answered, and else names the parts that are not ready. Why, stands in the log.
func (s *Service) readyz(c *fiber.Ctx) error {
	requestOf(c).probe = true
	if problems := s.problems(); len(problems) > 0 {
		return notReady(problems)
	}
	return respond(c.Response(), fasthttp.StatusOK, map[string]bool{"ready": true})
}

func (s *Service) problems() []Problem {
	if s.config.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.base, probeTimeout)
	defer cancel()
	return s.config.Ready(ctx)
}

func notReady(problems []Problem) *failure {
	var (
		parts   []string
		details []mistake
		causes  []error
	)
	for _, p := range problems {
		parts = append(parts, p.Part)
		details = append(details, mistake{Path: p.Part, Message: p.Part + " is not ready"})
		causes = append(causes, fmt.Errorf("%s: %w", p.Part, p.Cause))
	}
	f := failureOf(codeUnavailable, errors.Join(causes...))
	f.sentence = "Not ready: " + strings.Join(parts, ", ")
	if len(details) > 1 {
		f.details = details
	}
	return f
}

// openAPI answers with the description of the interface for programs.
func (s *Service) openAPI(c *fiber.Ctx) error {
	describe(c, jsonType, s.document)
	return nil
}

// docs answers with the description for people.
func (s *Service) docs(c *fiber.Ctx) error {
	c.Response().Header.Set(fasthttp.HeaderContentSecurityPolicy, openapi.PagePolicy)
	describe(c, htmlType, s.page)
	return nil
}

// describe answers with a text that is the same for everybody until the program is another one.
func describe(c *fiber.Ctx, contentType string, text []byte) {
	response := c.Response()
	response.SetBody(text)
	response.Header.SetContentType(contentType)
	response.Header.Set(fasthttp.HeaderCacheControl, "no-cache")
	tag(c.Request(), response)
}
