package mapping

import (
	"slices"
	"strings"

	"github.com/orgstats/orgstats/loader/record"
)

// check finds what is wrong with the tables and their fields, whatever the source looks like.
func (r *reader) check(m *Mapping) {
	byRecord, byName := map[record.Kind]int{}, map[string]int{}
	for i := range m.Tables {
		t := &m.Tables[i]
		if line, twice := byRecord[t.Record]; twice {
			r.wrong(t.Line, "record %s is already mapped in line %d; it can come from one table only", t.Record, line)
		}
		if line, twice := byName[t.FullName()]; twice {
			r.wrong(t.Line, "table %s is already mapped in line %d", t.FullName(), line)
		}
		byRecord[t.Record], byName[t.FullName()] = t.Line, t.Line
		r.checkFields(t)
	}
}

func (r *reader) checkFields(t *Table) {
	of := kinds[t.Record]
	known := of.fields
	for _, f := range t.Fields {
		if !slices.ContainsFunc(known, func(k field) bool { return k.name == f.Name }) {
			r.wrong(f.Line, "a %s has no field %q; it has %s", t.Record, f.Name, strings.Join(names(known), ", "))
		}
	}
	for _, k := range known {
		if k.required && t.Field(k.name) == nil {
			r.wrong(t.Line, "a %s needs the field %s", t.Record, k.name)
		}
	}
	if id := t.Field("id"); id != nil && (id.Path != nil || id.Column == "") {
		r.wrong(id.Line, "the id must be a column: a deletion holds only the columns of the key")
	}
	if of.anyOf != nil && !slices.ContainsFunc(of.anyOf, func(name string) bool { return t.Field(name) != nil }) {
		r.wrong(t.Line, "a %s needs the field %s", t.Record, strings.Join(of.anyOf, " or "))
	}
	for _, name := range UsageFields {
		if f := t.Field(name); f != nil && t.Field("usage") != nil {
			r.wrong(f.Line, "%s is part of usage, which is mapped too; map only one of them", name)
		}
	}
}

func names(fields []field) (list []string) {
	for _, f := range fields {
		list = append(list, f.name)
	}
	return list
}
