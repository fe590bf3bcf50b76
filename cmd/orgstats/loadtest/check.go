package loadtest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/orgstats/orgstats/service/stats"
)

// checkAnswer checks an answer's shape: what the contract says about any answer, and what every correct one satisfies.
// It returns the body without white space, nil of one that is not JSON.
func checkAnswer(r *vegeta.Result, asked request) ([]byte, error) {
	want, ok := "application/json", r.Code == http.StatusOK
	if ok && asked.csv {
		want = "text/csv"
	}
	if kind, _, err := mime.ParseMediaType(r.Headers.Get("Content-Type")); err != nil || kind != want {
		return nil, fmt.Errorf("status %d with the content type %q", r.Code, r.Headers.Get("Content-Type"))
	}
	switch {
	case !ok:
		return nil, checkFailure(r)
	case asked.csv:
		return nil, checkCSV(r.Body)
	}
	body, err := checkBody(r.Body, asked.question)
	if err != nil {
		err = fmt.Errorf("%w: %s", err, shorten(string(r.Body)))
	}
	return body, err
}

// checkFailure checks an answer without figures.
func checkFailure(r *vegeta.Result) error {
	var body struct {
		Error   string
		Details []struct{ Path, Message string }
	}
	decoder := json.NewDecoder(bytes.NewReader(r.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil || body.Error == "" {
		return fmt.Errorf("status %d without an error's JSON: %s", r.Code, shorten(string(r.Body)))
	}
	if shed := r.Code == http.StatusTooManyRequests || r.Code == http.StatusServiceUnavailable; shed {
		if seconds, err := strconv.Atoi(r.Headers.Get("Retry-After")); err != nil || seconds < 0 {
			return fmt.Errorf("status %d with the Retry-After %q", r.Code, r.Headers.Get("Retry-After"))
		}
	}
	return nil
}

var errFields = errors.New("the answer has other fields, another order, or other buckets, than the contract's")

// checkBody checks the body of an answer with figures: what is read of it must be all of it.
func checkBody(body []byte, q stats.Question) ([]byte, error) {
	parsed := bodyOf(q)
	if err := json.Unmarshal(body, parsed); err != nil {
		return nil, fmt.Errorf("the answer is no JSON object of the contract's: %w", err)
	}
	answer := parsed.answer()
	want, err := render(q, answer)
	if err != nil {
		return nil, err
	}
	var got bytes.Buffer
	if err := json.Compact(&got, body); err != nil {
		return nil, err
	}
	if !bytes.Equal(got.Bytes(), want) {
		return nil, errFields
	}
	return want, checkRows(answer, q)
}

// checkCSV checks that all lines have as many cells as the first one, whose last ones name the figures.
func checkCSV(body []byte) error {
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		return fmt.Errorf("the answer is no CSV: %w", err)
	}
	figures := stats.FigureNames
	if len(lines) == 0 || len(lines[0]) <= len(figures) || !slices.Equal(lines[0][len(lines[0])-len(figures):], figures) {
		return errors.New("the first line of the CSV does not name the figures")
	}
	return nil
}

// checkRows checks all figures of an answer, and how many rows there are.
func checkRows(a stats.Answer, q stats.Question) error {
	if q.Grouping.By != "" && len(a.Rows) > q.Grouping.Limit {
		return errors.New("there are more rows than were asked for")
	}
	rows := append([]stats.Row{a.Total}, a.Rows...)
	if a.Other != nil {
		rows = append(rows, *a.Other)
	}
	for _, row := range rows {
		for _, period := range []stats.Period{row.Window, row.Previous} {
			for _, figures := range append([]stats.Figures{period.Figures}, period.Series...) {
				if err := checkFigures(figures, q); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkFigures checks what holds for any records.
func checkFigures(f stats.Figures, q stats.Question) error {
	for _, rule := range []struct {
		holds bool
		text  string
	}{
		{f.TotalFeedback == f.TotalHelpful+f.TotalNotHelpful, "totalFeedback is not the sum of the two"},
		{f.ConversationCount <= f.MessageCount, "there are more conversations than messages"},
		{f.UniqueUsers <= f.ConversationCount, "there are more users than conversations"},
		{f.UniqueAgents <= f.ConversationCount, "there are more agents than conversations"},
		{f.KBCount <= f.KBFileCount, "there are more knowledge bases than files"},
		{f.MessageCount == 0 || f.UniqueUsers > 0, "there are messages of nobody"},
		{q.UserID == "" || f.UniqueUsers <= 1, "several users were counted for one"},
		{q.AgentID == "" || f.UniqueAgents <= 1, "several agents were counted for one"},
	} {
		if !rule.holds {
			return errors.New(rule.text)
		}
	}
	return nil
}
