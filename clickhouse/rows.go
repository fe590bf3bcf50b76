package clickhouse

import (
	"context"
	"fmt"
)

// Scan reads the columns of a row into dest, in their order.
type Scan = func(dest ...any) error

// ForEach runs a query and calls f for each row of its result. An error of f ends it.
func ForEach(ctx context.Context, conn Conn, query string, f func(Scan) error) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	return EachRow(rows, f)
}

// EachRow calls f for each row of a result and closes it. An error of f ends it.
func EachRow(rows Rows, f func(Scan) error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// LookUp runs a query that sees a set of keys and calls f for each row of its result. Errors name what is looked up.
func LookUp(ctx context.Context, conn Conn, what string, keys *Keys, query string, f func(Scan) error) error {
	ctx, err := WithKeys(ctx, keys)
	if err == nil {
		err = ForEach(ctx, conn, query, f)
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}

// Count returns the number of rows of a table, or of those that match a condition after its name.
func Count(ctx context.Context, conn Conn, from string) (rows uint64, err error) {
	if err := conn.QueryRow(ctx, "SELECT count() FROM "+from).Scan(&rows); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", from, err)
	}
	return rows, nil
}
