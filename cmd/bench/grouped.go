package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service/stats"
)

// groupedCase is a question about the year that is grouped, and the latencies of its answers.
type groupedCase struct {
	grouping, filter                        string
	question, whole                         stats.Question // whole is the same one, not grouped
	warm, cold, plain, statsCold, statsWarm loadtest.Latencies
	want                                    *stats.Answer // what was answered first
	goal                                    *groupedGoal
}

func (c *groupedCase) String() string        { return c.grouping + ", " + c.filter }
func (c *groupedCase) asked() stats.Question { return c.question }

// measureGrouped asks questions that are grouped, each beside the same one about the window as a whole.
func (b *bench) measureGrouped(ctx context.Context, db *database) error {
	cases, err := newGroupedCases(db.org)
	if err != nil {
		return err
	}
	if err := inRounds(ctx, b, db, cases); err != nil {
		return err
	}
	for _, c := range cases {
		b.report.Grouped = append(b.report.Grouped, c.result())
	}
	b.report.printGrouped(b.out)
	return nil
}

// ask asks once in each way, and compares the answers.
func (c *groupedCase) ask(ctx context.Context, db *database) error {
	for _, pair := range []struct {
		question   stats.Question
		cold, warm *loadtest.Latencies
	}{{c.whole, &c.statsCold, &c.statsWarm}, {c.question, &c.cold, &c.warm}} {
		store, err := db.coldStore(ctx)
		if err != nil {
			return err
		}
		for _, l := range []*loadtest.Latencies{pair.cold, pair.warm} {
			if err := followChanges(ctx, store); err != nil {
				return err
			}
			err := c.timed(l, pair.question, func() (stats.Answer, error) {
				return store.Answer(ctx, stats.Request{Question: pair.question})
			})
			if err != nil {
				return err
			}
		}
	}
	if c.plain.Count >= leastRounds && c.plain.Total() >= plainTime {
		return nil
	}
	return c.timed(&c.plain, c.question, func() (stats.Answer, error) { return db.plain(ctx, c.question) })
}

// timed asks in one way, and compares the answer with the first one to the same question, which may have been computed
// in another way.
func (c *groupedCase) timed(l *loadtest.Latencies, q stats.Question, ask func() (stats.Answer, error)) error {
	var a stats.Answer
	err := timed(l, func() (err error) {
		a, err = ask()
		return err
	})
	if err != nil || q != c.question {
		return err
	}
	if c.want == nil {
		c.want = &a
	}
	if !reflect.DeepEqual(a, *c.want) {
		return fmt.Errorf("WRONG ANSWER to %+v:\n%+v, and before came\n%+v", q, a, *c.want)
	}
	return nil
}

func (c *groupedCase) result() groupedResult {
	r := groupedResult{
		Grouping: c.grouping, Filter: c.filter, Rows: max(len(c.want.Rows), len(c.want.Total.Window.Series)), Goal: c.goal,
		Cold: c.cold.Summary(), Warm: c.warm.Summary(), Plain: c.plain.Summary(),
		StatsCold: c.statsCold.Summary(), StatsWarm: c.statsWarm.Summary(),
	}
	r.ToStats, r.PlainRatio = r.Warm.P50/r.StatsWarm.P50, r.Plain.P50/r.Warm.P50
	return r
}
