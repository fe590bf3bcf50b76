package e2e

import (
	"testing"
	"time"
)

// A replicator is killed right after it has written each of the tables, including those of its own state, while the
// engine lives on. The next one continues from what it left.
func TestReplicatorDiesAfterEveryKindOfWrite(t *testing.T) {
	t.Parallel()
	seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("ORGSTATS_TEST_SEED=%d", seed)
	r := replicates(t)
	s := r.serve()
	w := newWriters(r.source, t, seed, 1, 300)
	w.fill(300)
	r.follow()
	r.catchUp()
	r.stop()
	for _, table := range []string{
		"batches", "stale_hours", "changes", "conversations", "record_positions", "messages", "kb_files", "members", "stats_cells", "user_activity",
		"replication_rejects", "replication_tables", "replication_sources",
	} {
		w.fill(30)
		r.source.Exec(oneOfEach)
		r.followUntil("INSERT INTO " + table)
		r.follow()
		r.source.Exec(mend)
		r.catchUp()
		r.stop()
		s.compareRandom(&sourceOracle{r.source.Connect()}, w.workers[0].generator, 10)
		if t.Failed() {
			t.Fatalf("after a write of %s", table)
		}
	}
	r.verify()
}

// oneOfEach changes every table, and makes a mistake.
const oneOfEach = `
	INSERT INTO conversation (id, organization_id, user_id) VALUES (gen_random_uuid(), 'org_0', 'user_1');
	INSERT INTO message (id, conversation_id, role) SELECT gen_random_uuid(), id, 'user' FROM conversation LIMIT 1;
	INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id) VALUES (gen_random_uuid(), 'org_0', 'kb_1');
	INSERT INTO organization_membership (id, organization_id, user_id, public_metadata) VALUES (gen_random_uuid(), 'org_0', gen_random_uuid(), '{"team": "red"}');
	UPDATE message SET usage = '{"inputTokens": -1}' WHERE id = (SELECT min(id) FROM message)`

// followUntil starts a replicator that dies after the first statement that begins with the given text.
func (r *replication) followUntil(statement string, arguments ...string) {
	r.Helper()
	mortal := *r.installation
	mortal.env = append([]string{writesVariable + "=" + statement}, r.env...)
	r.replicator = mortal.start(append([]string{"replicate"}, arguments...)...)
	r.replicator.awaitText(&r.replicator.stderr, "killed after: "+statement)
	<-r.replicator.exited
}
