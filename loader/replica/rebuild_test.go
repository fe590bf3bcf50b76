package replica_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/loader/verify"
	"github.com/orgstats/orgstats/schema/schematest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// newDatabase creates a database with the schema and sample records.
func newDatabase(t *testing.T, messages int) (url string, conn clickhouse.Conn) {
	t.Helper()
	url, conn = schematest.Database(t)
	var lines bytes.Buffer
	_, err := sample.Write(t.Context(), &lines, sample.Options{
		Seed: 7, Messages: messages, Organizations: 4, Days: 90, Until: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, url, func(w *replica.Writer) error {
		b := replica.NewBatch(0)
		for line := range bytes.Lines(lines.Bytes()) {
			r, err := record.Parse(bytes.TrimSpace(line))
			if err != nil {
				return err
			}
			b.Add(r)
		}
		if _, err := w.Apply(t.Context(), b); err != nil {
			return err
		}
		return w.Compute(t.Context())
	})
	return url, conn
}

// write runs do with a writer of its own.
func write(t *testing.T, url string, do func(*replica.Writer) error) {
	t.Helper()
	w, err := replica.Open(t.Context(), replica.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := do(w); err != nil {
		t.Fatal(err)
	}
}

func verified(t *testing.T, conn clickhouse.Conn) *verify.Result {
	t.Helper()
	v := verify.Verifier{Conn: conn}
	r, err := v.Run(t.Context(), nil, func(string, *verify.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCorruptionIsFoundAndRepaired(t *testing.T) {
	url, conn := newDatabase(t, 3000)
	if r := verified(t, conn); !r.OK() || r.Rows == 0 {
		t.Fatalf("fresh cells differ, or there are none: %+v", r)
	}
	for _, corruption := range []struct{ reason, table, sql string }{
		{"a sum that is wrong", "stats_cells", `
INSERT INTO stats_cells SELECT * REPLACE (total_tokens + 1 AS total_tokens, version + 1 AS version)
FROM stats_cells FINAL WHERE grain = 'day' ORDER BY bucket LIMIT 1`},
		{"a bitmap that misses its members", "stats_cells", `
INSERT INTO stats_cells (org_id, agent_id, grain, bucket, message_count, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, version)
SELECT org_id, agent_id, grain, bucket, message_count, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, version + 1
FROM stats_cells FINAL WHERE grain = 'month' ORDER BY bucket LIMIT 1`},
		{"a cell that is missing", "stats_cells", `
INSERT INTO stats_cells SELECT * REPLACE (1 AS is_deleted, version + 1 AS version)
FROM stats_cells FINAL WHERE grain = 'hour' ORDER BY bucket LIMIT 1`},
		{"a cell without messages", "stats_cells", `
INSERT INTO stats_cells SELECT * REPLACE (bucket + toIntervalYear(20) AS bucket)
FROM stats_cells FINAL WHERE grain = 'hour' ORDER BY bucket LIMIT 1`},
		{"activity that is wrong", "user_activity", `
INSERT INTO user_activity (org_id, user_no, hour, conversation_no, agent_no, message_count, version)
SELECT org_id, user_no, hour, conversation_no, agent_no, message_count + 1, version + 1
FROM user_activity FINAL ORDER BY hour, conversation_no LIMIT 1`},
		{"activity without messages", "user_activity", `
INSERT INTO user_activity (org_id, user_no, hour, conversation_no, message_count, version)
SELECT org_id, user_no, hour + toIntervalYear(20), conversation_no, 1, version
FROM user_activity FINAL ORDER BY hour LIMIT 1`},
	} {
		if err := conn.Exec(t.Context(), corruption.sql); err != nil {
			t.Fatalf("%s: %v", corruption.reason, err)
		}
		r := verified(t, conn)
		if r.OK() {
			t.Errorf("%s was not found", corruption.reason)
		}
		for _, d := range r.Differences {
			if d.Table != corruption.table {
				t.Errorf("%s: %s is said to differ", corruption.reason, d)
			}
		}
		write(t, url, func(w *replica.Writer) error {
			if err := w.MarkAll(t.Context(), nil); err != nil {
				return err
			}
			return w.Compute(t.Context())
		})
		if r := verified(t, conn); !r.OK() {
			t.Errorf("%s was not repaired: %v", corruption.reason, r.Differences)
		}
	}
}
