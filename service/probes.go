package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// probeTimeout bounds what /readyz tries out: those who probe give up after a few seconds.
const probeTimeout = 3 * time.Second

// livez answers that the process serves.
func (s *Service) livez(c *fiber.Ctx) error {
	exchangeOf(c).probe = true
	return respond(c.Response(), fasthttp.StatusOK, map[string]bool{"live": true})
}

// readyz answers whether requests can be answered, and else names the parts that are not ready. Why, stands in the log.
func (s *Service) readyz(c *fiber.Ctx) error {
	exchangeOf(c).probe = true
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
