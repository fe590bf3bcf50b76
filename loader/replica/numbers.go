package replica

import (
	"context"
	"fmt"
	"math"

	"github.com/orgstats/orgstats/clickhouse"
)

// ownedKey is an id within an organization.
type ownedKey struct{ orgID, id string }

// numbersCached is how many numbers of users, and of agents, stay in memory.
const numbersCached = 400_000

// numbers gives the ids of one kind their dense numbers within each organization, from 1, in order of appearance. Its
// table has the columns org_id, the id's and the number's.
type numbers struct {
	conn          clickhouse.Conn
	table, id, no string
	last          map[string]uint32 // the last number given in each organization
	known         *cache[ownedKey, uint32]
	fresh         recent[ownedKey, uint32] // given lately, perhaps not written yet
}

func openNumbers(ctx context.Context, conn clickhouse.Conn, table, id, no string) (*numbers, error) {
	last, err := lastNumbers(ctx, conn, table, no)
	if err != nil {
		return nil, err
	}
	return &numbers{
		conn: conn, table: table, id: id, no: no, last: last,
		known: newCache[ownedKey, uint32](numbersCached), fresh: newRecent[ownedKey, uint32](),
	}, nil
}

// lastNumbers reads the greatest number of each organization.
func lastNumbers(ctx context.Context, conn clickhouse.Conn, table, no string) (map[string]uint32, error) {
	last := map[string]uint32{}
	statement := fmt.Sprintf("SELECT toString(org_id), max(%s) FROM %s GROUP BY org_id", no, table)
	err := query(ctx, conn, "the last numbers of "+table, nil, statement, func(scan func(...any) error) error {
		var orgID string
		var n uint32
		err := scan(&orgID, &n)
		last[orgID] = n
		return err
	})
	return last, err
}

// next gives the next number of an organization.
func next(last map[string]uint32, orgID string) (uint32, error) {
	if last[orgID] == math.MaxUint32 {
		return 0, fmt.Errorf("organization %q has used up its %d numbers", orgID, uint32(math.MaxUint32))
	}
	last[orgID]++
	return last[orgID], nil
}

// assign tells the numbers of ids; an id that never had one gets the next.
func (n *numbers) assign(ctx context.Context, ids []ownedKey) (map[ownedKey]uint32, error) {
	assigned := make(map[ownedKey]uint32, len(ids))
	var unknown []ownedKey
	for _, key := range ids {
		if _, met := assigned[key]; met {
			continue
		}
		no, ok := n.known.get(key)
		if !ok {
			no, ok = n.fresh.get(key)
		}
		if !ok {
			unknown = append(unknown, key)
		}
		assigned[key] = no
	}
	if err := n.lookUp(ctx, unknown, assigned); err != nil {
		return nil, err
	}
	for _, key := range unknown {
		if assigned[key] != 0 {
			continue
		}
		no, err := next(n.last, key.orgID)
		if err != nil {
			return nil, err
		}
		assigned[key] = no
		n.fresh.put(key, no)
		n.known.put(key, no)
	}
	return assigned, nil
}

// lookUp finds the numbers that were given by an earlier batch or program.
func (n *numbers) lookUp(ctx context.Context, ids []ownedKey, found map[ownedKey]uint32) error {
	if len(ids) == 0 {
		return nil
	}
	set := &keys{}
	set.column("org_id", "String", columnOf(ids, func(k *ownedKey) string { return k.orgID }))
	set.column("id", "String", columnOf(ids, func(k *ownedKey) string { return k.id }))
	statement := fmt.Sprintf("SELECT toString(org_id), %[2]s, %[3]s FROM %[1]s WHERE (org_id, %[2]s) IN (SELECT org_id, id FROM keys)",
		n.table, n.id, n.no)
	return query(ctx, n.conn, "the numbers of "+n.table, set, statement, func(scan func(...any) error) error {
		var key ownedKey
		var no uint32
		err := scan(&key.orgID, &key.id, &no)
		found[key] = no
		n.known.put(key, no)
		return err
	})
}

// given are the numbers that the batch at hand gave.
func (n *numbers) given() []givenNumber {
	given := make([]givenNumber, 0, len(n.fresh.now))
	for key, no := range n.fresh.now {
		given = append(given, givenNumber{key, no})
	}
	return given
}

type givenNumber struct {
	ownedKey
	no uint32
}

// write stores numbers that were given. It must come before any row that uses them: a number that was used and
// forgotten would be given twice.
func (n *numbers) write(ctx context.Context, given []givenNumber) error {
	if len(given) == 0 {
		return nil
	}
	return insert(ctx, n.conn, fmt.Sprintf("INSERT INTO %s (org_id, %s, %s)", n.table, n.id, n.no), given,
		each(func(g *givenNumber) string { return g.orgID }),
		each(func(g *givenNumber) string { return g.id }),
		each(func(g *givenNumber) uint32 { return g.no }))
}
