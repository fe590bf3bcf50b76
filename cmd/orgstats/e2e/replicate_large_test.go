package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// A transaction of more than a hundred thousand changes is replicated in bounded memory, although the replicator dies
// in the middle of it.
func TestALargeTransaction(t *testing.T) {
	t.Parallel()
	const rows = 70_000 // a quarter of which are updated, and a fifth deleted
	r := replicates(t)
	r.source.Exec("INSERT INTO conversation (id, organization_id, user_id) SELECT 'c' || n, 'org_0', 'user_' || n FROM generate_series(0, 99) AS n")
	r.follow()
	r.catchUp()
	resident := r.residentMiB()
	r.source.Exec(fmt.Sprintf(`INSERT INTO message (id, conversation_id, role, usage, parts, created_at)
			SELECT 'm' || n, 'c' || n %% 100, 'user', jsonb_build_object('inputTokens', n), jsonb_build_array(repeat('text ', 40)), '2024-01-01'::timestamptz + n * interval '1 minute'
			FROM generate_series(1, %d) AS n;
		UPDATE message SET feedback = '"helpful"' WHERE hashtext(id) %% 4 = 0;
		DELETE FROM message WHERE hashtext(id) %% 5 = 0;
		INSERT INTO conversation (id, organization_id, user_id) VALUES ('last', 'org_0', 'user_0')`, rows))
	written := func() uint64 { return r.tally("SELECT count() FROM messages") }
	if !enginetest.Eventually(func() bool { return written() > 0 }) {
		t.Fatal("nothing of the transaction is written")
	}
	r.replicator.kill()
	if n := written(); n >= rows {
		t.Logf("the replicator was killed after all %d rows were written", n)
	}
	r.follow()
	r.catchUp()
	if more := r.residentMiB() - resident; more > 400 {
		t.Errorf("the replicator took %d MiB for one transaction", more)
	}
	s := r.serve()
	if f := s.compare(&sourceOracle{r.source.Connect()}, adminOfOrg(0), always()); f["messageCount"] < rows/2 {
		t.Errorf("the source itself has %d messages", f["messageCount"])
	}
	r.verify()
}

// residentMiB returns the replicator's peak resident memory.
func (r *replication) residentMiB() int {
	r.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.replicator.command.Process.Pid))
	if err != nil {
		r.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(text)[0])
	if err != nil {
		r.Fatal(err)
	}
	return kib >> 10
}

// The replicator is killed repeatedly while it copies the tables, and finally completes the copy.
func TestASnapshotIsResumed(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	r.source.Exec(`INSERT INTO conversation (id, organization_id, user_id) SELECT 'c' || n, 'org_0', 'user_' || n FROM generate_series(0, 399) AS n;
		INSERT INTO message (id, conversation_id, role, parts, usage, created_at)
			SELECT 'm' || n, 'c' || n % 400, 'user', jsonb_build_array(repeat('text ', 100)), jsonb_build_object('inputTokens', n), '2024-01-01'::timestamptz + n * interval '1 minute'
			FROM generate_series(1, 120000) AS n`)
	w := newWriters(r.source, t, 7, 2, 200)
	w.start()
	for n := range 3 {
		r.follow()
		written := r.copied()
		if !enginetest.Eventually(func() bool { return r.copied() > written || !r.replicator.running() }) {
			t.Fatalf("start %d copies nothing", n)
		}
		time.Sleep(time.Duration(n) * 50 * time.Millisecond) // any moment will do
		r.replicator.kill()
	}
	r.follow()
	r.compareAll(w, 45)
	var chunks uint64
	if chunks = r.tally("SELECT count() FROM replication_chunks FINAL WHERE table_name LIKE '%message'"); chunks < 3 {
		t.Errorf("the table was copied in %d chunks, which can hardly be resumed", chunks)
	}
}

// copied returns the number of messages in the replicas, whose table may not exist yet.
func (r *replication) copied() uint64 {
	r.Helper()
	if r.tally("SELECT count() FROM system.tables WHERE database = 'orgstats' AND name = 'messages'") == 0 {
		return 0
	}
	return r.tally("SELECT count() FROM messages")
}
