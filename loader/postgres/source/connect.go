package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connectTime bounds the making of one connection.
const connectTime = 10 * time.Second

// sessionSettings are the settings of every connection, whatever those of the server, the database or the role are.
var sessionSettings = map[string]string{
	"application_name": applicationName,

	// The texts of values depend on these.
	"timezone": "UTC", "datestyle": "ISO", "client_encoding": "UTF8", "bytea_output": "hex", "extra_float_digits": "1",

	// The meaning of statements depends on these. Rows that a policy hides must be an error: they would be missing in
	// silence.
	"search_path": "pg_catalog", "standard_conforming_strings": "on", "quote_all_identifiers": "off", "row_security": "off",

	// A publication can't be made in a transaction that may only read, and a serializable one may be refused what it
	// has done.
	"default_transaction_read_only": "off", "default_transaction_isolation": "read committed", "default_transaction_deferrable": "off",

	// These would end what takes long, or what has nothing to do for a while.
	"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0",
}

// LaterSettings returns the settings that not every server knows, or that depend on the database: they are set once it
// has been asked. SQL_ASCII is no encoding that could be converted, and the WAL has the text of some others as it is
// (see encoding).
func LaterSettings(wal bool) string {
	raw := Literal(sqlASCII)
	if wal {
		raw = rawEncodings()
	}
	return fmt.Sprintf(`
SELECT set_config(name, CASE name WHEN 'transaction_timeout' THEN '0' ELSE current_setting('server_encoding') END, false)
FROM pg_catalog.pg_settings
WHERE name = 'transaction_timeout' OR name = 'client_encoding' AND current_setting('server_encoding') IN (%s)`, raw)
}

const applicationName = "orgstats replicate"

// ValidateURL returns what is wrong with a connection string, without connecting.
func ValidateURL(url string) error {
	_, err := parseURL(url)
	return err
}

func parseURL(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The cause may quote the URL, and the URL holds a password.
		return nil, errors.New("the PostgreSQL URL can't be read; it has the form postgres://user:password@host:5432/database")
	}
	config.ConnectTimeout = connectTime
	for name, value := range sessionSettings {
		config.RuntimeParams[name] = value
	}
	return config, nil
}

func setLater(wal bool) pgconn.AfterConnectFunc {
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		return conn.Exec(ctx, LaterSettings(wal)).Close()
	}
}

// Connect opens an ordinary connection.
func Connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	config.AfterConnect = setLater(false)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("reach PostgreSQL at %s:%d: %w", config.Host, config.Port, err)
	}
	return conn, nil
}

// ConnectWAL opens a connection that speaks the replication protocol.
func ConnectWAL(ctx context.Context, url string) (*pgconn.PgConn, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["replication"], config.AfterConnect = "database", setLater(true)
	conn, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return nil, fmt.Errorf("reach PostgreSQL at %s:%d for replication: %w", config.Host, config.Port, err)
	}
	return conn, nil
}

// closeTime bounds the closing of a connection whose server may be gone.
const closeTime = time.Second

type closer interface{ Close(context.Context) error }

// CloseQuietly closes a connection whose server may be gone.
func CloseQuietly(conn closer) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = conn.Close(ctx) // the server may be gone
}

// Codes of PostgreSQL's errors that are handled.
const (
	CodePrivilege       = "42501"
	codeUndefinedColumn = "42703"
	CodeReadOnly        = "25006"
)

// HasCode reports whether an error is PostgreSQL's, with one of some codes.
func HasCode(err error, codes ...string) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, failure.Code)
}

// Identifier returns a name as SQL needs it.
func Identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// Literal returns a text as SQL needs it.
func Literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
