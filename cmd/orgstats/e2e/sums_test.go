package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
)

// grouped is what of an answer adds up.
type grouped struct {
	Buckets []part // of a series
	Rows    []part
	Other   *part
	Total   *part // of a breakdown
}

type part struct {
	Stats   figures
	Buckets []part
}

// ofMessages and ofFiles are the figures that add up: those that count what is distinct do not.
var (
	ofMessages = []string{
		"messageCount", "toolCalls", "totalTokens", "inputTokens", "outputTokens", "totalFeedback", "totalHelpful", "totalNotHelpful",
	}
	ofFiles = []string{"kbFileCount", "kbExtractTotalTokens", "kbExtractInputTokens", "kbExtractOutputTokens"}
	ofBoth  = append(append([]string{}, ofMessages...), ofFiles...)
)

// checkSums compares the sums of an answer with the answer of getStats to the same question.
func (d *propertyDriver) checkSums(q asking, body string) {
	d.Helper()
	if q.path == statsPath {
		return
	}
	var g grouped
	if err := json.Unmarshal([]byte(body), &g); err != nil {
		d.Fatal(err)
	}
	want := d.whole(q)
	if q.path == seriesPath {
		d.checkSum(q, "buckets", g.Buckets, want, ofBoth)
		return
	}
	if !maps.Equal(g.Total.Stats, want) {
		d.Errorf("%v: the total is %v, and getStats %v", q.asked, g.Total.Stats, want)
	}
	rows := g.Rows
	if g.Other != nil {
		rows = append(rows, *g.Other)
	}
	switch q.groupBy {
	case "metadata": // where a user may be in several rows
	case "knowledgeBase":
		d.checkSum(q, "rows", rows, want, ofFiles)
	default:
		d.checkSum(q, "rows", rows, want, ofMessages)
	}
	if q.interval == "" {
		return
	}
	for _, r := range append(rows, *g.Total) {
		d.checkSum(q, "buckets of a row", r.Buckets, r.Stats, ofBoth)
	}
}

// whole asks getStats for the figures of a question's window.
func (d *propertyDriver) whole(q asking) figures {
	d.Helper()
	query := url.Values{"from": q.query["from"], "to": q.query["to"]}
	maps.Copy(query, q.filters())
	got := d.ask(d.token(q.caller), query)
	if got.status != http.StatusOK {
		d.Fatalf("%v asks %v: status %d, %s", q.caller, query.Encode(), got.status, got.body)
	}
	return decode[figures](d.T, got.body)
}

func (d *propertyDriver) checkSum(q asking, what string, parts []part, want figures, names []string) {
	d.Helper()
	for _, name := range names {
		sum := int64(0)
		for _, p := range parts {
			sum += p.Stats[name]
		}
		if sum != want[name] {
			d.Errorf("%v: %s of %s add up to %d, want %d", q.asked, name, what, sum, want[name])
		}
	}
}
