package stats

import (
	"reflect"
	"testing"
)

// The list of the figures' fields is all of them, in the type's order.
func TestFieldsOfFigures(t *testing.T) {
	var f Figures
	for n, field := range f.fields() {
		if want := reflect.ValueOf(&f).Elem().Field(n).Addr().Interface(); field != want {
			t.Errorf("field %d is another than the type's", n)
		}
	}
	if n := reflect.TypeFor[Figures]().NumField(); n != figureCount {
		t.Errorf("the type has %d fields", n)
	}
}
