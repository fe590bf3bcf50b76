package stats_test

import (
	"testing"

	"github.com/orgstats/orgstats/service/stats"
)

// A reader follows the log of changes without forgetting anything for it, however many entries a step has.
func TestTheLogIsFollowed(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage)
	store := d.store(stats.Options{Memory: enough})
	d.ask(store, year("o1"))
	for _, changes := range []string{
		`(1001, 'o2', 'members', []), (1001, 'o2', 'files', []), (1001, 'o3', 'messages', [1])`,
		`(1002, 'o2', 'written', []), (1002, 'o3', 'written', [])`,
		`(1004, 'o3', 'computed', [1])`,
	} {
		d.execute("INSERT INTO changes (step, org_id, kind, hours) VALUES " + changes)
		for range 2 {
			if cost := d.costs(store, year("o1")); cost.Cache != stats.CacheHit || cost.Statements != 1 {
				t.Errorf("after %s: %+v", changes, cost)
			}
		}
	}
	// More of the last step was not there when it was read.
	d.execute("INSERT INTO changes (step, org_id, kind, hours) VALUES (1004, 'o1', 'messages', [1])")
	if cost := d.costs(store, year("o1")); cost.Cache != stats.CacheMiss {
		t.Errorf("what came later of a step was missed: %+v", cost)
	}
}
