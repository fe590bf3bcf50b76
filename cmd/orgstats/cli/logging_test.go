package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
)

func TestLogIsTextOnATerminal(t *testing.T) {
	t.Parallel()
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	defer terminal.Close()
	for _, row := range []struct {
		why    string
		flags  logFlags
		to     *os.File
		begins string
	}{
		{"a terminal", logFlags{LogFormat: "auto"}, terminal, "time="},
		{"a terminal, but JSON is wanted", logFlags{LogFormat: "json"}, terminal, "{"},
	} {
		row.flags.logger(row.to).Info("said")
		text := make([]byte, 1000)
		n, err := screen.Read(text)
		if err != nil || !strings.HasPrefix(string(text[:n]), row.begins) {
			t.Errorf("%s: %q, %v", row.why, text[:n], err)
		}
	}
}

func TestTracesAreOffUntilAskedFor(t *testing.T) {
	for _, row := range []struct {
		why    string
		env    map[string]string
		wanted bool
	}{
		{"nothing is set", nil, false},
		{"an endpoint", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, true},
		{"an endpoint for traces", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, true},
		{"an exporter", map[string]string{"OTEL_TRACES_EXPORTER": "console"}, true},
		{"no exporter", map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, false},
		{"OpenTelemetry is off", map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, false},
		{"a name alone asks for nothing", map[string]string{"OTEL_SERVICE_NAME": "figures"}, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			for _, name := range []string{"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
				t.Setenv(name, row.env[name])
			}
			if got := tracesWanted(); got != row.wanted {
				t.Errorf("wanted: %t, want %t", got, row.wanted)
			}
		})
	}
}
