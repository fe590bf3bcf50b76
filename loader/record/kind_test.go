package record

import (
	"errors"
	"testing"
)

// A kind that is forgotten by the parser, or whose records say that they are of another, is found here.
func TestEveryKindIsRead(t *testing.T) {
	for kind := range Kind(NumKinds) {
		_, err := Parse([]byte(`{"type":"` + kind.String() + `"}`))
		if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Type != kind.String() {
			t.Errorf("a %s without fields: %v", kind, err)
		}
		r := NewTombstone(kind, "k", 1, 2)
		if r.Kind() != kind || r.Key() != "k" || !VersionOf(r).Tombstone || kind.HasID() != (r.Identity() == Identity{"k"}) {
			t.Errorf("the tombstone of a %s: %+v", kind, r)
		}
	}
}
