package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
	"github.com/orgstats/orgstats/service/transport"
)

var (
	errNoOrganization = &failure{code: codeInvalid, sentence: "User is not part of any organization"}
	errNotAdmin       = failureOf(codeForbidden, nil)
	// errStopping is the cause that contexts end with when the time for a graceful shutdown is over.
	errStopping = errors.New("the service is stopping")
)

// mistake is one thing that is wrong with a request's parameters.
type mistake struct {
	Path    string `json:"path"`    // the parameter's name
	Message string `json:"message"` // a sentence that names it
}

// failure is an error that may be shown: a code and a sentence for people. Its cause, if any, is for the log only.
type failure struct {
	code     code
	sentence string
	details  []mistake
	retry    time.Duration // when trying again makes sense; 0: unknown
	cause    error
}

const (
	// retryUnavailable is for what is away: engines and key servers are back in seconds.
	retryUnavailable = 5 * time.Second
	// retryOverloaded is for an overload, which is over when others have been answered.
	retryOverloaded = time.Second
)

// failureOf returns a failure that shows its code's fixed sentence.
func failureOf(c code, cause error) *failure {
	f := &failure{code: c, sentence: responses[c].sentence, cause: cause}
	switch c {
	case codeUnavailable:
		f.retry = retryUnavailable
	case codeOverloaded:
		f.retry = retryOverloaded
	}
	return f
}

// rateLimited returns the failure of a request beyond a rate.
func rateLimited(exceeded *limit.RateLimitError) *failure {
	return &failure{
		code: codeRateLimited, retry: exceeded.Wait, cause: exceeded,
		sentence: fmt.Sprintf("This %s is rate-limited. Try again in %d s.", exceeded.Scope, seconds(exceeded.Wait)),
	}
}

// invalid returns the failure of a request with at least one mistake.
func invalid(mistakes []mistake) *failure {
	if len(mistakes) == 1 {
		return &failure{code: codeInvalid, sentence: mistakes[0].Message}
	}
	sentence := fmt.Sprintf("%d things are wrong with the parameters; details lists them", len(mistakes))
	return &failure{code: codeInvalid, sentence: sentence, details: mistakes}
}

func (f *failure) Error() string { return f.sentence }

func (f *failure) Unwrap() error { return f.cause }

// asFailure returns what to show of an error. What it does not know is internal.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if refusal, ok := errors.AsType[*fiber.Error](err); ok {
		c := routingCode(refusal)
		if c != codeInternal {
			err = nil // it says no more than the log's line does, and quotes the path, however long
		}
		return failureOf(c, err)
	}
	if exceeded, ok := errors.AsType[*limit.RateLimitError](err); ok {
		return rateLimited(exceeded)
	}
	switch {
	case errors.Is(err, auth.ErrUnauthorized):
		return failureOf(codeUnauthorized, err)
	case errors.Is(err, transport.ErrHungUp):
		return failureOf(codeClientClosed, err)
	case errors.Is(err, limit.ErrOverloaded):
		return failureOf(codeOverloaded, err)
	case errors.Is(err, stats.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return failureOf(codeTimeout, err)
	case errors.Is(err, auth.ErrKeysUnavailable), errors.Is(err, stats.ErrUnavailable), errors.Is(err, errStopping):
		return failureOf(codeUnavailable, err)
	}
	return failureOf(codeInternal, err)
}

// code is a kind of failure.
type code int

const (
	codeInternal code = iota
	codeInvalid
	codeUnauthorized
	codeForbidden
	codeNotFound
	codeMethodNotAllowed
	codeTimeout
	codeBodyTooLarge
	codeURLTooLong
	codeHeadTooLarge
	codeExpectation
	codeRateLimited
	codeClientClosed
	codeCoding
	codeVersion
	codeUnavailable
	codeOverloaded
)

// responses are the status of each kind, and the sentence that callers read where nothing more precise is known or may
// be shown.
var responses = map[code]struct {
	status   int
	sentence string
}{
	codeInternal:         {fasthttp.StatusInternalServerError, "Internal Server Error"},
	codeInvalid:          {fasthttp.StatusBadRequest, "The request is not valid HTTP."},
	codeUnauthorized:     {fasthttp.StatusUnauthorized, "Unauthorized"},
	codeForbidden:        {fasthttp.StatusForbidden, "Unauthorized: User is not an admin in this organization"},
	codeNotFound:         {fasthttp.StatusNotFound, "There is nothing at this path."},
	codeMethodNotAllowed: {fasthttp.StatusMethodNotAllowed, "This path answers GET and HEAD only."},
	codeTimeout:          {fasthttp.StatusRequestTimeout, "The request took too long. Ask for a shorter window, or again later."},
	codeBodyTooLarge:     {fasthttp.StatusRequestEntityTooLarge, "The request's body is too large. No request needs one."},
	codeURLTooLong:       {fasthttp.StatusRequestURITooLong, "The request's URL is too long."},
	codeHeadTooLarge:     {fasthttp.StatusRequestHeaderFieldsTooLarge, "The request's URL and headers are too large together."},
	codeExpectation:      {fasthttp.StatusExpectationFailed, ""},
	codeRateLimited:      {fasthttp.StatusTooManyRequests, ""},
	codeClientClosed:     {499, "The caller closed the connection."}, // nginx's number; nobody reads it but the log's readers
	codeCoding:           {fasthttp.StatusNotImplemented, ""},
	codeVersion:          {fasthttp.StatusHTTPVersionNotSupported, ""},
	codeUnavailable:      {fasthttp.StatusServiceUnavailable, "The service can't answer now. Try again in a few seconds."},
	codeOverloaded:       {fasthttp.StatusServiceUnavailable, "The service is overloaded. Try again in a few seconds."},
}

// routingCode returns the code of what fiber's router returns where no route fits.
func routingCode(err *fiber.Error) code {
	switch err.Code {
	case fiber.StatusNotFound:
		return codeNotFound
	case fiber.StatusMethodNotAllowed:
		return codeMethodNotAllowed
	}
	return codeInternal
}
