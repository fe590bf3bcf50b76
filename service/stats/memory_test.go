package stats_test

import (
	"context"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/stats"
)

// Memory sees every change, whatever it holds and however little it may hold.
func TestMemorySeesEveryChange(t *testing.T) {
	for _, memory := range []int64{0, 3000, enough} {
		d := newDatabase(t)
		store := d.store(stats.Options{Memory: memory}) // age 0: reads the log of changes every time
		steps := []struct {
			reason              string
			lines               []string
			messages, red, file uint64
		}{
			{"nothing was loaded", nil, 0, 0, 0},
			{"a message came", []string{oneConversation, oneMessage}, 1, 0, 0},
			{"another came", []string{otherMessage}, 2, 0, 0},
			{"only a file came", []string{oneFile}, 2, 0, 1},
			{"only a member came", []string{oneMember}, 2, 2, 1},
			{"nothing new came", []string{oneMember, oneFile}, 2, 2, 1},
		}
		for _, step := range steps {
			if step.lines != nil {
				d.load(step.lines...)
			}
			for _, question := range []func(string) stats.Question{year, ragged, year, ragged} { // from ClickHouse, and from memory
				q := question("o1")
				all := d.ask(store, q)
				q.MetadataKey, q.MetadataValue = "team", "red"
				matching := d.ask(store, q)
				q.Filter = stats.Filter{UserID: "u1", AgentID: "a1"}
				ofUser := d.ask(store, q)
				if all.MessageCount != step.messages || all.KBFileCount != step.file || matching.MessageCount != step.red || ofUser.MessageCount != step.messages {
					t.Errorf("%d bytes, %s: got %d messages, %d of red users, %d of the user, %d files, want %d, %d, %d and %d", memory, step.reason,
						all.MessageCount, matching.MessageCount, ofUser.MessageCount, all.KBFileCount, step.messages, step.red, step.messages, step.file)
				}
			}
			if other := d.ask(store, year("o2")); other != (stats.Figures{}) {
				t.Errorf("%s: another organization has %+v, want nothing", step.reason, other)
			}
		}
	}
}

func TestMemoryIsBelievedForItsAge(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage)
	const age = 200 * time.Millisecond
	store := d.store(stats.Options{Memory: enough, MaxAge: age})
	d.ask(store, year("o1"))
	d.load(otherMessage)
	loaded := time.Now()
	for d.ask(store, year("o1")).MessageCount != 2 {
		if waited := time.Since(loaded); waited > age+enginetest.Patience {
			t.Fatalf("the old answer is still given %s after the change", waited)
		}
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage)
	store := d.store(stats.Options{Memory: enough, MaxAge: time.Hour})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Answer(gone, stats.Request{Question: year("o1")}); err == nil {
		t.Error("a caller who has gone was answered")
	}
	if figures := d.ask(store, year("o1")); figures.MessageCount != 1 {
		t.Errorf("got %d messages after a failure, want 1", figures.MessageCount)
	}
}

// A database in whose place another was put, with a log of its own, is not answered for from memory.
func TestAnotherDatabaseInItsPlace(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage, oneFile)
	store := d.store(stats.Options{Memory: enough})
	if got := d.ask(store, year("o1")); got.MessageCount != 1 {
		t.Fatalf("got %+v", got)
	}
	for _, table := range []string{"messages", "stats_cells", "stale_hours"} {
		d.execute("TRUNCATE TABLE " + table)
	}
	d.execute("ALTER TABLE changes UPDATE written_at = written_at - 1 WHERE true SETTINGS mutations_sync = 1")
	if got := d.ask(store, year("o1")); got.MessageCount != 0 || got.KBFileCount != 1 {
		t.Errorf("got %+v, want no message", got)
	}
}

// Hours that are marked are taken from their messages, as whatever they hold: here wrong cells show what is read.
func TestStaleHoursAreNotTakenFromCells(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage, otherMessage)
	wrong := d.store(stats.Options{Memory: enough})
	d.execute(`INSERT INTO stats_cells
SELECT * REPLACE (100 AS message_count, 1000000 AS version) FROM stats_cells FINAL WHERE agent_id = ''`)
	if got := d.ask(wrong, year("o1")).MessageCount; got != 100 {
		t.Fatalf("got %d messages, want those of the month's cell", got)
	}
	for _, row := range []struct {
		reason   string
		mark     string
		messages uint64
	}{
		{"an hour is being written", `1000001, 'o1', 'messages', [476266]`, 101}, // the cell of 11 o'clock, and the message
		{"it is written", `1000002, 'o1', 'written', []`, 101},
		{"and computed", `1000004, 'o1', 'computed', [476266]`, 100},
	} {
		d.execute(`INSERT INTO changes (step, org_id, kind, hours) VALUES (` + row.mark + `)`)
		if got := d.ask(wrong, year("o1")).MessageCount; got != row.messages {
			t.Errorf("%s: got %d messages, want %d", row.reason, got, row.messages)
		}
	}
}
