package clickhouse

import (
	"context"
	"fmt"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// Keys is a set that is sent with a query as an external table named keys, so that looking up many ids is one query of
// constant text.
type Keys struct {
	columns []func(*ext.Table) error
	values  []any // one slice per column, all of the same length
}

// StringKeys returns a set of one column of type String.
func StringKeys(name string, values []string) *Keys { return new(Keys).Add(name, "String", values) }

// Add adds a column, whose values are a slice as long as those of the others, and returns the set.
func (k *Keys) Add(name, columnType string, values any) *Keys {
	k.columns = append(k.columns, ext.Column(name, column.Type(columnType)))
	k.values = append(k.values, values)
	return k
}

// WithKeys returns a context under which a query sees the set. A nil set is not sent.
func WithKeys(ctx context.Context, k *Keys) (context.Context, error) {
	if k == nil {
		return ctx, nil
	}
	table, err := ext.NewTable("keys", k.columns...)
	if err != nil {
		return nil, fmt.Errorf("make the set of a query: %w", err)
	}
	for i, values := range k.values {
		if _, err := table.Block().Columns[i].Append(values); err != nil {
			return nil, fmt.Errorf("fill the set of a query: %w", err)
		}
	}
	return driver.Context(ctx, driver.WithExternalTable(table)), nil
}
