package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

func TestAProfileIsWritten(t *testing.T) {
	t.Parallel()
	i := install(t)
	path := filepath.Join(t.TempDir(), "profile")
	if o := i.run("--cpu-profile", path, "token", "--user", "user_1", "--org", "org_1"); o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	profile, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(profile), "\x1f\x8b") {
		t.Errorf("the profile is no gzip file, as pprof's are: %.20q, %v", profile, err)
	}
	absent := filepath.Join(t.TempDir(), "absent", "profile")
	if o := i.run("--cpu-profile", absent, "token", "--user", "user_1", "--org", "org_1"); o.status != cli.ExitFailed || !strings.Contains(o.stderr, absent) {
		t.Errorf("status %d, want %d and the path named: %s", o.status, cli.ExitFailed, o.stderr)
	}
}
