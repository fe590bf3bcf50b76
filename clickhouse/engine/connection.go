package engine

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Database is the database that the engine creates at its start and that every connection opens.
const Database = "orgstats"

const loopback = "127.0.0.1"

// Connection is everything that a client needs to talk to the engine.
type Connection struct {
	User     string
	Password string
	Host     string
	TCPPort  int // native protocol
	HTTPPort int
	Database string
}

// URL returns the connection URL for the native protocol, as clickhouse-go's ParseDSN accepts it.
func (c Connection) URL() string {
	u := url.URL{
		Scheme: "clickhouse",
		User:   url.UserPassword(c.User, c.Password),
		Host:   c.Address(),
		Path:   "/" + c.Database,
	}
	return u.String()
}

// ClientCommand returns a shell command that opens ClickHouse's own client on the connection.
func (c Connection) ClientCommand() string {
	return fmt.Sprintf("clickhouse client --host %s --port %d --user %s --password %s --database %s",
		c.Host, c.TCPPort, c.User, c.Password, c.Database)
}

// CurlCommand returns a shell command that runs one statement over HTTP.
func (c Connection) CurlCommand(statement string) string {
	return fmt.Sprintf("curl --user %s:%s 'http://%s:%d/?database=%s' --data-binary %s",
		c.User, c.Password, c.Host, c.HTTPPort, c.Database, shellQuote(statement))
}

// String describes the connection without its password, so that logging it leaks nothing.
func (c Connection) String() string {
	return fmt.Sprintf("%s@%s/%s", c.User, c.Address(), c.Database)
}

// Address returns the host and the port of the native protocol.
func (c Connection) Address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.TCPPort)) }

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
