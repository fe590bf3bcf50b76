package cli

import (
	"strings"
	"testing"
)

func TestThePasswordOfAServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ reason, url, password, says string }{
		{"it belongs to a server", "", "x", "without a ClickHouse server"},
		{"it belongs to a user", "clickhouse://h:9000/d", "x", "names no user"},
		{"it is given twice", "clickhouse://u:y@h:9000/d", "x", "give one"},
	} {
		f := databaseFlags{DataDir: "data", ClickhouseURL: c.url, Password: c.password}
		if mistakes := f.mistakes(); len(mistakes) != 1 || !strings.Contains(mistakes[0].Error(), c.says) {
			t.Errorf("%s: %v, want a word of %q", c.reason, mistakes, c.says)
		}
	}
	f := databaseFlags{DataDir: "data", ClickhouseURL: "clickhouse://u@h:9000/d?secure=true", Password: "a/b@c:%d"}
	want := "clickhouse://u:a%2Fb%40c%3A%25d@h:9000/d?secure=true"
	if got, err := f.url(); err != nil || got != want || len(f.mistakes()) > 0 {
		t.Errorf("%s, %v, %v, want %s", got, err, f.mistakes(), want)
	}
}
