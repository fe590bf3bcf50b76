package stats

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Every field of a filter is one of Filters, once.
func TestFiltersAreAllFields(t *testing.T) {
	var filter Filter
	reached := map[*string]string{}
	for _, p := range Filters {
		if other, again := reached[p.Field(&filter)]; again {
			t.Errorf("%s and %s set the same field", p.Name, other)
		}
		reached[p.Field(&filter)] = p.Name
	}
	fields := reflect.ValueOf(&filter).Elem()
	for i := range fields.NumField() {
		if _, ok := reached[fields.Field(i).Addr().Interface().(*string)]; !ok {
			t.Errorf("%s is none of Filters", fields.Type().Field(i).Name)
		}
	}
}

// Every filter reaches every statement that it limits, and counts for the size of what is kept.
func TestEveryFilterIsBoundInEveryStatement(t *testing.T) {
	window := Question{OrgID: "o", From: at("2024-01-30T22:59:00.000"), Until: at("2024-05-02T01:00:00.001")}
	for _, p := range Filters {
		q := window
		*p.Field(&q.Filter) = "the value"
		m := newMemory(1 << 20)
		o := m.organization("o")
		o.state, o.read = newState(1, []int32{cells.HourNumber(window.From + cells.MsPerDay)}), time.Now()
		o.state.writingMembers = false
		plan := m.plan(q)
		queries := []clickhouse.Query{PlainQuery(q)}
		for _, s := range plan.statements(&fetched{}) {
			if s.Name != KindMessages && s.Name != KindFiles { // which are the same for all filters
				queries = append(queries, s.Query)
			}
		}
		if len(queries) != 4 { // buckets, what is being written, the number
			t.Errorf("%s: %d statements", p.Name, len(queries))
		}
		for _, query := range queries {
			if !slices.Contains(slices.Collect(maps.Values(query.Params)), "the value") {
				t.Errorf("%s is not bound in%s", p.Name, query.SQL)
			}
		}
		if size := q.Filter.textSize(); size != len("the value") {
			t.Errorf("%s counts for %d bytes", p.Name, size)
		}
	}
}
