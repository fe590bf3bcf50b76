package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// claimSQL runs until it is canceled, sending a row at once and then ten times a second, so that either side soon
// learns that the other is gone.
const claimSQL = `
SELECT if(number = 0, 0, sleepEachRow(0.1))
FROM system.numbers
SETTINGS max_block_size = 1, max_threads = 1, max_execution_time = 0, max_rows_to_read = 0`

// claimTime is how long a claim may be held, which is practically forever. Without such a limit the driver aborts a
// statement after five minutes, however many rows arrive.
const claimTime = 100 * 365 * 24 * time.Hour

// claimStart is how long the server may take to start the statement.
const claimStart = 30 * time.Second

// claimPatience is how long TakeClaim waits for the claim of a program that has just ended to end, too.
const claimPatience = 5 * time.Second

// claimPause is the pause between two attempts to take a claim.
const claimPause = 50 * time.Millisecond

// Claim is an exclusive right within one server: it is held by a statement with a fixed query id that runs for as long
// as the claim does. The server refuses a second statement with the same id, and ends this one when its connection
// breaks, so that the claim of a killed program ends by itself.
type Claim struct {
	conn   Conn
	cancel context.CancelFunc
	lost   chan struct{}
	err    error
}

// HeldError reports that somebody else holds the claim.
type HeldError struct {
	Holder string    // how the holder described itself
	Since  time.Time // when it took the claim
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s has been at work since %s", e.Holder, e.Since.UTC().Format(time.RFC3339))
}

// TakeClaim acquires the named claim on the server and database of the URL. The holder is the description that others
// see of this one. TakeClaim fails with *HeldError while another holds the claim.
func TakeClaim(ctx context.Context, url, name, holder string) (*Claim, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	options.ReadTimeout = claimTime
	conn, err := open(ctx, options, Pool{MaxOpen: 2, MaxIdle: 1})
	if err != nil {
		return nil, err
	}
	claim, err := takeClaim(ctx, conn, name, holder)
	if err != nil {
		_ = conn.Close()
	}
	return claim, err
}

func takeClaim(ctx context.Context, conn Conn, name, holder string) (*Claim, error) {
	// The id holds the database, because query ids are unique within a server, not within a database.
	database, err := currentDatabase(ctx, conn)
	if err != nil {
		return nil, err
	}
	id := "orgstats-" + name + "-" + database
	for deadline := time.Now().Add(claimPatience); ; {
		claim, err := startClaim(conn, id, holder)
		if !IsAlreadyRunning(err) {
			return claim, err
		}
		if time.Now().After(deadline) {
			return nil, whoHolds(ctx, conn, id)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(claimPause):
		}
	}
}

func startClaim(conn Conn, id, holder string) (*Claim, error) {
	ctx, cancel := context.WithCancel(context.Background())
	statement, _ := WithStatement(ctx, Statement{Comment: holder, QueryID: id})
	hung := time.AfterFunc(claimStart, cancel)
	rows, err := conn.Query(statement, claimSQL)
	if err == nil && !rows.Next() { // the first row proves that the server accepted the statement
		err = errors.Join(rows.Err(), rows.Close())
	}
	if !hung.Stop() {
		err = errors.Join(fmt.Errorf("ClickHouse has not begun a statement within %s", claimStart), err)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	claim := &Claim{conn: conn, cancel: cancel, lost: make(chan struct{})}
	go claim.watch(rows)
	return claim, nil
}

func (c *Claim) watch(rows driver.Rows) {
	for rows.Next() {
	}
	c.err = errors.Join(rows.Err(), rows.Close())
	close(c.lost)
}

// Lost returns a channel that is closed when the claim has ended, be it by Release or because the server or the
// connection failed.
func (c *Claim) Lost() <-chan struct{} { return c.lost }

// Err returns why the claim was lost. It may be called once Lost is closed.
func (c *Claim) Err() error { return c.err }

// Release releases the claim.
func (c *Claim) Release() {
	c.cancel()
	<-c.lost
	_ = c.conn.Close()
}

func whoHolds(ctx context.Context, conn Conn, id string) error {
	held := &HeldError{Holder: "another program", Since: time.Now()}
	row := conn.QueryRow(WithParams(ctx, StringParams("id", id)), `
SELECT Settings['log_comment'], toDateTime(now() - elapsed, 'UTC')
FROM system.processes
WHERE query_id = {id:String}`)
	_ = row.Scan(&held.Holder, &held.Since) // it may have ended meanwhile: then nobody can be named
	return held
}
