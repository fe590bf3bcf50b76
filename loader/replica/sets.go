package replica

import (
	"context"
	"fmt"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// keys is a set that travels with a query as an external table named keys, so that a look-up of many ids is one
// statement of constant text.
type keys struct {
	columns []func(*ext.Table) error
	values  []any // one slice a column, all of one length
}

func (k *keys) column(name, chType string, values any) {
	k.columns = append(k.columns, ext.Column(name, column.Type(chType)))
	k.values = append(k.values, values)
}

// attach returns a context under which a query sees the set.
func (k *keys) attach(ctx context.Context) (context.Context, error) {
	table, err := ext.NewTable("keys", k.columns...)
	if err != nil {
		return nil, fmt.Errorf("make the set of a look-up: %w", err)
	}
	for i, values := range k.values {
		if _, err := table.Block().Columns[i].Append(values); err != nil {
			return nil, fmt.Errorf("fill the set of a look-up: %w", err)
		}
	}
	return driver.Context(ctx, driver.WithExternalTable(table)), nil
}

func stringKeys(name string, values []string) *keys {
	k := &keys{}
	k.column(name, "String", values)
	return k
}

// positionKeys is a set of sorting keys (org_id, at, id).
func positionKeys(at []position, ids []string) *keys {
	orgs, times := make([]string, len(at)), make([]int64, len(at))
	for i, p := range at {
		orgs[i], times[i] = p.orgID, p.at
	}
	k := &keys{}
	k.column("org_id", "String", orgs)
	k.column("at", "DateTime64(3, 'UTC')", times)
	k.column("id", "String", ids)
	return k
}
