package snapshot

import (
	"log/slog"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/record"
)

// Copies are the copies of tables that are under way in a session.
type Copies struct {
	Options
	Jobs    []*Job
	Results chan *Copied // what was read, for the writer
	point   pglogrepl.LSN

	began      time.Time // when the first row was asked for
	doneBefore int       // chunks that were done before

	// What the WAL deleted while rows were being copied: a row that was deleted after the snapshot, and before it was
	// copied, must not come back.
	deleted   map[wal.RowKey]uint64
	truncated map[string]uint64
}

// Options say what to copy from, and how.
type Options struct {
	URL     string
	Slot    string // names of temporary slots begin with it
	Workers int    // connections that read rows at the same time
	Base    uint64 // of positions, as sourceState has it
	Log     *slog.Logger
}

// New returns copies without jobs.
func New(o Options) *Copies {
	return &Copies{Options: o, Results: make(chan *Copied, 2), deleted: map[wal.RowKey]uint64{}, truncated: map[string]uint64{}}
}

// Copied is what a copy hands to the writer, in order: how a table is to be copied, its rows, and in the end, where
// several rows may share a record, the identities of the records that are shared.
type Copied struct {
	*wal.Changes          // the rows; nil beside a layout
	Job          *Job     // of the table whose rows they are
	Done         []*Chunk // chunks that are complete with these rows
	Layout       *Layout
	Shared       bool // there are no rows, but identities
	Asked        []record.Identity
}

// Job is the copy of one table.
type Job struct {
	Table *source.Table

	Copying bool         // when the session began: there are rows to copy,
	Files   source.Files // and an earlier copy was of these files

	Chunks  []*Chunk
	left    int  // chunks that are not done
	shared  bool // it is still to be found out which rows share a record
	laidOut bool
}

// NoteDeletions remembers what a batch of the WAL deletes.
func (c *Copies) NoteDeletions(w *wal.Changes) {
	for _, row := range w.Deleted {
		c.deleted[row] = w.Position
	}
	for _, t := range w.Truncated {
		c.truncated[t.FullName()] = w.Position
	}
}

// IsDeleted reports whether a row that was copied under a snapshot was deleted since.
func (c *Copies) IsDeleted(t *source.Table, key string, position uint64) bool {
	return c.deleted[wal.RowKey{Table: t.FullName(), Key: key}] > position || c.truncated[t.FullName()] > position
}

// Progress is how far the copies of tables are.
type Progress struct {
	Running     bool
	Rows        uint64        // copied by this session
	Rate        float64       // rows a second
	Chunks, All int           // chunks done, of how many
	Remaining   time.Duration // estimate; 0 when not known
}

// Progress returns how far the copies are once this many rows are written.
func (c *Copies) Progress(rows uint64) Progress {
	p := Progress{Running: true, Rows: rows}
	left := 0
	for _, j := range c.Jobs {
		if j.laidOut {
			p.All += len(j.Chunks)
			left += j.left
		}
	}
	p.Chunks = p.All - left
	if elapsed := time.Since(c.began); !c.began.IsZero() && p.Rows > 0 {
		p.Rate = float64(p.Rows) / elapsed.Seconds()
		if done := p.Chunks - c.doneBefore; done > 0 {
			p.Remaining = time.Duration(float64(elapsed) / float64(done) * float64(left))
		}
	}
	return p
}

// Begin notes that the layout of a table's copy is stored: its rows may come.
func (c *Copies) Begin(l *Layout) {
	j := l.Job
	j.laidOut = true
	if c.doneBefore += len(j.Chunks) - j.left; c.began.IsZero() {
		c.began = time.Now()
	}
	close(l.noted)
}

// Wrote notes that rows, or what they share, are written.
func (w *Copied) Wrote() {
	w.Job.left -= len(w.Done)
	if w.Shared {
		w.Job.shared = false
	}
}

// Complete reports whether every row of the table is written.
func (j *Job) Complete() bool { return j.laidOut && j.left == 0 && !j.shared }
