package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	readers   = 4
	askEvery  = 100 * time.Millisecond // of each reader, unless an answer takes longer
	upToNow   = 2                      // one in so many questions is about a time up to the newest message
	newWindow = 40 * 24 * time.Hour    // at most
)

// readFor lets readers ask about random windows for a time; half of the windows reach into the hour that is being
// written.
func readFor(ctx context.Context, db *database, hour time.Time, duration time.Duration) (took loadtest.Latencies, err error) {
	err = repeatedly(ctx, &took, readers, askEvery, duration, func(reader int) func(context.Context) error {
		random := rand.New(rand.NewPCG(5, uint64(reader)))
		return func(ctx context.Context) error {
			_, err := db.answer(ctx, dashboardWindow(random, db, hour))
			return err
		}
	})
	return took, err
}

// dashboardWindow returns any window of the year, or one that ends with the hour that is being written.
func dashboardWindow(r *rand.Rand, db *database, hour time.Time) stats.Question {
	if r.IntN(upToNow) > 0 {
		return randomWindow(r, db.org)
	}
	end := hour.Add(time.Hour)
	return window{from: end.Add(-time.Duration(r.Float64() * float64(newWindow))), until: end}.question(db.org)
}
