// Package clickhouse opens connections to ClickHouse and defines in one place how the program talks to it: which
// settings and limits a statement has, how parameters are written, and how errors are classified.
package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Conn is a pool of connections over the native protocol.
type Conn = driver.Conn

// dialTimeout bounds how long opening one connection may take. A server on this machine or in this network answers far
// sooner.
const dialTimeout = 5 * time.Second

// Pool configures how many connections a program may hold.
type Pool struct {
	MaxOpen int // concurrent statements; further ones wait for their turn
	MaxIdle int // connections kept open between statements

	// Address returns the server's address whenever a connection is opened; nil: the address in the URL. It is for a
	// server that may come back on another port.
	Address func() string
}

// Open connects to the server and database that the URL names (clickhouse://user:password@host:9000/database) and pings
// it.
func Open(ctx context.Context, url string, pool Pool) (Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	return open(ctx, options, pool)
}

func open(ctx context.Context, options *driver.Options, pool Pool) (Conn, error) {
	options.MaxOpenConns, options.MaxIdleConns = pool.MaxOpen, pool.MaxIdle
	if pool.Address != nil {
		dialer := net.Dialer{Timeout: dialTimeout}
		options.DialContext = func(ctx context.Context, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", pool.Address())
		}
	}
	conn, err := driver.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse at %s: %w", options.Addr[0], err)
	}
	if err := conn.Ping(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("reach ClickHouse at %s: %w", options.Addr[0], err)
	}
	return conn, nil
}

// OpenDB opens the same database as a *sql.DB, which the migrations need.
func OpenDB(url string) (*sql.DB, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	return driver.OpenDB(options), nil
}

// Validate returns what is wrong with a connection URL, without connecting.
func Validate(url string) error {
	_, err := parse(url)
	return err
}

func parse(url string) (*driver.Options, error) {
	options, err := driver.ParseDSN(url)
	if err != nil {
		// The cause may quote the URL, and the URL holds a password.
		return nil, fmt.Errorf("the ClickHouse URL can't be read; it has the form clickhouse://user:password@host:9000/database")
	}
	if options.Auth.Database == "" {
		return nil, fmt.Errorf("the ClickHouse URL names no database; it has the form clickhouse://user:password@host:9000/database")
	}
	if len(options.Addr) > 1 {
		// The claim to write exists per server: two loaders that reach different servers would both get it.
		return nil, fmt.Errorf("the ClickHouse URL names %d hosts, and Orgstats works with one server: name one, or a name that always leads to the same one", len(options.Addr))
	}
	options.DialTimeout = dialTimeout
	options.Compression = &driver.Compression{Method: compression(options.Addr[0])}
	if options.Settings == nil {
		options.Settings = driver.Settings{}
	}
	options.Settings["async_insert"] = 0 // an insert that returned must be durable
	return options, nil
}

// compression returns how blocks are compressed in transit. On this machine, compressing them would cost both sides
// more than it saves.
func compression(address string) driver.CompressionMethod {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return driver.CompressionLZ4
	}
	return driver.CompressionNone
}
