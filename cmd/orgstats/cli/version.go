package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/orgstats/orgstats/clickhouse/engine"
)

// version and commit are set by the linker (see LDFLAGS in the Makefile).
var version, commit string

// Build says which program this is.
type Build struct {
	Version   string // a tag, or the nearest one with what has come since, as git describe writes it
	Commit    string // "": it was built outside a repository
	Toolchain string // with the platform
	Engine    string // the release of the embedded engine's library that belongs to the program
}

// ReadBuild returns what the linker was told. A program that `go install` or a plain `go build` has made knows what the
// toolchain records by itself.
func ReadBuild() Build {
	b := Build{Version: version, Commit: commit, Engine: engine.PinnedVersion()}
	b.Toolchain = runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = cmp.Or(b.Version, info.Main.Version)
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.Commit = cmp.Or(b.Commit, setting.Value)
			}
		}
	}
	b.Version = cmp.Or(b.Version, "(devel)")
	return b
}

type versionCommand struct{}

func (*versionCommand) Run(p *program) error {
	b := ReadBuild()
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "version\t%s\ncommit\t%s\ntoolchain\t%s\nengine\tlibchdb %s\n", b.Version, cmp.Or(b.Commit, "unknown"), b.Toolchain, b.Engine)
	return w.Flush()
}
