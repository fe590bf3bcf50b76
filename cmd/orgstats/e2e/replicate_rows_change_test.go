package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/service/auth"
)

// scenario is a series of changes to rows of an organization of its own, which is $ORG in its statements, and $N as a
// part of ids.
type scenario struct {
	reason string
	given  string   // earlier statements, which the snapshot or the WAL contains
	then   []string // later transactions
	query  string   // a further parameter, as in metadataKey=team
	want   figures  // some figures; all must be those of the source
}

const (
	// conversationC has the message m, whose parts are three calls and more text than fits into a row.
	conversationC = `INSERT INTO conversation (id, organization_id, user_id, agent_id) VALUES ('c$N', '$ORG', 'user_1', 'a');`
	messageM      = `INSERT INTO message (id, conversation_id, role, parts, usage) VALUES ('m$N', 'c$N', 'user',
		jsonb_build_array('{"type": "dynamic-tool"}'::jsonb, '{"type": "tool-a"}'::jsonb, '{"type": "tool-b"}'::jsonb, $LARGE), '{"inputTokens": 10, "outputTokens": 1}');`
	conversationAndMessage = conversationC + messageM
	memberO                = `INSERT INTO organization_membership (id, organization_id, user_id, public_metadata) VALUES ('o$N', '$ORG', 'user_1', jsonb_build_object('team', 'red', 'notes', $LARGE));`
	largeText              = `(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500) AS n)`
)

