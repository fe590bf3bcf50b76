package source

import "testing"

func TestValuesAsJSON(t *testing.T) {
	for _, row := range []struct {
		why       string
		ValueKind ValueKind
		text      string
		want      string
	}{
		{"a text", KindText, `a`, `"a"`},
		{"an empty text is no NULL", KindText, ``, `""`},
		{"what JSON escapes", KindText, "a\"b\\c\nd\x01", `"a\"b\\c\nd\u0001"`},
		{"what it need not", KindText, "<é&☂>", `"<é&☂>"`},
		{"what HTML would escape, beside what JSON does", KindText, "<\">", `"<\">"`},
		{"a text that is filled up", kindPadded, "a b   ", `"a b"`},
		{"an integer keeps its digits", KindNumber, "9223372036854775807", "9223372036854775807"},
		{"a numeric, too", kindFloat, "1.50", "1.50"},
		{"no number", kindFloat, "NaN", `"NaN"`},
		{"no finite number", kindFloat, "-Infinity", `"-Infinity"`},
		{"true", kindBool, "t", "true"},
		{"true, of a snapshot", kindBool, "true", "true"},
		{"false", kindBool, "f", "false"},
		{"JSON stays", KindJSON, `{"a": [1]}`, `{"a": [1]}`},
		{"a time with a zone", KindTimestamptz, "2026-01-05 09:00:00.123456+00", `"2026-01-05T09:00:00.123456Z"`},
		{"a time of whole seconds", KindTimestamptz, "2026-01-05 09:00:00+00", `"2026-01-05T09:00:00Z"`},
		{"no time at all", KindTimestamptz, "infinity", `"infinity"`},
		{"a time before Christ", KindTimestamptz, "0044-03-15 12:00:00+00 BC", `"0044-03-15 12:00:00+00 BC"`},
		{"a time without a zone is UTC", kindTimestamp, "2026-01-05 09:00:00.5", `"2026-01-05T09:00:00.5Z"`},
		{"one before Christ", kindTimestamp, "0044-03-15 12:00:00 BC", `"0044-03-15 12:00:00 BC"`},
		{"a date is its midnight", kindDate, "2026-01-05", `"2026-01-05T00:00:00Z"`},
	} {
		if got := row.ValueKind.json(row.text); got != row.want {
			t.Errorf("%s: %q is %s, want %s", row.why, row.text, got, row.want)
		}
	}
}
