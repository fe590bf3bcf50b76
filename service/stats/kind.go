package stats

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
)

// Kinds of plans, and of the statements that answer by them. Ragged ends of windows are read from the messages by all.
const (
	KindCells    = "cells"
	KindActivity = "activity"
	KindRaw      = "raw"   // the messages alone
	KindState    = "state" // no plan: what the loader says of the organization
)

// Kind tells what the plan is made of.
func (p Plan) Kind() string {
	for _, part := range p.Parts {
		switch part.Source {
		case Months, Days, Hours:
			return KindCells
		case UserMonths, Activity:
			return KindActivity
		}
	}
	return KindRaw
}

// planned is the context of the statements of a plan.
func planned(ctx context.Context, kind string) context.Context {
	accountOf(ctx).note(func(c *Costs) { c.Plan = kind })
	return clickhouse.Named(ctx, kind)
}
