package loadtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strconv"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/orgstats/orgstats/service/stats"
)

// fieldNames are the names of the figures, in the order of an answer.
var fieldNames = func() (names []string) {
	for field := range reflect.TypeFor[stats.Figures]().Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}()

// checkAnswer checks an answer's shape: what the contract says about any answer, and what every correct one satisfies.
func checkAnswer(r *vegeta.Result, asked request) (stats.Figures, error) {
	if kind, _, err := mime.ParseMediaType(r.Headers.Get("Content-Type")); err != nil || kind != "application/json" {
		return stats.Figures{}, fmt.Errorf("status %d with the content type %q", r.Code, r.Headers.Get("Content-Type"))
	}
	if r.Code != http.StatusOK {
		return stats.Figures{}, checkFailure(r)
	}
	f, err := parseFigures(r.Body)
	if err == nil {
		err = checkFigures(f, asked.question)
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, shorten(string(r.Body)))
	}
	return f, err
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

var errFields = errors.New("the answer has other fields, or another order, than the contract's")

// parseFigures parses an answer, which must have exactly the fields of the contract, in its order.
func parseFigures(body []byte) (f stats.Figures, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return f, errors.New("the answer is no JSON object")
	}
	for _, want := range fieldNames {
		name, err := decoder.Token()
		if err != nil || name != want {
			return f, errFields
		}
		var n *uint64
		if err := decoder.Decode(&n); err != nil || n == nil {
			return f, fmt.Errorf("%s is no whole number", want)
		}
	}
	if decoder.More() {
		return f, errFields
	}
	return f, json.Unmarshal(body, &f) // nothing follows the object
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
