package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

// TestSoakOfReplication does the same as TestSoak, except that the records are in PostgreSQL and are replicated from
// there.
func TestSoakOfReplication(t *testing.T) {
	t.Parallel()
	s := newSoak(t)
	source := pgtest.Start(t)
	p := &platform{source.Connect()}
	for _, records := range s.records {
		for some := range slices.Chunk(records, 500) {
			if err := p.write(t.Context(), some); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.env = append(s.env, "ORGSTATS_SOURCE_URL="+source.URL())
	s.serve()
	replicate := s.start("replicate")
	s.checkAnswers(5) // waits until the first copy is complete
	s.readWhile("replicator", replicate, func(records []object) error { return p.write(t.Context(), records) })
	s.checkAnswers(20) // waits until the last change is replicated
	replicate.signal(syscall.SIGINT)
	if o := replicate.wait(); o.status != cli.ExitOK {
		t.Errorf("replicate: status %d: %s", o.status, o.stderr)
	}
	t.Logf("%d changes were replicated", s.changes)
	s.checkEnd()
}

// platform is the source database, written to as its application writes to it.
type platform struct{ conn *pgx.Conn }

// write inserts or updates records in one transaction.
func (p *platform) write(ctx context.Context, records []object) error {
	return pgx.BeginFunc(ctx, p.conn, func(tx pgx.Tx) error {
		statements := &pgx.Batch{}
		for _, r := range records {
			sql, arguments := upsert(r)
			statements.Queue(sql, arguments...)
		}
		return tx.SendBatch(ctx, statements).Close()
	})
}

// upsert returns the statement that writes a record to its table.
func upsert(r object) (sql string, arguments []any) {
	switch r["type"] {
	case "conversation":
		return `
INSERT INTO conversation (id, organization_id, user_id, agent_id, created_at, updated_at, deleted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET organization_id = $2, user_id = $3, agent_id = $4, created_at = $5, updated_at = $6, deleted_at = $7`,
			[]any{r.text("id"), r.text("organizationId"), r.text("userId"), r.column("agentId"), r.instant("createdAt"), r.instant("updatedAt"), r.instant("deletedAt")}
	case "message":
		return `
INSERT INTO message (id, conversation_id, role, parts, tool_invocations, usage, feedback, created_at, updated_at, deleted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET conversation_id = $2, role = $3, parts = $4, tool_invocations = $5, usage = $6, feedback = $7, created_at = $8,
    updated_at = $9, deleted_at = $10`,
			[]any{
				r.text("id"), r.text("conversationId"), r.text("role"), r.json("parts"), r.json("toolInvocations"), r.json("usage"), r.json("feedback"),
				r.instant("createdAt"), r.instant("updatedAt"), r.instant("deletedAt"),
			}
	case "kbFile":
		return `
INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id, processing_status, processed_at, extract_input_tokens,
    extract_output_tokens, extract_total_tokens, created_at, updated_at, deleted_at)
VALUES ($1, $2, $3, $4, $5, $6::text::bigint, $7::text::bigint, $8::text::bigint, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET extract_input_tokens = $6::text::bigint, extract_output_tokens = $7::text::bigint,
    extract_total_tokens = $8::text::bigint, updated_at = $10, deleted_at = $11`,
			[]any{
				r.text("id"), r.text("organizationId"), r.text("knowledgeBaseId"), r.column("processingStatus"), r.instant("processedAt"),
				r.json("extractInputTokens"), r.json("extractOutputTokens"), r.json("extractTotalTokens"),
				r.instant("createdAt"), r.instant("updatedAt"), r.instant("deletedAt"),
			}
	}
	return `
INSERT INTO organization_membership (id, organization_id, user_id, public_metadata, updated_at, deleted_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET public_metadata = $4, updated_at = $5, deleted_at = $6`,
		[]any{
			r.text("organizationId") + "/" + r.text("userId"), r.text("organizationId"), r.text("userId"), r.json("publicMetadata"),
			r.instant("updatedAt"), r.instant("deletedAt"),
		}
}

// column returns a field's text, nil if there is none.
func (r object) column(field string) any {
	if r[field] == nil {
		return nil
	}
	return r.text(field)
}

// instant returns a field's instant, nil if there is none.
func (r object) instant(field string) any {
	if r[field] == nil {
		return nil
	}
	return r.time(field)
}

// json returns a field's JSON, nil if there is none.
func (r object) json(field string) any {
	if r[field] == nil {
		return nil
	}
	text, err := json.Marshal(r[field])
	if err != nil {
		panic(err) // it was read from JSON
	}
	return string(text)
}
