package flags

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

type example struct {
	Rate  float64       `least:"0" most:"1000000" default:"200" env:"EXAMPLE_RATE,EXAMPLE_OLD_RATE"`
	Port  int           `least:"0" most:"65535" default:"0"`
	Bytes int64         `least:"67108864" default:"4294967296"`
	Time  time.Duration `least:"1s" default:"20s"`
	Name  string        `default:"x"`
}

func TestBoundsOfFlags(t *testing.T) {
	for _, c := range []struct {
		argument string
		says     []string // "": nothing is wrong
	}{
		{"--rate=0", nil},
		{"--rate=-1", []string{"--rate (EXAMPLE_RATE) is -1; it must lie between 0 and 1000000"}},
		{"--rate=NaN", []string{"--rate (EXAMPLE_RATE) is NaN"}},
		{"--rate=+Inf", []string{"--rate (EXAMPLE_RATE) is +Inf"}},
		{"--port=65535", nil},
		{"--port=65536", []string{"--port is 65536; it must lie between 0 and 65535"}},
		{"--bytes=67108863", []string{"--bytes is 67108863; it must be at least 67108864"}},
		{"--time=1s", nil},
		{"--time=999ms --port=-1", []string{"--port is -1", "--time is 999ms; it must be at least 1s"}},
	} {
		parsed, err := kong.Must(&example{}).Parse(strings.Fields(c.argument))
		if err != nil {
			t.Fatal(err)
		}
		mistakes := OutOfBounds(parsed.Flags())
		if len(mistakes) != len(c.says) {
			t.Errorf("%s: %v", c.argument, mistakes)
		}
		for _, says := range c.says {
			if text := errors.Join(mistakes...).Error(); !strings.Contains(text, says) {
				t.Errorf("%s: %q, want a word of %q", c.argument, text, says)
			}
		}
	}
}
