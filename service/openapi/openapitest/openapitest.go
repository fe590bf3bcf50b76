// Package openapitest compares answers with an OpenAPI description. It stands apart from the tests that use it, because
// the validator's generic types take half a minute to compile wherever they are seen.
package openapitest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// EveryPath stands for any path: its answers are those that the description has for every path.
const EveryPath = "/every-path"

// Description is a description with which answers are compared.
type Description struct {
	validator  validator.Validator
	Documented map[string]bool // by "path status"
}

// Read parses a description.
func Read(t *testing.T, text string) *Description {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	paths := document["paths"].(map[string]any)
	paths[EveryPath] = map[string]any{"get": map[string]any{"responses": document["x-responses-of-every-path"]}}
	d := &Description{Documented: map[string]bool{}}
	for path, item := range paths {
		for status := range item.(map[string]any)["get"].(map[string]any)["responses"].(map[string]any) {
			d.Documented[path+" "+status] = true
		}
	}
	whole, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := libopenapi.NewDocument(whole)
	if err != nil {
		t.Fatal(err)
	}
	made, errs := validator.NewValidator(parsed)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d.validator = made
	return d
}

// Complaints returns what is wrong with an answer according to the description of a path.
func (d *Description) Complaints(path string, response *http.Response, body string) (all []string) {
	request, _ := http.NewRequest(http.MethodGet, "http://test"+path, nil)
	response.Body = io.NopCloser(strings.NewReader(body))
	_, errs := d.validator.ValidateHttpResponse(request, response)
	for _, err := range errs {
		all = append(all, err.Error())
		for _, e := range err.SchemaValidationErrors {
			all = append(all, e.Reason)
		}
	}
	if !d.Documented[fmt.Sprint(path, " ", response.StatusCode)] {
		all = append(all, fmt.Sprintf("status %d is not described", response.StatusCode))
	}
	return all
}
