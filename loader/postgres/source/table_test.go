package source

import (
	"slices"
	"testing"
)

func TestKeysOfSeveralColumns(t *testing.T) {
	p := &Table{Columns: []Column{{Name: "id", Attribute: Attribute{Kind: KindNumber}}, {Name: "org"}, {Name: "login", Attribute: Attribute{Kind: KindText}}}, Key: []int{0, 2}}
	values := []Value{{ValueText, []byte("7")}, {}, {ValueText, []byte(`a"b,c`)}}
	key := p.KeyOf(values)
	if key != `["7","a\"b,c"]` || !slices.Equal(p.splitKey(key), []string{"7", `a"b,c`}) {
		t.Errorf("the key is %s, and is taken apart into %q", key, p.splitKey(key))
	}
}

func TestPathsInJSON(t *testing.T) {
	for _, row := range []struct{ why, raw, want string }{
		{"what lies there", `{"a": {"b": {"c": [1, 2]}}}`, "[1, 2]"},
		{"nothing", `{"a": {"b": {}}}`, "null"},
		{"nothing, not even on the way", `{"a": 1}`, "null"},
		{"no object", `[1]`, "null"},
		{"the last of a key that comes twice", `{"a": 1, "a": {"b": {"c": 1, "c": 2}}}`, "2"},
		{"a key that is escaped", `{"\u0061": {"b": {"c": 3}}}`, "3"},
	} {
		if got := at(row.raw, []string{"a", "b", "c"}); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}
