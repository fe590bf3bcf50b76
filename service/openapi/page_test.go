package openapi

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// document is the description, as far as the page must show it.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string
		Parameters  []struct {
			Ref string `json:"$ref"`
		}
		Responses map[string]any
	}
	Components struct {
		Parameters map[string]struct{ Name string }
		Schemas    map[string]struct{ Properties map[string]any }
	}
	EveryPath map[string]any `json:"x-responses-of-every-path"`
}

var thePage = func() string {
	_, page := Describe("v1.2.3")
	return string(page)
}()

func TestDescriptionShowsTheVersion(t *testing.T) {
	document, page := Describe(`v1.2.3-"4"`)
	var d struct{ Info struct{ Version string } }
	if err := json.Unmarshal(document, &d); err != nil || d.Info.Version != `v1.2.3-"4"` {
		t.Errorf("the document has the version %q (%v)", d.Info.Version, err)
	}
	if !strings.Contains(string(page), "v1.2.3-&#34;4&#34;") {
		t.Error("the page does not show the version")
	}
}

func TestPageShowsAllThatIsDescribed(t *testing.T) {
	var d document
	if err := json.Unmarshal(Document, &d); err != nil {
		t.Fatal(err)
	}
	page := thePage
	article := func(id string) string {
		_, rest, ok := strings.Cut(page, `id="`+id+`"`)
		if !ok {
			t.Errorf("the page does not show %s", id)
		}
		text, _, _ := strings.Cut(rest, "</article>")
		return text
	}
	expect := func(where, what, text string) {
		if !strings.Contains(text, what) {
			t.Errorf("%s does not show %s", where, what)
		}
	}
	for path, item := range d.Paths {
		for method, o := range item {
			text := article(o.OperationID)
			expect(path, `<span class="method">`+strings.ToUpper(method)+`</span> <span class="path">`+path+`</span>`, text)
			for _, p := range o.Parameters {
				name := d.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")].Name
				if name == "" {
					t.Errorf("%s has the parameter %q, which is not described", path, p.Ref)
				}
				expect(path, "<td><code>"+name+"</code>", text)
			}
			for status := range o.Responses {
				expect(path, ">"+status+"</span>", text)
			}
		}
	}
	for status := range d.EveryPath {
		expect("every path", ">"+status+"</span>", article("every-path"))
	}
	for name, s := range d.Components.Schemas {
		for field := range s.Properties {
			expect(name, "<td><code>"+field+"</code>", article("schema-"+name))
		}
	}
}

func TestPageLoadsAndRunsNothing(t *testing.T) {
	for _, forbidden := range []string{`<script`, `\bon\w+=`, `src=`, `@import`, `url\(`, `href="(http|//)`, `ZgotmplZ`} {
		if found := regexp.MustCompile(forbidden).FindString(thePage); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
}

func TestTextsAreEscaped(t *testing.T) {
	for _, row := range []struct{ why, text, want string }{
		{"plain", "a < b & c", "a &lt; b &amp; c"},
		{"code", "send `<b>` now", "send <code>&lt;b&gt;</code> now"},
		{"two pieces of code", "`a` and `b`", "<code>a</code> and <code>b</code>"},
	} {
		if got := string(withCode(row.text)); got != row.want {
			t.Errorf("%s: got %s, want %s", row.why, got, row.want)
		}
	}
}
