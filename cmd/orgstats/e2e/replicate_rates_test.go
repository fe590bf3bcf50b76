package e2e

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestRates measures how fast rows are copied and changes are followed. The results are in the log; ORGSTATS_RATES_ROWS
// and ORGSTATS_RATES_SECONDS make them meaningful (make bench-replicate).
func TestRates(t *testing.T) {
	rows, seconds := variable(t, "ORGSTATS_RATES_ROWS", 20_000), variable(t, "ORGSTATS_RATES_SECONDS", 3)
	r := replicates(t)
	r.source.Exec(fmt.Sprintf(`INSERT INTO conversation (id, organization_id, user_id, agent_id) SELECT 'c' || n, 'org_0', 'user_' || n %% 1000, 'a' || n %% 10 FROM generate_series(0, %[1]d / 10) AS n;
		INSERT INTO message (id, conversation_id, role, parts, usage, created_at)
			SELECT gen_random_uuid(), 'c' || n / 10, 'assistant', jsonb_build_array(jsonb_build_object('type', 'text', 'text', repeat('word ', 20 + n %% 60)), '{"type": "tool-search"}'::jsonb),
				jsonb_build_object('inputTokens', n %% 3000, 'outputTokens', n %% 500), '2024-01-01'::timestamptz + n * interval '30 seconds'
			FROM generate_series(1, %[1]d) AS n`, rows))
	copying := r.copyTime("message")
	begun := time.Now()
	r.follow()
	r.catchUp()
	snapshot := time.Since(begun)
	t.Logf("snapshot: %d messages in %v, %.0f a second; COPY TO STDOUT takes %v, %.0f a second",
		rows, snapshot, float64(rows)/snapshot.Seconds(), copying, float64(rows)/copying.Seconds())

	f := &following{server: r.serve(), replication: r, before: rows}
	lags := f.run(1000, time.Duration(seconds)*time.Second)
	if len(lags) == 0 {
		t.Fatal("nothing was followed")
	}
	slices.Sort(lags)
	t.Logf("following 1000 changes a second: %d changes, seen in getStats after %v (p50), %v (p99), %v (the last)",
		len(lags), lags[len(lags)/2], lags[len(lags)*99/100], lags[len(lags)-1])
}

// copyTime returns how long PostgreSQL takes to send a table.
func (r *replication) copyTime(table string) time.Duration {
	r.Helper()
	begun := time.Now()
	if _, err := r.source.Connect().PgConn().CopyTo(r.Context(), io.Discard, "COPY "+table+" TO STDOUT"); err != nil {
		r.Fatal(err)
	}
	return time.Since(begun)
}

// following measures after what time changes show in answers.
type following struct {
	*server
	*replication
	before uint64 // messages

	mu        sync.Mutex
	committed []time.Time // of the changes, in their order
}

// run makes changes at a steady rate, each in a transaction of its own: a message, then feedback to it. It returns the
// time from each change's commit to the first answer that includes it.
func (f *following) run(rate int, duration time.Duration) (lags []time.Duration) {
	ctx, stop := context.WithCancel(f.server.Context())
	defer stop()
	n := int(duration.Seconds()) * rate
	failed := make(chan error, 1)
	go func() { failed <- f.write(ctx, n, rate) }()
	for deadline := time.Now().Add(duration + longPatience); len(lags) < n; time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-failed:
			if err != nil {
				f.server.Fatal(err)
			}
			failed = nil
		default:
		}
		if time.Now().After(deadline) {
			f.server.Fatalf("of %d changes only %d are seen", n, len(lags))
		}
		figures := f.figures(adminOfOrg(0), always())
		now := time.Now()
		seen := int(figures.MessageCount - f.before + figures.TotalFeedback)
		f.mu.Lock()
		for len(lags) < min(seen, len(f.committed)) {
			lags = append(lags, now.Sub(f.committed[len(lags)]))
		}
		f.mu.Unlock()
	}
	return lags
}

func (f *following) write(ctx context.Context, n, rate int) error {
	conn, err := pgx.Connect(ctx, f.source.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	begun := time.Now()
	for i := range n {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(rate)))) // the pace
		sql, arguments := `INSERT INTO message (id, conversation_id, role, parts, usage) VALUES ($1, 'c' || $2::int, 'assistant', $3, '{"inputTokens": 10, "outputTokens": 2}')`,
			[]any{fmt.Sprint("new ", i/2), i % 1000, `[{"type": "text", "text": "a few words of an answer"}]`}
		if i%2 == 1 {
			sql, arguments = `UPDATE message SET feedback = '"helpful"', updated_at = now() WHERE id = $1`, arguments[:1]
		}
		if _, err := conn.Exec(ctx, sql, arguments...); err != nil {
			return err
		}
		f.mu.Lock()
		f.committed = append(f.committed, time.Now())
		f.mu.Unlock()
	}
	return nil
}
