package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	leastRounds = 3                       // however long they take
	plainTime   = 1500 * time.Millisecond // of all plain queries of one question, beyond which leastRounds are enough
)

// queryCase is one question and the latencies of its answers.
type queryCase struct {
	window, filter         string
	question               stats.Question
	warm, cold, plain, one loadtest.Latencies
	want                   *stats.Figures // what was answered first
}

func newQueryCases(db *database) []*queryCase {
	var cases []*queryCase
	for _, w := range windows {
		for _, f := range filters(db.org) {
			c := &queryCase{window: w.name, filter: f.name, question: w.question(db.org)}
			f.apply(&c.question)
			cases = append(cases, c)
		}
	}
	return cases
}

func (c *queryCase) String() string        { return c.window + ", " + c.filter }
func (c *queryCase) asked() stats.Question { return c.question }

// measureQueries asks questions about windows as a whole.
func (b *bench) measureQueries(ctx context.Context, db *database) error {
	cases := newQueryCases(db)
	if err := inRounds(ctx, b, db, cases); err != nil {
		return err
	}
	for _, c := range cases {
		b.report.Queries = append(b.report.Queries, c.result())
	}
	b.report.printQueries(b.out)
	return nil
}

// measured is a question whose latencies are measured.
type measured interface {
	fmt.Stringer
	asked() stats.Question
	ask(ctx context.Context, db *database) error // once in each way
}

// inRounds asks all questions in rounds, each time in another order, so that whatever else the machine does meanwhile
// affects all of them.
func inRounds[C measured](ctx context.Context, b *bench, db *database, cases []C) error {
	b.log.Info("asking", "questions", len(cases), "rounds", b.Rounds)
	for _, c := range cases { // not counted: it fills the caches of the system and of ClickHouse
		if _, err := db.answer(ctx, c.asked()); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	random := rand.New(rand.NewPCG(1, 0))
	started := time.Now()
	for round := range b.Rounds {
		if round >= leastRounds && time.Since(started) > b.QueryTime {
			b.log.Warn("the time for questions is over", "rounds", round)
			break
		}
		for _, i := range random.Perm(len(cases)) {
			if err := cases[i].ask(ctx, db); err != nil {
				return fmt.Errorf("%s: %w", cases[i], err)
			}
		}
		b.log.Info("asked", "round", round+1, "of", b.Rounds, "time", time.Since(started).Round(time.Second))
	}
	return nil
}

// ask asks once in each way, and compares the answers.
func (c *queryCase) ask(ctx context.Context, db *database) error {
	cold, err := db.coldStore(ctx)
	if err != nil {
		return err
	}
	err = c.timed(&c.cold, "the answer", func() (stats.Figures, error) { return answer(ctx, cold, c.question) })
	if err == nil {
		err = c.timed(&c.warm, "the answer from memory", func() (stats.Figures, error) { return answer(ctx, cold, c.question) })
	}
	if err == nil && (c.plain.Count < leastRounds || c.plain.Total() < plainTime) {
		err = c.timed(&c.plain, "the plain query", func() (stats.Figures, error) {
			a, err := db.plain(ctx, c.question)
			return a.Figures(), err
		})
	}
	if err == nil {
		err = timed(&c.one, func() error { return db.selectOne(ctx) })
	}
	return err
}

// timed asks in one way, and compares the figures with the first ones, which may have been computed in the other way.
func (c *queryCase) timed(l *loadtest.Latencies, way string, ask func() (stats.Figures, error)) error {
	var figures stats.Figures
	err := timed(l, func() (err error) {
		figures, err = ask()
		return err
	})
	if err != nil {
		return err
	}
	if c.want == nil {
		c.want = &figures
	}
	if figures != *c.want {
		return fmt.Errorf("WRONG ANSWER to %+v: %s gives\n%+v, and before came\n%+v", c.question, way, figures, *c.want)
	}
	return nil
}

func (c *queryCase) result() queryResult {
	r := queryResult{
		Window: c.window, Filter: c.filter, Messages: c.want.MessageCount,
		Cold: c.cold.Summary(), Warm: c.warm.Summary(), Plain: c.plain.Summary(), SelectOne: c.one.Summary(),
		Goal: goals[[2]string{c.window, c.filter}],
	}
	r.Ratio, r.WarmToOne = r.Plain.P50/r.Cold.P50, r.Warm.P50/r.SelectOne.P50
	return r
}

// coldStore returns a store that follows the log of changes, as one that has been running does, but has nothing in
// memory.
func (db *database) coldStore(ctx context.Context) (*stats.Store, error) {
	store := stats.NewStore(db.conn, storeOptions)
	return store, followChanges(ctx, store)
}

// followChanges makes a store read the log of changes if it is not to answer as it is. Services do that once a second,
// and not for the question that is timed.
func followChanges(ctx context.Context, store *stats.Store) error {
	_, err := answer(ctx, store, stats.Question{OrgID: "nobody", From: 0, Until: 1})
	return err
}

// plain answers a question by the plain query, with ClickHouse's own settings.
func (db *database) plain(ctx context.Context, q stats.Question) (stats.Answer, error) {
	ctx, cancel := clickhouse.WithStatement(ctx, clickhouse.Statement{Comment: "orgstats bench", Limits: limits})
	defer cancel()
	return db.store.Plain(ctx, q)
}

// selectOne runs the cheapest possible statement.
func (db *database) selectOne(ctx context.Context) error {
	var one uint8
	return db.conn.QueryRow(ctx, "SELECT 1").Scan(&one)
}
