package engine

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"errors"
	"path/filepath"
	"text/template"
)

var (
	//go:embed engine.xml.tmpl
	engineText string
	//go:embed users.xml.tmpl
	usersText string
	//go:embed analyst-limits.xml
	analystLimits []byte

	functions      = template.FuncMap{"xml": escapeXML}
	engineTemplate = template.Must(template.New("engine").Funcs(functions).Parse(engineText))
	usersTemplate  = template.Must(template.New("users").Funcs(functions).Parse(usersText))
)

// writeConfig writes the engine's configuration and its users. ClickHouse merges them with whatever else it finds in
// users.d.
func writeConfig(d directory, s state, c credentials) error {
	values := map[string]any{
		"Data": d.data(), "Users": d.users(), "Log": d.log(), "TCPPort": s.TCPPort, "HTTPPort": s.HTTPPort, "Database": Database,
		"OwnerName": ownerName, "OwnerHash": sha256Hex(c.Owner), "AnalystName": analystName, "AnalystHash": sha256Hex(c.Analyst),
	}
	return errors.Join(
		writeTemplate(d.config(), engineTemplate, values),
		writeFile(filepath.Join(d.moreUsers(), "analyst-limits.xml"), analystLimits),
		writeTemplate(d.users(), usersTemplate, values),
	)
}

func writeTemplate(path string, t *template.Template, values map[string]any) error {
	var content bytes.Buffer
	if err := t.Execute(&content, values); err != nil {
		return err
	}
	return writeFile(path, content.Bytes())
}

func escapeXML(s string) (string, error) {
	var escaped bytes.Buffer
	err := xml.EscapeText(&escaped, []byte(s))
	return escaped.String(), err
}
