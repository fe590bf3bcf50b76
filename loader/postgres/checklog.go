package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

const (
	tryTime    = 30 * time.Second // how long a check reads the log,
	tryChanges = 500_000          // and how many changes of it
)

// peekSQL reads what the slot would send, without taking it: announcements of tables and beginnings of transactions as
// they are, and of rows just the kind of change and the table.
const peekSQL = `
SELECT CASE WHEN get_byte(data, 0) IN (ascii('R'), ascii('B')) THEN data ELSE substring(data FROM 1 FOR 5) END
FROM pg_logical_slot_peek_binary_changes($1, NULL, $2, 'proto_version', '1', 'publication_names', $3)
WHERE get_byte(data, 0) IN (ascii('R'), ascii('B'), ascii('I'), ascii('U'), ascii('D'))`

// log tries whether the changes that are next in the log can be taken: tables may have been other ones when they were
// made.
func (c *checking) log(ctx context.Context) error {
	const what = "the changes that are next in the log can be taken"
	switch {
	case !c.state.known || c.found == nil || c.bound == nil || c.found.lost() || slices.Contains(c.Resync, resyncAll):
		return nil
	case c.found.activePID != 0:
		c.right("the log is being followed now (process %d of PostgreSQL)", c.found.activePID)
		return nil
	}
	now, err := c.end(ctx)
	if err != nil {
		return err
	}
	s := &stream{catalog: c.catalog, tables: c.bound, base: c.state.source.base, after: c.state.source.confirmed, floors: c.state.floors(), layouts: map[uint32]*layout{}}
	for _, t := range c.bound {
		if slices.ContainsFunc(c.Resync, t.IsNamed) {
			s.floors[t.FullName()] = s.base + uint64(now)
		}
	}
	read, err := c.peek(ctx, s)
	var unfit Problem
	fatal, cannot := errors.AsType[*fatalError](err)
	switch {
	case cannot:
		unfit.What = fatal.sentence
	case errors.As(err, &unfit):
	case errors.Is(err, context.DeadlineExceeded):
		c.note("%s, as far as could be read in %s", what, tryTime)
		return nil
	case err != nil:
		return fmt.Errorf("read ahead in the log of slot %s: %w", c.Slot, err)
	default:
		c.right("%s (%d changes were read)", what, read)
		return nil
	}
	c.wrong(what, unfit)
	return nil
}

func (c *checking) end(ctx context.Context) (pglogrepl.LSN, error) {
	var end string
	if err := c.ask(ctx, "the end of the log", "SELECT pg_current_wal_flush_lsn()::text", &end); err != nil {
		return 0, err
	}
	return pglogrepl.ParseLSN(end)
}

// peek reads ahead in the log, on a connection of its own: what is met is looked up on the other one.
func (c *checking) peek(ctx context.Context, s *stream) (changes int, err error) {
	conn, err := connect(ctx, c.URL)
	if err != nil {
		return 0, err
	}
	defer closeQuietly(conn)
	// Rows are read ahead as they will be sent: as they are.
	if _, err := conn.Exec(ctx, laterSettings(true)); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	rows, err := conn.Query(ctx, peekSQL, pgx.QueryExecModeExec, c.Slot, tryChanges, identifier(c.Publication))
	if err != nil {
		return 0, err
	}
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&data}, func() error {
		changes++
		return s.try(ctx, data)
	})
	if ctx.Err() != nil {
		return changes, context.DeadlineExceeded
	}
	return changes, err
}

// try finds out whether a message of the log could be taken. Of changes there is only the beginning.
func (s *stream) try(ctx context.Context, data []byte) error {
	switch kind := pglogrepl.MessageType(data[0]); kind {
	case pglogrepl.MessageTypeInsert, pglogrepl.MessageTypeUpdate, pglogrepl.MessageTypeDelete:
		if len(data) < 5 {
			return errShort
		}
		_, err := s.wants(s.layouts[binary.BigEndian.Uint32(data[1:])], kind)
		return err
	}
	return s.message(ctx, data)
}
