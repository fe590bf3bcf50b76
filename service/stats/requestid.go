package stats

import "context"

type requestIDKey struct{}

// WithRequestID gives a context that carries the id of the request that a question comes from, for the query's
// log_comment.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id that WithRequestID put into the context, "" without one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
