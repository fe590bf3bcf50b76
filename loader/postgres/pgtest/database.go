package pgtest

import (
	"context"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader/postgres/example"
)

// Database is the database that the tests use.
const Database = "orgstats"

// URL returns the URL by which the superuser connects to the database.
func (c *Cluster) URL() string { return c.urlOf(Database) }

func (c *Cluster) urlOf(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", password), Host: c.Address(), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Address returns host and port.
func (c *Cluster) Address() string { return "127.0.0.1:" + strconv.Itoa(c.port) }

// Password returns the superuser's password.
func (c *Cluster) Password() string { return password }

// Connect opens a connection to the database, which is closed with the test.
func (c *Cluster) Connect() *pgx.Conn {
	c.Helper()
	conn, err := pgx.Connect(c.Context(), c.URL())
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may have been killed
	return conn
}

// Exec runs statements on a connection of its own: several in one transaction, unless they say otherwise, or one with
// arguments.
func (c *Cluster) Exec(sql string, arguments ...any) {
	c.Helper()
	c.ExecIn(Database, sql, arguments...)
}

// ExecIn is Exec in another database of the cluster.
func (c *Cluster) ExecIn(database, sql string, arguments ...any) {
	c.Helper()
	ctx := context.Background() // also at the end of the test
	conn, err := pgx.Connect(ctx, c.urlOf(database))
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, arguments...); err != nil {
		c.Fatalf("%s: %v", sql, err)
	}
}

func (c *Cluster) createDatabase() {
	c.Helper()
	c.ExecIn("postgres", "CREATE DATABASE "+Database)
	c.Exec(example.Schema)
}

// Await waits for what the test says should come soon.
func (c *Cluster) Await(what string, condition func() bool) {
	c.Helper()
	enginetest.Await(c, what, condition)
}