var scenarios = []scenario{
	{
		reason: "large parts are not sent with other columns", given: conversationAndMessage,
		then: []string{`UPDATE message SET feedback = '"helpful"' WHERE id = 'm$N'`},
		want: figures{"toolCalls": 3, "totalHelpful": 1, "totalTokens": 11},
	},
	{
		reason: "large usage is not sent with a move", given: conversationAndMessage + `UPDATE message SET usage = usage || jsonb_build_object('raw', $LARGE) WHERE id = 'm$N';`,
		then: []string{`UPDATE message SET created_at = '2024-02-03 04:05:06+00', conversation_id = 'other$N' WHERE id = 'm$N';
			INSERT INTO conversation (id, organization_id, user_id) VALUES ('other$N', '$ORG', 'user_2')`},
		want: figures{"totalTokens": 11, "toolCalls": 3, "uniqueUsers": 1, "uniqueAgents": 0},
	},
	{
		reason: "invocations come, and are taken back: the parts, which were not sent again, count", given: conversationAndMessage,
		then: []string{
			`UPDATE message SET tool_invocations = jsonb_build_array($LARGE) WHERE id = 'm$N'`, `UPDATE message SET role = 'tool' WHERE id = 'm$N'`,
			`UPDATE message SET tool_invocations = NULL WHERE id = 'm$N'`,
		},
		want: figures{"toolCalls": 3},
	},
	{
		reason: "large invocations stay while the parts change", given: conversationAndMessage +
			`UPDATE message SET tool_invocations = jsonb_build_array($LARGE, 2) WHERE id = 'm$N';`,
		then: []string{`UPDATE message SET parts = '[]' WHERE id = 'm$N'`},
		want: figures{"toolCalls": 2},
	},
	{
		reason: "a message under another key has its large parts", given: conversationAndMessage,
		then: []string{`UPDATE message SET id = 'moved$N' WHERE id = 'm$N'`, `UPDATE message SET feedback = '["helpful"]' WHERE id = 'moved$N'`},
		want: figures{"messageCount": 1, "toolCalls": 3, "totalHelpful": 1},
	},
	{
		reason: "keys are exchanged in one transaction", given: conversationAndMessage +
			`INSERT INTO message (id, conversation_id, role, parts) VALUES ('n$N', 'c$N', 'tool', jsonb_build_array($LARGE, '{"type": "tool-x"}'::jsonb));`,
		then: []string{
			`UPDATE message SET id = 'x$N' WHERE id = 'm$N'; UPDATE message SET id = 'm$N' WHERE id = 'n$N'; UPDATE message SET id = 'n$N' WHERE id = 'x$N';`,
			`DELETE FROM message WHERE id = 'm$N'`,
		},
		want: figures{"messageCount": 1, "toolCalls": 3, "totalTokens": 11},
	},
	{
		reason: "all of a row's life in one transaction", given: conversationC,
		then: []string{messageM + `UPDATE message SET feedback = '"helpful"' WHERE id = 'm$N'; DELETE FROM message WHERE id = 'm$N';` + messageM +
			`UPDATE message SET usage = '{"totalTokens": 5}' WHERE id = 'm$N'`},
		want: figures{"messageCount": 1, "toolCalls": 3, "totalFeedback": 0, "totalTokens": 5},
	},
	{
		reason: "what is rolled back never was", given: conversationAndMessage,
		then: []string{`BEGIN; SAVEPOINT s; DELETE FROM message WHERE id = 'm$N'; ROLLBACK TO s; UPDATE message SET feedback = '"helpful"' WHERE id = 'm$N'; COMMIT`},
		want: figures{"messageCount": 1, "totalHelpful": 1, "toolCalls": 3},
	},
	{
		reason: "deletes send the key alone", given: conversationAndMessage + `INSERT INTO message (id, conversation_id, role) VALUES ('n$N', 'c$N', 'user');`,
		then: []string{`DELETE FROM message WHERE id = 'm$N'`},
		want: figures{"messageCount": 1, "toolCalls": 0},
	},
	{
		reason: "a conversation is deleted, and comes back with its messages", given: conversationAndMessage,
		then: []string{`DELETE FROM conversation WHERE id = 'c$N'`, conversationC},
		want: figures{"messageCount": 1, "toolCalls": 3},
	},
	{
		reason: "a conversation is deleted", given: conversationAndMessage, then: []string{`DELETE FROM conversation WHERE id = 'c$N'`},
		want: figures{"messageCount": 0},
	},
	{
		reason: "marks of deletion, older than the row's last version", given: conversationAndMessage + `UPDATE message SET updated_at = '2031-01-01+00' WHERE id = 'm$N';`,
		then: []string{
			`UPDATE message SET deleted_at = '2020-01-01+00', updated_at = '2020-01-01+00' WHERE id = 'm$N'`,
			`UPDATE message SET deleted_at = NULL, updated_at = '2019-01-01+00' WHERE id = 'm$N'`,
		},
		want: figures{"messageCount": 1, "toolCalls": 3},
	},
	{
		reason: "a member's large metadata is not sent with a mark of deletion that is taken back", given: conversationAndMessage + memberO,
		then:  []string{`UPDATE organization_membership SET deleted_at = now() WHERE id = 'o$N'`, `UPDATE organization_membership SET deleted_at = NULL WHERE id = 'o$N'`},
		query: "metadataKey=team", want: figures{"messageCount": 1},
	},
	{
		reason: "a membership becomes another user's", given: conversationAndMessage + memberO,
		then:  []string{`UPDATE organization_membership SET user_id = 'user_2' WHERE id = 'o$N'`},
		query: "metadataKey=team", want: figures{"messageCount": 0},
	},
	{
		reason: "a membership goes to another user, and another row takes its place", given: conversationAndMessage + memberO,
		then: []string{
			`UPDATE organization_membership SET user_id = 'user_2' WHERE id = 'o$N'; ` + strings.Replace(memberO, "'o$N'", "'p$N'", 1),
			`DELETE FROM organization_membership WHERE id = 'o$N'`,
		},
		query: "metadataKey=team", want: figures{"messageCount": 1},
	},
	{
		reason: "a membership is deleted by its row's key, and made anew under another", given: conversationAndMessage + memberO,
		then:  []string{`DELETE FROM organization_membership WHERE id = 'o$N'; ` + strings.Replace(memberO, "'o$N'", "'p$N'", 1)},
		query: "metadataKey=team", want: figures{"messageCount": 1},
	},
	{
		reason: "a membership is deleted by its row's key", given: conversationAndMessage + memberO,
		then:  []string{`DELETE FROM organization_membership WHERE id = 'o$N'`},
		query: "metadataKey=team", want: figures{"messageCount": 0},
	},
	{
		reason: "metadata of none is an empty object", given: conversationAndMessage + memberO,
		then:  []string{`UPDATE organization_membership SET public_metadata = NULL WHERE id = 'o$N'`},
		query: "metadataKey=team", want: figures{"messageCount": 0},
	},
	{
		reason: "a wrong version brought large parts, and the right one after it did not send them again", given: conversationAndMessage,
		then: []string{
			`UPDATE message SET usage = '{"inputTokens": -1}', parts = jsonb_build_array('{"type": "tool-a"}'::jsonb, $LARGE || $LARGE) WHERE id = 'm$N'`,
			`UPDATE message SET usage = '{"inputTokens": 4}' WHERE id = 'm$N'`,
		},
		want: figures{"toolCalls": 1, "totalTokens": 4},
	},
	{
		reason: "a wrong version changed the key", given: conversationAndMessage,
		then: []string{
			`UPDATE message SET usage = '{"inputTokens": -1}', id = 'moved$N' WHERE id = 'm$N'`, `UPDATE message SET usage = '{"inputTokens": 4}' WHERE id = 'moved$N'`,
		},
		want: figures{"messageCount": 1, "toolCalls": 3, "totalTokens": 4},
	},
	{
		reason: "a wrong membership's former user is another row's now", given: conversationAndMessage + memberO,
		then: []string{
			`UPDATE organization_membership SET user_id = 'user_2', public_metadata = '[1]' WHERE id = 'o$N'`, strings.Replace(memberO, "'o$N'", "'p$N'", 1),
			`UPDATE organization_membership SET public_metadata = '{"team": "red"}' WHERE id = 'o$N'`,
		},
		query: "metadataKey=team", want: figures{"messageCount": 1},
	},
	{
		reason: "a message at no time in particular is none, until it has one", given: conversationAndMessage,
		then: []string{`UPDATE message SET created_at = 'infinity' WHERE id = 'm$N'`, `UPDATE message SET created_at = '2024-01-02 03:04:05.678901+00' WHERE id = 'm$N'`},
		want: figures{"messageCount": 1, "toolCalls": 3},
	},
	{
		reason: "a file becomes processed, is moved, is deleted", given: `INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id, processing_status, extract_input_tokens)
			SELECT 'f$N/' || n, '$ORG', 'kb', 'pending', 10 FROM generate_series(1, 4) AS n;`,
		then: []string{
			`UPDATE knowledge_base_file SET processing_status = 'completed', processed_at = now() WHERE id LIKE 'f$N/%'`,
			`UPDATE knowledge_base_file SET organization_id = 'elsewhere' WHERE id = 'f$N/1'; DELETE FROM knowledge_base_file WHERE id = 'f$N/2'`,
		},
		want: figures{"kbFileCount": 2, "kbExtractTotalTokens": 20, "kbCount": 1},
	},
	{
		reason: "many rows in one statement", given: conversationC +
			`INSERT INTO message (id, conversation_id, role, parts) SELECT 'm$N/' || n, 'c$N', 'user', jsonb_build_array('{"type": "tool-a"}'::jsonb, $LARGE) FROM generate_series(1, 300) AS n;`,
		then: []string{`UPDATE message SET feedback = '"not_helpful"' WHERE id LIKE 'm$N/%'`, `DELETE FROM message WHERE id LIKE 'm$N/%7'`},
		want: figures{"messageCount": 270, "toolCalls": 270, "totalNotHelpful": 270},
	},
}

