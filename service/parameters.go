package service

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/orgstats/orgstats/service/stats"
)

// The parameters beside stats.Filters. Names are case-sensitive.
const (
	paramFrom     = "from"
	paramTo       = "to"
	paramAllInOrg = "allInOrg"
	paramTimeZone = "timeZone"
	paramCompare  = "compare"
	paramFormat   = "format"

	paramInterval = "interval"
	paramGroupBy  = "groupBy"
	paramOrderBy  = "orderBy"
	paramOrder    = "order"
	paramLimit    = "limit"
)

// The values of parameters that have few.
const (
	comparePrevious = "previous"
	formatJSON      = "json"
	formatCSV       = "csv"
)

// parameterNames are the names of all parameters of an endpoint.
func (e endpoint) parameterNames() []string {
	names := []string{paramFrom, paramTo, paramAllInOrg}
	for _, filter := range stats.Filters {
		names = append(names, filter.Name)
	}
	return append(append(names, paramTimeZone, paramCompare, paramFormat), e.parameters...)
}

const (
	// maxMistakes bounds what a request of nothing but mistakes is answered with.
	maxMistakes = 20
	// maxParameters is far above how many there are; what comes after is not looked at.
	maxParameters = 32
	// maxValue bounds a parameter's value, in bytes once it is decoded.
	maxValue = 128 << 10
)

// parameters are those of one request, and what is wrong with them.
type parameters struct {
	known    []string          // names
	values   map[string]string // by name; values that are empty are not there
	seen     map[string]int
	mistakes []mistake
}

// parseQuery reads the text behind a URL's question mark. It repairs nothing: a typo must not widen what is asked. As
// everywhere in queries, + stands for a space.
func parseQuery(raw string, known []string) *parameters {
	p := &parameters{known: known, values: map[string]string{}, seen: map[string]int{}}
	n := 0
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if n++; n > maxParameters {
			return &parameters{mistakes: []mistake{{"", fmt.Sprintf("there are more than %d parameters", maxParameters)}}}
		}
		p.parse(pair)
	}
	return p
}

func (p *parameters) parse(pair string) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, problem := unescape(rawName)
	if problem != "" {
		p.wrong(shorten(rawName), "the parameter name %q %s", shorten(rawName), problem)
		return
	}
	if !slices.Contains(p.known, name) {
		p.unknown(name)
		return
	}
	p.seen[name]++
	if p.seen[name] == 2 {
		p.wrong(name, "%s is given more than once", name)
	}
	value, problem := unescape(rawValue)
	if problem != "" {
		p.wrong(name, "%s %s", name, problem)
		return
	}
	if len(value) > maxValue {
		p.wrong(name, "%s has %d bytes: give at most %d", name, len(value), maxValue)
		return
	}
	if value != "" {
		p.values[name] = strings.Clone(value) // else a short id would keep the whole query in memory
	}
}

// unescape decodes a name or a value, or returns what is wrong with it, as a predicate.
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

func (p *parameters) unknown(name string) {
	short := shorten(name)
	p.seen[short]++
	if p.seen[short] > 1 {
		return // said already
	}
	for _, known := range p.known {
		if strings.EqualFold(name, known) {
			p.wrong(short, "%q is not a parameter: write %s", short, known)
			return
		}
	}
	p.wrong(short, "%q is not a parameter: there are %s", short, strings.Join(p.known, ", "))
}

// wrong notes a mistake.
func (p *parameters) wrong(path, format string, args ...any) {
	if len(p.mistakes) < maxMistakes {
		p.mistakes = append(p.mistakes, mistake{Path: path, Message: fmt.Sprintf(format, args...)})
	}
}

// boolean reads true or false, in lower case; not given is false.
func (p *parameters) boolean(name string) bool {
	switch value := p.values[name]; value {
	case "true":
		return true
	case "", "false":
	default:
		p.wrong(name, "%s is %q: give true or false", name, shorten(value))
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
