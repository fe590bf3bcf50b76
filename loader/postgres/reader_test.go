package postgres

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/record"
)

// people is a table of members with the key id, whose columns are id, org, login, about, changed.
func people() *table {
	t := &table{Table: mapping.Table{Schema: "public", Name: "people", Record: record.KindMember}, key: []int{0}}
	t.columns = []column{
		{name: "id", kind: kindNumber, typeName: "bigint"}, {name: "org", kind: kindText, typeName: "text"}, {name: "login", kind: kindText, typeName: "text"}, {name: "about", kind: kindJSON, typeName: "jsonb"}, {name: "changed", kind: kindTimestamptz, typeName: "timestamptz"},
	}
	for i, name := range []string{"organizationId", "userId", "publicMetadata", "updatedAt"} {
		t.fields = append(t.fields, field{mapping.Field{Name: name, Column: t.columns[i+1].name}, i + 1})
	}
	return t
}

// binaryCopy is what COPY sends of rows; nil is NULL.
func binaryCopy(rows ...[]*string) []byte {
	out := append(slices.Clone(copySignature), 0, 0, 0, 0, 0, 0, 0, 2, 'x', 'y') // with an extension of two bytes
	for _, row := range rows {
		out = binary.BigEndian.AppendUint16(out, uint16(len(row)))
		for _, text := range row {
			if text == nil {
				out = binary.BigEndian.AppendUint32(out, 0xffffffff)
				continue
			}
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(*text))), *text...)
		}
	}
	return append(out, 0xff, 0xff)
}

func row(texts ...string) (values []*string) {
	for _, text := range texts {
		values = append(values, &text)
	}
	return values
}

func newCopyReader() *copyReader {
	t := people()
	return &copyReader{
		copies: &copies{session: &session{replicator: &replicator{state: &state{}}}, point: 7},
		task:   task{&copyJob{table: t}, &chunk{}}, values: make([]value, len(t.columns)),
	}
}

// However the bytes are cut, the rows are the same.
func TestCopiedRowsComeInPieces(t *testing.T) {
	data := binaryCopy(row("1", "o", "u1", `{"a": 1}`, "2026-01-01 00:00:00+00"), row("2", "o", "", `{}`, "2026-01-01 00:00:00+00"),
		[]*string{row("3")[0], row("o")[0], row("u3")[0], nil, row("2026-01-01 00:00:00.25+00")[0]})
	for cut := range len(data) {
		r := newCopyReader()
		for _, part := range [][]byte{data[:cut], data[cut:]} {
			mine := slices.Clone(part)
			if n, err := r.Write(mine); err != nil || n != len(part) {
				t.Fatalf("cut at %d: %d bytes, %v", cut, n, err)
			}
			clear(mine) // as the connection does with its buffer
		}
		if !r.ended || r.rows != 3 || r.work.batch.Len() != 2 || len(r.work.rejects) != 1 || r.work.rejects[0].key != "2" || r.work.position != 7 {
			t.Fatalf("cut at %d: ended %v, %d rows, %d records, rejects %+v", cut, r.ended, r.rows, r.work.batch.Len(), r.work.rejects)
		}
	}
	r := newCopyReader()
	for n := range data {
		if _, err := r.Write(data[n : n+1]); err != nil {
			t.Fatal(err)
		}
	}
	if !r.ended || r.rows != 3 {
		t.Errorf("byte by byte: %d rows", r.rows)
	}
}

func TestCopiesOfAnotherFormAreRefused(t *testing.T) {
	for reason, data := range map[string][]byte{
		"another form":             []byte("PGCOPY\r\n\xff\r\n\x00 and something"),
		"another number of values": binaryCopy(row("1", "2")),
	} {
		if _, err := newCopyReader().Write(data); err == nil {
			t.Errorf("%s: is taken", reason)
		}
	}
}

// A message that was cut off is an error wherever that is, and never read beyond its end.
func TestTuplesThatAreCutOff(t *testing.T) {
	tuple := []byte{0, 4, 'n', 'u', 't', 0, 0, 0, 2, 'a', 'b', 't', 0, 0, 0, 0}
	for length := range tuple {
		c := &cursor{data: tuple[:length]}
		c.tuple([]int{0, 1, -1, 2}, make([]value, 3))
		if c.err == nil {
			t.Errorf("%d of %d bytes are taken for a row", length, len(tuple))
		}
	}
	values := make([]value, 3)
	c := &cursor{data: tuple}
	c.tuple([]int{0, -1, 2, 1}, values)
	if c.err != nil || values[0].state != valueNull || string(values[2].text) != "ab" || values[1].state != valueText || len(values[1].text) != 0 {
		t.Errorf("%v, %+v", c.err, values)
	}
	c = &cursor{data: tuple}
	if c.tuple([]int{0, 1}, values); c.err == nil {
		t.Error("a row with more columns than its table is taken")
	}
}

func TestKeysOfSeveralColumns(t *testing.T) {
	p := people()
	p.key = []int{0, 2}
	values := []value{{valueText, []byte("7")}, {}, {valueText, []byte(`a"b,c`)}, {}, {}}
	key := p.keyOf(values)
	if key != `["7","a\"b,c"]` || !slices.Equal(p.splitKey(key), []string{"7", `a"b,c`}) {
		t.Errorf("the key is %s, and is taken apart into %q", key, p.splitKey(key))
	}
}

func TestPathsInJSON(t *testing.T) {
	for _, row := range []struct{ why, raw, want string }{
		{"what lies there", `{"a": {"b": {"c": [1, 2]}}}`, "[1, 2]"},
		{"nothing", `{"a": {"b": {}}}`, "null"},
		{"nothing, not even on the way", `{"a": 1}`, "null"},
		{"no object", `[1]`, "null"},
		{"the last of a key that comes twice", `{"a": 1, "a": {"b": {"c": 1, "c": 2}}}`, "2"},
		{"a key that is escaped", `{"\u0061": {"b": {"c": 3}}}`, "3"},
	} {
		if got := at(row.raw, []string{"a", "b", "c"}); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}
