package source

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// Slot is a replication slot as the source has it.
type Slot struct {
	Plugin, Database, walStatus string
	ActivePID                   int
	Confirmed                   pglogrepl.LSN
	Retained                    int64 // bytes of WAL that it holds
}

// Slot looks a slot up; nil: there is none of that name.
func (c *Catalog) Slot(ctx context.Context, name string) (*Slot, error) {
	s := &Slot{}
	var confirmed string
	err := c.ask(ctx, "slot "+name, `
SELECT coalesce(plugin::text, ''), coalesce(database::text, ''), coalesce(wal_status, ''), coalesce(active_pid, 0),
    coalesce(confirmed_flush_lsn, '0/0')::text,
    coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint
FROM pg_replication_slots
WHERE slot_name = $1`, []any{name}, &s.Plugin, &s.Database, &s.walStatus, &s.ActivePID, &confirmed, &s.Retained)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		s.Confirmed, err = pglogrepl.ParseLSN(confirmed)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// FeedbackInterval returns how often feedback is due: three times within the server's timeout.
func (c *Catalog) FeedbackInterval(ctx context.Context) (time.Duration, error) {
	var milliseconds int64 // 0: there is no timeout
	err := c.ask(ctx, "wal_sender_timeout", "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_sender_timeout'", nil, &milliseconds)
	if err != nil || milliseconds == 0 {
		return time.Second, err
	}
	return min(time.Second, max(time.Duration(milliseconds)*time.Millisecond/3, 10*time.Millisecond)), nil
}

// IsForeign reports whether the slot is not one that the database could be followed by.
func (s *Slot) IsForeign(database string) bool {
	return s.Plugin != OutputPlugin || s.Database != database
}

// Lost reports whether PostgreSQL has thrown away what the slot needs.
func (s *Slot) Lost() bool { return s.walStatus == "lost" }

// OutputPlugin is PostgreSQL's own form of logical replication.
const OutputPlugin = "pgoutput"
