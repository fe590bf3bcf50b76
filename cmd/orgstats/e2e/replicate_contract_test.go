package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/pgtest"
	"github.com/orgstats/orgstats/service/auth"
)

// rows returns the records that can be written as rows, and how many of them are wrong in a way that a row can be, too.
// A wrong one has a key of its own, because a row does not remember the valid version that it replaced.
func (c *contract) rows(t *testing.T) (records []object, wrong int) {
	for _, line := range c.lines(t) {
		var r object
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		if decoder.Decode(&r) != nil || sourceTables[r.text("type")].name == "" {
			continue // it is no object, or has no type, which no row can be
		}
		switch reason := rowMistake(r); reason {
		case "":
		case "inexpressible":
			continue
		default:
			wrong++
			if r["id"] != "" {
				r["id"] = "wrong: " + reason
			}
		}
		if r.text("type") == "member" {
			r["createdAt"] = r["updatedAt"] // the column must have a value
			if r["id"] == nil {
				r["id"] = r.text("organizationId") + "/" + r.text("userId")
			}
		}
		records = append(records, r)
	}
	return records, wrong
}

// rowMistake returns what makes a row no record, or that a row can't be wrong in that way.
func rowMistake(r object) string {
	usage, _ := r["usage"].(map[string]any)
	input, _ := usage["inputTokens"].(json.Number)
	switch {
	case r.text("createdAt") == "yesterday", r["id"] == nil && r.text("type") == "message":
		return "inexpressible"
	case r.text("type") == "member" && r["updatedAt"] == nil:
		r["updatedAt"], r["userId"] = "2024-01-01T00:00:00Z", "user_of_no_metadata"
		return "metadata that is a text"
	case r["feedback"] == "meh":
		return "unknown feedback"
	case input == "-1" || input == "1.5":
		return "tokens " + string(input)
	case r.text("type") == "kbFile" && r["knowledgeBaseId"] == nil:
		return "no knowledge base"
	case r["id"] == "":
		return "an empty id"
	}
	return ""
}

// writeRows writes records to the source, in transactions of random sizes.
func writeRows(t *testing.T, conn *pgx.Conn, records []object, rng *rand.Rand, most int) {
	t.Helper()
	for len(records) > 0 {
		n := min(len(records), 1+rng.IntN(most))
		err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			for _, r := range records[:n] {
				if _, err := tx.Exec(t.Context(), tableOf(r).upsertUnlessOlder(), tableOf(r).row(r)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		records = records[n:]
	}
}

// The SQL with which the other tests compute the expected answers from PostgreSQL is itself right.
func TestFiguresOfTheSourceMeetTheContract(t *testing.T) {
	t.Parallel()
	c, source := readContract(t), pgtest.Start(t)
	records, _ := c.rows(t)
	conn := source.Connect()
	writeRows(t, conn, records, rand.New(rand.NewPCG(1, 1)), 60)
	for _, table := range sourceTables {
		source.Exec("DELETE FROM " + table.name + " WHERE id LIKE 'wrong: %' OR id = ''")
	}
	oracle := &sourceOracle{conn}
	for _, k := range c.Cases {
		if k.Status != http.StatusOK {
			continue
		}
		query := url.Values{}
		for name, value := range k.Query {
			query.Set(name, value)
		}
		caller := auth.Caller{OrgID: k.Caller.OrganizationID, UserID: k.Caller.UserID, Role: k.Caller.Role}
		got, err := oracle.answer(context.Background(), caller, query)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		if want := decode[figures](t, string(k.Body)); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", k.Name, got, want)
		}
	}
}

// The contract's records are written as rows, half of them before the replicator starts and half after its snapshot.
func TestReplicatedContract(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason string
		most   int // rows of a transaction
	}{
		{"row by row", 1},
		{"in transactions", 60},
	} {
		t.Run(c.reason, func(t *testing.T) {
			t.Parallel()
			seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
			t.Logf("ORGSTATS_TEST_SEED=%d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			k, r := readContract(t), replicates(t)
			records, wrong := k.rows(t)
			rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			conn, half := r.source.Connect(), len(records)/2
			writeRows(t, conn, records[:half], rng, c.most)
			r.follow()
			r.catchUp()
			writeRows(t, conn, records[half:], rng, c.most)
			r.catchUp()
			k.checkCases(t, r.serve())
			if n := r.rejects(); n != uint64(wrong) {
				t.Errorf("%d rows are rejected, want %d", n, wrong)
			}
			if n := r.tally("SELECT count() FROM waiting_messages"); n != uint64(k.Waiting) {
				t.Errorf("%d messages wait, want %d", n, k.Waiting)
			}
			r.verify()
		})
	}
}
