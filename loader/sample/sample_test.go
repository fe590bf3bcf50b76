package sample_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/loader/sample"
)

var until = time.Date(2026, 11, 24, 10, 20, 30, 456e6, time.UTC)

// withDefaults returns the options with what a demonstration uses where they say nothing.
func withDefaults(o sample.Options) sample.Options {
	o.Messages, o.Organizations, o.Days = cmp.Or(o.Messages, 200_000), cmp.Or(o.Organizations, 30), cmp.Or(o.Days, 365)
	return o
}

// write writes what o makes, mostly to a history, which checks it.
func write(t *testing.T, w io.Writer, o sample.Options) sample.Summary {
	t.Helper()
	summary, err := sample.Write(t.Context(), w, withDefaults(o))
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func TestSameOptionsGiveSameBytes(t *testing.T) {
	o := sample.Options{Seed: 7, Messages: 20_000, Organizations: 5, Days: 40, Until: until}
	var first, second, third bytes.Buffer
	summary := write(t, &first, o)
	o.Until = until.In(time.FixedZone("elsewhere", 3600))
	again := write(t, &second, o)
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same options gave other bytes")
	}
	if summary.Organizations[0] != again.Organizations[0] {
		t.Errorf("the same options gave other summaries: %+v and %+v", summary.Organizations[0], again.Organizations[0])
	}
	o.Seed++
	if write(t, &third, o); bytes.Equal(first.Bytes(), third.Bytes()) {
		t.Error("another seed gave the same bytes")
	}
}

func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		why       string
		o         sample.Options
		tolerance float64
	}{
		{"the defaults, which a demonstration uses", sample.Options{}, 0.01},
		{"one organization only", sample.Options{Messages: 50_000, Organizations: 1, Days: 90}, 0.01},
		{"one organization that has the largest share of itself", sample.Options{Messages: 5_000, Organizations: 1, LargestShare: 0.5}, 0.02},
		{"one organization beside many small ones", sample.Options{Messages: 100_000, Organizations: 300, LargestShare: 0.9}, 0.02},
		{"many messages in a single day", sample.Options{Messages: 50_000, Organizations: 3, Days: 1}, 0.03},
		{"all messages in one of several organizations", sample.Options{Messages: 20_000, Organizations: 3, Days: 30, LargestShare: 1}, 0.02},
		{"a demonstration of few messages", sample.Options{Messages: 1_000, Organizations: 10, Days: 30}, 0.15},
	} {
		t.Run(tt.why, func(t *testing.T) {
			tt.o.Until, tt.o.Seed = until, 3
			h := newHistory()
			summary := write(t, h, tt.o)
			near(t, "messages", float64(summary.Messages), float64(withDefaults(tt.o).Messages), tt.tolerance)
			if tt.o.LargestShare > 0 && tt.o.Organizations > 1 {
				near(t, "share of the largest", float64(summary.Organizations[0].Messages)/float64(summary.Messages), tt.o.LargestShare, tt.tolerance)
			}
			checkSummary(t, summary, h)
		})
	}
}

func checkSummary(t *testing.T, s sample.Summary, h *history) {
	t.Helper()
	got := [4]int{s.Conversations, s.Messages, s.KBFiles, s.Members}
	if want := [4]int{len(h.conversations), h.messages, len(h.files), len(h.members)}; got != want {
		t.Errorf("the summary counts %v conversations, messages, files and members; the lines have %v", got, want)
	}
	last := math.MaxInt
	for _, org := range s.Organizations {
		if org.Messages != h.messagesOf[org.ID] || org.Messages > last {
			t.Errorf("%s has %d messages by the summary and %d by the lines, after one with %d", org.ID, org.Messages, h.messagesOf[org.ID], last)
		}
		last = org.Messages
		for _, user := range []string{org.AdminUserID, org.MemberUserID} {
			if _, ok := h.members[[2]string{org.ID, user}]; !ok {
				t.Errorf("%s is said to be in %s and is no member there", user, org.ID)
			}
		}
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*want {
		t.Errorf("%s: %g, want %g within %g %%", what, got, want, 100*tolerance)
	}
}

func TestInvalidOptions(t *testing.T) {
	for _, tt := range []struct {
		why  string
		o    sample.Options
		want []string
	}{
		{"no end", sample.Options{}, []string{"Until"}},
		{"an end that DateTime64 cannot hold", sample.Options{Until: until.AddDate(400, 0, 0)}, []string{"Until"}},
		{"every mistake is named", sample.Options{Messages: -1, Organizations: -1, Days: -1}, []string{"Messages", "Organizations", "Days", "Until"}},
		{"more than all", sample.Options{Until: until, LargestShare: 1.5}, []string{"LargestShare"}},
		{"not a number", sample.Options{Until: until, LargestShare: math.NaN()}, []string{"LargestShare"}},
		{"the largest would be the second", sample.Options{Until: until, Organizations: 3, LargestShare: 0.1}, []string{"LargestShare"}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			var out bytes.Buffer
			_, err := sample.Write(t.Context(), &out, withDefaults(tt.o))
			if err == nil || out.Len() > 0 {
				t.Fatalf("error %v and %d bytes, want an error and none", err, out.Len())
			}
			for _, field := range tt.want {
				if !strings.Contains(err.Error(), field) {
					t.Errorf("%q does not name %s", err, field)
				}
			}
		})
	}
}

// brokenAfter fails once it took so many bytes, and then calls then.
type brokenAfter struct {
	left int
	err  error
	then func()
}

func (w *brokenAfter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left > 0 {
		return len(b), nil
	}
	w.then()
	return len(b), w.err
}

func TestStopsEarly(t *testing.T) {
	full := errors.New("disk full")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, tt := range []struct {
		why  string
		w    *brokenAfter
		want error
	}{
		{"the writer fails", &brokenAfter{left: 1 << 20, err: full, then: func() {}}, full},
		{"the context is canceled meanwhile", &brokenAfter{left: 1 << 20, then: cancel}, context.Canceled},
	} {
		t.Run(tt.why, func(t *testing.T) {
			_, err := sample.Write(ctx, tt.w, withDefaults(sample.Options{Messages: 1e9, Until: until}))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	b.ReportAllocs()
	messages, size := 0, 0
	for b.Loop() {
		w := &countingWriter{Writer: io.Discard}
		s, err := sample.Write(b.Context(), w, withDefaults(sample.Options{Messages: 1_000_000, LargestShare: 0.9, Until: until}))
		if err != nil {
			b.Fatal(err)
		}
		messages += s.Messages
		size += w.size
	}
	b.SetBytes(int64(size / b.N))
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(size)/float64(messages), "B/message")
}

type countingWriter struct {
	io.Writer
	size int
}

func (w *countingWriter) Write(b []byte) (int, error) {
	w.size += len(b)
	return w.Writer.Write(b)
}
