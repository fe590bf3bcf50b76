package service

import (
	"strings"
	"testing"
)

func TestWindow(t *testing.T) {
	at := func(text string) int64 { return unixMilli(t, text) }
	for _, row := range []struct {
		why, from, to  string
		first, onwards int64 // the half-open window
	}{
		{
			"both ends are inclusive", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z",
			at("2024-01-01T00:00:00Z"), at("2024-01-01T00:00:01.001Z"),
		},
		{
			"equal is one millisecond", "2024-01-01T00:00:00.123Z", "2024-01-01T00:00:00.123Z",
			at("2024-01-01T00:00:00.123Z"), at("2024-01-01T00:00:00.124Z"),
		},
		{"lower case", "2024-01-01t00:00:00z", "2024-01-01t00:00:00z", at("2024-01-01T00:00:00Z"), at("2024-01-01T00:00:00.001Z")},
		{"lower case beyond the years", "1800-01-01t00:00:00z", "9999-01-01t00:00:00.5z", recordsFrom, recordsUntil},
		{
			"from rounds up", "2024-01-01T00:00:00.0001Z", "2024-01-01T00:00:01Z",
			at("2024-01-01T00:00:00.001Z"), at("2024-01-01T00:00:01.001Z"),
		},
		{
			"to rounds down", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.9999Z",
			at("2024-01-01T00:00:00Z"), at("2024-01-01T00:00:01Z"),
		},
		{
			"zeros are nothing to round", "2024-01-01T00:00:00.0000000000Z", "2024-01-01T00:00:00.000000Z",
			at("2024-01-01T00:00:00Z"), at("2024-01-01T00:00:00.001Z"),
		},
		{"rounding before 1970 goes the same ways", "1969-12-31T23:59:59.9985Z", "1969-12-31T23:59:59.9995Z", -1, 0},
		{
			"offsets count", "2024-01-01T02:00:00+02:00", "2023-12-31T19:00:00-05:00",
			at("2024-01-01T00:00:00Z"), at("2024-01-01T00:00:00.001Z"),
		},
		{"all of time", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", recordsFrom, recordsUntil},
		{"the ends of time themselves", "1900-01-01T00:00:00Z", "2261-12-31T23:59:59.999Z", recordsFrom, recordsUntil},
		{"an offset leads out of the years", "1900-01-01T00:00:00+01:00", "2261-12-31T23:59:59.999-01:00", recordsFrom, recordsUntil},
		{"wholly before", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", recordsFrom, recordsFrom},
		{"wholly after", "2262-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", recordsUntil, recordsUntil},
		{"a leap day long ago", "1600-02-29T00:00:00Z", "2024-01-01T00:00:00Z", recordsFrom, at("2024-01-01T00:00:00.001Z")},
	} {
		t.Run(row.why, func(t *testing.T) {
			q := parseQuery(encodeQuery("from", row.from, "to", row.to), []string{paramFrom, paramTo})
			if from, until := q.window(); from != row.first || until != row.onwards || q.mistakes != nil {
				t.Errorf("got %d to %d %v, want %d to %d", from, until, q.mistakes, row.first, row.onwards)
			}
		})
	}
}

// The advice about a + that was not escaped is for a space where an offset's + was.
func TestASpaceIsExplainedWhereItWasAPlus(t *testing.T) {
	for text, want := range map[string]bool{
		"2024-01-01T00:00:00 02:00": true, "2024-01-01t00:00:00.5 02:00": true, "9999-01-01T00:00:00 02:00": true,
		"2024-01-01 00:00:00Z": false, " 2024-01-01T00:00:00Z": false, "2024-01-01T00:00:00Z ": false, "the first of May": false, "2024-01-01 00:00:00 02:00": false,
	} {
		q := parseQuery(encodeQuery("from", text, "to", "2024-06-01T00:00:00Z"), []string{paramFrom, paramTo})
		q.window()
		if len(q.mistakes) == 0 || strings.Contains(q.mistakes[0].Message, "%2B") != want {
			t.Errorf("%q: %v", text, q.mistakes)
		}
	}
}

func TestWindowMistakes(t *testing.T) {
	const good = "2024-06-01T00:00:00Z"
	for _, row := range []struct{ why, from, to, says string }{
		{"backwards", "2024-06-01T00:00:00.001Z", good, "from is after to"},
		{"nothing between the roundings", "2024-06-01T00:00:00.0001Z", "2024-06-01T00:00:00.0009Z", "from is after to"},
		{"backwards beyond the years", "9999-01-01T00:00:00Z", "9998-01-01T00:00:00Z", "from is after to"},
		{"date only", "2024-01-01", good, "from is not an RFC 3339"},
		{"no zone", "2024-01-01T00:00:00", good, "from is not an RFC 3339"},
		{"no seconds", "2024-01-01T00:00Z", good, "from is not an RFC 3339"},
		{"one digit of an hour", "2024-01-01T3:00:00Z", good, "from is not an RFC 3339"},
		{"a comma", "2024-01-01T00:00:00,5Z", good, "from is not an RFC 3339"},
		{"the same far away", "9999-01-01T00:00:00,5Z", good, "from is not an RFC 3339"},
		{"another letter", "2024-01-01u00:00:00Z", good, "from is not an RFC 3339"},
		{"another zone", "2024-01-01T00:00:00y", good, "from is not an RFC 3339"},
		{"six digits of a year", "+002024-01-01T00:00:00Z", good, "from is not an RFC 3339"},
		{"a number", "1704067200000", good, "from is not an RFC 3339"},
		{"a sign for a year", "+999-01-01T00:00:00Z", good, "from is not an RFC 3339"},
		{"no such day", "2024-02-30T00:00:00Z", good, "calendar"},
		{"no such day far away", "1500-02-29T00:00:00Z", good, "calendar"},
		{"no such hour", "2024-01-01T24:00:00Z", good, "hour"},
		{"a leap second", "2016-12-31T23:59:60Z", good, "leap second"},
		{"a leap second far away", "9999-12-31t23:59:60z", good, "leap second"},
		{"no such offset", "2024-01-01T00:00:00+24:00", good, "from names an hour"},
		{"the year 0000", "0000-01-01T00:00:00Z", good, "1900 to 2261"},
		{"the other end", good, "x", "to is not an RFC 3339"},
		{"a plus that became a space", "2024-01-01T00:00:00 02:00", good, "%2B02:00"},
	} {
		t.Run(row.why, func(t *testing.T) {
			q := parseQuery(encodeQuery("from", row.from, "to", row.to), []string{paramFrom, paramTo})
			q.window()
			if len(q.mistakes) != 1 || !strings.Contains(q.mistakes[0].Message, row.says) {
				t.Errorf("got %v, want %q", q.mistakes, row.says)
			}
		})
	}
}
