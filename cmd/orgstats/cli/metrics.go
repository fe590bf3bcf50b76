package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	scrapeTimeout  = 15 * time.Second // of a whole scrape
	scrapeMaxBytes = 16 << 10         // of a scrape's header
)

// metricsFlags configure where metrics are served.
type metricsFlags struct {
	MetricsListen string `help:"Address and port on which Prometheus metrics are served, at /metrics; none if not given. They name no caller, but show how much the service is used: do not expose the port to the public." env:"ORGSTATS_METRICS_LISTEN" placeholder:"ADDRESS:PORT"`
}

func (f *metricsFlags) mistakes() []error {
	if f.MetricsListen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(f.MetricsListen); err != nil {
		return []error{fmt.Errorf("--metrics-listen (ORGSTATS_METRICS_LISTEN) is %q; it has the form ADDRESS:PORT, as in 127.0.0.1:9464", f.MetricsListen)}
	}
	return nil
}

// serve answers scrapes until stop is called. Without an address it does nothing.
func (f *metricsFlags) serve(handler http.Handler, log *slog.Logger) (stop func(), err error) {
	if f.MetricsListen == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", f.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (--metrics-listen, ORGSTATS_METRICS_LISTEN): %w", f.MetricsListen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", handler)
	server := &http.Server{
		Handler: mux, ReadTimeout: scrapeTimeout, WriteTimeout: scrapeTimeout, MaxHeaderBytes: scrapeMaxBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "error", err)
		}
	}()
	log.Info("serving metrics", "address", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, nil
}
