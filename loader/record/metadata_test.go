package record

import (
	"reflect"
	"strings"
	"testing"
)

func TestMetadata(t *testing.T) {
	tests := []struct {
		reason, object string
		paths          []string
		pairs          []string // path=value
		text           string   // "" is the object itself
	}{
		{"nothing", `{}`, nil, nil, ""},
		{"scalars of every type", `{"b":true,"f":false,"n":42,"s":"x"}`, []string{"b", "f", "n", "s"}, []string{"b=true", "f=false", "n=42", "s=x"}, ""},
		{"null is no value, an empty string is one", `{"a":null,"b":""}`, []string{"b"}, []string{"b="}, ""},
		{"objects have paths of their own", `{"a":{"b":{"c":1.5}}}`, []string{"a", "a.b", "a.b.c"}, []string{"a.b.c=1.5"}, ""},
		{"elements stand under their array's path, each once", `{"t":["red","blue","red"]}`, []string{"t"}, []string{"t=blue", "t=red"}, ""},
		{"objects in arrays do, too", `{"tags":[{"k":"v1"},{"k":"v2"},null]}`, []string{"tags", "tags.k"}, []string{"tags.k=v1", "tags.k=v2"}, ""},
		{"arrays in arrays do, too", `{"a":[[1,[2]],[{"b":[3]}]]}`, []string{"a", "a.b"}, []string{"a=1", "a=2", "a.b=3"}, ""},
		{"empty objects and arrays are values", `{"a":{},"b":[],"c":[null]}`, []string{"a", "b", "c"}, nil, ""},
		{"dots in keys join like others", `{"a.b":1,"a":{"b":2}}`, []string{"a", "a.b"}, []string{"a.b=1", "a.b=2"}, `{"a":{"b":2},"a.b":1}`},
		{"empty keys join like others", `{"":{"":1}}`, []string{"", "."}, []string{".=1"}, ""},
		{"the last of equal keys replaces the others whole", `{"a":{"x":1},"a":{"y":2}}`, []string{"a", "a.y"}, []string{"a.y=2"}, `{"a":{"y":2}}`},
		{"a number and a string of one text are one pair", `{"a":[3,"3",3.0]}`, []string{"a"}, []string{"a=3"}, ""},
		{"other scripts, quotes and markup stay as they are", `{"ключ":"<O'Brien \"x\" \\ % _ &>"}`, []string{"ключ"}, []string{`ключ=<O'Brien "x" \ % _ &>`}, ""},
		{"white space between values goes, within strings it stays", ` { "a" : [ "x y" , 1.50 ] } `, []string{"a"}, []string{"a=1.5", "a=x y"}, `{"a":["x y",1.50]}`},
		{"half a surrogate pair is the character for what is none", `{"a":"\ud800"}`, []string{"a"}, []string{"a=\ufffd"}, `{"a":"` + "\ufffd" + `"}`},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			var m Member
			if err := m.setMetadata(test.object); err != nil {
				t.Fatal(err)
			}
			var pairs []string
			for i, path := range m.PairPaths {
				pairs = append(pairs, path+"="+m.PairValues[i])
			}
			if !reflect.DeepEqual(m.Paths, test.paths) {
				t.Errorf("paths %q, want %q", m.Paths, test.paths)
			}
			if !reflect.DeepEqual(pairs, test.pairs) {
				t.Errorf("pairs %q, want %q", pairs, test.pairs)
			}
			if want := test.text; want == "" && m.Metadata != test.object || want != "" && m.Metadata != want {
				t.Errorf("metadata %s, want %s", m.Metadata, want)
			}
		})
	}
}

func TestNumberText(t *testing.T) {
	tests := []struct{ reason, literal, want string }{
		{"an integer", "42", "42"},
		{"an integer that JavaScript would round", "12345678901234567890123", "12345678901234567890123"},
		{"a negative one", "-7", "-7"},
		{"a fraction of nothing", "3.0", "3"},
		{"zeros at the end", "1.50", "1.5"},
		{"an exponent", "1e2", "100"},
		{"the last size written out", "1e20", "100000000000000000000"},
		{"the first that is not", "1e21", "1e+21"},
		{"the smallest written out", "0.000001", "0.000001"},
		{"the first smaller one that is not", "0.0000001", "1e-7"},
		{"two digits of exponent", "-1.5E-010", "-1.5e-10"},
		{"three digits of exponent", "1e-300", "1e-300"},
		{"minus zero", "-0", "0"},
		{"minus zero with a fraction", "-0.0", "0"},
		{"too small for a double", "1e-400", "0"},
		{"too large for a double", "1e400", "1e+400"},
		{"the same written out, as jsonb does", "1" + strings.Repeat("0", 400), "1e+400"},
		{"a large one written out", "10000000000000000000000000", "1e+25"},
		{"the same with an exponent", "1e+25", "1e+25"},
		{"the same with another", "-0.01E27", "-1e+25"},
		{"all digits of a large one with an exponent", "1.2345678901234567890123e22", "12345678901234567890123"},
		{"more digits than zeros", "12345678901234567890123000", "12345678901234567890123000"},
		{"an exponent that nobody could write out", "1e999999999", "1e+999999999"},
		{"shortest digits that tell it apart", "0.1000000000000000055", "0.1"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if got := numberText(test.literal); got != test.want {
				t.Errorf("text of %s is %s, want %s", test.literal, got, test.want)
			}
		})
	}
}

func TestMetadataIsBounded(t *testing.T) {
	key := strings.Repeat("k", 1<<20)
	tests := []struct{ reason, object string }{
		{"a long path that many values repeat", `{"` + key + `":[` + strings.Repeat(`1,`, 100) + `2]}`},
		{"a long path that many objects repeat", `{"` + key + `":[` + strings.Repeat(`{},`, 100) + `{}]}`},
		{"long keys below long keys, even of nothing", `{"` + key + `":{"` + key + `":{"` + strings.Repeat("x", 14<<20) + `":null}}}`},
		{"objects in each other, each with the path of all above it", strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat(`}`, 9000)},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			var m Member
			if err := m.setMetadata(test.object); err == nil {
				t.Error("accepted")
			}
		})
	}
	var m Member
	if err := m.setMetadata(`{"biography":"` + strings.Repeat("x", 10<<20) + `"}`); err != nil {
		t.Errorf("one long value: %v", err)
	}
}
