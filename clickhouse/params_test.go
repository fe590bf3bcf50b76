package clickhouse_test

import (
	"math"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func TestStringsArriveAsTheyWereBound(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	for _, row := range []struct{ why, value string }{
		{"nothing is a value, too", ""},
		{"a single quote ends a literal of SQL", `it's`},
		{"so does a quote that is doubled or escaped already", `'' \' \\'`},
		{"double quotes and backquotes name columns", "\"id\" `id`"},
		{"a backslash escapes what follows it", `\`},
		{"backslashes at the end, odd and even", `a\\\`},
		{"a backslash before a letter that an escape could mean", `\t\n\0\x41\b`},
		{"\\N is how the server's format writes NULL", `\N`},
		{"NUL ends a string elsewhere", "before\x00after"},
		{"a NUL before a digit could become an octal escape", "\x0012"},
		{"a tab ends a field of the server's format", "a\tb"},
		{"line ends end a row", "a\nb\r\nc\r"},
		{"white space at either end is part of the value", "  a \t"},
		{"braces name placeholders", `{org_id:String} {{ }}`},
		{"comments and statements are text", `x'; DROP TABLE messages; -- /*`},
		{"other scripts and signs", "ключ 鍵 🔑 é \u2028 \ufeff"},
		{"bytes need not be UTF-8", "\xff\xfe\xc3"},
		{"every byte there is", string(everyByte)},
		{"100 KB of text", strings.Repeat("k", 100_000)},
		{"100 KB of what must be escaped", strings.Repeat("\x00\\\t\n'", 20_000)},
	} {
		params := clickhouse.Params{}
		params.String("value", row.value)
		var got string
		var length uint64
		err := conn.QueryRow(clickhouse.WithParams(t.Context(), params),
			"SELECT {value:String}, length({value:String})").Scan(&got, &length)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
		} else if got != row.value || length != uint64(len(row.value)) {
			t.Errorf("%s: %.40q (%d bytes) came back as %.40q (%d)", row.why, row.value, len(row.value), got, length)
		}
	}
}

func TestParametersDoNotMix(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	params := clickhouse.Params{}
	params.String("a", "{b:String}")
	params.String("b", "', param_a = '")
	params.Int64("least", math.MinInt64)
	params.Int64("most", math.MaxInt64)
	var a, b string
	var least, most int64
	err := conn.QueryRow(clickhouse.WithParams(t.Context(), params),
		"SELECT {a:String}, {b:String}, {least:Int64}, {most:Int64}").Scan(&a, &b, &least, &most)
	if err != nil {
		t.Fatal(err)
	}
	if a != "{b:String}" || b != "', param_a = '" || least != math.MinInt64 || most != math.MaxInt64 {
		t.Errorf("got %q, %q, %d, %d", a, b, least, most)
	}
}
