package replica_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/schema/schematest"
)

// changesSince returns what the log says of a step that is greater, in words, without the steps; and the last step.
func changesSince(t *testing.T, conn clickhouse.Conn, step uint64) (changes []string, last uint64) {
	t.Helper()
	params := clickhouse.Params{}
	params.Int64("step", int64(step))
	err := clickhouse.ForEach(clickhouse.WithParams(t.Context(), params), conn, `
SELECT toString(org_id), toString(kind), hours, step
FROM changes
WHERE step > {step:UInt64}
ORDER BY step, org_id, kind`, func(scan func(...any) error) error {
		var orgID, kind string
		var hours []int32
		if err := scan(&orgID, &kind, &hours, &last); err != nil {
			return err
		}
		if odd := last%2 == 1; odd != slices.Contains([]string{"messages", "members", "files"}, kind) {
			t.Errorf("step %d is of kind %s", last, kind)
		}
		changes = append(changes, strings.TrimSpace(fmt.Sprint(orgID, " ", kind, " ", hours)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changes, max(last, step)
}

// message returns a message of a conversation, some hours after historyBegin.
func messageAt(conversation string, n, hours int) *record.Message {
	return &record.Message{
		Version: record.Version{UpdatedAt: historyBegin + int64(n)},
		ID:      fmt.Sprint(conversation, ".", n%10), ConversationID: conversation, Role: "user", CreatedAt: historyBegin + int64(hours)*cells.MsPerHour,
	}
}

// The log has everything that is announced and reported, with all hours that messages touch, also those that are stale
// already; and its steps are those of stale_hours.
func TestChangesAreLogged(t *testing.T) {
	url, conn := schematest.Database(t)
	w, err := replica.Open(t.Context(), replica.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { w.Close() }()
	first := cells.HourNumber(historyBegin)
	hours := func(after ...int32) string {
		for i := range after {
			after[i] += first
		}
		return fmt.Sprint(after)
	}
	conversation := func(orgID string) *record.Conversation {
		return &record.Conversation{Version: record.Version{UpdatedAt: historyBegin}, ID: orgID + ".c", OrgID: orgID, UserID: "u", CreatedAt: historyBegin}
	}
	version := record.Version{UpdatedAt: historyBegin}
	step := uint64(0)
	for _, row := range []struct {
		why     string
		records []record.Record // nil: hours are computed
		reopen  bool
		want    []string
	}{
		{"the writer was opened", nil, false, []string{"opened []"}},
		{"messages of two organizations", []record.Record{
			conversation("a"), conversation("b"), messageAt("a.c", 1, 2), messageAt("a.c", 2, 0), messageAt("b.c", 1, 1),
		}, false, []string{"a messages " + hours(0, 2), "b messages " + hours(1), "a written []", "b written []"}},
		{
			"an hour that is stale already, and one that is not",
			[]record.Record{messageAt("a.c", 3, 2), messageAt("a.c", 4, 5)},
			false,
			[]string{"a messages " + hours(2, 5), "a written []"},
		},
		{"a message that moves", []record.Record{messageAt("a.c", 11, 3)}, false, []string{"a messages " + hours(2, 3), "a written []"}},
		{"all is computed", nil, false, []string{"a computed " + hours(0, 2, 3, 5), "b computed " + hours(1)}},
		{"the same again", []record.Record{conversation("a"), messageAt("a.c", 11, 3)}, false, nil},
		{
			"a member",
			[]record.Record{&record.Member{Version: version, OrgID: "b", UserID: "u", Metadata: "{}"}},
			false,
			[]string{"b members []", "b written []"},
		},
		{
			"a file",
			[]record.Record{&record.KBFile{Version: version, ID: "f", OrgID: "a", KnowledgeBaseID: "k", ProcessedAt: historyBegin}},
			false,
			[]string{"a files []", "a written []"},
		},
		{"a conversation without messages", []record.Record{&record.Conversation{Version: version, ID: "silent", OrgID: "a", CreatedAt: historyBegin}}, false, nil},
		{"a message, not computed", []record.Record{messageAt("b.c", 2, 7)}, false, []string{"b messages " + hours(7), "b written []"}},
		{"opened again", nil, true, []string{"opened []", "b computed " + hours(7)}},
		{"nothing is left to compute", nil, false, nil},
	} {
		switch {
		case row.reopen:
			w.Close()
			if w, err = replica.Open(t.Context(), replica.Options{URL: url}); err != nil {
				t.Fatal(err)
			}
		case row.records != nil:
			b := replica.NewBatch(0)
			for _, r := range row.records {
				b.Add(r)
			}
			if _, err := w.Apply(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		default:
			if err := w.Compute(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var changes []string
		if changes, step = changesSince(t, conn, step); !slices.Equal(changes, row.want) {
			t.Errorf("%s: the log has %q, want %q", row.why, changes, row.want)
		}
		if marked := lastMark(t, conn); marked != step {
			t.Errorf("%s: the last step is %d in stale_hours and %d in the log", row.why, marked, step)
		}
	}
	if n, _ := clickhouse.Count(t.Context(), conn, "stale_hours FINAL WHERE "+cells.IsStaleHour); n > 0 {
		t.Errorf("%d hours are stale", n)
	}
}

func lastMark(t *testing.T, conn clickhouse.Conn) (step uint64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT max(step) FROM stale_hours").Scan(&step); err != nil {
		t.Fatal(err)
	}
	return step
}

// A look at the log reads what came since the last one. Rows that are older than a day go with the next merge; steps
// grow nevertheless.
func TestLogIsShort(t *testing.T) {
	url, conn := schematest.Database(t)
	write(t, url, func(*replica.Writer) error { return nil })
	execute := func(statement string) {
		t.Helper()
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const rows = `INSERT INTO changes (step, org_id, kind, hours, written_at)
SELECT intDiv(number, 2) + 3, concat('org_', toString(modulo(number, 2))), 'messages', range(100), now64(6) - %d
FROM numbers(40000)` // two organizations at each step
	execute(fmt.Sprintf(rows, 0))
	execute("INSERT INTO stale_hours (org_id, hour, step) VALUES ('org_0', -2147483648, 20002)")
	var plan []string
	err := clickhouse.ForEach(t.Context(), conn, "EXPLAIN indexes = 1 SELECT * FROM changes WHERE step > 19900", func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		plan = append(plan, strings.TrimSpace(line))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	granules := slices.IndexFunc(plan, func(line string) bool { return strings.HasPrefix(line, "Granules: ") })
	var read, all int
	if granules < 0 {
		t.Fatalf("no index is used: %q", plan)
	}
	if _, err := fmt.Sscanf(plan[granules], "Granules: %d/%d", &read, &all); err != nil || read > 2 || all < 100 {
		t.Errorf("%d of %d granules are read for 200 rows (%v): %q", read, all, err, plan)
	}
	execute(fmt.Sprintf(rows, 2*24*3600))
	execute("OPTIMIZE TABLE changes FINAL")
	if n, err := clickhouse.Count(t.Context(), conn, "changes WHERE kind = 'messages'"); n != 40_000 || err != nil {
		t.Errorf("%d rows are left (%v), want those of today", n, err)
	}
	execute("TRUNCATE TABLE changes") // as after a day
	for last := lastMark(t, conn); last < 20_006; {
		write(t, url, func(*replica.Writer) error { return nil })
		changes, step := changesSince(t, conn, last)
		if !slices.Equal(changes, []string{"opened []"}) || step <= last {
			t.Fatalf("after step %d the log has %q until %d", last, changes, step)
		}
		last = step
		execute("TRUNCATE TABLE changes")
	}
}

// A writer that was killed may have left its last step in one of the tables alone. The next one writes greater steps
// only: whoever has seen that one finds everything that comes after it.
func TestStepsGrowWhereverTheLastOneIs(t *testing.T) {
	url, conn := schematest.Database(t)
	for _, last := range []struct {
		table, statement string
		step             uint64
	}{
		{"changes", "INSERT INTO changes (step, org_id, kind, hours) VALUES (40, 'a', 'computed', [0])", 40},
		{"stale_hours", "INSERT INTO stale_hours (org_id, hour, step) VALUES ('a', -2147483648, 51), ('a', 0, 51)", 51},
	} {
		if err := conn.Exec(t.Context(), last.statement); err != nil {
			t.Fatal(err)
		}
		write(t, url, func(*replica.Writer) error { return nil })
		if changes, step := changesSince(t, conn, last.step); len(changes) == 0 || changes[0] != "opened []" || step <= last.step {
			t.Errorf("after step %d in %s the log has %q until %d", last.step, last.table, changes, step)
		}
	}
}
