package loadtest

import (
	"context"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

// countersSQL reads the change counter of every organization. It only grows, so that the greatest of the rows that were
// not merged yet is the last.
var countersSQL = `
SELECT toString(org_id), max(step)
FROM stale_hours
WHERE ` + cells.IsCounter + `
GROUP BY org_id`

// watch reads the change counters. An organization that has none was never written to, which is as good as a counter of
// 0.
func (v *Verifier) watch(ctx context.Context) error {
	now := map[string]uint64{}
	err := each(ctx, v.conn, nil, countersSQL, func(scan func(...any) error) error {
		var orgID string
		var counter uint64
		err := scan(&orgID, &counter)
		now[orgID] = counter
		return err
	})
	if err != nil {
		return err
	}
	v.see(now)
	return nil
}

// see notes counters. Two reads may come to their end in the other order than they began, and counters only grow: a
// smaller one is old news.
func (v *Verifier) see(now map[string]uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := time.Now()
	for orgID, counter := range now {
		if old, ok := v.counters[orgID]; !ok || counter > old.counter {
			v.counters[orgID] = seen{counter, at}
		}
	}
}
