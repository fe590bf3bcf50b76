package loadtest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

const goodFigures = `{"conversationCount":114,"messageCount":1246,"toolCalls":224,"totalTokens":1520414,"inputTokens":1324449,` +
	`"outputTokens":195965,"uniqueUsers":55,"uniqueAgents":9,"totalFeedback":20,"totalHelpful":15,"totalNotHelpful":5,` +
	`"kbFileCount":2,"kbCount":1,"kbExtractTotalTokens":71555,"kbExtractInputTokens":71104,"kbExtractOutputTokens":451}`

func TestEveryAnswersShapeIsChecked(t *testing.T) {
	json := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	retry := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"5"}}
	change := func(old, new string) string {
		if !strings.Contains(goodFigures, old) {
			t.Fatalf("nothing to change: %s", old)
		}
		return strings.Replace(goodFigures, old, new, 1)
	}
	for _, c := range []struct {
		reason   string
		code     uint16
		header   http.Header
		body     string
		question stats.Question
		says     string // "": the answer is well-formed
	}{
		{"as it should be", 200, json, goodFigures, stats.Question{}, ""},
		{"an empty window", 200, json, strings.NewReplacer("1", "0", "2", "0", "3", "0", "4", "0", "5", "0", "6", "0", "7", "0", "9", "0").
			Replace(`{"conversationCount":0,"messageCount":0,"toolCalls":0,"totalTokens":0,"inputTokens":0,"outputTokens":0,"uniqueUsers":0,` +
				`"uniqueAgents":0,"totalFeedback":0,"totalHelpful":0,"totalNotHelpful":0,"kbFileCount":0,"kbCount":0,` +
				`"kbExtractTotalTokens":0,"kbExtractInputTokens":0,"kbExtractOutputTokens":0}`), stats.Question{}, ""},
		{"a page of HTML", 200, http.Header{"Content-Type": {"text/html"}}, goodFigures, stats.Question{}, "text/html"},
		{"no JSON", 200, json, "OK", stats.Question{}, "no JSON object"},
		{"cut off", 200, json, goodFigures[:len(goodFigures)-1], stats.Question{}, "JSON"},
		{"something behind it", 200, json, goodFigures + "{}", stats.Question{}, "after top-level value"},
		{"a field is missing", 200, json, change(`"toolCalls":224,`, ""), stats.Question{}, "other fields"},
		{"a field more", 200, json, change(`"kbCount":1`, `"kbCount":1,"kbs":1`), stats.Question{}, "other fields"},
		{"a field more at the end", 200, json, change(`451}`, `451,"cached":true}`), stats.Question{}, "other fields"},
		{"another order", 200, json, change(`"conversationCount":114,"messageCount":1246`, `"messageCount":1246,"conversationCount":114`), stats.Question{}, "another order"},
		{"a text for a number", 200, json, change(`1246`, `"1246"`), stats.Question{}, "messageCount"},
		{"a fraction", 200, json, change(`1246`, `1246.5`), stats.Question{}, "messageCount"},
		{"a negative number", 200, json, change(`1246`, `-1`), stats.Question{}, "messageCount"},
		{"null", 200, json, change(`1246`, `null`), stats.Question{}, "other fields"},
		{"a sum that is none", 200, json, change(`"totalFeedback":20`, `"totalFeedback":21`), stats.Question{}, "totalFeedback"},
		{"more conversations than messages", 200, json, change(`114`, `1247`), stats.Question{}, "more conversations"},
		{"more users than conversations", 200, json, change(`55`, `115`), stats.Question{}, "more users"},
		{"users of others", 200, json, goodFigures, stats.Question{Filter: stats.Filter{UserID: "user_1"}}, "several users"},
		{"agents that were not asked about", 200, json, goodFigures, stats.Question{Filter: stats.Filter{AgentID: "1"}}, "several agents"},
		{"refused with a reason", 400, json, `{"error":"from is not given"}`, stats.Question{}, ""},
		{"refused with several", 400, json, `{"error":"2 things","details":[{"path":"from","message":"x"},{"path":"to","message":"y"}]}`, stats.Question{}, ""},
		{"refused in plain text", 502, json, "Bad Gateway", stats.Question{}, "without an error's JSON"},
		{"refused without a sentence", 500, json, `{}`, stats.Question{}, "without an error's JSON"},
		{"shed as it should be", 503, retry, `{"error":"Try again"}`, stats.Question{}, ""},
		{"shed without a word when to come again", 503, json, `{"error":"Try again"}`, stats.Question{}, "Retry-After"},
		{"limited without a word when to come again", 429, json, `{"error":"Try again"}`, stats.Question{}, "Retry-After"},
	} {
		_, err := checkAnswer(&vegeta.Result{Code: c.code, Headers: c.header, Body: []byte(c.body)}, request{question: c.question})
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a word of %q", c.reason, err, c.says)
		}
	}
}

