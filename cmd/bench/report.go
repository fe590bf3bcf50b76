package main

import (
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
)

// report is the content of the JSON file. Parts that were not measured are absent. Times are in milliseconds, sizes in
// bytes.
type report struct {
	Started  time.Time       `json:"started"`
	Messages int             `json:"messages"` // about as many as were loaded
	Machine  machine         `json:"machine"`
	Sizes    sizes           `json:"sizes"`
	Queries  []queryResult   `json:"queries,omitempty"`
	Grouped  []groupedResult `json:"grouped,omitempty"`
	Page     []pageResult    `json:"page,omitempty"`
	HTTP     *httpResult     `json:"http,omitempty"`
	Memory   *memoryResult   `json:"memory,omitempty"`
	Overload *overloadResult `json:"overload,omitempty"`
	Trickle  *trickleResult  `json:"trickle,omitempty"`
	Loader   *loaderResult   `json:"loader,omitempty"`
}

type machine struct {
	System     string `json:"system"`
	Processors int    `json:"processors"`
	Load       string `json:"load,omitempty"` // the system's load average at the start: what else ran
	Go         string `json:"go"`
	Engine     string `json:"engine,omitempty"`
}

type sizes struct {
	Tables          []tableSize `json:"tables,omitempty"`
	CellsToMessages float64     `json:"cellsToMessages,omitempty"` // stats_cells and user_activity, against messages
}

type tableSize struct {
	Table string `json:"table"`
	Rows  uint64 `json:"rows"`
	Parts uint64 `json:"parts"`
	Bytes uint64 `json:"bytes"`
}

type queryResult struct {
	Window    string           `json:"window"`
	Filter    string           `json:"filter"`
	Messages  uint64           `json:"messages"` // that the answer counts
	Cold      loadtest.Latency `json:"cold"`     // with nothing of the organization in memory
	Warm      loadtest.Latency `json:"warm"`
	Plain     loadtest.Latency `json:"plain"`
	SelectOne loadtest.Latency `json:"selectOne"`
	Ratio     float64          `json:"ratio"`          // plain to cold, p50
	WarmToOne float64          `json:"warmToOne"`      // warm to SELECT 1, p50
	Goal      float64          `json:"goal,omitempty"` // the least ratio that is wanted of 30 million messages
}

// pageResult says how long the dashboard takes to show a view, from the navigation until all is there.
type pageResult struct {
	View     string           `json:"view"`
	TimeZone string           `json:"timeZone"`
	Cold     loadtest.Latency `json:"cold"` // with nothing in the service's memory, nor in the browser's
	Warm     loadtest.Latency `json:"warm"` // with the answers in the service's memory
}

// groupedResult compares a question that is grouped with the plain query, and with the same one that is not.
type groupedResult struct {
	Grouping   string           `json:"grouping"`
	Filter     string           `json:"filter"`
	Rows       int              `json:"rows"` // groups or intervals of the answer
	Cold       loadtest.Latency `json:"cold"` // with nothing of the organization in memory
	Warm       loadtest.Latency `json:"warm"`
	Plain      loadtest.Latency `json:"plain"`
	StatsCold  loadtest.Latency `json:"statsCold"` // of the window as a whole
	StatsWarm  loadtest.Latency `json:"statsWarm"`
	ToStats    float64          `json:"toStats"`     // warm to that, p50
	PlainRatio float64          `json:"plainToWarm"` // p50
	Goal       *groupedGoal     `json:"goal,omitempty"`
}

type httpResult struct {
	Clients            int              `json:"clients"`
	Kinds              []kindResult     `json:"kinds"`
	SameToConstant     float64          `json:"sameToConstant"`     // requests a second, against the constant handler
	DistinctToConstant float64          `json:"distinctToConstant"` // of distinct windows
	OneAtATime         loadtest.Latency `json:"oneAtATime"`         // over HTTP
	Store              loadtest.Latency `json:"store"`              // what the store took of that
	OverStore          loadtest.Latency `json:"overStore"`          // and the rest
}

type kindResult struct {
	Name      string           `json:"name"`
	PerSecond float64          `json:"perSecond"`
	Latency   loadtest.Latency `json:"latency"`
}

// memoryResult compares services that were asked about many organizations.
type memoryResult struct {
	Organizations int       `json:"organizations"`
	Bound         int64     `json:"bound"` // of AtBound, in bytes
	Nothing       memoryRun `json:"nothing"`
	AtBound       memoryRun `json:"atBound"`
}

type memoryRun struct {
	PerSecond  float64          `json:"perSecond"`
	Latency    loadtest.Latency `json:"latency"`
	Kept       int64            `json:"kept"` // at the end, in bytes
	Evicted    int64            `json:"evicted"`
	PeakMemory int64            `json:"peakMemory"` // of the process, in bytes
}

type overloadResult struct {
	Capacity         float64    `json:"capacity"` // questions a second
	Half             loadResult `json:"half"`
	Thrice           loadResult `json:"thrice"`
	QuietAlone       loadResult `json:"quietAlone"`
	QuietBeside      loadResult `json:"quietBeside"` // another organization, which asks as much as it may
	QuietBesideNoisy loadResult `json:"quietBesideNoisy"`
	MemoryBefore     int64      `json:"memoryBefore"` // all of these, in bytes
	MemoryAfter      int64      `json:"memoryAfter"`
}

// loadResult is the outcome of requests at a rate.
type loadResult struct {
	PerSecond float64          `json:"perSecond"` // that were answered
	Accepted  loadtest.Latency `json:"accepted"`
	Refused   loadtest.Latency `json:"refused"`   // with 429 or 503, and Retry-After
	Failed    uint64           `json:"failed"`    // all others
	Late      float64          `json:"lateP99Ms"` // how late the requests were sent, which is no part of their latency
}

type trickleResult struct {
	PerSecond float64          `json:"perSecond"` // messages sent
	Readers   int              `json:"readers"`
	Before    loadtest.Latency `json:"before"` // of the readers
	During    loadtest.Latency `json:"during"`
	Lag       loadtest.Latency `json:"lag"` // age of the oldest message that no answer counts yet
	MaxLag    float64          `json:"maxLagMs"`
}

type loaderResult struct {
	Messages        int     `json:"messages"`
	Records         int     `json:"records"`
	LoadPerSecond   float64 `json:"loadPerSecond"` // messages
	InsertPerSecond float64 `json:"insertPerSecond"`
	LoadToInsert    float64 `json:"loadToInsert"`
	PeakMemory      int64   `json:"peakMemory"` // of the loader's process
}

func newReport(o options) *report {
	load, _ := os.ReadFile("/proc/loadavg") // other systems have no such file
	return &report{
		Started: time.Now().UTC(), Messages: o.Messages,
		Machine: machine{
			System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version(),
			Load: strings.TrimSpace(string(load)),
		},
	}
}
