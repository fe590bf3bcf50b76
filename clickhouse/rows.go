package clickhouse

import "context"

// Scan reads the columns of a row into dest, in their order.
type Scan = func(dest ...any) error

// ForEach runs a query and calls f for each row of its result. An error of f ends it.
func ForEach(ctx context.Context, conn Conn, query string, f func(Scan) error) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
