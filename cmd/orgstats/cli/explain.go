package cli

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

type explainCommand struct {
	databaseFlags
	Org      string        `required:"" help:"Organization that is asked about." placeholder:"ORG"`
	From     string        `required:"" help:"Start of the window, as in a request." placeholder:"TIME"`
	To       string        `required:"" help:"End of the window, as in a request." placeholder:"TIME"`
	Filter   filterFlags   `embed:""`
	Grouping groupingFlags `embed:""`
}

// filterFlags has the fields of stats.Filter: the program does not compile if one is missing here.
type filterFlags struct {
	AgentID       string `help:"As in a request." placeholder:"AGENT"`
	UserID        string `help:"As in a request; the whole organization if not given." placeholder:"USER"`
	MetadataKey   string `help:"As in a request." placeholder:"KEY"`
	MetadataValue string `help:"As in a request." placeholder:"VALUE"`
}

// groupingFlags are the other parameters, as texts: the service says what is wrong with them.
type groupingFlags struct {
	Interval        string `help:"As in a request of getTimeSeries; with --group-by also in one of getBreakdown: hour, day, week, month, quarter or year." placeholder:"INTERVAL"`
	TimeZone        string `help:"As in a request; UTC if not given." placeholder:"ZONE"`
	GroupBy         string `help:"As in a request of getBreakdown: agent, user, role, knowledgeBase, or metadata, and then --metadata-key is the path." placeholder:"DIMENSION"`
	OrderBy         string `help:"As in a request." placeholder:"FIGURE"`
	Order           string `help:"As in a request: desc, or asc." placeholder:"ORDER"`
	Limit           string `help:"As in a request." placeholder:"N"`
	ComparePrevious bool   `help:"Compare with the window before, as compare=previous in a request does."`
}

// question returns what the flags ask, read as the service reads a request of an admin.
func (c *explainCommand) question() (stats.Question, error) {
	g := c.Grouping
	query := url.Values{
		"from": {c.From}, "to": {c.To}, "allInOrg": {"true"}, "interval": {g.Interval}, "timeZone": {g.TimeZone}, "groupBy": {g.GroupBy},
		"orderBy": {g.OrderBy}, "order": {g.Order}, "limit": {g.Limit},
	}
	if g.ComparePrevious {
		query.Set("compare", "previous")
	}
	given := stats.Filter(c.Filter)
	for _, filter := range stats.Filters {
		query.Set(filter.Name, *filter.Field(&given))
	}
	maps.DeleteFunc(query, func(_ string, values []string) bool { return values[0] == "" }) // not every endpoint has them
	return service.ReadQuestion(endpointOf(query), auth.Caller{OrgID: c.Org, Role: "org:admin"}, query)
}

// endpointOf returns the endpoint whose parameters are given.
func endpointOf(query url.Values) string {
	switch {
	case query.Has("groupBy"):
		return "getBreakdown"
	case query.Has("interval"):
		return "getTimeSeries"
	}
	return "getStats"
}

func (c *explainCommand) Run(p *program) error {
	q, err := c.question()
	if err != nil {
		return err
	}
	return c.with(p, func(db *database) error {
		return db.query(p.ctx, 4, func(conn clickhouse.Conn) error {
			store := stats.NewStore(conn, stats.Options{Limits: clickhouse.Limits{Time: time.Minute}, Memory: keptOf(explainMemory)})
			return explain(p, conn, store, q)
		})
	})
}

// explainMemory is --memory of serve by default.
const explainMemory = 512 << 20

// explain prints the plan of a question, its statements with what each of them reads, and the answer.
func explain(p *program, conn clickhouse.Conn, store *stats.Store, q stats.Question) error {
	explanation, err := store.Explain(p.ctx, q)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Plan\n%s", explanation)
	for i, query := range explanation.Queries {
		fmt.Fprintf(p.stdout, "\nStatement %d\n%s\n\nParameters\n", i+1, query.SQL)
		for _, name := range slices.Sorted(maps.Keys(query.Params)) {
			fmt.Fprintf(p.stdout, "  %s = %s\n", name, query.Params[name])
		}
		if err := printReads(p, conn, query); err != nil {
			return err
		}
	}
	for _, where := range []string{"", " from memory"} {
		started := time.Now()
		answer, err := store.Answer(p.ctx, stats.Request{Question: q})
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "\nAnswer%s in %s\n", where, time.Since(started).Round(10*time.Microsecond))
		if where != "" {
			return printAnswer(p.stdout, q, answer)
		}
	}
	return nil
}

// printReads prints how much ClickHouse expects to read of each table for a statement, and how much it read in total.
func printReads(p *program, conn clickhouse.Conn, query clickhouse.Query) error {
	fmt.Fprintln(p.stdout, "\nReads")
	ctx := clickhouse.WithParams(p.ctx, query.Params)
	err := clickhouse.ForEach(ctx, conn, "EXPLAIN ESTIMATE "+query.SQL, func(scan clickhouse.Scan) error {
		var database, table string
		var parts, n, marks uint64
		if err := scan(&database, &table, &parts, &n, &marks); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, "  %s: up to %d rows in %d granules of %d parts\n", table, n, marks, parts)
		return err
	})
	if err != nil {
		return fmt.Errorf("explain the statement: %w", err)
	}
	read, err := rowsRead(ctx, conn, query.SQL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "  %d rows read in all\n", read)
	return err
}

func rowsRead(ctx context.Context, conn clickhouse.Conn, statement string) (read uint64, err error) {
	ctx = driver.Context(ctx, driver.WithProgress(func(progress *driver.Progress) { read += progress.Rows }))
	err = clickhouse.ForEach(ctx, conn, statement, func(clickhouse.Scan) error { return nil }) // the answer is shown elsewhere
	return read, err
}
