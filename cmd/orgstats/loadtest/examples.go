package loadtest

import (
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"
)

// examples counts failures by their text, of which the first few are kept.
type examples struct {
	count  uint64
	byText map[string]uint64
}

const (
	maxExamples = 10
	otherCauses = "others"
)

func (e *examples) add(text string) {
	e.count++
	if e.byText == nil {
		e.byText = map[string]uint64{}
	}
	if _, known := e.byText[text]; !known && len(e.byText) >= maxExamples {
		text = otherCauses
	}
	e.byText[text]++
}

// list returns the failures, the most frequent first.
func (e *examples) list() []Failure {
	var all []Failure
	for _, text := range slices.Sorted(maps.Keys(e.byText)) {
		all = append(all, Failure{text, e.byText[text]})
	}
	slices.SortStableFunc(all, func(a, b Failure) int { return cmp.Compare(b.Count, a.Count) })
	return all
}

// shorten truncates a text of the deployment that is shown.
func shorten(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	for cut := most; ; cut-- {
		if utf8.RuneStart(text[cut]) {
			return text[:cut] + "…"
		}
	}
}
