package loadtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

const (
	// maxOrganizations is how many organizations take part. More would be asked about too rarely to matter.
	maxOrganizations = 50
	// maxMetadataText is the maximum length of a key and its value together.
	maxMetadataText = 200

	// comment is the log_comment of the load test's own statements.
	comment = "orgstats loadtest"
)

// Survey returns the organizations of a database that have the most messages, or an error if there are none.
//
// Survey and Describe count rows without FINAL, which is cheap: the counts only serve to find what is busy.
func Survey(ctx context.Context, conn clickhouse.Conn) (all []Organization, err error) {
	params := clickhouse.Params{}
	params.Int64("most", maxOrganizations)
	err = each(ctx, conn, params, `
SELECT toString(org_id)
FROM messages
WHERE org_id != ''
GROUP BY org_id
ORDER BY count() DESC, org_id
LIMIT {most:UInt32}`, func(scan clickhouse.Scan) error {
		var o Organization
		err := scan(&o.ID)
		all = append(all, o)
		return err
	})
	if err == nil && len(all) == 0 {
		err = errors.New("the database holds no messages yet: load some records, or start the service with orgstats demo")
	}
	return all, err
}

// Describe adds what the database knows about the population's organizations, and uses the time of their newest message
// as now, if there is any.
func (p *Population) Describe(ctx context.Context, conn clickhouse.Conn) error {
	var newest time.Time
	for i := range p.Organizations {
		if err := p.Organizations[i].describe(ctx, conn, &newest); err != nil {
			return fmt.Errorf("ask ClickHouse about organization %s: %w", p.Organizations[i].ID, err)
		}
	}
	if !newest.IsZero() {
		p.Until = newest
	}
	return nil
}

// describe adds an organization's users, agents and metadata, the busiest and most common first, and advances newest to
// the time of its newest message.
func (o *Organization) describe(ctx context.Context, conn clickhouse.Conn, newest *time.Time) error {
	params := clickhouse.Params{}
	params.String("org_id", o.ID)
	params.Int64("text", maxMetadataText)
	for statement, take := range map[string]func(scan clickhouse.Scan) error{
		newestSQL: func(scan clickhouse.Scan) error {
			var at time.Time
			err := scan(&at)
			if at.After(*newest) {
				*newest = at
			}
			return err
		},
		usersSQL:  func(scan clickhouse.Scan) error { return appendText(scan, &o.Users) },
		agentsSQL: func(scan clickhouse.Scan) error { return appendText(scan, &o.Agents) },
		metadataSQL: func(scan clickhouse.Scan) error {
			var m Metadata
			err := scan(&m.Key, &m.Value)
			o.Metadata = append(o.Metadata, m)
			return err
		},
	} {
		if err := each(ctx, conn, params, statement, take); err != nil {
			return err
		}
	}
	return nil
}

// newestSQL omits records of the future, whose windows nobody looks at yet.
const newestSQL = `
SELECT max(created_at)
FROM messages
WHERE org_id = {org_id:String} AND created_at < now64(3, 'UTC')
HAVING count() > 0`

const usersSQL = `
SELECT user_id
FROM messages
WHERE org_id = {org_id:String}
GROUP BY user_id
ORDER BY count() DESC, user_id
LIMIT 40`

const agentsSQL = `
SELECT toString(agent_id)
FROM messages
WHERE org_id = {org_id:String} AND agent_id != ''
GROUP BY agent_id
ORDER BY count() DESC, agent_id
LIMIT 20`

// metadataSQL omits what people do not filter by: long texts, and values that only one user has, such as names.
const metadataSQL = `
SELECT path, value
FROM members
ARRAY JOIN metadata_pair_paths AS path, metadata_pair_values AS value
WHERE org_id = {org_id:String} AND path != '' AND value != '' AND length(path) + length(value) <= {text:UInt32}
GROUP BY path, value
HAVING count() > 1
ORDER BY count() DESC, path, value
LIMIT 10`

func appendText(scan clickhouse.Scan, texts *[]string) error {
	var text string
	err := scan(&text)
	*texts = append(*texts, text)
	return err
}

// each runs a statement and calls take for each of its rows.
func each(ctx context.Context, conn clickhouse.Conn, params clickhouse.Params, statement string, take func(scan clickhouse.Scan) error) error {
	ctx, cancel := clickhouse.WithStatement(ctx, clickhouse.Statement{Comment: comment, Limits: clickhouse.Limits{Time: time.Minute}})
	defer cancel()
	return clickhouse.ForEach(clickhouse.WithParams(ctx, params), conn, statement, take)
}
