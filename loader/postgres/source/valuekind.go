package source

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
)

// ValueKind is how the text of a value, as PostgreSQL writes it, becomes JSON.
type ValueKind int

const (
	kindUnfit ValueKind = iota
	KindText
	kindPadded // text filled up with blanks
	KindNumber
	kindFloat
	kindBool
	KindJSON
	KindTimestamptz
	kindTimestamp
	kindDate
)

// valueKinds are those of the types that PostgreSQL brings with it. Enums are text, and domains are as the types below
// them.
var valueKinds = map[uint32]ValueKind{
	pgtype.TextOID: KindText, pgtype.VarcharOID: KindText, pgtype.NameOID: KindText, pgtype.UUIDOID: KindText, pgtype.BPCharOID: kindPadded,
	pgtype.Int2OID: KindNumber, pgtype.Int4OID: KindNumber, pgtype.Int8OID: KindNumber, pgtype.OIDOID: KindNumber,
	pgtype.NumericOID: kindFloat, pgtype.Float4OID: kindFloat, pgtype.Float8OID: kindFloat,
	pgtype.BoolOID: kindBool, pgtype.JSONOID: KindJSON, pgtype.JSONBOID: KindJSON,
	pgtype.TimestamptzOID: KindTimestamptz, pgtype.TimestampOID: kindTimestamp, pgtype.DateOID: kindDate,
}

// fitting are the kinds whose values can be what fields hold, by shape.
var fitting = map[mapping.Shape][]ValueKind{
	mapping.Identifier: {KindText, kindPadded, KindNumber, kindFloat},
	mapping.Text:       {KindText, kindPadded},
	mapping.Time:       {KindText, kindPadded, KindTimestamptz, kindTimestamp, kindDate},
	mapping.Count:      {KindNumber, kindFloat},
	mapping.Document:   {KindJSON},
	mapping.Feedback:   {KindText, kindPadded, KindJSON},
}

// json returns a value as JSON text. What JSON can't express, such as a date before Christ, becomes a string that no
// record accepts.
func (k ValueKind) json(text string) string {
	switch k {
	case KindJSON, KindNumber:
		return text
	case kindFloat:
		if strings.ContainsAny(text, "NI") { // NaN, Infinity
			return quote(text)
		}
		return text
	case kindBool:
		if strings.HasPrefix(text, "t") {
			return "true"
		}
		return "false"
	case kindPadded:
		return quote(strings.TrimRight(text, " "))
	case KindTimestamptz:
		if date, clock, ok := strings.Cut(text, " "); ok && strings.HasSuffix(clock, "+00") {
			return `"` + date + "T" + strings.TrimSuffix(clock, "+00") + `Z"`
		}
	case kindTimestamp:
		if date, clock, ok := strings.Cut(text, " "); ok && !strings.Contains(clock, " ") {
			return `"` + date + "T" + clock + `Z"`
		}
	case kindDate:
		if len(text) == len("2006-01-02") {
			return `"` + text + `T00:00:00Z"`
		}
	}
	return quote(text)
}

// quote makes a JSON string. Bytes that are not valid UTF-8 stay as they are, so that two keys that differ in them are
// two.
func quote(text string) string { return `"` + escaper.Replace(text) + `"` }

// escaper replaces what JSON must escape in a string; of two pairs for a byte the first counts.
var escaper = func() *strings.Replacer {
	pairs := []string{`"`, `\"`, `\`, `\\`, "\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`}
	for c := range ' ' {
		pairs = append(pairs, string(c), fmt.Sprintf(`\u%04x`, c))
	}
	return strings.NewReplacer(pairs...)
}()
