package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/orgstats/orgstats/loader"
)

// Intervals at which progress is shown.
const (
	redrawEvery = 200 * time.Millisecond // the line on a terminal
	logEvery    = 5 * time.Second        // a line of the log elsewhere
)

// showProgress shows a load's progress until done is called.
func showProgress(w io.Writer, log *slog.Logger, progress *loader.Progress) (done func()) {
	return show(w, func() string { return progressLine(progress.State()) }, func() { logProgress(log, progress.State()) })
}

// show shows progress until done is called: on a terminal as one line that is redrawn, elsewhere as lines of the log.
func show(w io.Writer, line func() string, logLine func()) (done func()) {
	show, every, end := logLine, logEvery, func() {}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		show, every = func() { fmt.Fprint(w, "\r\x1b[K", line()) }, redrawEvery
		end = func() { fmt.Fprint(w, "\r\x1b[K") }
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				show()
			case <-stop:
				end()
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

func progressLine(s loader.State) string {
	line := fmt.Sprintf("%d records, %.0f a second", s.Records, s.Rate)
	if s.Share > 0 {
		line += fmt.Sprintf(", %.0f %% read, %s left", 100*s.Share, s.Remaining.Round(time.Second))
	}
	return line
}

func logProgress(log *slog.Logger, s loader.State) {
	attributes := []any{"records", s.Records, "a_second", int64(s.Rate)}
	if s.Share > 0 {
		attributes = append(attributes, "read", fmt.Sprintf("%.0f%%", 100*s.Share), "left", s.Remaining.Round(time.Second))
	}
	log.Info("loading", attributes...)
}
