package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica"
)

// backupFlags configure where a backup is stored.
type backupFlags struct {
	databaseFlags
	Place string `arg:"" name:"backup" help:"With the embedded engine, a path: a new directory, or a file whose name ends in .tar. With --clickhouse-url, a name on the server's --disk."`
	Disk  string `help:"The ClickHouse server's disk for backups, which its configuration must allow (backups.allowed_disk)." default:"backups" placeholder:"DISK"`
}

func (f *backupFlags) place(db *database) (clickhouse.BackupPlace, error) {
	if db.engine == nil {
		return clickhouse.BackupPlace{Disk: f.Disk, Name: f.Place}, nil
	}
	path, err := filepath.Abs(f.Place)
	return clickhouse.BackupPlace{Name: path}, err
}

// backupConnections are one for the statement and one to cancel it.
const backupConnections = 2

type backupCommand struct{ backupFlags }

// Run holds the writer's claim, so that all tables are backed up as of one moment; questions are answered meanwhile.
func (c *backupCommand) Run(p *program) error {
	return c.with(p, func(db *database) error {
		replicas := db.replicas()
		replicas.Holder = "a backup"
		writer, err := replica.Open(p.ctx, replicas)
		if err != nil {
			return err
		}
		defer writer.Close()
		return c.do(p, db, "backed up", clickhouse.MakeBackup)
	})
}

type restoreCommand struct {
	backupFlags
	Database string `help:"The database's name in the backup." default:"orgstats" placeholder:"NAME"`
}

// Run restores only into an empty database, so that records are never mixed or overwritten.
func (c *restoreCommand) Run(p *program) error {
	return c.asIs(p, func(db *database) error {
		claim, err := clickhouse.TakeClaim(p.ctx, db.url, "loader", "a restoration")
		if err != nil {
			return fmt.Errorf("take the claim to write: %w", err)
		}
		defer claim.Release()
		err = db.query(p.ctx, backupConnections, func(conn clickhouse.Conn) error { return expectEmpty(p.ctx, conn) })
		if err != nil {
			return err
		}
		restore := func(ctx context.Context, conn clickhouse.Conn, place clickhouse.BackupPlace) (clickhouse.Backup, error) {
			return clickhouse.RestoreBackup(ctx, conn, place, c.Database)
		}
		if err := c.do(p, db, "restored", restore); err != nil {
			return err
		}
		return db.migrate(p.ctx, p.log)
	})
}

func expectEmpty(ctx context.Context, conn clickhouse.Conn) error {
	var tables uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = currentDatabase()").Scan(&tables); err != nil {
		return fmt.Errorf("ask ClickHouse for the tables of the database: %w", err)
	}
	if tables > 0 {
		return errors.New("the database is not empty: restore into a new data directory (--data-dir), or a new database on the server, and move the service there")
	}
	return nil
}

// do makes or restores a backup, and prints what it did.
func (f *backupFlags) do(p *program, db *database, done string, run func(context.Context, clickhouse.Conn, clickhouse.BackupPlace) (clickhouse.Backup, error)) error {
	place, err := f.place(db)
	if err != nil {
		return err
	}
	return db.query(p.ctx, backupConnections, func(conn clickhouse.Conn) error {
		began := time.Now()
		b, err := run(p.ctx, conn, place)
		if err != nil {
			return fmt.Errorf("%s: %w", place.Name, err)
		}
		took := time.Since(began).Round(10 * time.Millisecond)
		_, err = fmt.Fprintf(p.stdout, "%s %d files, %.1f MB, in %s: %s\n", done, b.Files, float64(b.Bytes)/1e6, took, place.Name)
		return err
	})
}
