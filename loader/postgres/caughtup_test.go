package postgres

import (
	"fmt"
	"testing"
	"time"
)

// How old the replicas are is known while the source is quiet, too. Whatever was committed before that time is there,
// and while nothing is replicated it stands still.
func TestReplicasCatchUp(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk)
	caughtUpAt := func() int64 {
		return int64(i.one("SELECT toUInt64(toUnixTimestamp64Milli(max(caught_up_at))) FROM replication_sources FINAL"))
	}
	i.follow()
	for n := range uint64(5) {
		committed := time.Now().UnixMilli()
		i.source.Await("the replicas have caught up", func() bool { return caughtUpAt() > committed })
		i.expect(fmt.Sprintf("everything that was committed before change %d", n), messages, 2+n)
		i.source.Exec(fmt.Sprintf("INSERT INTO message (id, conversation_id, role) VALUES ('n%d', 'c1', 'user')", n))
	}
	i.catchUp()
	i.end()
	stopped := caughtUpAt()
	i.source.Exec("DELETE FROM message WHERE id = 'm1'")
	if again := caughtUpAt(); again != stopped {
		t.Errorf("it has caught up to %d, and to %d while nothing was replicated", stopped, again)
	}
	i.options.Resync = []string{"message"}
	i.follow()
	i.source.Await("the replicas have caught up", func() bool { return caughtUpAt() > stopped })
	i.expect("a table that was copied anew", messages, 6)
	i.end()
}
