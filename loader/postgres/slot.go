package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// outputPlugin is PostgreSQL's own form of logical replication.
const outputPlugin = "pgoutput"

// slot is a replication slot as the source has it.
type slot struct {
	plugin, database, walStatus string
	activePID                   int
	confirmed                   pglogrepl.LSN
	retained                    int64 // bytes of WAL that it holds
}

// slot looks a slot up; nil: there is none of that name.
func (c *catalog) slot(ctx context.Context, name string) (*slot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &slot{}
	var confirmed string
	err := c.conn.QueryRow(ctx, `
SELECT coalesce(plugin::text, ''), coalesce(database::text, ''), coalesce(wal_status, ''), coalesce(active_pid, 0),
    coalesce(confirmed_flush_lsn, '0/0')::text,
    coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint
FROM pg_replication_slots
WHERE slot_name = $1`, name).Scan(&s.plugin, &s.database, &s.walStatus, &s.activePID, &confirmed, &s.retained)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		s.confirmed, err = pglogrepl.ParseLSN(confirmed)
	}
	if err != nil {
		return nil, fmt.Errorf("look up slot %s: %w", name, err)
	}
	return s, nil
}

// feedbackTime is how often the server wants to hear of who follows it: three times before it gives up.
func (c *catalog) feedbackTime(ctx context.Context) (time.Duration, error) {
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

// foreign tells whether the slot is not one that the database could be followed by.
func (s *slot) foreign(database string) bool {
	return s.plugin != outputPlugin || s.database != database
}

// lost tells whether PostgreSQL has thrown away what the slot needs.
func (s *slot) lost() bool { return s.walStatus == "lost" }

// createSlot makes a slot; a temporary one goes with its connection, and its snapshot can be taken over while nothing
// else is done on that.
func createSlot(ctx context.Context, conn *pgconn.PgConn, name string, temporary bool) (at pglogrepl.LSN, snapshot string, err error) {
	options := pglogrepl.CreateReplicationSlotOptions{Temporary: temporary, SnapshotAction: "NOEXPORT_SNAPSHOT"}
	if temporary {
		options.SnapshotAction = "EXPORT_SNAPSHOT"
	}
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, name, outputPlugin, options)
	if err == nil {
		at, err = pglogrepl.ParseLSN(made.ConsistentPoint)
	}
	if err != nil {
		return 0, "", fmt.Errorf("create slot %s: %w", name, err)
	}
	return at, made.SnapshotName, nil
}

// dropSlot removes a slot that is of no use any more.
func dropSlot(ctx context.Context, conn *pgconn.PgConn, name string) error {
	if err := pglogrepl.DropReplicationSlot(ctx, conn, name, pglogrepl.DropReplicationSlotOptions{Wait: true}); err != nil {
		return fmt.Errorf("drop slot %s: %w", name, err)
	}
	return nil
}

// cluster is which PostgreSQL answers, and how far its log goes.
type cluster struct {
	system   string
	timeline int32
	end      pglogrepl.LSN
}

func identify(ctx context.Context, conn *pgconn.PgConn) (cluster, error) {
	found, err := pglogrepl.IdentifySystem(ctx, conn)
	if err != nil {
		return cluster{}, fmt.Errorf("ask PostgreSQL which cluster it is: %w", err)
	}
	return cluster{found.SystemID, found.Timeline, found.XLogPos}, nil
}

// switchedAt is where a later timeline of a cluster left an earlier one.
func switchedAt(ctx context.Context, conn *pgconn.PgConn, earlier, later int32) (pglogrepl.LSN, error) {
	history, err := pglogrepl.TimelineHistory(ctx, conn, later)
	if err != nil {
		return 0, fmt.Errorf("read the history of timeline %d: %w", later, err)
	}
	for line := range strings.Lines(string(history.Content)) {
		parts := strings.Fields(line)
		if len(parts) >= 2 && parts[0] == strconv.Itoa(int(earlier)) {
			return pglogrepl.ParseLSN(parts[1])
		}
	}
	return 0, nil // the timeline is not one of its ancestors
}
