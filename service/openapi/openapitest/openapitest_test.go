package openapitest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/orgstats/orgstats/service/openapi"
)

const statsPath = "/api/dashboard/getStats"

// TestDescriptionIsOpenAPI31 validates the description against OpenAPI's own schema.
func TestDescriptionIsOpenAPI31(t *testing.T) {
	t.Parallel()
	document, err := libopenapi.NewDocument(openapi.Document)
	if err != nil {
		t.Fatal(err)
	}
	if version := document.GetVersion(); !strings.HasPrefix(version, "3.1.") {
		t.Errorf("the description is written in OpenAPI %s", version)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		for _, err := range errs {
			t.Error(err)
		}
	}
}

// TestDescriptionRefusesWhatIsWrong checks that the answers are really validated.
func TestDescriptionRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := Read(t, string(openapi.Document))
	const failure = `{"error":"Unauthorized"}`
	header := func(pairs ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Request-Id": {"id"}}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for _, row := range []struct {
		why, path string
		status    int
		header    http.Header
		body      string
		good      bool
	}{
		{"as it should be", statsPath, 401, header("WWW-Authenticate", "Bearer"), failure, true},
		{"a status that is not described", statsPath, 418, header(), failure, false},
		{"without a header", statsPath, 401, header(), failure, false},
		{"an unknown field", statsPath, 401, header("WWW-Authenticate", "Bearer"), `{"error":"no","cause":"secret"}`, false},
		{"a field is missing", statsPath, 401, header("WWW-Authenticate", "Bearer"), `{}`, false},
		{"figures that lack all but one", statsPath, 200, header("ETag", `"1"`), `{"messageCount":1}`, false},
		{"another type", statsPath, 401, header("WWW-Authenticate", "Bearer", "Content-Type", "text/plain"), failure, false},
		{"no waiting time", statsPath, 503, header(), failure, false},
	} {
		response := &http.Response{StatusCode: row.status, Header: row.header}
		if complaints := d.Complaints(row.path, response, row.body); (len(complaints) == 0) != row.good {
			t.Errorf("%s: complaints %q", row.why, complaints)
		}
	}
}
