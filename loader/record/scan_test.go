package record

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"
)

// The walk through a line that reading begins with takes lines as the standard library does: those that are one object,
// and no other. Lines are spoilt at random, and many are still right.
func TestMembersAreThoseOfValidObjectsOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	names := slices.Sorted(maps.Keys(jsonByField))
	odd := []string{`"`, `\`, `\u12`, `\ud83d`, "\x00", "\x1f", "\x7f", "\x80", "é", "\xc3", "0", "-", ".", "e+", "{", "}", "[", "]", ",", ":", " ", "\t", "\v", "nul", "true"}
	valid, wrong := 0, 0
	for range 60_000 {
		line := randomLine(random, names)
		for range random.IntN(3) {
			at := random.IntN(len(line) + 1)
			until := min(len(line), at+random.IntN(3))
			line = slices.Concat(line[:at], []byte(odd[random.IntN(len(odd))]), line[until:])
		}
		var object map[string]json.RawMessage
		want := json.Unmarshal(line, &object) == nil && object != nil && utf8.Valid(line)
		got := map[string]json.RawMessage{}
		if members(line, func(key, value string) { got[key] = json.RawMessage(value) }) != want {
			t.Fatalf("%q: taken is %v, want %v", line, !want, want)
		}
		if !want {
			wrong++
			continue
		}
		valid++
		if !maps.EqualFunc(got, object, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Fatalf("%q: got %s, want %s", line, got, object)
		}
	}
	if valid < 10_000 || wrong < 10_000 {
		t.Errorf("%d lines were valid, %d were not", valid, wrong)
	}
}
