package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/orgstats/orgstats/loader/record"
)

// Parse reads a mapping. The error holds every mistake, each with its place in the file of that name.
func Parse(name string, text []byte) (Mapping, error) {
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return Mapping{}, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	r := &reader{file: name}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return Mapping{}, fmt.Errorf("%s: want one YAML document with the key tables", name)
	}
	m := r.mapping(file.Docs[0].Body)
	if len(r.mistakes) == 0 {
		r.check(&m)
	}
	return m, errors.Join(r.mistakes...)
}

// reader reads the nodes of a file and gathers what is wrong with them.
type reader struct {
	file     string
	mistakes []error
}

func (r *reader) wrong(line int, format string, arguments ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, arguments...)))
}

func lineOf(node ast.Node) int {
	if token := node.GetToken(); token != nil && token.Position != nil {
		return token.Position.Line
	}
	return 0
}

// entry is a key of a YAML mapping with its value.
type entry struct {
	key   string
	value ast.Node
	line  int
}

// entries returns the keys and values of a mapping. A key that comes twice is a mistake.
func (r *reader) entries(node ast.Node, what string) (entries []entry, ok bool) {
	var values []*ast.MappingValueNode
	switch node := node.(type) {
	case *ast.MappingNode:
		values = node.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{node}
	default:
		r.wrong(lineOf(node), "%s is not a mapping of keys to values", what)
		return nil, false
	}
	for _, v := range values {
		key := v.Key.GetToken().Value
		if slices.ContainsFunc(entries, func(e entry) bool { return e.key == key }) {
			r.wrong(lineOf(v.Key), "%q is duplicated", key)
			continue
		}
		entries = append(entries, entry{key, v.Value, lineOf(v.Key)})
	}
	return entries, true
}

func (r *reader) mapping(node ast.Node) (m Mapping) {
	entries, _ := r.entries(node, "the file")
	for _, e := range entries {
		if e.key != "tables" {
			r.wrong(e.line, "unknown key %q; want tables", e.key)
			continue
		}
		list, ok := e.value.(*ast.SequenceNode)
		if !ok {
			r.wrong(e.line, "tables is not a list")
			continue
		}
		for _, value := range list.Values {
			m.Tables = append(m.Tables, r.table(value))
		}
	}
	if len(m.Tables) == 0 && len(r.mistakes) == 0 {
		r.wrong(1, "there are no tables")
	}
	return m
}

func (r *reader) table(node ast.Node) Table {
	t := Table{Line: lineOf(node)}
	entries, ok := r.entries(node, "the table")
	for _, e := range entries {
		switch e.key {
		case "table":
			t.Schema, t.Name = splitName(r.text(e))
		case "record":
			name := r.text(e)
			var known bool
			if t.Record, known = record.ParseKind(name); !known {
				r.wrong(e.line, "record is %q; want %s", name, record.KindNames(""))
			}
		case "fields":
			t.Fields = r.fields(e)
		default:
			r.wrong(e.line, "unknown key %q; want table, record and fields", e.key)
		}
	}
	for _, key := range []string{"table", "record", "fields"} {
		if ok && !slices.ContainsFunc(entries, func(e entry) bool { return e.key == key }) {
			r.wrong(t.Line, "the table has no %s", key)
		}
	}
	return t
}

// text returns a value that must be a text.
func (r *reader) text(e entry) string {
	var text string
	if _, scalar := e.value.(ast.ScalarNode); !scalar || yaml.NodeToValue(e.value, &text) != nil || text == "" {
		r.wrong(e.line, "%s is not a string", e.key)
	}
	return text
}

func (r *reader) fields(e entry) (fields []Field) {
	entries, _ := r.entries(e.value, "fields")
	for _, e := range entries {
		f := Field{Name: e.key, Line: e.line}
		if _, scalar := e.value.(ast.ScalarNode); scalar {
			f.Column = r.text(e)
		} else {
			r.source(e, &f)
		}
		fields = append(fields, f)
	}
	return fields
}

// source reads where a field comes from, if it is not just a column.
func (r *reader) source(e entry, f *Field) {
	entries, ok := r.entries(e.value, e.key)
	if !ok {
		return
	}
	for _, part := range entries {
		switch part.key {
		case "column":
			f.Column = r.text(part)
		case "path":
			f.Path = r.path(part)
		case "constant":
			f.Constant = r.constant(part)
		default:
			r.wrong(part.line, "unknown key %q; want column, path or constant", part.key)
		}
	}
	if (f.Column == "") == (f.Constant == "") || f.Constant != "" && f.Path != nil {
		r.wrong(e.line, "%s needs a column, with or without a path, or else a constant", e.key)
	}
}

// path reads keys joined with dots, or a list of keys.
func (r *reader) path(e entry) (path []string) {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		return strings.Split(r.text(e), ".")
	}
	for _, value := range list.Values {
		path = append(path, r.text(entry{"a part of the path", value, lineOf(value)}))
	}
	return path
}

func (r *reader) constant(e entry) string {
	var value any
	err := yaml.NodeToValue(e.value, &value)
	text, jsonErr := json.Marshal(value)
	if err != nil || jsonErr != nil {
		r.wrong(e.line, "the constant can't be read as JSON")
		return "null"
	}
	return string(text)
}
