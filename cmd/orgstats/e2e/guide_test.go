package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// Every shell block of the operator's guide is run, in order, by a shell that stops at the first command that fails.
func TestOperatorsGuide(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.loadSample(500)
	s := i.serve()
	i.env = append(i.env, "ORGSTATS_LISTEN="+s.address, "URL=http://"+s.address)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(i.path("bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(executable, i.path("bin/orgstats")); err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(repositoryFile("docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlock.FindAllStringSubmatch(string(guide), -1)
	if len(blocks) < 8 {
		t.Fatalf("the guide has %d shell blocks only", len(blocks))
	}
	for n, block := range blocks {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block[1])
			shell.Dir, shell.Env = i.dir, i.environment()
			said, err := shell.CombinedOutput()
			if err != nil {
				t.Errorf("%s%v: %s", block[1], err, said)
			}
			if strings.Contains(string(said), "unexpected argument") {
				t.Errorf("%s: %s", block[1], said)
			}
		})
	}
}