// statement inserts a scenario's own ids into a text.
func (s scenario) statement(text string, n int) string {
	return strings.NewReplacer("$ORG", fmt.Sprint("org_", n), "$N", fmt.Sprint("-", n), "$LARGE", "to_jsonb("+largeText+")").Replace(text)
}

// Every change is tested with rows that existed before the replicator, and with rows that were inserted after its
// start.
func TestEveryChangeOfARowIsFollowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason string
		given  func(r *replication, write func())
	}{
		{"rows that the snapshot finds", func(r *replication, write func()) { write(); r.follow() }},
		{"rows that the log brings", func(r *replication, write func()) { r.follow(); r.catchUp(); write() }},
	} {
		t.Run(c.reason, func(t *testing.T) {
			t.Parallel()
			r := replicates(t)
			c.given(r, func() {
				for n, s := range scenarios {
					r.source.Exec(s.statement(s.given, n))
				}
			})
			r.catchUp()
			for round := range 3 {
				for n, s := range scenarios {
					if round < len(s.then) {
						r.source.Exec(s.statement(s.then[round], n))
					}
				}
				r.catchUp()
			}
			s := r.serve()
			r.checkScenarios(s)
			r.source.Exec("TRUNCATE conversation")
			r.source.Exec("TRUNCATE message, knowledge_base_file; " + scenarios[0].statement(conversationAndMessage, 0))
			r.catchUp()
			for n := range scenarios {
				want := s.compare(&sourceOracle{r.source.Connect()}, adminOfOrg(n), always())
				if left := want["messageCount"] + want["kbFileCount"]; n == 0 && left != 1 || n > 0 && left != 0 {
					t.Errorf("%s: the source itself has %d rows after tables were emptied", scenarios[n].reason, left)
				}
			}
			r.verify()
		})
	}
}

// checkScenarios compares all answers with the source's, and with the figures that each scenario wants.
func (r *replication) checkScenarios(s *server) {
	r.Helper()
	oracle := &sourceOracle{r.source.Connect()}
	for n, c := range scenarios {
		query := always()
		if name, value, ok := strings.Cut(c.query, "="); ok {
			query.Set(name, value)
		}
		figures := s.compare(oracle, adminOfOrg(n), query)
		for name, want := range c.want {
			if figures[name] != want {
				r.Errorf("%s: the source itself says %s %d, want %d", c.reason, name, figures[name], want)
			}
		}
	}
}

func adminOfOrg(n int) auth.Caller {
	return auth.Caller{OrgID: fmt.Sprint("org_", n), UserID: "user_1", Role: "org:admin"}
}
