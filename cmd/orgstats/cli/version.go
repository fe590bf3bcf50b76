package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/service"
)

// version and commit are set by the linker (see LDFLAGS in the Makefile).
var version, commit string

// readBuild returns the build that was passed to the linker. For a program that `go install` or a plain `go build` has
// built, it returns what the toolchain itself records.
func readBuild() service.Build {
	b := service.Build{Version: version, Commit: commit, Engine: engine.PinnedVersion()}
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
	b := readBuild()
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "version\t%s\ncommit\t%s\ntoolchain\t%s\nengine\tlibchdb %s\n", b.Version, cmp.Or(b.Commit, "unknown"), b.Toolchain, b.Engine)
	return w.Flush()
}
