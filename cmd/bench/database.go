package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/loader/retry"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/schema"
	"github.com/orgstats/orgstats/service/stats"
)

// limits leave enough time for the plain query of a large organization.
var limits = clickhouse.Limits{Time: 5 * time.Minute}

// storeOptions are what `orgstats serve` has by default, except for the limits: of --memory, seven eighths are kept.
var storeOptions = stats.Options{Limits: limits, Memory: 448 << 20, MaxAge: time.Second}

type database struct {
	engine *engine.Engine
	conn   clickhouse.Conn
	store  *stats.Store
	org    sample.Organization // the largest
}

// withDatabase starts the engine, loads the records unless they are there already, and runs do.
func (b *bench) withDatabase(ctx context.Context, do func(*database) error) (err error) {
	e, err := b.startEngine(ctx, b.dir.file("data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := b.fill(ctx, e); err != nil {
		return err
	}
	conn, err := clickhouse.Open(ctx, e.URL(), clickhouse.Pool{MaxOpen: b.Clients, MaxIdle: b.Clients})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := b.awaitMerges(ctx, conn); err != nil {
		return err
	}
	if err := b.measureSizes(ctx, conn); err != nil {
		return err
	}
	return do(&database{engine: e, conn: conn, store: stats.NewStore(conn, storeOptions), org: b.dir.contents.Summary.Organizations[0]})
}

func (b *bench) startEngine(ctx context.Context, dataDir string) (*engine.Engine, error) {
	e, err := engine.Start(ctx, engine.Options{DataDir: dataDir})
	if err != nil {
		return nil, err
	}
	b.report.Machine.Engine = e.Version()
	if _, err := schema.Up(ctx, e.URL()); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// fill loads the records, unless the directory has them already.
func (b *bench) fill(ctx context.Context, e *engine.Engine) error {
	if b.dir.contents.Loaded {
		b.log.Info("the records are there already", "directory", b.dir.path)
		return nil
	}
	if err := b.dir.write(); err != nil {
		return err
	}
	b.log.Info("loading the records", "messages", b.Messages, "directory", b.dir.path)
	started := time.Now()
	made, err := sample.Feed(ctx, b.dir.contents.Options, func(records io.Reader) error {
		return b.load(ctx, e, loader.Input{Path: "sample records", Reader: records})
	})
	if err != nil {
		return fmt.Errorf("load the records: %w", err)
	}
	b.dir.contents.Loaded, b.dir.contents.Summary = true, made
	b.log.Info("loaded", "messages", made.Messages, "time", time.Since(started).Round(time.Second))
	return b.dir.write()
}

// progressEvery is the interval at which a long step prints its progress.
const progressEvery = 5 * time.Second

// load loads one input to its end, and prints its progress.
func (b *bench) load(ctx context.Context, e *engine.Engine, input loader.Input) error {
	progress := &loader.Progress{}
	loading, loaded := context.WithCancel(ctx)
	defer loaded()
	go func() {
		for retry.Wait(loading, progressEvery) == nil {
			s := progress.State()
			b.log.Info("loading", "records", s.Records, "a_second", int(s.Rate))
		}
	}()
	summary, err := loader.Load(ctx, loader.Options{
		Inputs: []loader.Input{input}, Replicas: replica.Options{URL: e.URL()}, Rejects: b.dir.file("rejects.ndjson"), Log: b.log, Progress: progress,
	})
	if err == nil && summary.Rejected() > 0 {
		err = fmt.Errorf("%d records were rejected; see %s", summary.Rejected(), summary.Rejects)
	}
	return err
}

const (
	mergePatience = 3 * time.Minute // merges may run for longer; then they are part of the measurement
	mergeCheck    = 500 * time.Millisecond
	mergesQuiet   = 4 // checks in a row without a merge, because one may be followed by another
)

// awaitMerges waits until ClickHouse has merged the parts that the load left, so that each run measures the same data.
func (b *bench) awaitMerges(ctx context.Context, conn clickhouse.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, mergePatience)
	defer cancel()
	b.log.Info("waiting for merges to end")
	for quiet := 0; quiet < mergesQuiet; quiet++ {
		var merges uint64
		err := conn.QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges)
		if merges > 0 {
			quiet = -1
		}
		if ended := retry.Wait(ctx, mergeCheck); ended != nil {
			err = ended
		}
		if errors.Is(err, context.DeadlineExceeded) {
			b.log.Warn("merges are still under way")
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// answer answers a question from memory, as far as it is there.
func (db *database) answer(ctx context.Context, q stats.Question) (stats.Figures, error) {
	return answer(ctx, db.store, q)
}

func answer(ctx context.Context, store *stats.Store, q stats.Question) (stats.Figures, error) {
	a, err := store.Answer(ctx, stats.Request{Question: q})
	return a.Figures(), err
}

// measureSizes looks up the sizes of the tables on disk.
func (b *bench) measureSizes(ctx context.Context, conn clickhouse.Conn) error {
	bytes := map[string]uint64{}
	err := clickhouse.ForEach(ctx, conn, `
SELECT table, sum(rows), count(), sum(bytes_on_disk)
FROM system.parts
WHERE database = currentDatabase() AND active
GROUP BY table
ORDER BY sum(bytes_on_disk) DESC`, func(scan clickhouse.Scan) error {
		var t tableSize
		if err := scan(&t.Table, &t.Rows, &t.Parts, &t.Bytes); err != nil {
			return err
		}
		bytes[t.Table] = t.Bytes
		b.report.Sizes.Tables = append(b.report.Sizes.Tables, t)
		return nil
	})
	if err != nil {
		return err
	}
	if bytes["messages"] == 0 {
		return fmt.Errorf("the table messages is empty; remove %s and try again", b.dir.path)
	}
	b.report.Sizes.CellsToMessages = float64(bytes["stats_cells"]+bytes["user_activity"]) / float64(bytes["messages"])
	b.report.printSizes(b.out)
	return nil
}
