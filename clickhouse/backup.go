package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// BackupPlace names where a backup is stored: at a path, or under a name on one of the server's disks.
type BackupPlace struct {
	Disk string // "": Name is an absolute path where the server itself reads and writes
	Name string // ending in .tar: one file; else a directory
}

func (p BackupPlace) sql() string {
	if p.Disk == "" {
		return "File(" + quote(p.Name) + ")"
	}
	return "Disk(" + quote(p.Disk) + ", " + quote(p.Name) + ")"
}

// quote returns text as a string literal, because the destination of a backup can't be a parameter.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// Backup is what ClickHouse reports about a backup or a restore.
type Backup struct{ Files, Bytes uint64 }

// MakeBackup backs up the URL's database, with all tables and views, and returns what went into the backup. Each table
// is backed up as of one moment, but not all tables as of the same one, so nobody may write meanwhile. When the context
// ends, the backup is canceled.
func MakeBackup(ctx context.Context, conn Conn, place BackupPlace) (Backup, error) {
	database, err := currentDatabase(ctx, conn)
	if err != nil {
		return Backup{}, err
	}
	return runBackup(ctx, conn, "BACKUP DATABASE "+identifier(database)+" TO "+place.sql()+" ASYNC")
}

// RestoreBackup restores the tables and views of a database, given by its name in the backup, into the database of the
// URL, which must be empty.
func RestoreBackup(ctx context.Context, conn Conn, place BackupPlace, database string) (Backup, error) {
	current, err := currentDatabase(ctx, conn)
	if err != nil {
		return Backup{}, err
	}
	return runBackup(ctx, conn, "RESTORE DATABASE "+identifier(database)+" AS "+identifier(current)+" FROM "+place.sql()+" ASYNC")
}

func currentDatabase(ctx context.Context, conn Conn) (name string, err error) {
	if err := conn.QueryRow(ctx, "SELECT currentDatabase()").Scan(&name); err != nil {
		return "", fmt.Errorf("ask ClickHouse for the current database: %w", err)
	}
	return name, nil
}

func identifier(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

// runBackup starts a statement that runs in the background, because one that sends nothing for minutes would exceed the
// connection's time limit, and waits until it has ended.
func runBackup(ctx context.Context, conn Conn, statement string) (Backup, error) {
	var id, status string
	// The statement returns at once. Canceled before that, the backup would go on in the background, and its id would
	// not be known.
	if err := conn.QueryRow(context.WithoutCancel(ctx), statement).Scan(&id, &status); err != nil {
		return Backup{}, err
	}
	for {
		b, done, err := backupState(context.WithoutCancel(ctx), conn, id)
		if done || err != nil {
			return b, err
		}
		select {
		case <-ctx.Done():
			return b, errors.Join(ctx.Err(), giveUpBackup(conn, id))
		case <-time.After(backupPoll):
		}
	}
}

// backupPoll is the interval at which a backup's state is polled.
const backupPoll = 100 * time.Millisecond

// backupState returns the progress of a backup or a restore, and whether it is done.
func backupState(ctx context.Context, conn Conn, id string) (b Backup, done bool, err error) {
	var status, failure string
	err = conn.QueryRow(WithParams(ctx, StringParams("id", id)), `
SELECT toString(status), error, num_files, total_size
FROM system.backups
WHERE id = {id:String}`).Scan(&status, &failure, &b.Files, &b.Bytes)
	if err != nil {
		return b, false, fmt.Errorf("ask ClickHouse how far the backup has come: %w", err)
	}
	switch status {
	case "BACKUP_CREATED", "RESTORED":
		return b, true, nil
	case "CREATING_BACKUP", "RESTORING":
		return b, false, nil
	}
	failure, _, _ = strings.Cut(failure, ", Stack trace")
	return b, false, fmt.Errorf("ClickHouse says %s: %s", status, failure)
}

// giveUpBackup cancels a running backup and waits until it has ended, so that it leaves nothing half-done behind.
func giveUpBackup(conn Conn, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return conn.Exec(WithParams(ctx, StringParams("id", id)), `
KILL QUERY WHERE query_id IN (SELECT query_id FROM system.backups WHERE id = {id:String}) SYNC`)
}
