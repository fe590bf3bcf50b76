package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// BackupPlace says where a backup lies: at a path, or under a name on one of the server's disks.
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

// quote writes a string literal: where a backup goes can't be a parameter.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// Backup is what ClickHouse says of a backup or a restoration.
type Backup struct {
	Files uint64
	Bytes uint64
}

// MakeBackup backs the URL's database up, with all tables and views, and tells what went into the backup. Every table
// is backed up as it is at one moment, but not all at the same: nobody may write meanwhile. When the context ends, the
// backup is given up.
func MakeBackup(ctx context.Context, conn Conn, place BackupPlace) (Backup, error) {
	database, err := currentDatabase(ctx, conn)
	if err != nil {
		return Backup{}, err
	}
	return runBackup(ctx, conn, "BACKUP DATABASE "+identifier(database)+" TO "+place.sql()+" ASYNC")
}

// RestoreBackup brings the tables and views of a database, by its name in the backup, back into that of the URL, which
// must be empty.
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

// runBackup starts a statement that goes on by itself, because one that says nothing for minutes would run into the
// connection's time limit, and waits for its end.
func runBackup(ctx context.Context, conn Conn, statement string) (Backup, error) {
	var id, status string
	if err := conn.QueryRow(ctx, statement).Scan(&id, &status); err != nil {
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

// backupPoll is how often a backup is looked at.
const backupPoll = 100 * time.Millisecond

// backupState tells how far a backup or a restoration has come.
func backupState(ctx context.Context, conn Conn, id string) (b Backup, done bool, err error) {
	params := Params{}
	params.String("id", id)
	var status, failure string
	err = conn.QueryRow(WithParams(ctx, params), `
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

// giveUpBackup ends a backup under way and waits until it has ended, so that it leaves nothing half-done behind.
func giveUpBackup(conn Conn, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	params := Params{}
	params.String("id", id)
	return conn.Exec(WithParams(ctx, params), `
KILL QUERY WHERE query_id IN (SELECT query_id FROM system.backups WHERE id = {id:String}) SYNC`)
}
