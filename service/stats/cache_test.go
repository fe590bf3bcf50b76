package stats_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema/schematest"
	"github.com/orgstats/orgstats/service/stats"
)

// database is one with the schema, and a store that asks it.
type database struct {
	url   string
	store *stats.Store
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	url, _ := schematest.Database(t)
	d := &database{url: url}
	d.store = d.open(t, stats.Options{})
	return d
}

// open returns a store that asks the database.
func (d *database) open(t *testing.T, o stats.Options) *stats.Store {
	t.Helper()
	conn, err := clickhouse.Open(t.Context(), d.url, clickhouse.Pool{MaxOpen: 8, MaxIdle: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	o.Limits = clickhouse.Limits{Time: time.Minute}
	return stats.NewStore(conn, o)
}

// load loads lines of records.
func (d *database) load(t *testing.T, lines ...string) {
	t.Helper()
	_, err := loader.Load(t.Context(), loader.Options{
		Inputs:   []loader.Input{{Path: "test", Reader: strings.NewReader(strings.Join(lines, "\n"))}},
		Replicas: replica.Options{URL: d.url}, Rejects: filepath.Join(t.TempDir(), "rejects"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	oneConversation = `{"type":"conversation","id":"c1","organizationId":"o1","userId":"u1","createdAt":"2024-05-01T00:00:00Z"}`
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

func ask(t *testing.T, cache *stats.Cache, q stats.Question) stats.Figures {
	t.Helper()
	answer, err := cache.Answer(t.Context(), stats.Request{Question: q})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Total()
}

func TestCacheSeesEveryChange(t *testing.T) {
	d := newDatabase(t)
	cache := stats.NewCache(d.store, stats.CacheOptions{Size: 100}) // age 0: asks for the counter every time
	red := year("o1")
	red.MetadataKey, red.MetadataValue = "team", "red"
	steps := []struct {
		reason              string
		lines               []string
		messages, red, file uint64
	}{
		{"nothing was loaded", nil, 0, 0, 0},
		{"a message came", []string{oneConversation, oneMessage}, 1, 0, 0},
		{"another came", []string{otherMessage}, 2, 0, 0},
		{"only a file came", []string{oneFile}, 2, 0, 1},
		{"only a member came", []string{oneMember}, 2, 2, 1},
		{"nothing new came", []string{oneMember, oneFile}, 2, 2, 1},
	}
	for _, step := range steps {
		if step.lines != nil {
			d.load(t, step.lines...)
		}
		for range 2 { // from ClickHouse, and from memory
			all, matching := ask(t, cache, year("o1")), ask(t, cache, red)
			if all.MessageCount != step.messages || all.KBFileCount != step.file || matching.MessageCount != step.red {
				t.Errorf("%s: got %d messages, %d of red users, %d files, want %d, %d and %d", step.reason,
					all.MessageCount, matching.MessageCount, all.KBFileCount, step.messages, step.red, step.file)
			}
		}
		if other := ask(t, cache, year("o2")); other != (stats.Figures{}) {
			t.Errorf("%s: another organization has %+v, want nothing", step.reason, other)
		}
	}
}

func TestCacheForgetsAfterItsAge(t *testing.T) {
	d := newDatabase(t)
	d.load(t, oneConversation, oneMessage)
	const age = 200 * time.Millisecond
	cache := stats.NewCache(d.store, stats.CacheOptions{Size: 100, MaxAge: age})
	ask(t, cache, year("o1"))
	d.load(t, otherMessage)
	loaded := time.Now()
	for ask(t, cache, year("o1")).MessageCount != 2 {
		if waited := time.Since(loaded); waited > age+10*time.Second {
			t.Fatalf("the old answer is still given %s after the change", waited)
		}
	}
}

func TestCacheKeepsNoErrors(t *testing.T) {
	d := newDatabase(t)
	d.load(t, oneConversation, oneMessage)
	cache := stats.NewCache(d.store, stats.CacheOptions{Size: 100, MaxAge: time.Hour})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cache.Answer(gone, stats.Request{Question: year("o1")}); err == nil {
		t.Error("a caller who has gone was answered")
	}
	if figures := ask(t, cache, year("o1")); figures.MessageCount != 1 {
		t.Errorf("got %d messages after a failure, want 1", figures.MessageCount)
	}
}
