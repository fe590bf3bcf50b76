package replica

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// plan is what a batch writes. It is made without writing anything: from what is stored, and from what the batch
// before, which may be under way still, is going to store.
type plan struct {
	batch         *Batch
	conversations []*conversation
	memberNumbers map[index.OwnedID]uint32 // of the members' users
	users, agents []index.Assignment       // that conversations and members use and that are not written yet
	arrivals      []arrival
	messages      change
	changed       Changed
}

// writing is a batch under way. Once done is closed, the outcome is there.
type writing struct {
	*plan
	done    chan struct{}
	next    atomic.Bool // another batch follows at once: noting that begins notes that this one is finished
	changed Changed
	err     error
}

// Apply writes a batch and returns what it changed. When it returns without error, everything is durable. After an
// error the writer must be closed; the batch can then be applied again by a new one.
func (w *Writer) Apply(ctx context.Context, b *Batch) (Changed, error) {
	if _, err := w.Begin(ctx, b); err != nil {
		return Changed{}, err
	}
	return w.Wait()
}

// Begin plans a batch while the one before is being written, waits for that one, returns what it changed, and begins to
// write the batch, which must not change any more. After an error the writer must be closed; both batches can
// then be applied again by a new one.
func (w *Writer) Begin(ctx context.Context, b *Batch) (before Changed, err error) {
	p, err := w.plan(ctx, b)
	if err != nil {
		return Changed{}, err
	}
	if w.writing != nil {
		w.writing.next.Store(true)
		if err := w.writeAhead(ctx, p); err != nil {
			return Changed{}, err
		}
	}
	if before, err = w.Wait(); err != nil {
		return Changed{}, err
	}
	w.batch++
	w.writing = &writing{plan: p, done: make(chan struct{})}
	go w.writing.run(ctx, w)
	return before, nil
}

// writeAhead writes, while the batch before is being written, those rows of a plan that show nowhere yet: the locations
// of messages to come and, as long as no message follows them, conversations. It does no harm if the plan is never
// written.
func (w *Writer) writeAhead(ctx context.Context, p *plan) error {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		err := w.messages.locations.Write(ctx, p.messages.entries, p.messages.location)
		p.messages.entries = nil
		return err
	})
	if len(p.arrivals) == 0 {
		both.Go(func() error {
			if err := w.conversations.writeNumbers(ctx, p.users, p.agents); err != nil {
				return err
			}
			err := w.conversations.write(ctx, w.batch+1, p.conversations)
			p.users, p.agents, p.conversations = nil, nil, nil
			return err
		})
	}
	return both.Wait()
}

// Wait waits for the batch under way, if there is one, and returns what it changed: everything of it is durable then.
func (w *Writer) Wait() (Changed, error) {
	if w.writing == nil {
		return Changed{}, nil
	}
	<-w.writing.done
	changed, err := w.writing.changed, w.writing.err
	if err == nil {
		w.writing = nil
	}
	return changed, err
}

// plan plans a batch.
func (w *Writer) plan(ctx context.Context, b *Batch) (*plan, error) {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	if err := w.waitIf(func(before *plan) bool { return len(before.arrivals) > 0 }); err != nil {
		return nil, err
	}
	candidates, err := w.messages.locations.Expect(ctx, b.messages().hashes)
	if err != nil {
		return nil, err
	}
	if err := w.waitIf(func(before *plan) bool { return before.batch.hasAny(b, candidates) }); err != nil {
		return nil, err
	}
	w.conversations.turn()
	p := &plan{batch: b}
	if err := w.planConversations(ctx, p); err != nil {
		return nil, err
	}
	return p, w.planMessages(ctx, p, candidates)
}

// waitIf waits for the batch under way if a plan must: it would look up what that one writes, or that one looks up and
// writes what is not in its plan, as it does with the messages of arrivals.
func (w *Writer) waitIf(concerns func(before *plan) bool) error {
	if w.writing == nil || !concerns(w.writing.plan) {
		return nil
	}
	<-w.writing.done
	return w.writing.err
}

