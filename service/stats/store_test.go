package stats_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema/schematest"
	"github.com/orgstats/orgstats/service/stats"
)

// database is one with the schema.
type database struct {
	*testing.T
	url  string
	conn clickhouse.Conn
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	url, conn := schematest.Database(t)
	return &database{t, url, conn}
}

// enough is a bound of memory that no test reaches.
const enough = 64 << 20

// store returns a store that asks the database.
func (d *database) store(o stats.Options) *stats.Store {
	o.Limits = clickhouse.Limits{Time: enginetest.Patience}
	return stats.NewStore(d.conn, o)
}

// load loads lines of records.
func (d *database) load(lines ...string) {
	d.Helper()
	d.loadFrom(loader.Input{Path: "test", Reader: strings.NewReader(strings.Join(lines, "\n"))})
}

func (d *database) loadFrom(inputs ...loader.Input) {
	d.Helper()
	_, err := loader.Load(d.Context(), loader.Options{
		Inputs: inputs, Replicas: replica.Options{URL: d.url}, Rejects: filepath.Join(d.TempDir(), "rejects"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		d.Fatal(err)
	}
}

func (d *database) execute(statements ...string) {
	d.Helper()
	for _, statement := range statements {
		if err := d.conn.Exec(d.Context(), statement); err != nil {
			d.Fatalf("%s: %v", statement, err)
		}
	}
}

const (
	oneConversation = `{"type":"conversation","id":"c1","organizationId":"o1","userId":"u1","agentId":"a1","createdAt":"2024-05-01T00:00:00Z"}`
	oneMessage      = `{"type":"message","id":"m1","conversationId":"c1","role":"user","createdAt":"2024-05-01T10:00:00Z"}`
	otherMessage    = `{"type":"message","id":"m2","conversationId":"c1","role":"user","createdAt":"2024-05-01T11:00:00Z"}`
	oneFile         = `{"type":"kbFile","id":"f1","organizationId":"o1","knowledgeBaseId":"k1","createdAt":"2024-05-01T11:00:00Z"}`
	oneMember       = `{"type":"member","organizationId":"o1","userId":"u1","publicMetadata":{"team":"red"},"updatedAt":"2024-05-01T11:00:00Z"}`
)

func year(orgID string) stats.Question {
	return stats.Question{
		OrgID: orgID,
		From:  time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
		Until: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
	}
}

// ragged returns a question about a year that ends within the hours of the records.
func ragged(orgID string) stats.Question {
	q := year(orgID)
	q.Until = time.Date(2024, 5, 1, 11, 30, 0, 0, time.UTC).UnixMilli()
	return q
}

func (d *database) ask(store *stats.Store, q stats.Question) stats.Figures {
	d.Helper()
	return d.answer(store, q).Figures()
}

func (d *database) answer(store *stats.Store, q stats.Question) stats.Answer {
	d.Helper()
	answer, err := store.Answer(d.Context(), stats.Request{Question: q})
	if err != nil {
		d.Fatalf("%+v: %v", q, err)
	}
	return answer
}

// plain answers by the plain query.
func (d *database) plain(store *stats.Store, q stats.Question) stats.Figures {
	d.Helper()
	answer, err := store.Plain(d.Context(), q)
	if err != nil {
		d.Fatal(err)
	}
	return answer.Figures()
}
