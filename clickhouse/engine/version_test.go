package engine

import "testing"

func TestVersions(t *testing.T) {
	for _, row := range []struct {
		why, library, data string
		refused            bool
	}{
		{"a new directory has no version", "26.7.2.1", "", false},
		{"the same release", "26.7.2.1", "26.7.3.9", false},
		{"a newer library", "26.10.1.1", "26.9.1.1", false},
		{"an older month", "26.9.1.1", "26.10.1.1", true},
		{"an older year", "25.12.1.1", "26.1.1.1", true},
	} {
		if err := checkVersion(row.library, row.data); (err != nil) != row.refused {
			t.Errorf("%s: %q on data of %q: %v", row.why, row.library, row.data, err)
		}
	}
}

func TestPlatforms(t *testing.T) {
	for platform, fits := range map[string]bool{"linux/amd64": true, "darwin/arm64": true, "linux/386": false, "freebsd/amd64": false} {
		if err := checkPlatform(platform); (err == nil) != fits {
			t.Errorf("%s: %v", platform, err)
		}
	}
}
