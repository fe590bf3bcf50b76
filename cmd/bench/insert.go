package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine"
)

// rawTable holds the fields of a record that the figures need, as they came, with nothing looked up or computed.
const rawTable = `
CREATE TABLE raw
(
    type                LowCardinality(String),
    id                  String,
    conversationId      String,
    organizationId      LowCardinality(String),
    userId              String,
    agentId             LowCardinality(String),
    knowledgeBaseId     String,
    processingStatus    LowCardinality(String),
    role                LowCardinality(String),
    createdAt           DateTime64(3, 'UTC'),
    updatedAt           DateTime64(3, 'UTC'),
    processedAt         Nullable(DateTime64(3, 'UTC')),
    deletedAt           Nullable(DateTime64(3, 'UTC')),
    usage               Tuple(inputTokens UInt32, outputTokens UInt32, totalTokens UInt32),
    toolInvocations     String,
    parts               String,
    feedback            String,
    publicMetadata      String,
    extractInputTokens  UInt32,
    extractOutputTokens UInt32,
    extractTotalTokens  UInt32
)
ENGINE = MergeTree
ORDER BY (type, createdAt, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`

// insertSettings let ClickHouse read the records.
var insertSettings = map[string]string{
	"async_insert":                              "0",
	"date_time_input_format":                    "best_effort",
	"input_format_skip_unknown_fields":          "1",
	"input_format_null_as_default":              "1",
	"input_format_json_read_numbers_as_strings": "1",
	"input_format_json_read_objects_as_strings": "1",
	"input_format_json_read_arrays_as_strings":  "1",
}

// insertLines measures how long ClickHouse itself takes to insert the lines of a file, and removes them again.
func insertLines(ctx context.Context, c engine.Connection, file string, lines int) (time.Duration, error) {
	h := overHTTP{c}
	if _, err := h.run(ctx, rawTable, nil); err != nil {
		return 0, err
	}
	input, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer func() { _ = input.Close() }()
	started := time.Now()
	if _, err := h.run(ctx, "INSERT INTO raw FORMAT JSONEachRow", input); err != nil {
		return 0, err
	}
	took := time.Since(started)
	count, err := h.run(ctx, "SELECT count() FROM raw", nil)
	if err != nil {
		return 0, err
	}
	if count != strconv.Itoa(lines) {
		return 0, fmt.Errorf("ClickHouse took %s of %d lines", count, lines)
	}
	_, err = h.run(ctx, "DROP TABLE raw SYNC", nil)
	return took, err
}

// overHTTP runs statements over ClickHouse's own HTTP interface.
type overHTTP struct{ engine.Connection }

func (c overHTTP) run(ctx context.Context, statement string, data io.Reader) (string, error) {
	parameters := url.Values{"database": {c.Database}, "query": {statement}}
	for name, value := range insertSettings {
		parameters.Set(name, value)
	}
	address := url.URL{Scheme: "http", Host: net.JoinHostPort(c.Host, strconv.Itoa(c.HTTPPort)), Path: "/", RawQuery: parameters.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), data)
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(c.User, c.Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ClickHouse answered with %s: %s", response.Status, body)
	}
	return strings.TrimSpace(string(body)), nil
}
