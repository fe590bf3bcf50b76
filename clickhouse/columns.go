package clickhouse

import (
	"slices"
	"strings"
)

// Column declares a column of a table by its name and by where its values are in rows of type R: Insert writes them
// from there, and Columns.Scan reads them to there.
type Column[R any] struct {
	name       string
	gather     func() func([]R) any // the values of rows, in a slice that is good until the next call; nil: not inserted
	expression string               // what SELECT reads; "": nothing
	field      func(*R) any         // where it is scanned to
}

// Field declares a column whose values are fields of rows, in the column's own type.
func Field[R, V any](name string, field func(*R) *V) Column[R] {
	c := Value(name, func(r *R) V { return *field(r) })
	c.expression, c.field = name, func(r *R) any { return field(r) }
	return c
}

// Text declares a Field of type LowCardinality(String) or Enum, which the server converts to plain strings faster than
// the driver does.
func Text[R any](name string, field func(*R) *string) Column[R] {
	return Field(name, field).as("toString(" + name + ")")
}

// Millis declares a Field of type DateTime64(3), in milliseconds since 1970 UTC.
func Millis[R any](name string, field func(*R) *int64) Column[R] {
	return Field(name, field).as("toUnixTimestamp64Milli(" + name + ")")
}

func (c Column[R]) as(expression string) Column[R] {
	c.expression = expression
	return c
}

// Value declares a column that is inserted and not read.
func Value[R, V any](name string, value func(*R) V) Column[R] {
	return Column[R]{name: name, gather: func() func([]R) any {
		var buffer []V
		return func(rows []R) any {
			buffer = slices.Grow(buffer[:0], len(rows))
			for i := range rows {
				buffer = append(buffer, value(&rows[i]))
			}
			return buffer
		}
	}}
}

// Constant declares a column that is inserted with the same value in every row.
func Constant[R, V any](name string, v V) Column[R] {
	return Value(name, func(*R) V { return v })
}

// Expression declares an expression over the columns that is read and not inserted.
func Expression[R, V any](expression string, field func(*R) *V) Column[R] {
	return Column[R]{expression: expression, field: func(r *R) any { return field(r) }}
}

// Columns declares the columns of a table.
type Columns[R any] []Column[R]

// Select returns the list of what a SELECT reads.
func (c Columns[R]) Select() string {
	var list []string
	for _, column := range c {
		if column.expression != "" {
			list = append(list, column.expression)
		}
	}
	return strings.Join(list, ", ")
}

// Scan reads a row of a SELECT of these columns into row.
func (c Columns[R]) Scan(scan Scan, row *R) error {
	dest := make([]any, 0, len(c))
	for _, column := range c {
		if column.field != nil {
			dest = append(dest, column.field(row))
		}
	}
	return scan(dest...)
}
