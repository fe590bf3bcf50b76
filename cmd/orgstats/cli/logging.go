package cli

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// logFlags configure the log.
type logFlags struct {
	LogFormat string     `help:"Format of the log on standard error: text, json, or auto, which is text on a terminal and json elsewhere." env:"ORGSTATS_LOG_FORMAT" enum:"auto,text,json" default:"auto"`
	LogLevel  slog.Level `help:"Least level of what is logged: debug (with the probes' requests), info, warn or error." env:"ORGSTATS_LOG_LEVEL" default:"info"`
}

func (f *logFlags) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: f.LogLevel}
	if f.LogFormat == "json" || f.LogFormat == "auto" && !isTerminal(w) {
		options.ReplaceAttr = durationInSeconds
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// durationInSeconds writes durations in seconds and adds the unit, as they would be mere numbers otherwise.
func durationInSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_seconds", a.Value.Duration().Seconds())
	}
	return a
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
