package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/loader/postgres"
)

// replicationTarget is the ClickHouse that a replication writes to. It is opened on demand, so that a replicator
// survives failures of ClickHouse while it starts, too.
type replicationTarget struct {
	flags    *databaseFlags
	log      *slog.Logger
	db       *database // nil: it was never open
	migrated bool
}

// open returns the URL of the database, with its schema migrated to the latest version. An embedded engine that has
// ended is restarted.
func (t *replicationTarget) open(ctx context.Context) (url string, err error) {
	if t.db == nil {
		if t.db, err = t.flags.open(ctx, t.log); errors.Is(err, engine.ErrKilled) {
			err = fmt.Errorf("%w: %w", postgres.ErrEngineGone, err)
		}
	} else {
		err = t.reopen(ctx)
	}
	if err != nil {
		return "", err
	}
	if !t.migrated {
		if err := t.db.migrate(ctx, t.log); err != nil {
			return "", err
		}
		t.migrated = true
	}
	return t.db.url, nil
}

// reopen restarts the engine if it has ended. It could be started before, so that whatever prevents that now may pass.
func (t *replicationTarget) reopen(ctx context.Context) error {
	select {
	case <-t.db.gone():
	default:
		return nil
	}
	t.log.Warn("the ClickHouse engine has ended; starting it again", "error", t.db.engine.Err())
	_ = t.db.engine.Close() // it has ended
	again, err := t.flags.open(ctx, t.log)
	if err != nil {
		return fmt.Errorf("%w: %w", postgres.ErrEngineGone, err)
	}
	t.db = again
	return nil
}

func (t *replicationTarget) close() error {
	if t.db == nil {
		return nil
	}
	return t.db.close()
}
