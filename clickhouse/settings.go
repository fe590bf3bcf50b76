package clickhouse

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Limits bound one statement on the server. A zero field sets no limit.
type Limits struct {
	Time   time.Duration // the server ends the statement after this time
	Memory int64         // bytes that the statement may use
}

// Statement describes a statement of the program to the server.
type Statement struct {
	Comment  string // log_comment: finds the statement in system.query_log and system.processes
	QueryID  string // "": the server generates one
	Limits   Limits
	Settings map[string]any // further settings
}

// WithStatement returns a context under which statements run as s says. The driver turns the context's deadline into
// max_execution_time (plus five seconds, overwriting any such setting), so the time limit is a deadline; cancel must be
// called.
func WithStatement(ctx context.Context, s Statement) (_ context.Context, cancel context.CancelFunc) {
	settings := driver.Settings{"log_comment": s.Comment}
	if s.Limits.Memory > 0 {
		settings["max_memory_usage"] = s.Limits.Memory
	}
	maps.Copy(settings, s.Settings)
	options := []driver.QueryOption{driver.WithSettings(settings)}
	if s.QueryID != "" {
		options = append(options, driver.WithQueryID(s.QueryID))
	}
	cancel = func() {}
	if s.Limits.Time > 0 {
		ctx, cancel = context.WithTimeout(ctx, s.Limits.Time)
	}
	return driver.Context(ctx, options...), cancel
}

// Params are the values of a statement's {name:Type} placeholders. They are sent beside the statement and are never
// part of its text.
type Params map[string]string

// The server reads a parameter as a field of its tab-separated format, so these five characters must be escaped; every
// other byte stands for itself.
var paramEscaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// StringParams returns parameters of type String, from pairs of a name and a value.
func StringParams(pairs ...string) Params {
	p := Params{}
	for pair := range slices.Chunk(pairs, 2) {
		p.String(pair[0], pair[1])
	}
	return p
}

// String sets a parameter of type String.
func (p Params) String(name, value string) { p[name] = paramEscaper.Replace(value) }

// Int64 sets a parameter of a whole-number type.
func (p Params) Int64(name string, value int64) { p[name] = strconv.FormatInt(value, 10) }

// Millis sets a parameter of type DateTime64(3, 'UTC') to a time in milliseconds since 1970 UTC.
func (p Params) Millis(name string, value int64) { p[name] = formatMillis(value) }

func formatMillis(value int64) string {
	return time.UnixMilli(value).UTC().Format("2006-01-02 15:04:05.000")
}

// AllMillis sets a parameter of type Array(DateTime64(3, 'UTC')).
func (p Params) AllMillis(name string, values []int64) {
	p[name] = arrayOf(values, func(value int64) string { return "'" + formatMillis(value) + "'" })
}

// Int64s sets a parameter of type Array(Int64).
func (p Params) Int64s(name string, values []int64) {
	p[name] = arrayOf(values, func(value int64) string { return strconv.FormatInt(value, 10) })
}

func arrayOf(values []int64, format func(int64) string) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = format(value)
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// WithParams binds parameters to the statements that run under the context.
func WithParams(ctx context.Context, p Params) context.Context {
	return driver.Context(ctx, driver.WithParameters(driver.Parameters(p)))
}
