package wal

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// CreateSlot makes a slot; a temporary one goes with its connection, and its snapshot can be used by others while
// nothing else is done on that. PostgreSQL waits for the transactions that run.
func CreateSlot(ctx context.Context, conn *pgconn.PgConn, name string, temporary bool, log *slog.Logger) (at pglogrepl.LSN, snapshot string, err error) {
	slow := time.AfterFunc(5*time.Second, func() {
		log.Info("waiting for running transactions in PostgreSQL to end before the slot can be created", "slot", name)
	})
	defer slow.Stop()
	options := pglogrepl.CreateReplicationSlotOptions{Temporary: temporary, SnapshotAction: "NOEXPORT_SNAPSHOT"}
	if temporary {
		options.SnapshotAction = "EXPORT_SNAPSHOT"
	}
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, name, source.OutputPlugin, options)
	if err == nil {
		at, err = pglogrepl.ParseLSN(made.ConsistentPoint)
	}
	if err != nil {
		return 0, "", fmt.Errorf("create slot %s: %w", name, err)
	}
	return at, made.SnapshotName, nil
}

// DropSlot removes a slot that is of no use any more.
func DropSlot(ctx context.Context, conn *pgconn.PgConn, name string) error {
	if err := pglogrepl.DropReplicationSlot(ctx, conn, name, pglogrepl.DropReplicationSlotOptions{Wait: true}); err != nil {
		return fmt.Errorf("drop slot %s: %w", name, err)
	}
	return nil
}

// Cluster is which PostgreSQL answers, and how far its WAL goes.
type Cluster struct {
	System   string
	Timeline int32
	End      pglogrepl.LSN
}

// Identify asks PostgreSQL which cluster it is, and how far its WAL goes.
func Identify(ctx context.Context, conn *pgconn.PgConn) (Cluster, error) {
	found, err := pglogrepl.IdentifySystem(ctx, conn)
	if err != nil {
		return Cluster{}, fmt.Errorf("ask PostgreSQL which cluster it is: %w", err)
	}
	return Cluster{found.SystemID, found.Timeline, found.XLogPos}, nil
}

// SwitchedAt returns where a later timeline of a cluster left an earlier one.
func SwitchedAt(ctx context.Context, conn *pgconn.PgConn, earlier, later int32) (pglogrepl.LSN, error) {
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
