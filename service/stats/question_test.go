package stats

import (
	"maps"
	"reflect"
	"slices"
	"testing"

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

// Every filter reaches every statement about messages, in whatever way it is answered, and counts for the cache.
func TestEveryFilterIsBoundInEveryStatement(t *testing.T) {
	window := Question{OrgID: "o", From: at("2024-01-30T22:59:00.000"), Until: at("2024-05-02T01:00:00.001")}
	for _, p := range Filters {
		q := window
		*p.Field(&q.Filter) = "the value"
		statements := []clickhouse.Query{PlainQuery(q)}
		for _, now := range []state{{}, {size: busy}, {size: busy, stale: []int32{cells.HourNumber(window.From + cells.MsPerDay)}}} {
			statements = append(statements, newPlan(q, now, DefaultSmallWindow).Queries()[0])
		}
		for _, statement := range statements {
			if !slices.Contains(slices.Collect(maps.Values(statement.Params)), "the value") {
				t.Errorf("%s is not bound in%s", p.Name, statement.SQL)
			}
		}
		if size := q.Filter.textSize(); size != len("the value") {
			t.Errorf("%s counts for %d bytes", p.Name, size)
		}
	}
}

// The other sources can be grouped once statements are made for that; until then none may be asked.
func TestGroupedQuestionsAreAnsweredFromTheMessages(t *testing.T) {
	q := Question{OrgID: "o", From: at("2024-01-01T00:00:00.000"), Until: at("2025-01-01T00:00:00.000"), Grouping: Grouping{By: ByAgent}}
	if kind := newPlan(q, state{size: busy}, 0).Kind(); kind != KindRaw {
		t.Errorf("the plan is made of %s", kind)
	}
}
