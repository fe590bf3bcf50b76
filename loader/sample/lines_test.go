package sample

import (
	"testing"
	"time"
)

func TestTimesAreWrittenAsJavaScriptWritesThem(t *testing.T) {
	l := newLines(t.Context(), nil)
	at := time.Date(2199, 12, 31, 23, 59, 59, 40e6, time.UTC)
	l.add(millis(0), " ", millis(at.UnixMilli()), " ", micros(at.UnixMicro()), " ", micros(at.UnixMicro()+7))
	want := "1970-01-01T00:00:00.000Z 2199-12-31T23:59:59.040Z 2199-12-31T23:59:59.040000Z 2199-12-31T23:59:59.040007Z"
	if string(l.buffer) != want {
		t.Errorf("%s, want %s", l.buffer, want)
	}
}
