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
	"github.com/golang-migrate/migrate/v4/database"
	migrateclickhouse "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/orgstats/orgstats/clickhouse"
)

// One idempotent statement a file, because ClickHouse has no transactions around DDL: a migration that was cut off can
// be run again.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Version is the schema version of a database.
type Version struct {
	Number uint // 0: nothing was applied
	Dirty  bool // a migration began and did not end
}

// numbers are those of the migrations, in order. Those that are left out must stay so: a database that is past them
// would never get them.
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

// Latest returns the version that this program needs.
func Latest() uint { return numbers[len(numbers)-1] }

// applied returns how many migrations lead to a version.
func applied(version uint) int {
	n, _ := slices.BinarySearch(numbers, version+1)
	return n
}

// Up migrates the database to the latest version and returns the version before. A migration that was cut off is run
// again. It refuses a database that is newer than the program.
func Up(ctx context.Context, url string) (before Version, err error) {
	err = exclusively(ctx, url, func(m *migration) error {
		if before, err = m.version(); err != nil {
			return err
		}
		if err := known(before); err != nil {
			return err
		}
		if before.Dirty {
			// Up or down, the version's own statement or that of the one after it was cut off: both run again.
			if err := m.Force(preceding(before.Number)); err != nil {
				return err
			}
		} else if before.Number == Latest() {
			return nil
		}
		return m.Up()
	})
	return before, err
}

// Down reverts the given number of migrations, newest first, with the data of the tables that they made.
func Down(ctx context.Context, url string, steps int) error {
	return exclusively(ctx, url, func(m *migration) error {
		at, err := m.version()
		if err != nil {
			return err
		}
		if err := known(at); err != nil {
			return err
		}
		switch {
		case at.Dirty:
			return fmt.Errorf("schema version %d is dirty: a migration was cut off; `migrate up` runs it again", at.Number)
		case at.Number == 0:
			return errors.New("the schema is empty: there is nothing to revert")
		}
		return m.Steps(-min(steps, applied(at.Number)))
	})
}

// Current returns the version of the database.
func Current(ctx context.Context, url string) (at Version, err error) {
	err = exclusively(ctx, url, func(m *migration) error {
		at, err = m.version()
		return err
	})
	return at, err
}

// migration is golang-migrate on a database.
type migration struct {
	*migrate.Migrate
	target database.Driver
}

// exclusively runs f while it holds the claim to migrate this database.
func exclusively(ctx context.Context, url string, f func(*migration) error) error {
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
		return withCause(err)
	}
	if err := f(m); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return withCause(err)
	}
	return nil
}

// withCause adds the cause of an error of golang-migrate, which hides it.
func withCause(err error) error {
	failed, ok := errors.AsType[database.Error](err)
	if pointer, also := errors.AsType[*database.Error](err); also {
		failed, ok = *pointer, true
	}
	if !ok {
		return err
	}
	return fmt.Errorf("%w, in %s", failed.OrigErr, firstLine(string(failed.Query)))
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func open(db *sql.DB) (*migration, error) {
	source, err := iofs.New(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations: %w", err)
	}
	target, err := migrateclickhouse.WithInstance(db, &migrateclickhouse.Config{MigrationsTableEngine: "MergeTree"})
	if err != nil {
		return nil, fmt.Errorf("connect to the database to migrate: %w", err)
	}
	m, err := migrate.NewWithInstance("embedded", source, "clickhouse", target)
	return &migration{m, target}, err
}

// known returns an error for a version that this program does not know.
func known(at Version) error {
	switch {
	case at.Number > Latest():
		return fmt.Errorf("the schema has version %d and this program knows versions up to %d: use a newer orgstats", at.Number, Latest())
	case at.Dirty && at.Number > 0 && !slices.Contains(numbers, at.Number):
		return fmt.Errorf("schema version %d is dirty and unknown to this program: use the orgstats whose migration was cut off", at.Number)
	}
	return nil
}

// preceding returns golang-migrate's own number for the version before n; an empty schema has one of its own.
func preceding(n uint) int {
	earlier, _ := slices.BinarySearch(numbers, n)
	if earlier == 0 {
		return database.NilVersion
	}
	return int(numbers[earlier-1])
}

// version asks the driver, because golang-migrate itself does not report whether an empty schema is dirty.
func (m *migration) version() (Version, error) {
	number, dirty, err := m.target.Version()
	if err != nil {
		return Version{}, fmt.Errorf("read the schema's version: %w", withCause(err))
	}
	return Version{Number: uint(max(number, 0)), Dirty: dirty}, nil
}
