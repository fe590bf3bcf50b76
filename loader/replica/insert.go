package replica

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
)

// insertBlock is how many rows travel in a block. The server puts the blocks of an insert together again, as the
// writer's settings say.
const insertBlock = 8_192

// insert writes rows: all of them or none.
func insert[R any](ctx context.Context, conn clickhouse.Conn, statement string, rows []R, columns ...values[R]) error {
	batch, err := conn.PrepareBatch(ctx, statement)
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	for block := range slices.Chunk(rows, insertBlock) {
		if batch.Rows() > 0 {
			if err := batch.Flush(); err != nil {
				_ = batch.Abort()
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		for i, values := range columns {
			if err := batch.Column(i).Append(values(block)); err != nil {
				_ = batch.Abort()
				return fmt.Errorf("%s: column %d: %w", statement, i, err)
			}
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// values gather one column of rows in a slice, which is good until it is called again.
type values[R any] func(rows []R) any

// each is the column of a value of each row.
func each[R, V any](value func(*R) V) values[R] {
	var buffer []V
	return func(rows []R) any {
		buffer = slices.Grow(buffer[:0], len(rows))
		for i := range rows {
			buffer = append(buffer, value(&rows[i]))
		}
		return buffer
	}
}

// same is a column that holds the same value in every row.
func same[R, V any](v V) values[R] {
	return each(func(*R) V { return v })
}

// columnOf gathers one column of rows.
func columnOf[R, V any](rows []R, value func(*R) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = value(&rows[i])
	}
	return out
}

// setOf gathers the distinct values of one column of rows.
func setOf[R any, V comparable](rows []R, value func(*R) V) map[V]struct{} {
	set := map[V]struct{}{}
	for i := range rows {
		set[value(&rows[i])] = struct{}{}
	}
	return set
}

// setOfKeys are the distinct values of one column of a set.
func setOfKeys[K comparable, V comparable](set map[K]struct{}, value func(K) V) []V {
	distinct := map[V]struct{}{}
	for key := range set {
		distinct[value(key)] = struct{}{}
	}
	return slices.Collect(maps.Keys(distinct))
}

func nullableTime(at int64, set bool) *int64 {
	if !set {
		return nil
	}
	return &at
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// query runs a look-up and calls scan for each row.
func query(ctx context.Context, conn clickhouse.Conn, what string, set *keys, statement string, scan func(func(...any) error) error) error {
	if set != nil {
		var err error
		if ctx, err = set.attach(ctx); err != nil {
			return err
		}
	}
	if err := clickhouse.ForEach(ctx, conn, statement, scan); err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}
