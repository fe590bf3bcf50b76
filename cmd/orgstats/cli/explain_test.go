package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// explained returns the question that flags of explain ask, of two days in March.
func explained(t *testing.T, flags ...string) (stats.Question, error) {
	t.Helper()
	var c explainCommand
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	flags = append([]string{"--org", "org_a", "--from", "2026-03-28T23:00:00Z", "--to", "2026-03-30T21:59:59.999Z"}, flags...)
	if _, err := parser.Parse(flags); err != nil {
		t.Fatal(err)
	}
	return c.question()
}

func TestFlagsOfExplainAreThoseOfARequest(t *testing.T) {
	berlin, err := calendar.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const from, until = 1774738800000, 1774908000000
	question := func(change func(*stats.Question)) stats.Question {
		q := stats.Question{OrgID: "org_a", From: from, Until: until}
		change(&q)
		return q
	}
	for flags, want := range map[string]stats.Question{
		"": question(func(*stats.Question) {}),
		"--user-id user_1 --agent-id 7 --metadata-key team --metadata-value red": question(func(q *stats.Question) {
			q.Filter = stats.Filter{UserID: "user_1", AgentID: "7", MetadataKey: "team", MetadataValue: "red"}
		}),
		"--interval day --time-zone Europe/Berlin": question(func(q *stats.Question) {
			q.Grouping = stats.Grouping{Interval: calendar.Day, Zone: berlin}
		}),
		"--compare-previous": question(func(q *stats.Question) {
			q.Previous = stats.Interval{From: from - (until - from), Until: from}
		}),
		"--group-by metadata --metadata-key team --order-by uniqueUsers --order asc --limit 7": question(func(q *stats.Question) {
			q.Grouping = stats.Grouping{By: stats.ByMetadata, Path: "team", OrderBy: "uniqueUsers", Ascending: true, Limit: 7}
		}),
		"--group-by agent --interval hour": question(func(q *stats.Question) {
			q.Grouping = stats.Grouping{By: stats.ByAgent, OrderBy: "messageCount", Limit: 100, Interval: calendar.Hour, Zone: calendar.UTC}
		}),
	} {
		if got, err := explained(t, strings.Fields(flags)...); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", flags, got, err, want)
		}
	}
}

func TestExplainTellsOfEveryMistake(t *testing.T) {
	for flags, want := range map[string][]string{
		"--from yesterday":                            {"from"},
		"--from yesterday --to never":                 {"from", "to"},
		"--interval minute":                           {`interval is "minute": give hour`},
		"--limit 7":                                   {`"limit" is not a parameter`},
		"--group-by agent --limit ten":                {`limit is "ten": give a whole number from 1 to 1000`},
		"--group-by metadata --time-zone Mars":        {"metadataKey is missing", `timeZone is "Mars"`},
		"--interval hour --from 2020-01-01T00:00:00Z": {"at most 2000 are answered"},
	} {
		_, err := explained(t, strings.Fields(flags)...)
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want a word of %s", flags, err, text)
			}
		}
	}
}

// Answers are printed with what they are grouped by, and without figures that are 0 everywhere.
func TestAnswersArePrinted(t *testing.T) {
	counts := func(messages, users uint64) stats.Figures {
		return stats.Figures{MessageCount: messages, UniqueUsers: users}
	}
	period := func(messages, users uint64, series ...stats.Figures) stats.Period {
		return stats.Period{Figures: counts(messages, users), Series: series}
	}
	for _, c := range []struct {
		reason, flags string
		answer        stats.Answer
		want          string
	}{
		{"the window and the one before", "--compare-previous", stats.Answer{Total: stats.Row{Window: period(5, 2), Previous: period(3, 0)}}, `
period    messageCount  uniqueUsers
window    5             2
previous  3             0
`},
		{
			"a series", "--interval day --time-zone Europe/Berlin",
			stats.Answer{Total: stats.Row{Window: period(0, 0, counts(5, 2), counts(0, 0))}},
			`
period  start                      messageCount  uniqueUsers
window  2026-03-29T00:00:00+01:00  5             2
window  2026-03-30T00:00:00+02:00  0             0
`,
		},
		{
			"a breakdown", "--group-by agent --interval year --limit 2",
			stats.Answer{
				Groups: 5, Total: stats.Row{Window: period(9, 3, counts(9, 3))},
				Rows: []stats.Row{
					{Group: stats.Group{Value: "a\tb"}, Window: period(5, 2, counts(5, 2))},
					{Group: stats.Group{None: true}, Window: period(3, 1, counts(3, 1))},
				},
				Other: &stats.Row{Window: period(1, 1, counts(1, 1))},
			},
			`
period  group            start                 messageCount  uniqueUsers
window  "a\tb"                                 5             2
window  "a\tb"           2026-01-01T00:00:00Z  5             2
window  without a value                        3             1
window  without a value  2026-01-01T00:00:00Z  3             1
window  3 others                               1             1
window  3 others         2026-01-01T00:00:00Z  1             1
window  total                                  9             3
window  total            2026-01-01T00:00:00Z  9             3
`,
		},
	} {
		q, err := explained(t, strings.Fields(c.flags)...)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := printAnswer(&text, q, c.answer); err != nil || text.String() != c.want[1:] {
			t.Errorf("%s: %v\n%s\nwant%s", c.reason, err, text.String(), c.want)
		}
	}
}
