package cli

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write the tables of flags into docs/configuration.md")

// flagBlock is the part of docs/configuration.md that the program writes.
var flagBlock = regexp.MustCompile(`(?s)(<!-- flags: begin -->\n).*(<!-- flags: end -->\n)`)

// The page describes the flags that the program has. `make docs` regenerates it.
func TestFlagsAreDocumented(t *testing.T) {
	const path = "../../../docs/configuration.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !flagBlock.Match(page) {
		t.Fatalf("%s has no block from <!-- flags: begin --> to <!-- flags: end -->", path)
	}
	want := flagBlock.ReplaceAllFunc(page, func([]byte) []byte {
		return []byte("<!-- flags: begin -->\n\n" + flagTables() + "<!-- flags: end -->\n")
	})
	if *update {
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != string(want) {
		t.Errorf("%s does not hold the program's flags: run `make docs`", path)
	}
}

// flagTables returns the flags of every command as tables in Markdown, which docs/configuration.md holds. A flag that
// several commands share is described once, with the first of them.
func flagTables() string {
	var b strings.Builder
	model := Model()
	described := map[string]string{} // the command that describes a flag, by name and help
	table(&b, "Every command", model.Flags, described)
	for _, command := range model.Leaves(true) {
		table(&b, "orgstats "+strings.TrimPrefix(command.FullPath(), model.Name+" "), command.Flags, described)
	}
	return b.String()
}

func table(b *strings.Builder, title string, flags []*kong.Flag, described map[string]string) {
	heading := "### " + title + "\n"
	if strings.HasPrefix(title, "orgstats ") {
		heading = "### `" + title + "`\n"
	}
	var rows, shared []string
	for _, f := range flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		key := f.Name + f.Help
		if other, ok := described[key]; ok {
			shared = append(shared, fmt.Sprintf("`--%s` (%s)", f.Name, other))
			continue
		}
		described[key] = strings.Trim(heading, "#` \n")
		rows = append(rows, row(f))
	}
	if len(rows)+len(shared) == 0 {
		return
	}
	b.WriteString(heading + "\n")
	if len(rows) > 0 {
		b.WriteString("| Flag | Variable | Default | |\n|---|---|---|---|\n" + strings.Join(rows, "") + "\n")
	}
	if len(shared) > 0 {
		b.WriteString("Described above: " + strings.Join(shared, ", ") + ".\n\n")
	}
}

func row(f *kong.Flag) string {
	code := func(text string) string {
		if text == "" {
			return ""
		}
		return "`" + text + "`"
	}
	help := strings.ReplaceAll(f.Help, "|", "\\|")
	if f.Required {
		help = "Required. " + help
	}
	name := "--" + f.Name
	if !f.IsBool() && f.PlaceHolder != "" {
		name += "=" + f.PlaceHolder
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", code(name), code(firstOf(f.Envs)), code(f.Default), help)
}

// firstOf returns the variable for a flag's current name; the others are for its former names.
func firstOf(variables []string) string {
	if len(variables) == 0 {
		return ""
	}
	return variables[0]
}
