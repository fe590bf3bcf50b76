package clickhouse_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// Names of backups and disks are part of the statement's text: whatever characters they contain, they remain names.
func TestBackupsGoWhereTheyAreToldTo(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	execute(t, conn, "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, conn, "INSERT INTO kept SELECT number FROM numbers(1000)")
	for _, name := range []string{"plain", "it's", `back\slash`, `"); DROP TABLE kept; --`} {
		place := clickhouse.BackupPlace{Name: filepath.Join(t.TempDir(), name)}
		b, err := clickhouse.MakeBackup(t.Context(), conn, place)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := os.Stat(place.Name); err != nil || b.Files == 0 || b.Bytes == 0 {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	_, err := clickhouse.MakeBackup(t.Context(), conn, clickhouse.BackupPlace{Disk: "absent", Name: "x"})
	if err == nil {
		t.Error("a disk that is not there took a backup")
	}
}

func TestABackupIsGivenUpWithItsContext(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	execute(t, conn, "CREATE TABLE kept (n UInt8, text String) ENGINE = MergeTree PARTITION BY n ORDER BY tuple()")
	execute(t, conn, "INSERT INTO kept SELECT number, randomString(10000) FROM numbers(100)")
	// A megabyte at this speed takes more than a minute, and each of its parts less than a second.
	slow, cancelSettings := clickhouse.WithStatement(t.Context(), clickhouse.Statement{Settings: map[string]any{"max_backup_bandwidth": 15_000}})
	defer cancelSettings()
	ctx, cancel := context.WithCancel(slow)
	ended := make(chan error, 1)
	go func() {
		_, err := clickhouse.MakeBackup(ctx, conn, clickhouse.BackupPlace{Name: filepath.Join(t.TempDir(), "backup")})
		ended <- err
	}()
	count := func(status string) uint64 {
		return one[uint64](t, t.Context(), conn, "SELECT count() FROM system.backups WHERE status = '"+status+"'")
	}
	for count("CREATING_BACKUP") == 0 {
		select {
		case err := <-ended:
			t.Fatalf("the backup has ended: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	if count("CREATING_BACKUP") != 0 || count("BACKUP_CANCELLED") != 1 {
		t.Error("the backup goes on")
	}
}

// At whatever moment a backup is given up, none goes on in the background.
func TestABackupIsGivenUpWheneverItsContextEnds(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	execute(t, conn, "CREATE TABLE kept (text String) ENGINE = MergeTree ORDER BY tuple()")
	execute(t, conn, "INSERT INTO kept SELECT randomString(10000) FROM numbers(100)")
	slow, cancelSettings := clickhouse.WithStatement(t.Context(), clickhouse.Statement{Settings: map[string]any{"max_backup_bandwidth": 500_000}})
	defer cancelSettings()
	for moment := range 8 {
		ctx, cancel := context.WithCancel(slow)
		time.AfterFunc(time.Duration(moment)*2*time.Millisecond, cancel)
		_, err := clickhouse.MakeBackup(ctx, conn, clickhouse.BackupPlace{Name: filepath.Join(t.TempDir(), "backup")})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the context's error", err)
		}
		if one[uint64](t, t.Context(), conn, "SELECT count() FROM system.backups WHERE status = 'CREATING_BACKUP'") != 0 {
			t.Fatalf("a backup goes on that was given up in moment %d", moment)
		}
	}
}

func execute(t *testing.T, conn clickhouse.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
