package record

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

func TestParseTime(t *testing.T) {
	tests := []struct {
		reason, text string
		ms           int64
		exact        bool
	}{
		{"as toISOString gives it", "2024-01-01T00:00:00.123Z", newYear + 123, true},
		{"without a fraction", "2024-01-01T00:00:00Z", newYear, true},
		{"a lower-case t", "2024-01-01t00:00:00Z", newYear, true},
		{"a lower-case z, too", "2024-01-01t00:00:00.5z", newYear + 500, true},
		{"a short fraction", "2024-01-01T00:00:00.5Z", newYear + 500, true},
		{"zeros beyond milliseconds are nothing", "2024-01-01T00:00:00.123000000000Z", newYear + 123, true},
		{"finer digits are cut off", "2024-01-01T00:00:00.1239999Z", newYear + 123, false},
		{"digits beyond a nanosecond count too", "2024-01-01T00:00:00.00000000000000000001Z", newYear, false},
		{"before 1970, cutting off goes down, too", "1969-12-31T23:59:59.9999Z", -1, false},
		{"east of UTC it is earlier there", "2024-01-01T05:45:00+05:45", newYear, true},
		{"west of UTC it is later", "2023-12-31T19:00:00-05:00", newYear, true},
		{"an unknown zone is UTC", "2024-01-01T00:00:00-00:00", newYear, true},
		{"the first moment", "1900-01-01T00:00:00.000Z", cells.MinTime, true},
		{"the last moment", "2261-12-31T23:59:59.999999Z", cells.MaxTime, false},
		{"a year beyond, but not in UTC", "2262-01-01T04:59:59.999+05:00", cells.MaxTime, true},
		{"a year too early, but not in UTC", "1899-12-31T19:00:00-05:00", cells.MinTime, true},
		{"a leap day", "2024-02-29T00:00:00Z", newYear + 59*86_400_000, true},
		{"a leap day of a century", "2000-02-29T00:00:00Z", 951_782_400_000, true},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			ms, exact, err := ParseTime(test.text)
			if ms != test.ms || exact != test.exact || err != nil {
				t.Errorf("got %d, %t, %v, want %d, %t", ms, exact, err, test.ms, test.exact)
			}
		})
	}
}

func TestParseTimeRefuses(t *testing.T) {
	tests := []struct {
		reason, text string
		want         error
	}{
		{"nothing", "", errTimeShape},
		{"a word", "yesterday", errTimeShape},
		{"a day", "2024-01-01", errTimeShape},
		{"no zone", "2024-01-01T00:00:00", errTimeShape},
		{"no seconds", "2024-01-01T00:00Z", errTimeShape},
		{"one digit of an hour", "2024-01-01T3:04:05Z", errTimeShape},
		{"another letter than T", "2024-01-01u00:00:00Z", errTimeShape},
		{"another letter than Z", "2024-01-01T00:00:00y", errTimeShape},
		{"a lower-case t behind half a day", "2024-01-0t00:00:00Z", errTimeShape},
		{"a space between day and hour", "2024-01-01 00:00:00Z", errTimeShape},
		{"a space for a plus sign", "2024-01-01T00:00:00 02:00", errTimeShape},
		{"a comma before the fraction", "2024-01-01T00:00:00,5Z", errTimeShape},
		{"a fraction of no digits", "2024-01-01T00:00:00.Z", errTimeShape},
		{"an offset without a colon", "2024-01-01T00:00:00+0200", errTimeShape},
		{"an offset of hours alone", "2024-01-01T00:00:00+02", errTimeShape},
		{"something behind it", "2024-01-01T00:00:00Z ", errTimeShape},
		{"something before it", " 2024-01-01T00:00:00Z", errTimeShape},
		{"six digits of a year", "+002024-01-01T00:00:00Z", errTimeShape},
		{"letters in a number", "2024-0a-01T00:00:00Z", errTimeShape},
		{"other scripts' digits", "202٤-01-01T00:00:00Z", errTimeShape},
		{"month 0", "2024-00-01T00:00:00Z", errTimeDay},
		{"month 13", "2024-13-01T00:00:00Z", errTimeDay},
		{"day 0", "2024-01-00T00:00:00Z", errTimeDay},
		{"the 31st of a month of 30", "2024-04-31T00:00:00Z", errTimeDay},
		{"a leap day of a common year", "2023-02-29T00:00:00Z", errTimeDay},
		{"a leap day of a common century", "1900-02-29T00:00:00Z", errTimeDay},
		{"hour 24", "2024-01-01T24:00:00Z", errTimeClock},
		{"minute 60", "2024-01-01T00:60:00Z", errTimeClock},
		{"a leap second", "2016-12-31T23:59:60Z", errTimeLeap},
		{"a leap second elsewhere", "2017-01-01t05:29:60.5+05:30", errTimeLeap},
		{"a second beyond any", "2016-12-31T23:59:61Z", errTimeClock},
		{"second 60 of a minute that has none", "2016-12-31T12:00:60Z", errTimeClock},
		{"an offset of a day", "2024-01-01T00:00:00+24:00", errTimeClock},
		{"an offset of 60 minutes", "2024-01-01T00:00:00+01:60", errTimeClock},
		{"the moment before the first", "1899-12-31T23:59:59.999999Z", errTimeRange},
		{"the moment after the last", "2262-01-01T00:00:00Z", errTimeRange},
		{"too early in UTC", "1900-01-01T00:00:00+00:01", errTimeRange},
		{"the year 0", "0000-01-01T00:00:00Z", errTimeRange},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if _, _, err := ParseTime(test.text); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestParseTimeAgreesWithStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 200_000 {
		text := randomTime(random)
		want, wantErr := time.Parse(time.RFC3339, strings.ToUpper(text))
		if year := want.UTC().Year(); year < 1900 || year > 2261 {
			wantErr = errTimeRange
		}
		ms, exact, err := ParseTime(text)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: got %v, want %v", text, err, wantErr)
		}
		if err != nil {
			continue
		}
		accepted++
		if ms != want.UnixMilli() || exact != (want.Nanosecond()%1_000_000 == 0) {
			t.Fatalf("%s: got %d, %t, want %s", text, ms, exact, want)
		}
	}
	if accepted < 50_000 {
		t.Errorf("only %d times of the random ones are valid", accepted)
	}
}

// randomTime returns a date-time with two-digit numbers, some of them out of range.
func randomTime(random *rand.Rand) string {
	const layout = "2006-01-02T15:04:05"
	at := time.UnixMilli(cells.MinTime - 1e11 + random.Int64N(cells.MaxTime-cells.MinTime+2e11)).UTC()
	text := []byte(at.Format(layout))
	if random.IntN(4) == 0 {
		i := random.IntN(len(text))
		if isDigit(text[i]) {
			text[i] = '0' + byte(random.IntN(10))
		}
	}
	if digits := random.IntN(10); digits > 0 { // the standard library ignores digits beyond the ninth
		text = append(text, '.')
		for range digits {
			text = append(text, "0000123456789"[random.IntN(13)])
		}
	}
	zones := []string{"Z", "+00:00", "-00:00", "+05:45", "-11:30", "+14:00", "+23:59", "-23:59"}
	whole := string(text) + zones[random.IntN(len(zones))]
	if random.IntN(4) == 0 {
		return strings.ToLower(whole)
	}
	return whole
}
