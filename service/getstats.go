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

var errNoUser = errors.New("the authenticator named no user")

// getStats answers GET /api/dashboard/getStats. A caller without a good token learns nothing about its parameters.
func (s *Service) getStats(c *fiber.Ctx) error {
	e := exchangeOf(c)
	ctx, release := s.requestContext(e)
	defer release()
	figures, err := s.answer(ctx, e)
	if err != nil {
		return trueCause(ctx, err)
	}
	if err := respond(&e.http.Response, fasthttp.StatusOK, figures); err != nil {
		return err
	}
	tag(&e.http.Request, &e.http.Response)
	return nil
}

func (s *Service) answer(ctx context.Context, e *exchange) (stats.Figures, error) {
	var err error
	if e.caller, err = s.authenticate(ctx, &e.http.Request.Header); err != nil {
		return stats.Figures{}, err
	}
	now := time.Now()
	if err := s.config.Rates.Take(e.caller.OrgID, e.caller.UserID, now); err != nil {
		return stats.Figures{}, err
	}
	if s.config.Rates.Exhausted(e.caller.OrgID, now) {
		ctx = stats.GivingWay(ctx)
	}
	q, err := question(e.caller, e.query)
	if err != nil {
		return stats.Figures{}, err
	}
	return s.config.Answerer.Answer(ctx, q)
}

// authenticate finds out who calls. Two Authorization headers are as good as none.
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

// requestContext gives a context that ends with the request's time, with the caller's hanging up, or with the service.
func (s *Service) requestContext(e *exchange) (ctx context.Context, release func()) {
	ctx, e.account = stats.WithAccount(stats.WithRequestID(e.ctx, e.id))
	ctx, cancel := context.WithCancelCause(ctx)
	ctx, cancelTimeout := context.WithTimeout(ctx, s.config.RequestTimeout)
	stopWatching := func() {}
	if c, ok := e.http.Conn().(*transport.Conn); ok {
		stopWatching = c.CancelOnHangUp(cancel)
	}
	return ctx, func() {
		stopWatching()
		cancelTimeout()
		cancel(nil)
	}
}

// trueCause is the error to show: when the context has ended, what was under way may fail in any way.
func trueCause(ctx context.Context, err error) error {
	if _, shown := errors.AsType[*failure](err); shown || ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	return failureOf(asFailure(cause).code, fmt.Errorf("%w: %w", cause, err))
}

// roleAdmin is the role that may see the whole organization.
const roleAdmin = "org:admin"

// question reads what the caller asks, and refuses what is wrong (400) or not the caller's to ask (403). The
// organization is always the token's: no parameter names one.
func question(caller auth.Caller, rawQuery string) (stats.Question, error) {
	if caller.OrgID == "" {
		return stats.Question{}, errNoOrganization
	}
	q := parseQuery(rawQuery)
	if q.values == nil { // there were too many to read
		return stats.Question{}, invalid(q.mistakes)
	}
	from, until := q.window()
	allInOrg := q.boolean(paramAllInOrg)
	if len(q.mistakes) > 0 {
		return stats.Question{}, invalid(q.mistakes)
	}
	userID, err := scope(caller, allInOrg, q.values[paramUserID])
	if err != nil {
		return stats.Question{}, err
	}
	return stats.Question{
		OrgID:         caller.OrgID,
		From:          from,
		Until:         until,
		AgentID:       q.values[paramAgentID],
		UserID:        userID,
		MetadataKey:   q.values[paramMetadataKey],
		MetadataValue: q.values[paramMetadataValue],
	}, nil
}

// scope is the user that the question is limited to, "" for the whole organization.
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
