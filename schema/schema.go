// Package schema holds the database's tables as migrations and moves a database from one version to another.
package schema

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	migratedatabase "github.com/golang-migrate/migrate/v4/database"
	migrateclickhouse "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/orgstats/orgstats/clickhouse"
)

// One idempotent statement a file, because ClickHouse has no transactions around DDL: a migration that was cut off can be
// run again.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Version is where a database stands.
type Version struct {
	Number uint // 0: nothing was applied
	Dirty  bool // a migration began and did not end
}

// numbers are those of the migrations, in order. Those that are left out must stay so: a database that is past them would never get
// them.
var numbers = readNumbers()

func readNumbers() []uint {
	names, err := fs.Glob(migrations, "migrations/*.up.sql") // sorted
	if err != nil || len(names) == 0 {
		panic("schema: no migrations are embedded")
	}
	all := make([]uint, len(names))
	for i, name := range names {
		if _, err := fmt.Sscanf(strings.TrimPrefix(name, "migrations/"), "%d_", &all[i]); err != nil {
			panic("schema: " + name + " has no number")
		}
	}
	return all
}

// Latest is the version that this program needs.
func Latest() uint { return numbers[len(numbers)-1] }

// applied is how many migrations lead to a version.
func applied(version uint) int {
	n, _ := slices.BinarySearch(numbers, version+1)
	return n
}

// Up brings the database to the latest version and tells where it stood before. It refuses a database that is dirty or
// newer than the program.
func Up(ctx context.Context, url string) (before Version, err error) {
	err = with(ctx, url, func(m *migrate.Migrate) error {
		if before, err = check(m); err != nil || before.Number == Latest() {
			return err
		}
		return m.Up()
	})
	return before, err
}

// Down takes back the given number of migrations, newest first, with the data of the tables that they made.
func Down(ctx context.Context, url string, steps int) error {
	return with(ctx, url, func(m *migrate.Migrate) error {
		at, err := check(m)
		if err != nil {
			return err
		}
		if at.Number == 0 {
			return errors.New("the schema is empty: there is nothing to take back")
		}
		return m.Steps(-min(steps, applied(at.Number)))
	})
}

// Current tells where the database stands.
func Current(ctx context.Context, url string) (at Version, err error) {
	err = with(ctx, url, func(m *migrate.Migrate) error {
		at, err = version(m)
		return err
	})
	return at, err
}

// with runs f as the only one who migrates this database.
func with(ctx context.Context, url string, f func(*migrate.Migrate) error) error {
	claim, err := clickhouse.TakeClaim(ctx, url, "migrate", "another migration")
	if err != nil {
		return fmt.Errorf("take the claim to migrate: %w", err)
	}
	defer claim.Release()
	db, err := clickhouse.OpenDB(url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	m, err := open(db)
	if err != nil {
		return err
	}
	if err := f(m); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return err
	}
	return nil
}

func open(db *sql.DB) (*migrate.Migrate, error) {
	source, err := iofs.New(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations: %w", err)
	}
	target, err := migrateclickhouse.WithInstance(db, &migrateclickhouse.Config{MigrationsTableEngine: "MergeTree"})
	if err != nil {
		return nil, fmt.Errorf("reach the database to migrate: %w", err)
	}
	return migrate.NewWithInstance("embedded", source, "clickhouse", target)
}

func check(m *migrate.Migrate) (Version, error) {
	at, err := version(m)
	switch {
	case err != nil:
		return at, err
	case at.Dirty:
		return at, fmt.Errorf("schema version %d is dirty: its migration was cut off; migrations can be run again, so set "+
			"the version back with INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, 0, toUnixTimestamp64Nano(now64(9))) "+
			"and try again", at.Number, before(at.Number))
	case at.Number > Latest():
		return at, fmt.Errorf("the schema has version %d and this program knows versions up to %d: use a newer orgstats",
			at.Number, Latest())
	}
	return at, nil
}

// before is golang-migrate's own number for the version that precedes n; an empty schema has one of its own.
func before(n uint) int {
	earlier := applied(n - 1)
	if earlier == 0 {
		return migratedatabase.NilVersion
	}
	return int(numbers[earlier-1])
}

func version(m *migrate.Migrate) (Version, error) {
	number, dirty, err := m.Version()
	if errors.Is(err, migrate.ErrNilVersion) {
		return Version{}, nil
	}
	if err != nil {
		return Version{}, fmt.Errorf("read the schema's version: %w", err)
	}
	return Version{Number: number, Dirty: dirty}, nil
}
