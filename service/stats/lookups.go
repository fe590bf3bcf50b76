package stats

import (
	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// stateStatement reads an organization's change counter and stale hours.
func (p *plan) stateStatement(f *fetched) statement {
	b := newBuilder(p.question)
	q := clickhouse.Query{Name: KindState, Params: b.params, SQL: `
SELECT hour, step
FROM stale_hours FINAL
PREWHERE org_id = {org_id:String}
ORDER BY hour` + oneThread}
	return statement{q, func(scan clickhouse.Scan) error {
		var hour int32
		var step uint64
		err := scan(&hour, &step)
		if hour == cells.CounterHour {
			f.counter = step
		} else {
			f.stale = append(f.stale, hour)
		}
		return err
	}}
}

// numberStatements look up the dense numbers of the question's filters.
func (p *plan) numberStatements(f *fetched) (all []statement) {
	if p.question.AgentID != "" {
		b := newBuilder(p.question)
		all = append(all, numberStatement(b, "agent_no", "agents", b.agent(), &f.agentNo))
	}
	if p.question.UserID != "" {
		b := newBuilder(p.question)
		all = append(all, numberStatement(b, "user_no", "users", b.user(), &f.userNo))
	}
	if p.question.byMetadata() {
		all = append(all, p.membersStatement(f))
	}
	return all
}

// numberStatement looks up one number. It may have several rows, all the same, until they are merged.
func numberStatement(b *builder, column, table, condition string, to *uint32) statement {
	q := clickhouse.Query{Name: KindNumbers, Params: b.params, SQL: `
SELECT ` + column + `
FROM ` + table + `
PREWHERE org_id = {org_id:String} AND ` + condition + `
LIMIT 1` + oneThread}
	return statement{q, func(scan clickhouse.Scan) error { return scan(to) }}
}

// agentsStatement reads the ids of all agents.
func (p *plan) agentsStatement(f *fetched) statement {
	f.agents = map[uint32]string{}
	return p.idsStatement("agent_no, agent_id", "agents", oneThread, f.agents)
}

// usersStatement reads the ids of all users.
func (p *plan) usersStatement(f *fetched) statement {
	f.users = map[uint32]string{}
	return p.idsStatement("user_no, user_id", "users", atMostUserGroups(), f.users)
}

// idsStatement reads the numbers and ids of a table.
func (p *plan) idsStatement(columns, table, settings string, ids map[uint32]string) statement {
	q := clickhouse.Query{Name: KindNumbers, Params: newBuilder(p.question).params, SQL: `
SELECT ` + columns + `
FROM ` + table + `
PREWHERE org_id = {org_id:String}` + settings}
	return statement{q, func(scan clickhouse.Scan) error {
		var number uint32
		var id string
		err := scan(&number, &id)
		ids[number] = id
		return err
	}}
}

func (p *plan) membersStatement(f *fetched) statement {
	b := newBuilder(p.question)
	q := clickhouse.Query{Name: KindNumbers, SQL: `
SELECT toString(groupBitmapState(user_no))
FROM members FINAL
WHERE org_id = {org_id:String} AND ` + b.metadata() + oneThread, Params: b.params}
	return statement{q, func(scan clickhouse.Scan) error {
		var state string
		if err := scan(&state); err != nil {
			return err
		}
		numbers, err := buckets.DecodeBitmap([]byte(state))
		if err == nil {
			f.members = buckets.NewNumbers(numbers)
		}
		return err
	}}
}
