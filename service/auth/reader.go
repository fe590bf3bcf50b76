package auth

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/tidwall/gjson"
)

// maxTime is the last second of the year 9999; later times would overflow on their way through time.Time.
const maxTime = 253402300799

// objectReader reads the fields of a JSON object one by one and keeps the first mistake.
type objectReader struct {
	fields map[string]gjson.Result
	err    error
}

// readObject splits a JSON object, known to be valid JSON, into its fields. It exists because encoding/json matches
// names in any case and lets the last of several equal names win, so that two readers of one token could see two
// callers.
func readObject(json string) *objectReader {
	r := &objectReader{fields: make(map[string]gjson.Result, 16)}
	object := gjson.Parse(json)
	if !object.IsObject() || !utf8.ValidString(json) {
		r.fail("is not a JSON object in UTF-8")
		return r
	}
	object.ForEach(func(name, value gjson.Result) bool {
		if _, again := r.fields[name.Str]; again {
			r.fail(fmt.Sprintf("has %.40q twice", name.Str))
		}
		r.fields[name.Str] = value
		return r.err == nil
	})
	return r
}

func (r *objectReader) fail(what string) {
	if r.err == nil {
		r.err = refuse(ReasonMalformed, "the token's payload "+what)
	}
}

// text returns the string called name. Absent and null are "": a template's shortcode yields null where the user has no
// such thing. A string that is empty is a mistake, so that "" means nothing else.
func (r *objectReader) text(name string) string {
	value, ok := r.fields[name]
	if !ok || value.Type == gjson.Null {
		return ""
	}
	if value.Type != gjson.String || value.Str == "" {
		r.fail(fmt.Sprintf("has %q, which is not a string or is empty", name))
	}
	return value.Str
}

// time returns the Unix time called name, cut to seconds, or nil where there is none.
func (r *objectReader) time(name string) *jwt.NumericDate {
	value, ok := r.fields[name]
	if !ok {
		return nil
	}
	if value.Type != gjson.Number || value.Num < 0 || value.Num > maxTime {
		r.fail(fmt.Sprintf("has %q, which is not a time in seconds since 1970", name))
		return nil
	}
	return jwt.NewNumericDate(time.Unix(int64(value.Num), 0))
}
