package source

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charmaps are the encodings of databases in which each byte is a character, or none. PostgreSQL would convert them,
// and end a copy, or the WAL, at the first byte that is none. So their text is read as it is, and converted here: a
// row with such a byte is rejected. In other encodings PostgreSQL lets only characters in.
var charmaps = map[string]*charmap.Charmap{
	"LATIN1": charmap.ISO8859_1, "LATIN2": charmap.ISO8859_2, "LATIN3": charmap.ISO8859_3, "LATIN4": charmap.ISO8859_4, "LATIN5": charmap.ISO8859_9,
	"LATIN6": charmap.ISO8859_10, "LATIN7": charmap.ISO8859_13, "LATIN8": charmap.ISO8859_14, "LATIN9": charmap.ISO8859_15, "LATIN10": charmap.ISO8859_16,
	"ISO_8859_5": charmap.ISO8859_5, "ISO_8859_6": charmap.ISO8859_6, "ISO_8859_7": charmap.ISO8859_7, "ISO_8859_8": charmap.ISO8859_8,
	"KOI8R": charmap.KOI8R, "KOI8U": charmap.KOI8U, "WIN866": charmap.CodePage866, "WIN874": charmap.Windows874,
	"WIN1250": charmap.Windows1250, "WIN1251": charmap.Windows1251, "WIN1252": charmap.Windows1252, "WIN1253": charmap.Windows1253,
	"WIN1254": charmap.Windows1254, "WIN1255": charmap.Windows1255, "WIN1256": charmap.Windows1256, "WIN1257": charmap.Windows1257, "WIN1258": charmap.Windows1258,
}

// rawEncodings returns the encodings of databases whose text is read as it is, as a list for SQL.
func rawEncodings() string {
	names := []string{Literal(sqlASCII)}
	for name := range charmaps {
		names = append(names, Literal(name))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// sqlASCII is PostgreSQL's name for no encoding.
const sqlASCII = "SQL_ASCII"

// encoding is how the texts of a database are converted; nil: not at all.
type encoding struct {
	name    string
	charmap *charmap.Charmap
}

// encoding looks up that of the database.
func (c *Catalog) encoding(ctx context.Context) (*encoding, error) {
	var name string
	err := c.ask(ctx, "the database's encoding", "SELECT current_setting('server_encoding')", nil, &name)
	if err != nil || charmaps[name] == nil {
		return nil, err
	}
	return &encoding{name, charmaps[name]}, nil
}

// expression returns the SQL expression of a text, as it is.
func (e *encoding) expression(text string) string {
	if e == nil {
		return text
	}
	return fmt.Sprintf("convert_to(%s, %s)", text, Literal(e.name))
}

// UTF8 converts a text. A byte that is no character becomes 0xff and the byte itself, which is not valid in UTF-8
// whatever follows, and keeps keys apart that differ in such bytes alone.
func (e *encoding) UTF8(text []byte) []byte {
	if e == nil {
		return text
	}
	converted := make([]byte, 0, len(text)+len(text)/8)
	for _, b := range text {
		switch r := e.charmap.DecodeByte(b); {
		case r == utf8.RuneError || b >= utf8.RuneSelf && r >= utf8.RuneSelf && r < 0xa0 && strings.HasPrefix(e.name, "WIN"):
			converted = append(converted, 0xff, b) // Windows has no control characters there
		default:
			converted = utf8.AppendRune(converted, r)
		}
	}
	return converted
}

// ConvertRow converts those of a row.
func (e *encoding) ConvertRow(values []Value) {
	if e == nil {
		return
	}
	for i := range values {
		if values[i].State == ValueText {
			values[i].Text = e.UTF8(values[i].Text)
		}
	}
}

// CanEncode reports whether a value can be looked for: what could not be converted can't be converted back.
func (e *encoding) CanEncode(text string) bool { return e == nil || utf8.ValidString(text) }

// unhex decodes PostgreSQL's text of a bytea.
func unhex(text []byte) ([]byte, error) {
	return hex.DecodeString(strings.TrimPrefix(string(text), `\x`))
}
