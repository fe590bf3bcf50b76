package replica

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
)

// Compute computes the figures of all stale hours. Until then, readers read them from the messages.
func (w *Writer) Compute(ctx context.Context) error {
	if w.rollups.Stale() == 0 {
		return nil
	}
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	many, err := w.rollups.Compute(ctx)
	if err != nil {
		return err
	}
	return w.merges.computed(ctx, many)
}

// MarkAll marks all hours of the organizations as stale, those of every organization if none is given: Compute then
// computes them anew, and readers read them from the messages meanwhile.
func (w *Writer) MarkAll(ctx context.Context, organizations []string) error {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	return w.rollups.MarkAll(ctx, organizations)
}

// Stale returns the number of hours that wait to be computed.
func (w *Writer) Stale() int { return w.rollups.Stale() }

// rollupWriter is the writer as package rollup sees it.
type rollupWriter struct{ w *Writer }

func (r rollupWriter) BeginStep(ctx context.Context) (uint64, error) {
	r.w.batch++
	return r.w.batch, r.w.noteBegun(ctx)
}

func (r rollupWriter) EndStep(ctx context.Context) error { return r.w.finish(ctx) }

func (r rollupWriter) Messages() string { return r.w.messages.current() }

func (r rollupWriter) Connect(ctx context.Context) (clickhouse.Conn, error) {
	return r.w.options.connect(ctx, clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
}
