package replica_test

import "testing"

// An insert of many blocks is one part, which is there as a whole or not at all; and it can be told that it is a
// writer's, for which whoever opens the replicas after a crash waits.
func TestAnInsertIsOnePartOfTheWriter(t *testing.T) {
	_, conn := newDatabase(t, 20_000) // in one batch, of several blocks
	count := func(statement string) (n uint64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), statement).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	parts := count("SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'messages'")
	if rows := count("SELECT count() FROM messages"); parts != 1 || rows < 20_000 {
		t.Errorf("%d messages are in %d parts, want one", rows, parts)
	}
	if err := conn.Exec(t.Context(), "SYSTEM FLUSH LOGS"); err != nil {
		t.Fatal(err)
	}
	const inserts = "SELECT count() FROM system.query_log WHERE type = 'QueryFinish' AND query LIKE '%INSERT INTO messages (%'"
	if all, told := count(inserts), count(inserts+" AND log_comment = 'orgstats loader'"); all != 1 || told != 1 {
		t.Errorf("of %d inserts, %d can be told to be a writer's, want 1 of 1", all, told)
	}
}
