// Package dashboard is the page that the service shows at its root. `make web` bundles it from the sources in web, and
// it is embedded into the program. A program that was built without it has a page that says so.
package dashboard

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html"
	"io/fs"
	"mime"
	"path"
	"slices"
	"strings"
	"sync"
)

// AssetsPath begins the paths of the page's scripts, styles and pictures.
const AssetsPath = "/assets/"

//go:embed bundle
var bundle embed.FS

// placeholder is the page where there is no bundle.
const placeholder = "bundle/placeholder.html"

// Page returns the page. The applications of the given origins may embed it and hand it tokens.
func Page(embedders []string) []byte {
	text, err := bundle.ReadFile("bundle/index.html")
	if err != nil {
		text, _ = bundle.ReadFile(placeholder) // it is embedded, or the program would not compile
	}
	return bytes.Replace(text, []byte("{{embed-origins}}"), []byte(html.EscapeString(strings.Join(embedders, " "))), 1)
}

// Policy returns the page's Content-Security-Policy: what the service itself sends, no script or style in the page, and
// nothing from elsewhere.
func Policy(embedders []string) string {
	ancestors := "'none'"
	if len(embedders) > 0 {
		ancestors = strings.Join(embedders, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
		"form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors " + ancestors
}

// Asset is a file that the page loads.
type Asset struct {
	Type       string
	Body       []byte
	Compressed []byte // with gzip; nil where that saves nothing
	Lasting    bool   // the name holds a hash of the content, which never changes then
}

// Assets returns the files that the page loads, by their names.
var Assets = sync.OnceValue(func() map[string]Asset {
	all := map[string]Asset{}
	entries, _ := bundle.ReadDir("bundle/assets") // there are none without a bundle
	for _, entry := range entries {
		all[entry.Name()] = readAsset(entry)
	}
	return all
})

func readAsset(entry fs.DirEntry) Asset {
	body, err := bundle.ReadFile("bundle/assets/" + entry.Name())
	if err != nil {
		panic(err) // what is embedded can be read
	}
	a := Asset{Type: typeOf(entry.Name()), Body: body, Lasting: strings.Contains(entry.Name(), "-")}
	if compressed := compress(body); len(compressed) < len(body) {
		a.Compressed = compressed
	}
	return a
}

// typeOf returns a file's media type, which must not depend on what the machine's own tables say.
func typeOf(name string) string {
	switch extension := path.Ext(name); extension {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return mime.TypeByExtension(extension)
	}
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one that there is
	_, _ = w.Write(body)                                  // memory does not fail
	_ = w.Close()
	return slices.Clip(b.Bytes())
}
