// Package docs has no code: its test holds the pages of the repository together.
package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	written = regexp.MustCompile("(?s)<!-- flags: begin -->.*<!-- flags: end -->")
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	mark    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// pages returns the text of every page of the repository by its path, without fenced blocks.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && slices.Contains([]string{".git", "bin", "data", "dist", "node_modules"}, entry.Name()) {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		found[path] = fenced.ReplaceAllString(string(text), "")
		return err
	})
	if err != nil || len(found) < 10 {
		t.Fatalf("found %d pages: %v", len(found), err)
	}
	return found
}

// anchors returns what the headings of a page are linked by, in GitHub's way.
func anchors(page string) (all []string) {
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		text := mark.ReplaceAllString(strings.ToLower(found[1]), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}

// Every link within the repository leads to a file that is there and, in a page, to one of its headings.
func TestLinksResolve(t *testing.T) {
	all := pages(t)
	for path, page := range all {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(page, ""), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			name, anchor, hasAnchor := strings.Cut(found[1], "#")
			target := path
			if name != "" {
				target = filepath.Join(filepath.Dir(path), name)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", path, found[1])
			} else if hasAnchor && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s links to %s, which no heading has", path, found[1])
			}
		}
	}
}

// named are the files that a page names as code, by their path from the top of the repository.
var named = regexp.MustCompile("`((?:cmd|service|clickhouse|schema|loader|docs|testdata)(?:/[a-z0-9_.-]+)+)`")

// Files and folders that the pages for contributors name are there.
func TestNamedFilesExist(t *testing.T) {
	all := pages(t)
	for _, path := range []string{"../ARCHITECTURE.md", "../CONTRIBUTING.md", "../SECURITY.md"} {
		files := named.FindAllStringSubmatch(all[path], -1)
		if len(files) == 0 {
			t.Errorf("%s names no files", path)
		}
		for _, found := range files {
			if _, err := os.Stat(filepath.Join("..", found[1])); err != nil {
				t.Errorf("%s names %s, which is not there", path, found[1])
			}
		}
	}
}

// Lines of prose are no longer than an editor is wide. Tables, code and what the program writes are as wide as they need.
func TestLinesAreReadable(t *testing.T) {
	for path, page := range pages(t) {
		for line := range strings.Lines(written.ReplaceAllString(page, "")) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > 120 && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") {
				t.Errorf("%s has a line of %d characters: %.60s…", path, utf8.RuneCountInString(line), line)
			}
		}
	}
}

// Lines of comments in Go and TypeScript are no longer than those of prose; a tab is as wide as four spaces.
func TestCommentsAreReadable(t *testing.T) {
	for _, top := range []string{"cmd", "clickhouse", "loader", "schema", "service", "web"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err != nil || !slices.Contains([]string{".go", ".ts", ".tsx", ".mjs"}, filepath.Ext(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			number := 0
			for line := range strings.Lines(string(text)) {
				number++
				line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    ")
				if utf8.RuneCountInString(line) > 120 && strings.HasPrefix(strings.TrimLeft(line, " "), "// ") {
					t.Errorf("%s:%d: a comment of %d columns", path, number, utf8.RuneCountInString(line))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// room is a row of the folders in ARCHITECTURE.md: the folder, what it is for, and what it uses.
var room = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\|([^|]*)\\|")

// Every package is in the table of ARCHITECTURE.md, and uses no others of the program than the table says.
func TestPackagesKeepToTheirRooms(t *testing.T) {
	const module = "github.com/orgstats/orgstats/"
	page := pages(t)["../ARCHITECTURE.md"]
	_, page, _ = strings.Cut(page, "## The folders")
	page, _, _ = strings.Cut(page, "\n## ")
	uses := map[string]string{}
	for _, found := range room.FindAllStringSubmatch(page, -1) {
		uses[found[1]] = found[2]
	}
	for folder, imported := range imports(t) {
		allowed, ok := uses[folder]
		if !ok {
			t.Errorf("ARCHITECTURE.md says nothing of %s", folder)
		}
		if strings.Contains(allowed, "everything below") {
			continue
		}
		for _, path := range imported {
			if name, ours := strings.CutPrefix(path, module); ours && !strings.Contains(allowed, "`"+name+"`") {
				t.Errorf("%s uses %s, and ARCHITECTURE.md says that it does not", folder, name)
			}
		}
	}
}

// imports returns what the packages of the program import, but for their tests, by their folder.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, top := range []string{"cmd", "clickhouse", "loader", "schema", "service"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
			found[folder] = append(found[folder], "")
			for _, spec := range file.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				found[folder] = append(found[folder], name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}
