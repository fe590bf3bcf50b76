package index

import (
	"context"
	"fmt"
	"math"

	"github.com/orgstats/orgstats/clickhouse"
)

// OwnedID is an id within an organization.
type OwnedID struct{ OrgID, ID string }

// numbersCached is how many numbers of users, and of agents, stay in memory.
const numbersCached = 400_000

// Numbers assigns dense numbers to the ids of one kind within each organization, from 1, in order of appearance.
type Numbers struct {
	conn  clickhouse.Conn
	table NumbersTable
	last  Sequence
	cache *Cache[OwnedID, uint32]
}

// NumbersTable is a table of numbers: its name, and the names of its columns beside org_id.
type NumbersTable struct{ Name, ID, No string }

// OpenNumbers returns the numbers of a table.
func OpenNumbers(ctx context.Context, conn clickhouse.Conn, table NumbersTable) (*Numbers, error) {
	last, err := OpenSequence(ctx, conn, table.Name, table.No)
	return &Numbers{conn: conn, table: table, last: last, cache: NewCache[OwnedID, uint32](numbersCached)}, err
}

// Sequence is the last number of each organization.
type Sequence map[string]uint32

// OpenSequence returns the sequence that goes on after the numbers in a column of a table.
func OpenSequence(ctx context.Context, conn clickhouse.Conn, table, column string) (Sequence, error) {
	last := Sequence{}
	query := fmt.Sprintf("SELECT toString(org_id), max(%s) FROM %s GROUP BY org_id", column, table)
	err := clickhouse.LookUp(ctx, conn, "the last numbers of "+table, nil, query, func(scan clickhouse.Scan) error {
		var orgID string
		var no uint32
		err := scan(&orgID, &no)
		last[orgID] = no
		return err
	})
	return last, err
}

// Next returns the next number of an organization.
func (s Sequence) Next(orgID string) (uint32, error) {
	if s[orgID] == math.MaxUint32 {
		return 0, fmt.Errorf("organization %q has used up its %d numbers", orgID, uint32(math.MaxUint32))
	}
	s[orgID]++
	return s[orgID], nil
}

// Turn goes on to the next batch. All numbers but those of the batch before must be written.
func (n *Numbers) Turn() { n.cache.Turn() }

// Assign returns the numbers of ids; an id that never had one is assigned the next.
func (n *Numbers) Assign(ctx context.Context, ids []OwnedID) (map[OwnedID]uint32, error) {
	assigned := make(map[OwnedID]uint32, len(ids))
	var unknown []OwnedID
	for _, id := range ids {
		if _, seen := assigned[id]; seen {
			continue
		}
		no, ok := n.cache.Get(id)
		if !ok {
			unknown = append(unknown, id)
		}
		assigned[id] = no
	}
	if err := n.lookUp(ctx, unknown, assigned); err != nil {
		return nil, err
	}
	for _, id := range unknown {
		if assigned[id] != 0 {
			continue
		}
		no, err := n.last.Next(id.OrgID)
		if err != nil {
			return nil, err
		}
		assigned[id] = no
		n.cache.Expect(id, no)
	}
	return assigned, nil
}

// lookUp adds the numbers that an earlier batch or program has assigned.
func (n *Numbers) lookUp(ctx context.Context, ids []OwnedID, assigned map[OwnedID]uint32) error {
	if len(ids) == 0 {
		return nil
	}
	orgs, names := make([]string, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		orgs[i], names[i] = id.OrgID, id.ID
	}
	keys := clickhouse.StringKeys("org_id", orgs).Add("id", "String", names)
	query := fmt.Sprintf("SELECT toString(org_id), %[2]s, %[3]s FROM %[1]s WHERE (org_id, %[2]s) IN (SELECT org_id, id FROM keys)",
		n.table.Name, n.table.ID, n.table.No)
	return clickhouse.LookUp(ctx, n.conn, "the numbers of "+n.table.Name, keys, query, func(scan clickhouse.Scan) error {
		var id OwnedID
		var no uint32
		err := scan(&id.OrgID, &id.ID, &no)
		assigned[id] = no
		n.cache.Put(id, no)
		return err
	})
}

// Assignment is a number that was assigned.
type Assignment struct {
	OwnedID
	No uint32
}

// Assigned returns the numbers that the batch at hand has assigned.
func (n *Numbers) Assigned() []Assignment {
	assigned := make([]Assignment, 0, len(n.cache.now))
	for id, no := range n.cache.now {
		assigned = append(assigned, Assignment{id, no})
	}
	return assigned
}

// Write stores numbers that were assigned. It must come before any row that uses them: a number that was used and
// forgotten would be assigned twice.
func (n *Numbers) Write(ctx context.Context, assigned []Assignment) error {
	if len(assigned) == 0 {
		return nil
	}
	return clickhouse.Insert(ctx, n.conn, n.table.Name, assigned,
		clickhouse.Value("org_id", func(a *Assignment) string { return a.OrgID }),
		clickhouse.Value(n.table.ID, func(a *Assignment) string { return a.ID }),
		clickhouse.Value(n.table.No, func(a *Assignment) uint32 { return a.No }))
}
