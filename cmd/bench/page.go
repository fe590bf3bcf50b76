package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/stats"
)

// pageCase is a view of the dashboard.
type pageCase struct {
	name, from, timeZone string
	cold, warm           loadtest.Latencies
}

const pageScript = "web/browser/firstview.mjs"

// measurePage opens the dashboard in Chromium in front of a service that has nothing in memory, and again, in another
// browser profile, when it has. It is run in the project's folder, where the script and its packages are.
func (b *bench) measurePage(ctx context.Context, db *database) error {
	cases := []*pageCase{
		{name: "30 days", from: "2025-12-02T00:00:00Z", timeZone: "UTC"},
		{name: "30 days", from: "2025-12-01T23:00:00Z", timeZone: "Europe/Berlin"},
		{name: "12 months", from: "2025-01-01T00:00:00Z", timeZone: "UTC"},
	}
	for round := range min(b.Rounds, pageRounds) {
		b.log.Info("opening the dashboard", "round", round+1, "views", len(cases))
		for _, c := range cases {
			if err := c.open(ctx, b, db); err != nil {
				return err
			}
		}
	}
	for _, c := range cases {
		b.report.Page = append(b.report.Page, pageResult{View: c.name, TimeZone: c.timeZone, Cold: c.cold.Summary(), Warm: c.warm.Summary()})
	}
	b.report.printPage(b.out)
	return nil
}

// pageRounds is how often a view is opened at most: it is seconds of a processor each time.
const pageRounds = 5

// open opens a view cold, and again.
func (c *pageCase) open(ctx context.Context, b *bench, db *database) (err error) {
	servers, err := b.openServers(b.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	store := stats.NewStore(db.conn, storeOptions)
	s, err1 := servers.service(service.Config{Answerer: store})
	admin, err2 := servers.admin(db.org)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	query := url.Values{"from": {c.from}, "to": {stats.Instant(until.UnixMilli() - 1)}, "timeZone": {c.timeZone}, "live": {"off"}}
	address := s.url + "/?" + query.Encode() + "#token=" + admin.Token
	took, err := openPages(ctx, address, address)
	if err == nil {
		c.cold.Add(took[0].duration())
		c.warm.Add(took[1].duration())
	}
	return err
}

type milliseconds float64

func (m milliseconds) duration() time.Duration {
	return time.Duration(float64(m) * float64(time.Millisecond))
}

// openPages opens addresses one after the other, and returns how long each took.
func openPages(ctx context.Context, addresses ...string) (took []milliseconds, err error) {
	path, err := chromium()
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(map[string]any{"browser": path, "addresses": addresses})
	if err != nil {
		return nil, err
	}
	c := command(ctx, "node", filepath.Base(pageScript))
	c.Dir = filepath.Dir(pageScript)
	c.Env = append(os.Environ(), "ORGSTATS_BENCH_PAGE="+string(settings))
	var stderr bytes.Buffer
	c.Stderr = &stderr
	output, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s (run in the project's folder, after make web): %w: %s", pageScript, err, stderr.String())
	}
	return took, json.Unmarshal(output, &took)
}

// chromium returns the path of the browser.
func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium: make browser installs it")
}
