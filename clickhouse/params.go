package clickhouse

import (
	"context"
	"slices"
	"strconv"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

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

// WithParams binds parameters to the statements that run under the context.
func WithParams(ctx context.Context, p Params) context.Context {
	return driver.Context(ctx, driver.WithParameters(driver.Parameters(p)))
}
