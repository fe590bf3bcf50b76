package replica

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/orgstats/orgstats/clickhouse"
)

// watched is a connection that reports every statement once what it wrote is durable.
type watched struct {
	clickhouse.Conn
	written func(statement string)
}

func (c *watched) PrepareBatch(ctx context.Context, statement string, options ...driver.PrepareBatchOption) (driver.Batch, error) {
	batch, err := c.Conn.PrepareBatch(ctx, statement, options...)
	if err != nil {
		return nil, err
	}
	return &watchedBatch{batch, func() { c.written(statement) }}, nil
}

func (c *watched) Exec(ctx context.Context, statement string, args ...any) error {
	err := c.Conn.Exec(ctx, statement, args...)
	if err == nil {
		c.written(statement)
	}
	return err
}

type watchedBatch struct {
	driver.Batch
	written func()
}

func (b *watchedBatch) Send() error {
	err := b.Batch.Send()
	if err == nil {
		b.written()
	}
	return err
}