func (w *Writer) planConversations(ctx context.Context, p *plan) error {
	records := p.batch.conversations().list
	candidates, err := w.conversations.presence.Expect(ctx, p.batch.conversations().hashes)
	if err != nil {
		return err
	}
	known, err := w.conversations.find(ctx, columnOf(candidates, func(i int32) string { return records[i].ID }))
	if err != nil {
		return err
	}
	if p.conversations, err = w.conversations.changed(ctx, records, known); err != nil {
		return err
	}
	if p.memberNumbers, err = w.conversations.users.Assign(ctx, usersOf(p.batch.members().list)); err != nil {
		return err
	}
	p.users, p.agents = w.conversations.users.Assigned(), w.conversations.agents.Assigned()
	p.arrivals = w.arrivals(p.conversations, known)
	p.changed[record.KindConversation] = len(p.conversations)
	return nil
}

// planChunk is how many messages may be looked up at once: what is stored of them needs more memory than they do.
const planChunk = 50_000

// planMessages plans the messages, given the indexes of those in the batch that may be stored.
func (w *Writer) planMessages(ctx context.Context, p *plan, candidates []int32) error {
	list, hashes := p.batch.messages().list, p.batch.messages().hashes
	c := &p.messages
	c.rows, c.entries = make([]message, 0, len(list)), make([]index.Entry, 0, len(list))
	chunk := len(list)
	if len(candidates) > planChunk {
		chunk = planChunk
	}
	for start := 0; start < len(list); start += chunk {
		end := min(start+chunk, len(list))
		n, _ := slices.BinarySearch(candidates, int32(end))
		stored, err := w.messages.find(ctx, columnOf(candidates[:n], func(i int32) string { return list[i].ID }))
		if err != nil {
			return err
		}
		candidates = candidates[n:]
		records := list[start:end]
		known, err := w.conversations.find(ctx, conversationsNamed(records, stored))
		if err != nil {
			return err
		}
		p.changed[record.KindMessage] += c.add(records, hashes[start:end], stored, known)
	}
	w.messages.waiting.note(c.rows)
	return nil
}

// run writes the batch.
func (p *writing) run(ctx context.Context, w *Writer) {
	defer close(p.done)
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	p.changed, p.err = w.write(ctx, p)
}

func (w *Writer) write(ctx context.Context, p *writing) (changed Changed, err error) {
	if err := w.noteBegun(ctx); err != nil {
		return changed, err
	}
	if err := w.merges.batch(ctx, p.batch.Len()); err != nil {
		return changed, err
	}
	if err := w.conversations.writeNumbers(ctx, p.users, p.agents); err != nil {
		return changed, err
	}
	changed = p.plan.changed
	both, bothCtx := errgroup.WithContext(ctx)
	both.Go(func() error { return w.writeMessages(bothCtx, p.plan) })
	both.Go(func() error {
		for kind, t := range w.tables {
			n, err := t.apply(bothCtx, w.batch, p.plan)
			if err != nil {
				return err
			}
			changed[kind] += n
		}
		return nil
	})
	if err := both.Wait(); err != nil {
		return changed, err
	}
	return changed, w.end(ctx, p)
}

// writeMessages writes the conversations and the messages.
func (w *Writer) writeMessages(ctx context.Context, p *plan) error {
	err := w.messages.write(ctx, w.batch, p.messages, func(ctx context.Context) error {
		return w.conversations.write(ctx, w.batch, p.conversations)
	})
	if err != nil {
		return err
	}
	return w.follow(ctx, w.batch, p.arrivals)
}

// end notes that everything of the batch is written. Either note may be the last: whoever opens the replicas next
// writes the other.
func (w *Writer) end(ctx context.Context, p *writing) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return w.rollups.Written(ctx) })
	both.Go(func() error {
		if p.next.Load() {
			return nil
		}
		return w.finish(ctx)
	})
	return both.Wait()
}

// conversationsNamed returns the ids of all conversations that messages are of, or were.
func conversationsNamed(records []*record.Message, stored storedMessages) []string {
	ids := stored.conversations()
	last := "" // messages of a conversation often come one after the other
	for _, r := range records {
		if r.ConversationID != last {
			last = r.ConversationID
			ids = append(ids, last)
		}
	}
	return ids
}
