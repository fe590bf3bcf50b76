package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

// maxTime is the last second of the year 9999; later times would overflow on their way through time.Time.
const maxTime = 253402300799

// objectReader reads the fields of a JSON object one by one and keeps the first mistake.
type objectReader struct {
	fields map[string]json.RawMessage
	err    error
}

// readObject splits data into its fields. It exists because encoding/json alone matches names in any case and lets the
// last of several equal names win, so that two readers of one token could see two callers.
func readObject(data []byte) *objectReader {
	r := &objectReader{fields: map[string]json.RawMessage{}}
	dec := json.NewDecoder(bytes.NewReader(data))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') || !utf8.Valid(data) {
		r.fail("is not a JSON object in UTF-8")
		return r
	}
	for dec.More() && r.err == nil {
		r.readField(dec)
	}
	return r
}

func (r *objectReader) readField(dec *json.Decoder) {
	token, err := dec.Token()
	name, ok := token.(string)
	var value json.RawMessage
	if err != nil || !ok || dec.Decode(&value) != nil {
		r.fail("is not valid JSON")
		return
	}
	if _, again := r.fields[name]; again {
		r.fail(fmt.Sprintf("has %.40q twice", name))
		return
	}
	r.fields[name] = value
}

func (r *objectReader) fail(what string) {
	if r.err == nil {
		r.err = refuse(ReasonMalformed, "the token's payload "+what)
	}
}

// text gives the string called name. Absent and null are "": a template's shortcode gives null where the user has no
// such thing. A string that is empty is a mistake, so that "" means nothing else.
func (r *objectReader) text(name string) string {
	var value *string
	if raw, ok := r.fields[name]; ok {
		if err := json.Unmarshal(raw, &value); err != nil || value != nil && *value == "" {
			r.fail(fmt.Sprintf("has %q, which is not a string or is empty", name))
		}
	}
	if value == nil {
		return ""
	}
	return *value
}

// time gives the Unix time called name, cut to seconds, or nil where there is none.
func (r *objectReader) time(name string) *jwt.NumericDate {
	raw, ok := r.fields[name]
	if !ok {
		return nil
	}
	var seconds *float64
	if err := json.Unmarshal(raw, &seconds); err != nil || seconds == nil || *seconds < 0 || *seconds > maxTime {
		r.fail(fmt.Sprintf("has %q, which is not a time in seconds since 1970", name))
		return nil
	}
	return jwt.NewNumericDate(time.Unix(int64(*seconds), 0))
}
