package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
)

func TestProgress(t *testing.T) {
	var p progress
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	if !p.caughtUpAt(100).IsZero() {
		t.Error("nobody has looked, and it has caught up")
	}
	for n, end := range []uint64{10, 10, 30, 50} {
		p.add(look{at(int64(n + 1)), pglogrepl.LSN(end)})
	}
	for _, row := range []struct {
		written uint64
		want    time.Time
	}{{9, time.Time{}}, {10, at(2)}, {29, at(2)}, {49, at(3)}, {50, at(4)}, {90, at(4)}} {
		if got := p.caughtUpAt(pglogrepl.LSN(row.written)); !got.Equal(row.want) {
			t.Errorf("with everything up to %d written: %v, want %v", row.written, got, row.want)
		}
	}
}
