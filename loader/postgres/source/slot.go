package source

import (
	"context"
	"errors"
	"fmt"
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
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &Slot{}
	var confirmed string
	err := c.conn.QueryRow(ctx, `
SELECT coalesce(plugin::text, ''), coalesce(database::text, ''), coalesce(wal_status, ''), coalesce(active_pid, 0),
    coalesce(confirmed_flush_lsn, '0/0')::text,
    coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint
FROM pg_replication_slots
WHERE slot_name = $1`, name).Scan(&s.Plugin, &s.Database, &s.walStatus, &s.ActivePID, &confirmed, &s.Retained)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		s.Confirmed, err = pglogrepl.ParseLSN(confirmed)
	}
	if err != nil {
		return nil, fmt.Errorf("look up slot %s: %w", name, err)
	}
	return s, nil
}

// FeedbackInterval returns how often the server wants to hear of who follows it: three times before it gives up.
func (c *Catalog) FeedbackInterval(ctx context.Context) (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var milliseconds int64 // 0: it never gives up
	err := c.conn.QueryRow(ctx, "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_sender_timeout'").Scan(&milliseconds)
	if err != nil {
		return 0, fmt.Errorf("look up wal_sender_timeout: %w", err)
	}
	if milliseconds == 0 {
		return time.Second, nil
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
