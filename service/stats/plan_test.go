package stats

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// What is planned and not fetched, because it is not admitted perhaps, does not grow beyond the bound.
func TestPlansAreBounded(t *testing.T) {
	const limit = 1 << 20
	m := newMemory(limit)
	for i := range 200 {
		q := Question{OrgID: "o", From: 0, Until: 1, Filter: Filter{MetadataValue: strings.Repeat(string(rune('a'+i)), 100_000)}}
		m.end(m.plan(q))
	}
	if use := m.use(); use.Bytes > limit || use.Evicted == 0 {
		t.Errorf("%+v", use)
	}
}

func TestFeedbackDoesNotOverflowInSilence(t *testing.T) {
	f := Figures{TotalHelpful: math.MaxUint64, TotalNotHelpful: 1}
	if err := f.addFeedback(); !errors.Is(err, buckets.ErrOverflow) {
		t.Errorf("got %d, %v", f.TotalFeedback, err)
	}
}
