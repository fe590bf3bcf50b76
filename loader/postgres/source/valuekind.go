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

// fits reports whether values of a kind can be what a field holds.
func (k ValueKind) fits(shape mapping.Shape) bool {
	text := k == KindText || k == kindPadded
	number := k == KindNumber || k == kindFloat
	switch shape {
	case mapping.Identifier:
		return text || number
	case mapping.Text:
		return text
	case mapping.Time:
		return text || k == KindTimestamptz || k == kindTimestamp || k == kindDate
	case mapping.Count:
		return number
	case mapping.Document:
		return k == KindJSON
	case mapping.Feedback:
		return text || k == KindJSON
	}
	return false
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
func quote(text string) string {
	plain := func(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }
	i := 0
	for i < len(text) && plain(text[i]) {
		i++
	}
	if i == len(text) { // as nearly all are
		return `"` + text + `"`
	}
	quoted := append(make([]byte, 0, len(text)+8), '"')
	quoted = append(quoted, text[:i]...)
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case plain(c):
			quoted = append(quoted, c)
		case c >= ' ':
			quoted = append(quoted, '\\', c)
		case strings.IndexByte("\b\f\n\r\t", c) >= 0:
			quoted = append(quoted, '\\', "btn\x00fr"[c-'\b'])
		default:
			quoted = fmt.Appendf(quoted, `\u%04x`, c)
		}
	}
	return string(append(quoted, '"'))
}
