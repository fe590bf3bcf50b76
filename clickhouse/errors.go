package clickhouse

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"regexp"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Codes of the server's exceptions that the program tells apart, as in ClickHouse's ErrorCodes.cpp.
const (
	codeNoSuchColumn           = 16
	codeUnknownFunction        = 46
	codeUnknownIdentifier      = 47
	codeTypeMismatch           = 53
	codeUnknownTable           = 60
	codeSyntaxError            = 62
	codeUnknownDatabase        = 81
	codeTimeoutExceeded        = 159
	codeUnknownUser            = 192
	codeWrongPassword          = 193
	codeRequiredPassword       = 194
	codeTooManyQueries         = 202
	codeSocketTimeout          = 209
	codeNetworkError           = 210
	codeQueryAlreadyRunning    = 216
	codeMemoryLimitExceeded    = 241
	codeTableIsReadOnly        = 242
	codeNotEnoughSpace         = 243
	codeAllConnectionTryFailed = 279
	codeQueryWasCancelled      = 394
	codeCannotScheduleTask     = 439
	codeAccessDenied           = 497
	codeAuthenticationFailed   = 516
	codeServerOverloaded       = 745
)

// IsTimeout tells whether a statement ran out of its time.
func IsTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || hasCode(err, codeTimeoutExceeded) || waitedTooLong(err)
}

// waitedTooLong tells whether a connection's deadline, which the driver takes from the context, passed before the
// server answered; not whether it passed before there was a connection.
func waitedTooLong(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Timeout() && operation.Op != "dial"
}

// IsAlreadyRunning tells whether a statement was refused because one with the same query id is under way.
func IsAlreadyRunning(err error) bool { return hasCode(err, codeQueryAlreadyRunning) }

// IsUnavailable tells whether the server could not be reached or could not take the statement now, so that trying again
// later makes sense.
func IsUnavailable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || IsTimeout(err) {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, driver.ErrAcquireConnTimeout) || errors.Is(err, driver.ErrServerUnexpectedData) || errors.Is(err, sqldriver.ErrBadConn) {
		return true
	}
	return hasCode(err, codeTooManyQueries, codeSocketTimeout, codeNetworkError, codeMemoryLimitExceeded, codeTableIsReadOnly,
		codeNotEnoughSpace, codeQueryWasCancelled, codeServerOverloaded, codeCannotScheduleTask, codeAllConnectionTryFailed)
}

// literals are the texts that ClickHouse quotes.
var literals = regexp.MustCompile(`'(?:[^'\\]|\\.)*'?`)

// Redact gives an error's text for the log. ClickHouse may quote parameters of the statement in its errors, and so what
// callers asked about: that is left out.
func Redact(err error) string {
	if _, ok := errors.AsType[*driver.Exception](err); !ok {
		return err.Error()
	}
	return literals.ReplaceAllString(err.Error(), "'…'")
}

// IsRefused tells whether the server answered that it does not carry out a statement, for a reason that may pass: a
// disk is full, a table is read-only, there is too much to merge. It is not told of statements that are wrong
// themselves.
func IsRefused(err error) bool {
	_, refused := errors.AsType[*driver.Exception](err)
	return refused && !hasCode(err, codeNoSuchColumn, codeUnknownFunction, codeUnknownIdentifier, codeTypeMismatch, codeUnknownTable,
		codeSyntaxError)
}

// IsDenied tells whether the server does not let this user in, into this database, or do this: at the start of a
// program a mistake in its configuration, and later perhaps one of the server's that passes.
func IsDenied(err error) bool {
	return hasCode(err, codeUnknownDatabase, codeUnknownUser, codeWrongPassword, codeRequiredPassword, codeAccessDenied, codeAuthenticationFailed)
}

func hasCode(err error, codes ...int32) bool {
	exception, ok := errors.AsType[*driver.Exception](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if exception.Code == code {
			return true
		}
	}
	return false
}
