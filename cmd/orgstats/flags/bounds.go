// Package flags checks the values of flags against the bounds that stand beside their definition.
package flags

import (
	"fmt"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

// OutOfBounds returns a mistake for each flag whose value is not within the bounds that its tags `least` and `most`
// set: numbers, or times where the flag is one.
func OutOfBounds(flags []*kong.Flag) (mistakes []error) {
	for _, f := range flags {
		least, most, value := f.Tag.Get("least"), f.Tag.Get("most"), fmt.Sprint(f.Target.Interface())
		name := "--" + f.Name
		if len(f.Envs) > 0 {
			name += " (" + f.Envs[0] + ")" // the others are of former names
		}
		switch {
		case least == "":
		case most != "" && !(number(value) >= number(least) && number(value) <= number(most)): // NaN is neither
			mistakes = append(mistakes, fmt.Errorf("%s is %s; it must lie between %s and %s", name, value, least, most))
		case number(value) < number(least):
			mistakes = append(mistakes, fmt.Errorf("%s is %s; it must be at least %s", name, value, least))
		}
	}
	return mistakes
}

// number returns a number, or a time in nanoseconds.
func number(text string) float64 {
	if d, err := time.ParseDuration(text); err == nil {
		return float64(d)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err) // a flag without a number has bounds, or a bound is none
	}
	return n
}
