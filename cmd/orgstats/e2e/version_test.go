package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What the linker sets is shown wherever the program reports its version.
func TestTheBuildIsShown(t *testing.T) {
	t.Parallel()
	i := install(t)
	flags := linkerFlags(t, "VERSION=v9.8.7", "COMMIT=0123abcd")
	i.program = i.path("orgstats")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-pgo=off", "-ldflags", flags, "-o", i.program, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	o := i.run("version")
	for _, word := range []string{"v9.8.7", "0123abcd", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, "libchdb 26."} {
		if !strings.Contains(o.stdout, word) {
			t.Errorf("`orgstats version` prints no %s: %s%s", word, o.stdout, o.stderr)
		}
	}
	if o := i.run("--version"); o.stdout != "orgstats v9.8.7\n" {
		t.Errorf("`orgstats --version` prints %q", o.stdout)
	}
	s := i.serveWith("--metrics-listen", "127.0.0.1:0", "--log-level", "debug")
	for path, pattern := range map[string]string{"/openapi.json": `"version":\s*"v9.8.7"`, "/readyz": `"ready":\s*true`} {
		response, err := s.client.Get("http://" + s.address + path)
		if err != nil {
			t.Fatal(err)
		}
		text := readAll(t, response.Body)
		_ = response.Body.Close()
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s answers %.300s, want a match of %s", path, text, pattern)
		}
	}
	s.awaitText(&s.stderr, `path=/readyz .*version=v9.8.7 commit=0123abcd`)
	found := false
	for series, value := range s.scrape() {
		labels := strings.HasPrefix(series, "orgstats_build_info{") && strings.Contains(series, `version="v9.8.7"`)
		found = found || labels && strings.Contains(series, `commit="0123abcd"`) && value == 1
	}
	if !found {
		t.Error("no metric has the version and the commit")
	}
}

// An image is stamped as other programs are.
func TestImagesAreStamped(t *testing.T) {
	t.Parallel()
	dockerfile, err := os.ReadFile(repositoryFile("Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range regexp.MustCompile(`-X \S+=\$?`).FindAllString(linkerFlags(t, "VERSION=$$VERSION", "COMMIT=$$COMMIT"), -1) {
		if !strings.Contains(string(dockerfile), set) {
			t.Errorf("the Dockerfile has no %s", set)
		}
	}
}

// linkerFlags returns the linker flags of `make build`.
func linkerFlags(t *testing.T, variables ...string) string {
	t.Helper()
	make := exec.CommandContext(t.Context(), "make", append([]string{"-s", "--no-print-directory", "-C", repositoryFile(), "ldflags"}, variables...)...)
	flags, err := make.Output()
	if err != nil || !strings.Contains(string(flags), "-X ") {
		t.Fatalf("make ldflags: %v, %q", err, flags)
	}
	return strings.TrimSpace(string(flags))
}
