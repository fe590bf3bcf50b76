package loadtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// collector aggregates the answers of a run.
type collector struct {
	prefix   string // of the requests' ids
	rate     int
	duration time.Duration // that was wanted
	created  time.Time
	every    time.Duration // an interval of the timeline

	mu         sync.Mutex
	sent       int                // requests, with those that wait for their answers,
	waiting    map[string]request // by id
	began      time.Time          // when the first request was sent
	last, end  time.Time          // when the last one was sent, and when the last answer arrived
	run        Run
	answered   Latencies // of answers with figures
	shed       Latencies // of 429 and 503
	late       Latencies // how long after its time a request was sent
	histogram  vegeta.Histogram
	timeline   []interval
	views      map[string]*Latencies
	windows    map[string]*Latencies
	filters    map[string]*Latencies
	failures   examples
	malformeds examples
}

// interval is one interval of the timeline.
type interval struct {
	answered Latencies
	shed     uint64
	failed   uint64
}

// intervals is the maximum number of intervals in a timeline.
const intervals = 200

func newCollector(rate int, duration time.Duration) *collector {
	return &collector{
		prefix: fmt.Sprintf("loadtest-%x-", time.Now().UnixMilli()), waiting: map[string]request{},
		rate: rate, duration: duration, created: time.Now(), every: max(time.Second, duration/intervals),
		run:       Run{Rate: rate, Statuses: map[string]uint64{}},
		histogram: vegeta.Histogram{Buckets: buckets},
		views:     map[string]*Latencies{}, windows: map[string]*Latencies{}, filters: map[string]*Latencies{},
	}
}

// expect stores a request until its answer comes, and returns the id to send it under.
func (c *collector) expect(r request) (id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	id = fmt.Sprint(c.prefix, c.sent)
	c.waiting[id] = r
	return id
}

// requestOf returns the request of a result, whose URL has the request's id as its fragment.
func (c *collector) requestOf(r *vegeta.Result) request {
	_, id, _ := strings.Cut(r.URL, "#")
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.waiting[id]
	delete(c.waiting, id)
	return asked
}

// add adds an answer, or a request that got none. It checks the answer before it takes the lock, for which requests
// wait that are due.
func (c *collector) add(r *vegeta.Result, v *Verifier) {
	asked := c.requestOf(r)
	body, err := checkAnswer(r, asked)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time(r)
	i := c.interval(r.Timestamp)
	if r.Code == 0 {
		c.run.Statuses["none"]++
		i.failed++
		c.failures.add(cause(r.Error))
		return
	}
	c.run.Statuses[strconv.Itoa(int(r.Code))]++
	if err != nil {
		c.malformeds.add(err.Error())
		i.failed++
		return
	}
	switch r.Code {
	case http.StatusOK:
		c.figures(r, asked, i)
		if body != nil {
			v.offer(sample{asked, body, r.Timestamp})
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		c.shed.Add(r.Latency)
		i.shed++
	default:
		c.failures.add(fmt.Sprintf("%s: %s", r.Error, shorten(string(r.Body))))
		i.failed++
	}
}

// time records when a request was sent, and how late.
func (c *collector) time(r *vegeta.Result) {
	if c.began.IsZero() || r.Timestamp.Before(c.began) {
		c.began = r.Timestamp
	}
	if r.Timestamp.After(c.last) {
		c.last = r.Timestamp
	}
	if end := r.End(); end.After(c.end) {
		c.end = end
	}
	c.run.Sent++
	due := c.began.Add(time.Duration(float64(r.Seq) / float64(c.rate) * float64(time.Second)))
	c.late.Add(max(0, r.Timestamp.Sub(due)))
}

func (c *collector) figures(r *vegeta.Result, asked request, i *interval) {
	c.answered.Add(r.Latency)
	c.histogram.Add(r)
	i.answered.Add(r.Latency)
	of(c.views, asked.view).Add(r.Latency)
	of(c.windows, asked.window).Add(r.Latency)
	of(c.filters, asked.filter).Add(r.Latency)
}

// cause returns the text of an error without the request's URL, which would make every error different, and which
// reveals what was asked.
func cause(text string) string {
	if _, after, ok := strings.Cut(text, `": `); ok && strings.HasPrefix(text, "Get ") {
		return after
	}
	return text
}

func of(all map[string]*Latencies, name string) *Latencies {
	l, ok := all[name]
	if !ok {
		l = &Latencies{}
		all[name] = l
	}
	return l
}

// interval returns the interval in which a request was sent.
func (c *collector) interval(at time.Time) *interval {
	n := int(max(0, at.Sub(c.began)) / c.every)
	for len(c.timeline) <= n {
		c.timeline = append(c.timeline, interval{})
	}
	return &c.timeline[n]
}

// progress describes the run's progress: for how long it has run, how much was sent, and with what outcome.
func (c *collector) progress() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := fmt.Sprintf("%d s of %d s at %d a second: %d sent, %d under way", int(time.Since(c.created).Seconds()), int(c.duration.Seconds()),
		c.rate, c.sent, len(c.waiting))
	if c.answered.Count > 0 {
		text += fmt.Sprintf(", %d answered, p50 %s, p99 %s", c.answered.Count, show(c.answered.Quantile(0.5)), show(c.answered.Quantile(0.99)))
	}
	if c.shed.Count > 0 {
		text += fmt.Sprintf(", %d shed", c.shed.Count)
	}
	if failed := c.failures.count + c.malformeds.count; failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return text
}

func (c *collector) close() *Run {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.run
	r.Answered, r.Shed = c.answered.Summary(), c.shed.Summary()
	r.Failures, r.Malformed = c.failures.list(), c.malformeds.list()
	r.Late = c.late.Summary().P99
	if sending := c.last.Sub(c.began).Seconds(); sending > 0 {
		// Between n requests there are n-1 intervals: the last request begins none.
		r.Seconds = sending
		r.SentPerSecond = float64(r.Sent-1) / sending
		r.AnsweredPerSecond = float64(c.answered.Count) / c.end.Sub(c.began).Seconds()
	}
	r.Histogram = bucketsOf(c.histogram)
	r.Views, r.Windows, r.Filters = kinds(c.views), kinds(c.windows), kinds(c.filters)
	for n, i := range c.timeline {
		r.Timeline = append(r.Timeline, Interval{
			At: (time.Duration(n) * c.every).Seconds(), Seconds: c.every.Seconds(), Answered: i.answered.Summary(), Shed: i.shed, Failed: i.failed,
		})
	}
	return r
}
