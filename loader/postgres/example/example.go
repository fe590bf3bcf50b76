// Package example is a source database to try replication on: the platform's own tables, which the default mapping
// fits, and a few rows. docker-compose.yml uses the same files.
package example

import _ "embed" // the SQL

// Schema makes the tables, empty.
//
//go:embed schema.sql
var Schema string

// Rows fills them.
//
//go:embed rows.sql
var Rows string
