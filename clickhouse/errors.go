package clickhouse

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// IsTimeout reports whether a statement exceeded its time limit.
func IsTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || hasCode(err, proto.ErrTimeoutExceeded) || waitedTooLong(err)
}

// waitedTooLong reports whether a connection's deadline, which the driver derives from the context, passed before the
// server answered. A deadline that passed before there was a connection does not count.
func waitedTooLong(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Timeout() && operation.Op != "dial"
}

// IsAlreadyRunning reports whether a statement was refused because one with the same query id is running.
func IsAlreadyRunning(err error) bool { return hasCode(err, proto.ErrQueryWithSameIDIsAlreadyRunning) }

// IsUnavailable reports whether the server could not be reached or could not accept the statement now, so that retrying
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
	return hasCode(err, proto.ErrTooManySimultaneousQueries, proto.ErrSocketTimeout, proto.ErrNetworkError, proto.ErrMemoryLimitExceeded,
		proto.ErrTableIsReadOnly, proto.ErrNotEnoughSpace, proto.ErrQueryWasCancelled, proto.ErrServerOverloaded, proto.ErrCannotScheduleTask,
		proto.ErrAllConnectionTriesFailed)
}

// literals are the texts that ClickHouse quotes.
var literals = regexp.MustCompile(`'(?:[^'\\]|\\.)*'?`)

// Redact returns an error's text for the log. In its errors ClickHouse may quote parameters of the statement, and thus
// what callers asked about; Redact removes them.
func Redact(err error) string {
	if _, ok := errors.AsType[*driver.Exception](err); !ok {
		return err.Error()
	}
	return literals.ReplaceAllString(err.Error(), "'…'")
}

// IsRefused reports whether the server refused to execute a statement for a reason that may pass: a disk is full, a
// table is read-only, there is too much to merge. It does not cover statements that are wrong themselves.
func IsRefused(err error) bool {
	_, refused := errors.AsType[*driver.Exception](err)
	return refused && !hasCode(err, proto.ErrNoSuchColumnInTable, proto.ErrUnknownFunction, proto.ErrUnknownIdentifier, proto.ErrTypeMismatch,
		proto.ErrUnknownTable, proto.ErrSyntaxError)
}

// IsDenied reports whether the server denies this user the login, the database or the statement. At the start of a
// program that is a mistake in its configuration; later it may be a temporary one of the server's.
func IsDenied(err error) bool {
	return hasCode(err, proto.ErrUnknownDatabase, proto.ErrUnknownUser, proto.ErrWrongPassword, proto.ErrRequiredPassword, proto.ErrAccessDenied, proto.ErrAuthenticationFailed)
}

// IsTooManyRows reports whether a statement had more rows than its limits allow.
func IsTooManyRows(err error) bool { return hasCode(err, proto.ErrTooManyRowsOrBytes) }

func hasCode(err error, codes ...proto.Error) bool {
	exception, ok := errors.AsType[*driver.Exception](err)
	return ok && slices.Contains(codes, proto.Error(exception.Code))
}
