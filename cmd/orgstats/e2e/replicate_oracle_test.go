package e2e

import (
	"context"
	_ "embed"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/service/auth"
)

// sourceFigures computes an answer of getStats from the source's own tables, as the contract defines it. It shares
// nothing with the program, and little with ClickHouse's SQL.
//
//go:embed testdata/source_figures.sql
var sourceFigures string

// sourceOracle computes the expected answers once everything in PostgreSQL has been replicated.
type sourceOracle struct{ conn *pgx.Conn }

// answer computes the answer to a caller who may ask the question.
func (o *sourceOracle) answer(ctx context.Context, caller auth.Caller, query url.Values) (figures, error) {
	user := query.Get("userId")
	if query.Get("allInOrg") != "true" {
		user = caller.UserID
	}
	from, fromErr := time.Parse(time.RFC3339Nano, query.Get("from"))
	to, toErr := time.Parse(time.RFC3339Nano, query.Get("to"))
	if fromErr != nil || toErr != nil {
		panic("the generator asks for a window that is none")
	}
	rows, err := o.conn.Query(ctx, sourceFigures, pgx.NamedArgs{
		"org": caller.OrgID, "user": user, "agent": query.Get("agentId"), "key": query.Get("metadataKey"), "value": query.Get("metadataValue"),
		"from": roundUp(from, time.Millisecond), "to": to.Truncate(time.Millisecond),
	})
	if err != nil {
		return nil, err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
	f := figures{}
	for name, value := range row {
		f[name] = value.(int64)
	}
	return f, err
}

func roundUp(at time.Time, unit time.Duration) time.Time {
	if down := at.Truncate(unit); down.Before(at) {
		return down.Add(unit)
	}
	return at
}

// compare asks a question and compares the answer with PostgreSQL's, which it returns.
func (s *server) compare(o *sourceOracle, caller auth.Caller, query url.Values) figures {
	s.Helper()
	want, err := o.answer(s.Context(), caller, query)
	if err != nil {
		s.Fatal(err)
	}
	got := s.ask(s.token(caller), query)
	if got.status != http.StatusOK {
		s.Errorf("%v asks %v: status %d, %s", caller, query.Encode(), got.status, got.body)
	} else if answered := decode[figures](s.T, got.body); !maps.Equal(answered, want) {
		s.Errorf("%v asks %v:\n got %v\nwant %v", caller, query.Encode(), answered, want)
	}
	return want
}

// compareRandom compares the answers to random questions, and the figures of every organization as a whole.
func (s *server) compareRandom(o *sourceOracle, g *generator, n int) {
	s.Helper()
	busy, messages := 0, int64(0)
	for org := range 3 {
		messages += s.compare(o, adminOfOrg(org), always())["messageCount"]
	}
	for range n {
		caller, query := g.question()
		if want := s.compare(o, caller, query); want["messageCount"] > 0 {
			busy++
		}
	}
	const few = 40 // so few questions may all have empty answers
	if n > few && messages > 0 && busy == 0 {
		s.Errorf("none of %d questions was about any message: that proves little", n)
	}
}
