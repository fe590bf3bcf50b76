package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
	"github.com/orgstats/orgstats/service/transport"
)

// roleAdmin is the role that may see the whole organization.
const roleAdmin = "org:admin"

var errNoUser = errors.New("the authenticator returned no user")

// endpoint answers one kind of question about figures.
type endpoint struct {
	name       string
	parameters []string // beside those of all endpoints
	// group reads how the figures are grouped.
	group func(p *parameters, q *stats.Question)
	// render returns what is sent as JSON, and table what is sent as CSV.
	render func(stats.Question, stats.Answer) any
	table  func(stats.Question, stats.Answer) table
}

// endpoints are all endpoints.
var endpoints = []endpoint{
	{"getStats", nil, func(*parameters, *stats.Question) {}, renderStats, statsTable},
	{"getTimeSeries", []string{paramInterval}, groupSeries, renderSeries, seriesTable},
	{
		"getBreakdown",
		[]string{paramGroupBy, paramOrderBy, paramOrder, paramLimit, paramInterval},
		groupBreakdown, renderBreakdown, breakdownTable,
	},
}

// serve returns the handler of an endpoint. A caller without a good token learns nothing about its parameters.
func (s *Service) serve(e endpoint) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := requestOf(c)
		ctx, release := s.requestContext(r)
		defer release()
		asked, answer, err := s.answer(ctx, r, e)
		if err != nil {
			return trueCause(ctx, err)
		}
		r.http.Response.Header.Add(fasthttp.HeaderVary, fasthttp.HeaderAccept)
		if asked.format == formatCSV || asked.format == "" && prefersCSV(c) {
			return respondTable(r, e, asked.Question, answer)
		}
		if err := respond(&r.http.Response, fasthttp.StatusOK, e.render(asked.Question, answer)); err != nil {
			return err
		}
		tag(&r.http.Request, &r.http.Response)
		return nil
	}
}

// prefersCSV reports whether the Accept headers ask for CSV rather than JSON. Types are compared in lower case, and
// parameters but the quality say nothing: there is one charset.
func prefersCSV(c *fiber.Ctx) bool {
	var ranges []string
	for _, header := range c.Request().Header.PeekAll(fasthttp.HeaderAccept) {
		for text := range strings.SplitSeq(strings.ToLower(string(header)), ",") {
			media, parameters, _ := strings.Cut(text, ";")
			for parameter := range strings.SplitSeq(parameters, ";") {
				if parameter = strings.TrimSpace(parameter); strings.HasPrefix(parameter, "q=") {
					media = strings.TrimSpace(media) + ";" + parameter
				}
			}
			ranges = append(ranges, strings.TrimSpace(media))
		}
	}
	c.Request().Header.Set(fasthttp.HeaderAccept, strings.Join(ranges, ", "))
	return c.Accepts(jsonMedia, csvMedia) == csvMedia
}

// answer reads what the caller asks, and answers it.
func (s *Service) answer(ctx context.Context, r *request, e endpoint) (asked asked, a stats.Answer, err error) {
	if r.caller, err = s.authenticate(ctx, &r.http.Request.Header); err != nil {
		return asked, a, err
	}
	now := time.Now()
	if err := s.config.Rates.Allow(r.caller.OrgID, r.caller.UserID, now); err != nil {
		return asked, a, err
	}
	priority := stats.NormalPriority
	if s.config.Rates.Exhausted(r.caller.OrgID, now) {
		priority = stats.LowPriority
	}
	if asked, err = e.parse(r.caller, r.query); err != nil {
		return asked, a, err
	}
	a, err = s.config.Answerer.Answer(ctx, stats.Request{Question: asked.Question, ID: r.id, Priority: priority, Cost: &r.cost})
	return asked, a, err
}

// authenticate returns the caller. Two Authorization headers are as good as none.
func (s *Service) authenticate(ctx context.Context, header *fasthttp.RequestHeader) (auth.Caller, error) {
	var authorization string
	if values := header.PeekAll(fasthttp.HeaderAuthorization); len(values) == 1 {
		authorization = string(values[0])
	}
	token, err := auth.BearerToken(authorization)
	if err != nil {
		return auth.Caller{}, err
	}
	caller, err := s.config.Authenticator.Verify(ctx, token)
	if err == nil && caller.UserID == "" {
		err = errNoUser // who would otherwise be answered for everyone
	}
	return caller, err
}

// requestContext returns a context that ends with the request's time, when the caller hangs up, or with the service.
func (s *Service) requestContext(r *request) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(r.ctx)
	ctx, cancelTimeout := context.WithTimeout(ctx, s.config.RequestTimeout)
	stopWatching := func() {}
	if c, ok := r.http.Conn().(*transport.Conn); ok {
		stopWatching = c.CancelOnHangUp(cancel)
	}
	return ctx, func() {
		stopWatching()
		cancelTimeout()
		cancel(nil)
	}
}

// trueCause returns the error to show: when the context has ended, what was under way may fail in any way.
func trueCause(ctx context.Context, err error) error {
	if _, shown := errors.AsType[*failure](err); shown || ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	return failureOf(asFailure(cause).code, fmt.Errorf("%w: %w", cause, err))
}
