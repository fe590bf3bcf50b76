package snapshot

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/record"
)

// people returns a table of members with the key id, whose columns are id, org, login, about, changed.
func people() *source.Table {
	t := &source.Table{Table: mapping.Table{Schema: "public", Name: "people", Record: record.KindMember}, Key: []int{0}}
	column := func(name, typeName string, kind source.ValueKind) source.Column {
		return source.Column{Name: name, Attribute: source.Attribute{TypeName: typeName, Kind: kind}}
	}
	t.Columns = []source.Column{
		column("id", "bigint", source.KindNumber), column("org", "text", source.KindText), column("login", "text", source.KindText), column("about", "jsonb", source.KindJSON), column("changed", "timestamptz", source.KindTimestamptz),
	}
	for i, name := range []string{"organizationId", "userId", "publicMetadata", "updatedAt"} {
		t.Sources = append(t.Sources, source.Field{Field: mapping.Field{Name: name, Column: t.Columns[i+1].Name}, Index: i + 1})
	}
	return t
}

// binaryCopy returns what COPY sends for rows; nil is NULL.
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
		copies: &Copies{point: 7},
		task:   task{&Job{Table: t}, &Chunk{}}, values: make([]source.Value, len(t.Columns)),
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
		if !r.ended || r.rows != 3 || r.out.Batch.Len() != 2 || len(r.out.Rejects) != 1 || r.out.Rejects[0].Key != "2" || r.out.Position != 7 {
			t.Fatalf("cut at %d: ended %v, %d rows, %d records, rejects %+v", cut, r.ended, r.rows, r.out.Batch.Len(), r.out.Rejects)
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
