package cli

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/postgres"
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
	if isTerminal(w) {
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

// quietEvery is the interval at which an idle replication logs that it is idle.
const quietEvery = time.Minute

// showReplication shows the progress of a replication until done is called.
func showReplication(w io.Writer, log *slog.Logger, monitor *postgres.Monitor) (done func()) {
	var last postgres.Status
	var said time.Time
	return show(w, func() string { return replicationLine(monitor.Status()) }, func() {
		now := monitor.Status()
		if now.Changes == last.Changes && now.Waiting == last.Waiting && time.Since(said) < quietEvery {
			return
		}
		logReplication(log, &now)
		last, said = now, time.Now()
	})
}

func replicationLine(s postgres.Status) string {
	switch {
	case s.Waiting != "":
		return "waiting for " + s.Waiting
	case !s.Following:
		return "starting"
	case s.Copy.Running:
		line := fmt.Sprintf("copying: %d rows, %.0f a second, %d of %d parts", s.Copy.Rows, s.Copy.Rate, s.Copy.Chunks, s.Copy.All)
		if s.Copy.Remaining > 0 {
			line += fmt.Sprintf(", %s left", s.Copy.Remaining.Round(time.Second))
		}
		return line
	}
	return fmt.Sprintf("following: %d changes, %s behind (%d bytes), %d rows rejected, %d messages waiting",
		s.Changes, s.Lag.Round(100*time.Millisecond), s.LagBytes, s.Rejected, s.WaitingMessages)
}

func logReplication(log *slog.Logger, s *postgres.Status) {
	switch {
	case s.Waiting != "":
		log.Info("waiting", "for", s.Waiting)
	case s.Copy.Running:
		log.Info("copying", "rows", s.Copy.Rows, "a_second", int64(s.Copy.Rate), "parts", fmt.Sprintf("%d/%d", s.Copy.Chunks, s.Copy.All),
			"left", s.Copy.Remaining.Round(time.Second), "lag_bytes", s.LagBytes)
	case s.Following:
		log.Info("following", "changes", s.Changes, "batches", s.Batches, "lag", s.Lag.Round(time.Millisecond), "lag_bytes", s.LagBytes,
			"retained_bytes", s.Retained, "rejected", s.Rejected, "waiting_messages", s.WaitingMessages)
	}
}
