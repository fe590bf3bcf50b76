// Package openapi describes the service's interface: as an OpenAPI 3.1 document for programs, and as a page for people
// that is made from it.
package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Document is the description, written by hand in JSON. The contract test holds it against the service.
//
//go:embed openapi.json
var Document []byte

// Describe returns the description of a program of some version, as the document and as a page in HTML, one file that
// needs no other.
func Describe(version string) (document, page []byte) {
	shown := gjson.GetBytes(Document, "info.version")
	quoted, _ := json.Marshal(version) // a string can always be marshaled
	document = slices.Concat(Document[:shown.Index], quoted, Document[shown.Index+len(shown.Raw):])
	return document, render(document)
}

var (
	//go:embed page.html.tmpl
	pageText string
	//go:embed page.css
	pageStyle string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"text": withCode, "class": classOf}).Parse(pageText))
)

// PagePolicy is the page's Content-Security-Policy: its own style, and nothing else from anywhere.
var PagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

func render(document []byte) []byte {
	var page bytes.Buffer
	err := pageTemplate.Execute(&page, struct {
		contents
		Style template.CSS
	}{read(document), template.CSS(pageStyle)})
	if err != nil {
		panic(err) // the template is wrong
	}
	return page.Bytes()
}

// withCode shows what stands between backticks as code.
func withCode(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 {
			escaped = "<code>" + escaped + "</code>"
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String())
}

// classOf returns the class of a status, by its first digit.
func classOf(status string) string { return "s" + status[:1] }
