package service

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// The parameters of getStats. Names are case-sensitive.
const (
	paramFrom          = "from"
	paramTo            = "to"
	paramAllInOrg      = "allInOrg"
	paramAgentID       = "agentId"
	paramUserID        = "userId"
	paramMetadataKey   = "metadataKey"
	paramMetadataValue = "metadataValue"
)

var paramNames = []string{
	paramFrom, paramTo, paramAllInOrg, paramAgentID, paramUserID, paramMetadataKey, paramMetadataValue,
}

const (
	// maxMistakes bounds what a request of nothing but mistakes is answered with.
	maxMistakes = 20
	// maxParameters is far above how many there are; what comes after is not looked at.
	maxParameters = 32
	// maxValue bounds a parameter's value, in bytes once it is decoded.
	maxValue = 128 << 10
)

// query reads the parameters of one request and gathers what is wrong with them.
type query struct {
	values   map[string]string // by name; values that are empty are not there
	seen     map[string]int
	mistakes []mistake
}

// parseQuery reads the text behind a URL's question mark. It takes nothing on trust and repairs nothing: a typo must
// not widen what is asked. As everywhere in queries, + stands for a space.
func parseQuery(raw string) *query {
	q := &query{values: map[string]string{}, seen: map[string]int{}}
	n := 0
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if n++; n > maxParameters {
			return &query{mistakes: []mistake{{"", fmt.Sprintf("there are more than %d parameters", maxParameters)}}}
		}
		q.add(pair)
	}
	return q
}

func (q *query) add(pair string) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, problem := unescape(rawName)
	if problem != "" {
		q.wrong(shorten(rawName), "the parameter name %q %s", shorten(rawName), problem)
		return
	}
	if !slices.Contains(paramNames, name) {
		q.unknown(name)
		return
	}
	q.seen[name]++
	if q.seen[name] == 2 {
		q.wrong(name, "%s is given more than once", name)
	}
	value, problem := unescape(rawValue)
	if problem != "" {
		q.wrong(name, "%s %s", name, problem)
		return
	}
	if len(value) > maxValue {
		q.wrong(name, "%s has %d bytes: give at most %d", name, len(value), maxValue)
		return
	}
	if value != "" {
		q.values[name] = strings.Clone(value) // else a short id would keep the whole query in memory
	}
}

// unescape decodes a name or a value, or says what is wrong with it, as a predicate.
func unescape(text string) (decoded, problem string) {
	if strings.ContainsAny(text, ";#") {
		return "", "contains ; or #, which neither separate nor end parameters here: write them as %3B and %23"
	}
	decoded, err := url.QueryUnescape(text)
	switch {
	case err != nil:
		return "", "has a % that two hexadecimal digits don't follow: write a percent sign as %25"
	case !utf8.ValidString(decoded):
		return "", "is not valid UTF-8"
	}
	return decoded, ""
}

func (q *query) unknown(name string) {
	short := shorten(name)
	q.seen[short]++
	if q.seen[short] > 1 {
		return // said already
	}
	for _, known := range paramNames {
		if strings.EqualFold(name, known) {
			q.wrong(short, "%q is not a parameter: write %s", short, known)
			return
		}
	}
	q.wrong(short, "%q is not a parameter: there are %s", short, strings.Join(paramNames, ", "))
}

// wrong notes a mistake.
func (q *query) wrong(path, format string, args ...any) {
	if len(q.mistakes) < maxMistakes {
		q.mistakes = append(q.mistakes, mistake{Path: path, Message: fmt.Sprintf(format, args...)})
	}
}

// boolean reads true or false, in lower case; not given is false.
func (q *query) boolean(name string) bool {
	switch value := q.values[name]; value {
	case "true":
		return true
	case "", "false":
	default:
		q.wrong(name, "%s is %q: give true or false", name, shorten(value))
	}
	return false
}

// shorten bounds a caller's text that is shown or logged, and makes it valid UTF-8.
func shorten(text string) string {
	const most = 64
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
