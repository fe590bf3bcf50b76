package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema"
)

// databaseFlags configure which ClickHouse a command uses.
type databaseFlags struct {
	DataDir       string `help:"Directory of the embedded engine's data and of the development key. Commands on the same directory share one engine." env:"ORGSTATS_DATA_DIR" default:"data" placeholder:"DIR"`
	ClickhouseURL string `name:"clickhouse-url" help:"A ClickHouse server to use instead of the embedded engine: clickhouse://user:password@host:9000/database. Prefer the environment variable: flags can be seen by others on the machine." env:"ORGSTATS_CLICKHOUSE_URL" placeholder:"URL"`
	Password      string `name:"clickhouse-password" help:"The password of the URL's user, if the URL does not contain it." env:"ORGSTATS_CLICKHOUSE_PASSWORD" placeholder:"PASSWORD"`
	EnginePort    int    `help:"Port of the embedded engine's native protocol on 127.0.0.1; 0 uses the last one again, or any that is free." env:"ORGSTATS_ENGINE_PORT" default:"0" placeholder:"PORT" least:"0" most:"65535"`
}

// mistakes returns everything that is wrong with the flags.
func (f *databaseFlags) mistakes() []error {
	var all []error
	if f.DataDir == "" {
		all = append(all, errors.New("--data-dir (ORGSTATS_DATA_DIR) is empty; name a directory"))
	}
	if f.ClickhouseURL != "" {
		if err := clickhouse.Validate(f.ClickhouseURL); err != nil {
			all = append(all, fmt.Errorf("--clickhouse-url (ORGSTATS_CLICKHOUSE_URL): %w", err))
		} else if _, err := f.url(); err != nil {
			all = append(all, err)
		}
	} else if f.Password != "" {
		all = append(all, errors.New("--clickhouse-password (ORGSTATS_CLICKHOUSE_PASSWORD) is given without a ClickHouse server; give --clickhouse-url (ORGSTATS_CLICKHOUSE_URL), too"))
	}
	return all
}

// url returns the server's connection URL, including the password.
func (f *databaseFlags) url() (string, error) {
	if f.Password == "" {
		return f.ClickhouseURL, nil
	}
	u, err := url.Parse(f.ClickhouseURL)
	if err != nil || u.User == nil || u.User.Username() == "" {
		// The cause may quote the URL.
		return "", errors.New("the ClickHouse URL names no user, whose password ORGSTATS_CLICKHOUSE_PASSWORD could be; it has the form clickhouse://user@host:9000/database")
	}
	if _, ok := u.User.Password(); ok {
		return "", errors.New("the ClickHouse URL holds a password, and ORGSTATS_CLICKHOUSE_PASSWORD is given, too; give one")
	}
	u.User = url.UserPassword(u.User.Username(), f.Password)
	return u.String(), nil
}

// database is the ClickHouse that a command uses.
type database struct {
	url         string
	engine      *engine.Engine // nil: a server
	options     engine.Options // with which the engine was started
	keeper      *engine.Keeper // nil: the engine is not kept
	onStatement func(statement string)
}

// open starts or joins the engine, unless the flags name a server.
func (f *databaseFlags) open(ctx context.Context, log *slog.Logger) (*database, error) {
	if f.ClickhouseURL != "" {
		url, err := f.url()
		return &database{url: url}, err
	}
	options := engine.Options{DataDir: f.DataDir, Port: f.EnginePort, Log: log}
	e, err := engine.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	return &database{url: e.URL(), engine: e, options: options}, nil
}

// replicas returns the options for writing the database's replicas.
func (d *database) replicas() replica.Options {
	return replica.Options{URL: d.url, OnStatement: d.onStatement}
}

func (d *database) migrate(ctx context.Context, log *slog.Logger) error {
	before, err := schema.Up(ctx, d.url)
	if err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	if before.Dirty {
		log.Warn("a migration had been cut off; it was run again", "version", before.Number)
	}
	if before.Number != schema.Latest() {
		log.Info("schema brought up to date", "from", before.Number, "to", schema.Latest())
	}
	return nil
}

// gone returns a channel that is closed when the embedded engine has ended by itself; for a server it is never closed.
func (d *database) gone() <-chan struct{} {
	if d.engine == nil {
		return nil
	}
	return d.engine.Done()
}

// keep restarts the embedded engine whenever it ends by itself. A server is not this program's to restart.
func (d *database) keep() {
	if d.engine != nil {
		d.keeper = engine.Keep(d.engine, d.options)
	}
}

// down returns why a kept engine is not running now.
func (d *database) down() error {
	if d.keeper == nil {
		return nil
	}
	_, down := d.keeper.State()
	return down
}

// connect opens a pool of connections that finds a kept engine on whatever port it comes back.
func (d *database) connect(ctx context.Context, connections int) (clickhouse.Conn, error) {
	pool := clickhouse.Pool{MaxOpen: connections, MaxIdle: connections}
	if d.keeper != nil {
		pool.Address = d.keeper.Address
	}
	return clickhouse.Open(ctx, d.url, pool)
}

func (d *database) query(ctx context.Context, connections int, do func(clickhouse.Conn) error) error {
	conn, err := d.connect(ctx, connections)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return do(conn)
}

func (d *database) close() error {
	switch {
	case d.keeper != nil:
		return d.keeper.Close()
	case d.engine != nil:
		return d.engine.Close()
	}
	return nil
}

// asIs opens the database and runs do, without migrating the schema.
func (f *databaseFlags) asIs(p *program, do func(*database) error) (err error) {
	db, err := f.open(p.ctx, p.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	db.onStatement = p.OnStatement
	return do(db)
}

// with opens the database, migrates its schema to the latest version and runs do.
func (f *databaseFlags) with(p *program, do func(*database) error) error {
	return f.asIs(p, func(db *database) error {
		if err := db.migrate(p.ctx, p.log); err != nil {
			return err
		}
		return do(db)
	})
}
