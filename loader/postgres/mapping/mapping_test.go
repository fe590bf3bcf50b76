package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/loader/record"
)

func TestTheDefaultNamesEveryColumn(t *testing.T) {
	m := Default()
	if len(m.Tables) != 4 || m.Tables[1].FullName() != "public.message" {
		t.Fatalf("the tables are %+v", m.Tables)
	}
	want := []string{"id", "conversation_id", "role", "parts", "tool_invocations", "usage", "feedback", "created_at", "updated_at", "deleted_at"}
	if got := m.Tables[1].Columns(); !slices.Equal(got, want) {
		t.Errorf("messages come from %q, want %q", got, want)
	}
}

const member = "tables:\n- table: crm.people\n  record: member\n  fields:\n    organizationId: {constant: 7}\n    userId: {column: doc, path: user.id}\n" +
	"    publicMetadata: {column: doc, path: [a.b, meta]}\n    updatedAt: {column: changed}\n"

func TestSourcesOfFields(t *testing.T) {
	m, err := Parse("m.yaml", []byte(member))
	if err != nil {
		t.Fatal(err)
	}
	people := &m.Tables[0]
	if people.Schema != "crm" || people.Name != "people" || people.Record != record.KindMember {
		t.Errorf("the table is %+v", people)
	}
	for _, row := range []struct {
		name, column, path, constant string
	}{
		{"organizationId", "", "", "7"},
		{"userId", "doc", "user/id", ""},
		{"publicMetadata", "doc", "a.b/meta", ""},
		{"updatedAt", "changed", "", ""},
	} {
		f := people.Field(row.name)
		if f == nil || f.Column != row.column || strings.Join(f.Path, "/") != row.path || f.Constant != row.constant {
			t.Errorf("%s comes from %+v, want %+v", row.name, f, row)
		}
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	for _, row := range []struct {
		why, text string
		want      []string
	}{
		{"no YAML", "tables: [", []string{"m.yaml:"}},
		{"an empty file", "", []string{"one YAML document"}},
		{"no tables", "tables: []", []string{"m.yaml:1: there are no tables"}},
		{
			"unknown keys, at every level", strings.Replace(member, "tables:", "version: 1\ntables:", 1) + "  filter: x\n",
			[]string{`m.yaml:1: unknown key "version"`, `m.yaml:10: unknown key "filter"`},
		},
		{"unknown kinds of record", strings.Replace(member, "record: member", "record: user", 1), []string{`m.yaml:3: record is "user"`}},
		{"what is missing", "tables:\n- table: t\n", []string{"the table has no record", "the table has no fields"}},
		{
			"unknown fields and missing ones", "tables:\n- table: t\n  record: member\n  fields:\n    name: n\n",
			[]string{`m.yaml:5: a member has no field "name"`, "needs the field organizationId", "needs the field userId", "needs the field publicMetadata", "updatedAt or createdAt"},
		},
		{
			"a field that comes from nowhere, and one from two places",
			strings.Replace(strings.Replace(member, "{constant: 7}", "{constant: 7, column: c}", 1), "{column: changed}", "{path: a}", 1),
			[]string{"m.yaml:5: organizationId needs a column", "m.yaml:8: updatedAt needs a column"},
		},
		{"a key that comes twice", member + "    updatedAt: c\n", []string{`m.yaml:9: "updatedAt" is duplicated`}},
		{"one record from two tables", member + strings.TrimPrefix(member, "tables:\n"), []string{"m.yaml:9: record member is already mapped in line 2", "table crm.people is already mapped"}},
		{
			"an id that no deletion tells", "tables:\n- table: t\n  record: conversation\n  fields: {id: {constant: 1}, organizationId: o, userId: u, createdAt: c}\n",
			[]string{"the id must be a column"},
		},
		{
			"usage and its parts", "tables:\n- table: t\n  record: message\n  fields: {id: i, conversationId: c, role: r, createdAt: c, usage: u, inputTokens: n}\n",
			[]string{"inputTokens is part of usage"},
		},
	} {
		_, err := Parse("m.yaml", []byte(row.text))
		if err == nil {
			t.Errorf("%s: is no mistake", row.why)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not said: %v", row.why, want, err)
			}
		}
	}
}

func TestEveryKindIsDescribed(t *testing.T) {
	for i, k := range kinds {
		if len(k.fields) == 0 || len(k.identity) == 0 {
			t.Errorf("nothing is known of a %s", record.Kind(i))
		}
	}
}
