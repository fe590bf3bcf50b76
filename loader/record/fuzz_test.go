package record

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/orgstats/orgstats/schema/cells"
)

func FuzzParse(f *testing.F) {
	for i, line := range contractLines(f) {
		if i%20 == 0 {
			f.Add(line)
		}
	}
	f.Add([]byte(`{"type":"member","organizationId":"\ud83d\ude00","userId":1,"updatedAt":"2024-01-01T00:00:00Z",` +
		`"publicMetadata":{"a":[[1e2,{"b":"\ud800"}],{"":-0}],"a.b":null}}`))
	f.Add([]byte(`{"type":"message","id":1,"conversationId":"c","role":"x","createdAt":"2024-01-01T00:00:00.1239+05:45",` +
		`"usage":{"inputTokens":1.5e1,"totalTokens":0e9},"parts":[{"type":"tool-a"}],"feedback":["helpful"]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		kept := bytes.Clone(line)
		rec, err := Parse(line)
		if !bytes.Equal(line, kept) {
			t.Fatal("Parse changed the line")
		}
		if err != nil {
			if rec != nil || err.Error() == "" {
				t.Fatalf("got %+v and error %q", rec, err)
			}
			return
		}
		checkInvariants(t, rec)
		// The same JSON written by another hand: other order, other escapes, no white space, each key once.
		again, err := Parse(rewritten(t, line))
		if err != nil || !reflect.DeepEqual(again, rec) {
			t.Fatalf("got %+v, rewritten %+v, %v", rec, again, err)
		}
	})
}

func rewritten(t *testing.T, line []byte) []byte {
	t.Helper()
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("accepted a line that is not JSON: %v", err)
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkInvariants checks what must hold for any record.
func checkInvariants(t *testing.T, rec Record) {
	t.Helper()
	var ids []string
	var times []int64
	switch rec := rec.(type) {
	case *Conversation:
		ids = []string{rec.ID, rec.OrgID, rec.UserID}
		times = []int64{rec.CreatedAt, rec.UpdatedAt, rec.DeletedAt}
		if len(rec.AgentID) > maxIDLength {
			t.Errorf("agent %q", rec.AgentID)
		}
	case *Message:
		ids = []string{rec.ID, rec.ConversationID}
		times = []int64{rec.CreatedAt, rec.UpdatedAt, rec.DeletedAt}
		if len(rec.Role) < 1 || len(rec.Role) > maxRoleLength {
			t.Errorf("role %q", rec.Role)
		}
	case *KBFile:
		ids = []string{rec.ID, rec.OrgID, rec.KnowledgeBaseID}
		times = []int64{rec.CreatedAt, rec.ProcessedAt, rec.UpdatedAt, rec.DeletedAt}
	case *Member:
		ids = []string{rec.OrgID, rec.UserID}
		times = []int64{rec.UpdatedAt, rec.DeletedAt}
		checkMetadata(t, rec)
	}
	for _, id := range ids {
		if len(id) < 1 || len(id) > maxIDLength {
			t.Errorf("id %q", id)
		}
	}
	for _, at := range times {
		if at < cells.MinTime || at > cells.MaxTime {
			t.Errorf("time %d", at)
		}
	}
}

// checkMetadata checks that what a member's metadata flattened to fits together.
func checkMetadata(t *testing.T, m *Member) {
	t.Helper()
	if !json.Valid([]byte(m.Metadata)) || m.Metadata[0] != '{' {
		t.Errorf("metadata %s", m.Metadata)
	}
	if !slices.IsSorted(m.Paths) || len(slices.Compact(slices.Clone(m.Paths))) != len(m.Paths) {
		t.Errorf("paths %q are not sorted and distinct", m.Paths)
	}
	if len(m.PairPaths) != len(m.PairValues) {
		t.Fatalf("%d paths of pairs, %d values", len(m.PairPaths), len(m.PairValues))
	}
	seen := map[pair]bool{}
	for i, path := range m.PairPaths {
		if _, found := slices.BinarySearch(m.Paths, path); !found {
			t.Errorf("path %q of a pair is none of %q", path, m.Paths)
		}
		if p := (pair{path, m.PairValues[i]}); seen[p] {
			t.Errorf("pair %q comes twice", p)
		} else {
			seen[p] = true
		}
	}
}
