package cells

import (
	"fmt"
	"time"
)

// Times are in milliseconds since 1970-01-01 00:00 UTC, and days and months are those of UTC.
const (
	MsPerHour = 3_600_000
	MsPerDay  = 24 * MsPerHour

	// MinTime and MaxTime are the first and the last time that a record may have: ClickHouse's DateTime64 begins with
	// 1900, and 2261 is the last whole year that clickhouse-go holds, which counts nanoseconds in 64 bits on the way.
	MinTime = -2_208_988_800_000 // 1900-01-01T00:00:00.000Z
	MaxTime = 9_214_646_399_999  // 2261-12-31T23:59:59.999Z
)

// FloorDiv returns a / b, rounded down.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// HourNumber returns the number of the hour that holds a time, from the hour that began with 1970. The tables number
// hours like that.
func HourNumber(ms int64) int32 { return int32(FloorDiv(ms, MsPerHour)) }

// Grain is a length of buckets of time, by its name in stats_cells.
type Grain string

// The grains, finest first.
const (
	Hour  Grain = "hour"
	Day   Grain = "day"
	Month Grain = "month"
)

// Grains are all grains, finest first.
var Grains = []Grain{Hour, Day, Month}

// MaxLength returns the length of the longest bucket, in milliseconds.
func (g Grain) MaxLength() int64 {
	switch g {
	case Hour:
		return MsPerHour
	case Day:
		return MsPerDay
	default:
		return 31 * MsPerDay
	}
}

// Start returns the start of the bucket that holds a time.
func (g Grain) Start(ms int64) int64 {
	if g == Month {
		t := time.UnixMilli(ms).UTC()
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	}
	return FloorDiv(ms, g.MaxLength()) * g.MaxLength()
}

// Next returns the start of the bucket after the one that begins at start.
func (g Grain) Next(start int64) int64 {
	if g == Month {
		return time.UnixMilli(start).UTC().AddDate(0, 1, 0).UnixMilli()
	}
	return start + g.MaxLength()
}

// Ceil returns the first start of a bucket that is not before a time.
func (g Grain) Ceil(ms int64) int64 {
	if start := g.Start(ms); start < ms {
		return g.Next(start)
	}
	return ms
}

// StartSQL returns Start of a column's time, in SQL. ClickHouse's own functions that round times know only the years
// 1970 to 2106.
func (g Grain) StartSQL(column string) string {
	if g == Month {
		return fmt.Sprintf("makeDateTime64(toYear(%[1]s), toMonth(%[1]s), 1, 0, 0, 0, 0, 3, 'UTC')", column)
	}
	return fmt.Sprintf("fromUnixTimestamp64Milli(toUnixTimestamp64Milli(%[1]s) - positiveModulo(toUnixTimestamp64Milli(%[1]s), %[2]d), 'UTC')",
		column, g.MaxLength())
}
