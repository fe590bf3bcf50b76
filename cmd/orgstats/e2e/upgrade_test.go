package e2e

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema"
	"github.com/orgstats/orgstats/schema/cells"
)

// beforeTheLog and beforeHours are the schema versions without a log of changes, and with user activity by day.
const beforeTheLog, beforeHours = 31, 32

// A database of a former version, of which everything was computed, is brought up to date by the service, and is
// answered exactly before anybody writes; the next writer computes what the new version needs.
func TestAFormerDatabaseIsAnsweredExactly(t *testing.T) {
	t.Parallel()
	seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("ORGSTATS_TEST_SEED=%d", seed)
	i := install(t)
	conn := i.connection()
	d := &propertyDriver{server: &server{process: &process{installation: i}}, generator: newGenerator(seed), oracle: newOracle()}
	for _, version := range []uint{beforeHours, beforeTheLog} {
		for range 3 {
			d.load()
		}
		i.expectVersion(version, "down", "--steps", strconv.Itoa(int(schema.Latest()-version)))
		computeByDay(t, conn)
		d.server = i.serve()
		i.expectVersion(schema.Latest(), "version")
		for range 2 { // the second time from memory
			d.checkQuestions(40)
		}
		d.load() // of which the service learns from the log
		d.checkQuestions(40)
		i.verify()
		d.server.kill()
		d.server = i.serve()
		d.checkQuestions(40)
		d.server.kill()
		if t.Failed() {
			t.Fatalf("from version %d", version)
		}
	}
}

// computeByDay computes what the former version did: activity by day, of users' months, after which no hour is stale.
func computeByDay(t *testing.T, conn clickhouse.Conn) {
	t.Helper()
	const figures = `
    count(), sum(tool_calls), sum(input_tokens), sum(output_tokens), sum(total_tokens), sum(helpful), sum(not_helpful),
    (SELECT max(step) FROM stale_hours), 0
FROM messages FINAL`
	for _, statement := range []string{
		`
INSERT INTO user_activity (org_id, user_no, day, conversation_no, agent_no,
    message_count, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, version, is_deleted)
SELECT org_id, user_no, toStartOfInterval(created_at, INTERVAL 1 DAY, 'UTC') AS day, conversation_no, any(agent_no),` + figures + `
GROUP BY org_id, user_no, day, conversation_no`, `
INSERT INTO user_months (org_id, user_no, month, conversation_nos, agent_nos,
    message_count, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, version, is_deleted)
SELECT org_id, user_no, makeDateTime64(toYear(created_at), toMonth(created_at), 1, 0, 0, 0, 0, 3, 'UTC') AS month,
    arraySort(groupUniqArray(conversation_no)), arraySort(groupUniqArray(agent_no)),` + figures + `
GROUP BY org_id, user_no, month`, `
INSERT INTO stale_hours (org_id, hour, step, is_fresh)
SELECT org_id, hour, (SELECT intDiv(max(step), 2) * 2 + 2 FROM stale_hours), 1
FROM stale_hours FINAL
WHERE ` + cells.IsStaleHour,
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(fmt.Errorf("%w in %s", err, statement))
		}
	}
	var stale uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM stale_hours FINAL WHERE "+cells.IsStaleHour).Scan(&stale); err != nil || stale > 0 {
		t.Fatalf("%d hours are stale (%v) in a former database", stale, err)
	}
}
