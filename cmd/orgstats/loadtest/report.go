package loadtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

// Report is the result of a load test. Times are in milliseconds unless their name says otherwise.
type Report struct {
	Target        string    `json:"target"`
	Started       time.Time `json:"started"`
	Seed          uint64    `json:"seed"`
	Organizations int       `json:"organizations"`
	Callers       int       `json:"callers"`
	Run           *Run      `json:"run"`
	Search        *Search   `json:"search,omitempty"`
	Verified      *Verified `json:"verified,omitempty"`
	Interrupted   bool      `json:"interrupted,omitempty"` // it was stopped before its end
}

// Run is the result of one rate.
type Run struct {
	Rate              int               `json:"rate"`              // wanted requests a second
	Seconds           float64           `json:"seconds"`           // from the first request sent to the last
	Sent              uint64            `json:"sent"`              // requests
	SentPerSecond     float64           `json:"sentPerSecond"`     //
	AnsweredPerSecond float64           `json:"answeredPerSecond"` // answers with figures, until the last answer arrived
	Late              float64           `json:"lateP99Ms"`         // how late this machine sent requests
	Answered          Latency           `json:"answered"`          // 200, with the right shape
	Shed              Latency           `json:"shed"`              // 429 and 503, with Retry-After
	Statuses          map[string]uint64 `json:"statuses"`          // "none": no answer came
	Failures          []Failure         `json:"failures,omitempty"`
	Malformed         []Failure         `json:"malformed,omitempty"` // answers that lack the required shape
	Histogram         []Bucket          `json:"histogram"`           // of answers with figures
	Timeline          []Interval        `json:"timeline"`
	Views             []Kind            `json:"views"`
	Windows           []Kind            `json:"windows"`
	Filters           []Kind            `json:"filters"`
}

// Latency summarizes latencies.
type Latency struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"meanMs"`
	P50   float64 `json:"p50Ms"`
	P90   float64 `json:"p90Ms"`
	P95   float64 `json:"p95Ms"`
	P99   float64 `json:"p99Ms"`
	P999  float64 `json:"p999Ms"`
	Max   float64 `json:"maxMs"`
}

// Bucket is a bucket of a histogram: latencies from From up to, but excluding, To. The last possible one has no To.
type Bucket struct {
	From  float64 `json:"fromMs"`
	To    float64 `json:"toMs,omitempty"`
	Count uint64  `json:"count"`
}

// Interval is a part of a run, with the outcomes of the requests that were sent in it.
type Interval struct {
	At       float64 `json:"atSeconds"` // since the run's start
	Seconds  float64 `json:"seconds"`   // its length
	Answered Latency `json:"answered"`
	Shed     uint64  `json:"shed"`
	Failed   uint64  `json:"failed"`
}

// Kind is the latency of one kind of question.
type Kind struct {
	Name string `json:"name"`
	Latency
}

// Failure is something that went wrong, and how often.
type Failure struct {
	What  string `json:"what"`
	Count uint64 `json:"count"`
}

// Failed returns how many requests got neither figures nor a well-formed refusal because of the load.
func (r *Run) Failed() uint64 { return r.Sent - r.Answered.Count - r.Shed.Count }

// JSON writes the report as JSON.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Report returns a report without results yet.
func (t *Test) Report() *Report {
	p := t.mix.population
	return &Report{Target: t.options.URL, Started: t.started.UTC(), Seed: t.options.Seed, Organizations: len(p.Organizations), Callers: p.callers()}
}

// Verdict returns what must not happen under any load as an error: answers that are wrong, malformed or missing. Shed
// requests are not failures, nor are those that failed at rates which a search found to be too high.
func (r *Report) Verdict() error {
	var all []error
	if r.Run != nil && r.Run.Failed() > 0 {
		all = append(all, fmt.Errorf("%d of %d requests failed; see above", r.Run.Failed(), r.Run.Sent))
	}
	if r.Verified != nil && r.Verified.Different > 0 {
		all = append(all, fmt.Errorf("%d of %d answers that were compared are wrong; see above", r.Verified.Different, r.Verified.Compared))
	}
	if r.Search != nil && r.Search.Rate == 0 && !r.Interrupted {
		all = append(all, errors.New("no rate was held"))
	}
	return errors.Join(all...)
}

// examples counts failures by their text, of which the first few are kept.
type examples struct {
	count  uint64
	byText map[string]uint64
}

const (
	maxExamples = 10
	otherCauses = "others"
)

func (e *examples) add(text string) {
	e.count++
	if e.byText == nil {
		e.byText = map[string]uint64{}
	}
	if _, known := e.byText[text]; !known && len(e.byText) >= maxExamples {
		text = otherCauses
	}
	e.byText[text]++
}

// list returns the failures, the most frequent first.
func (e *examples) list() []Failure {
	var all []Failure
	for text, count := range e.byText {
		all = append(all, Failure{text, count})
	}
	slices.SortFunc(all, func(a, b Failure) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.What, b.What)) })
	return all
}

// shorten truncates a text of the deployment that is shown.
func shorten(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	for cut := most; ; cut-- {
		if utf8.RuneStart(text[cut]) {
			return text[:cut] + "…"
		}
	}
}
