package loadtest

import (
	"context"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// countersSQL reads the change counter of every organization. It only grows, so that the greatest of the rows that are
// not merged yet is the latest.
var countersSQL = `
SELECT toString(org_id), max(step)
FROM stale_hours
WHERE ` + cells.IsCounter + `
GROUP BY org_id`

// watch reads the change counters. An organization without one was never written to, which is equivalent to a counter
// of 0. Two reads may end in another order than they began, and counters only grow, so that a smaller one is outdated.
func (v *Verifier) watch(ctx context.Context) error {
	now := map[string]uint64{}
	err := each(ctx, v.conn, nil, countersSQL, func(scan clickhouse.Scan) error {
		var orgID string
		var counter uint64
		err := scan(&orgID, &counter)
		now[orgID] = counter
		return err
	})
	if err != nil {
		return err
	}
	at := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	for orgID, counter := range now {
		if old, ok := v.counters[orgID]; !ok || counter > old.counter {
			v.counters[orgID] = seen{counter, at}
		}
	}
	return nil
}

// counter returns an organization's change counter.
func (v *Verifier) counter(orgID string) seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.counters[orgID]
}
