package service

import (
	"context"
	"errors"
	"fmt"
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

// endpoint answers one kind of question about figures: parse reads it from the query of a URL, and render returns what
// is sent, as JSON, of the answer.
type endpoint struct {
	parse  func(caller auth.Caller, rawQuery string) (stats.Question, error)
	render func(stats.Question, stats.Answer) any
}

// getStats is the endpoint GET /api/dashboard/getStats: the figures of a window, not grouped.
var getStats = endpoint{
	parse:  parseQuestion,
	render: func(_ stats.Question, a stats.Answer) any { return a.Total() },
}

// serve returns the handler of an endpoint. A caller without a good token learns nothing about its parameters.
func (s *Service) serve(e endpoint) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := requestOf(c)
		ctx, release := s.requestContext(r)
		defer release()
		body, err := s.answer(ctx, r, e)
		if err != nil {
			return trueCause(ctx, err)
		}
		if err := respond(&r.http.Response, fasthttp.StatusOK, body); err != nil {
			return err
		}
		tag(&r.http.Request, &r.http.Response)
		return nil
	}
}

// answer returns what is sent to the caller.
func (s *Service) answer(ctx context.Context, r *request, e endpoint) (any, error) {
	var err error
	if r.caller, err = s.authenticate(ctx, &r.http.Request.Header); err != nil {
		return nil, err
	}
	now := time.Now()
	if err := s.config.Rates.Allow(r.caller.OrgID, r.caller.UserID, now); err != nil {
		return nil, err
	}
	priority := stats.NormalPriority
	if s.config.Rates.Exhausted(r.caller.OrgID, now) {
		priority = stats.LowPriority
	}
	question, err := e.parse(r.caller, r.query)
	if err != nil {
		return nil, err
	}
	answer, err := s.config.Answerer.Answer(ctx, stats.Request{Question: question, ID: r.id, Priority: priority, Cost: &r.cost})
	if err != nil {
		return nil, err
	}
	return e.render(question, answer), nil
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

// parseQuestion reads what the caller asks, and rejects what is wrong (400) or not the caller's to ask (403). The
// organization is always the token's: no parameter names one.
func parseQuestion(caller auth.Caller, rawQuery string) (stats.Question, error) {
	if caller.OrgID == "" {
		return stats.Question{}, errNoOrganization
	}
	p := parseQuery(rawQuery)
	if p.values == nil { // there were too many to read
		return stats.Question{}, invalid(p.mistakes)
	}
	q := stats.Question{OrgID: caller.OrgID}
	q.From, q.Until = p.window()
	allInOrg := p.boolean(paramAllInOrg)
	for _, filter := range stats.Filters {
		*filter.Field(&q.Filter) = p.values[filter.Name]
	}
	if len(p.mistakes) > 0 {
		return stats.Question{}, invalid(p.mistakes)
	}
	var err error
	if q.UserID, err = scope(caller, allInOrg, q.UserID); err != nil {
		return stats.Question{}, err
	}
	return q, nil
}

// scope returns the user that the question is limited to, "" for the whole organization.
func scope(caller auth.Caller, allInOrg bool, userID string) (string, error) {
	switch {
	case allInOrg && caller.Role != roleAdmin:
		return "", errNotAdmin
	case allInOrg:
		return userID, nil
	case userID != "" && userID != caller.UserID:
		return "", errNotAdmin
	}
	return caller.UserID, nil
}
