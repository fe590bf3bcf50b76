package openapi

import (
	"strings"

	"github.com/tidwall/gjson"
)

// What the page shows, in the document's own order.
type (
	contents struct {
		Title, Version, Summary, Description string
		Authentication                       string
		Groups                               []*group
		Everywhere                           []response // of every path
		Schemas                              []schema
	}
	group struct {
		Name, Description string
		Operations        []operation
	}
	operation struct {
		Method, Path, ID, Summary, Description string
		Secured                                bool
		Parameters                             []parameter
		Responses                              []response
	}
	parameter struct {
		Name, In, Type, Description, Example string
		Required                             bool
	}
	response struct {
		Status, Description   string
		Headers               []string
		Media, Schema, Sample string
	}
	schema struct {
		Name, Description string
		Fields            []field
	}
	field struct {
		Name, Type, Description string
		Required                bool
	}
)

// reader reads a document. gjson keeps the order of fields, which a map would lose.
type reader struct{ document gjson.Result }

func read(document []byte) contents {
	r := reader{gjson.ParseBytes(document)}
	info := r.document.Get("info")
	c := contents{
		Title: info.Get("title").String(), Version: info.Get("version").String(),
		Summary: info.Get("summary").String(), Description: info.Get("description").String(),
		Authentication: r.document.Get("components.securitySchemes.*.description").String(),
		Everywhere:     r.responses(r.document.Get("x-responses-of-every-path")),
	}
	for _, tag := range r.document.Get("tags").Array() {
		c.Groups = append(c.Groups, &group{Name: tag.Get("name").String(), Description: tag.Get("description").String()})
	}
	each(r.document.Get("paths"), func(path string, item gjson.Result) {
		each(item, func(method string, o gjson.Result) {
			for _, g := range c.Groups {
				if g.Name == o.Get("tags.0").String() {
					g.Operations = append(g.Operations, r.operation(method, path, o))
				}
			}
		})
	})
	each(r.document.Get("components.schemas"), func(name string, s gjson.Result) {
		c.Schemas = append(c.Schemas, r.schema(name, s))
	})
	return c
}

func each(object gjson.Result, do func(name string, value gjson.Result)) {
	object.ForEach(func(key, value gjson.Result) bool {
		do(key.String(), value)
		return true
	})
}

// follow returns what a reference stands for, and anything else as it is.
func (r reader) follow(value gjson.Result) gjson.Result {
	path, ok := strings.CutPrefix(value.Get("$ref").String(), "#/")
	if !ok {
		return value
	}
	return r.document.Get(strings.ReplaceAll(path, "/", "."))
}

func (r reader) operation(method, path string, o gjson.Result) operation {
	result := operation{
		Method: strings.ToUpper(method), Path: path, ID: o.Get("operationId").String(),
		Summary: o.Get("summary").String(), Description: o.Get("description").String(),
		Secured: o.Get("security").Exists(), Responses: r.responses(o.Get("responses")),
	}
	for _, p := range o.Get("parameters").Array() {
		p = r.follow(p)
		result.Parameters = append(result.Parameters, parameter{
			Name: p.Get("name").String(), In: p.Get("in").String(), Type: r.typeOf(p.Get("schema")),
			Description: p.Get("description").String(), Example: p.Get("example").String(), Required: p.Get("required").Bool(),
		})
	}
	return result
}

func (r reader) responses(all gjson.Result) (result []response) {
	each(all, func(status string, value gjson.Result) {
		value = r.follow(value)
		one := response{Status: status, Description: value.Get("description").String()}
		each(value.Get("headers"), func(name string, _ gjson.Result) { one.Headers = append(one.Headers, name) })
		each(value.Get("content"), func(media string, content gjson.Result) {
			if one.Media != "" {
				one.Media += " or " + media // the first is the one that is shown
				return
			}
			one.Media, one.Schema = media, nameOf(content.Get("schema"))
			if example := content.Get("example"); example.Exists() {
				one.Sample = strings.TrimSpace(example.Get("@pretty").String())
			}
		})
		result = append(result, one)
	})
	return result
}

// nameOf returns the name of the schema that is referred to, "" for one that is written out.
func nameOf(s gjson.Result) string {
	return strings.TrimPrefix(s.Get("$ref").String(), "#/components/schemas/")
}

func (r reader) schema(name string, s gjson.Result) schema {
	result := schema{Name: name, Description: s.Get("description").String()}
	required := map[string]bool{}
	for _, field := range s.Get("required").Array() {
		required[field.String()] = true
	}
	each(s.Get("properties"), func(name string, p gjson.Result) {
		result.Fields = append(result.Fields, field{
			Name: name, Type: r.typeOf(p), Description: p.Get("description").String(), Required: required[name],
		})
	})
	return result
}

// typeOf returns in a few words which values a schema allows.
func (r reader) typeOf(s gjson.Result) string {
	if name := nameOf(s); name != "" {
		return name
	}
	if choices := s.Get("anyOf"); choices.Exists() {
		var all []string
		for _, choice := range choices.Array() {
			all = append(all, r.typeOf(choice))
		}
		return strings.Join(all, " or ")
	}
	if values := s.Get("enum"); values.Exists() {
		var all []string
		for _, v := range values.Array() {
			if v.String() != "" {
				all = append(all, v.String())
			}
		}
		return strings.Join(all, " or ")
	}
	if s.Get("type").String() == "array" {
		return "list of " + r.typeOf(s.Get("items"))
	}
	if format := s.Get("format").String(); format != "" && format != "int64" {
		return format
	}
	var types []string
	for _, t := range s.Get("type").Array() {
		types = append(types, t.String())
	}
	return strings.Join(types, " or ")
}