// exampleSeries returns the question of a day and a half by day in Berlin, beside the time before, and an answer.
func exampleSeries() (q stats.Question, body string) {
	location, _ := time.LoadLocation("Europe/Berlin")
	q = stats.Question{
		From: 1774738800000, Until: 1774738800000 + 36*hour, Previous: stats.Interval{From: 1774738800000 - 36*hour, Until: 1774738800000},
		Grouping: stats.Grouping{Interval: calendar.Day, Zone: calendarOf(location)},
	}
	bucket := func(start, end, partial string) string {
		return `{"start":"2026-03-` + start + `","end":"2026-03-` + end + `","partial":` + partial + `,"stats":` + goodFigures + `}`
	}
	return q, `{"interval":"day","timeZone":"Europe/Berlin","buckets":[` +
		bucket("29T00:00:00+01:00", "30T00:00:00+02:00", "false") + "," + bucket("30T00:00:00+02:00", "31T00:00:00+02:00", "true") +
		`],"previous":{"from":"2026-03-27T11:00:00.000Z","to":"2026-03-28T22:59:59.999Z","buckets":[` +
		bucket("27T00:00:00+01:00", "28T00:00:00+01:00", "true") + "," + bucket("28T00:00:00+01:00", "29T00:00:00+01:00", "false") + `]}}`
}

const hour = int64(time.Hour / time.Millisecond)

// exampleBreakdown returns the question of a day by agent, compared with the day before, and an answer.
func exampleBreakdown() (q stats.Question, body string) {
	q = stats.Question{
		From: 1774738800000, Until: 1774738800000 + 24*hour, Previous: stats.Interval{From: 1774738800000 - 24*hour, Until: 1774738800000},
		Grouping: stats.Grouping{By: stats.ByAgent, OrderBy: "messageCount", Limit: 2},
	}
	figures := `"stats":` + goodFigures + `,"previous":` + goodFigures + `}`
	return q, `{"groupBy":"agent","orderBy":"messageCount","order":"desc","previous":{"from":"2026-03-27T23:00:00.000Z",` +
		`"to":"2026-03-28T22:59:59.999Z"},"rows":[{"value":"\u003c7\u003e",` + figures + `,{"value":null,` + figures +
		`],"other":{"groups":3,` + figures + `,"total":{"groups":5,` + figures + `}`
}

func TestEveryGroupedAnswersShapeIsChecked(t *testing.T) {
	for _, c := range []struct {
		reason   string
		example  func() (stats.Question, string)
		old, new string
		says     string // "": the answer is well-formed
	}{
		{"a series", exampleSeries, "", "", ""},
		{"a breakdown", exampleBreakdown, "", "", ""},
		{"spaces", exampleSeries, `"buckets":[`, ` "buckets" : [`, ""},
		{"another zone", exampleSeries, "Europe/Berlin", "UTC", "other buckets"},
		{"a bucket begins elsewhere", exampleSeries, "29T00:00:00+01:00", "29T00:00:00+02:00", "other buckets"},
		{"a bucket that is cut and does not say so", exampleSeries, `"partial":true`, `"partial":false`, "other buckets"},
		{"another window before", exampleSeries, "27T11:00", "27T12:00", "other fields"},
		{"nothing is compared", exampleBreakdown, `,"previous":` + goodFigures, "", "other fields"},
		{"a field more in a bucket", exampleSeries, `"kbCount":1`, `"kbCount":1,"kbs":1`, "other fields"},
		{"a bucket's figures contradict each other", exampleSeries, `"totalFeedback":20`, `"totalFeedback":21`, "totalFeedback"},
		{"another order", exampleBreakdown, `"desc"`, `"asc"`, "other fields"},
		{"a number for a value", exampleBreakdown, `"value":null`, `"value":7`, "value"},
		{"too few others", exampleBreakdown, `"groups":3`, `"groups":2`, "other fields"},
		{"a row contradicts itself", exampleBreakdown, `"uniqueUsers":55`, `"uniqueUsers":115`, "more users"},
		{"another answer", func() (stats.Question, string) { q, _ := exampleSeries(); return q, goodFigures }, "", "", "other fields"},
	} {
		q, body := c.example()
		if !strings.Contains(body, c.old) {
			t.Fatalf("%s: nothing to change", c.reason)
		}
		body = strings.Replace(body, c.old, c.new, 1)
		_, err := checkBody([]byte(body), q)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a word of %q", c.reason, err, c.says)
		}
	}
	q, body := exampleBreakdown()
	q.Grouping.Limit = 1
	if _, err := checkBody([]byte(body), q); err == nil || !strings.Contains(err.Error(), "more rows") {
		t.Errorf("two rows of one: %v", err)
	}
}

func TestCSVIsChecked(t *testing.T) {
	header := "period,start," + strings.Join(stats.FigureNames, ",") + "\r\n"
	line := "window,2026-01-01T00:00:00Z" + strings.Repeat(",0", len(stats.FigureNames)) + "\r\n"
	for _, c := range []struct{ reason, kind, body, says string }{
		{"as it should be", "text/csv; charset=utf-8; header=present", header + line + line, ""},
		{"JSON", "application/json", goodFigures, "content type"},
		{"a line is cut off", "text/csv", header + line + line[:40], "no CSV"},
		{"a figure is missing", "text/csv", strings.Replace(header, ",toolCalls", "", 1), "does not name the figures"},
		{"nothing", "text/csv", "", "does not name the figures"},
	} {
		r := &vegeta.Result{Code: 200, Headers: http.Header{"Content-Type": {c.kind}}, Body: []byte(c.body)}
		_, err := checkAnswer(r, request{csv: true})
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.reason, err, c.says)
		}
	}
}
