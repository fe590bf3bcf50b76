package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDirectoryIsTakenOnlyIfItIsOurs(t *testing.T) {
	for _, c := range []struct {
		reason  string
		prepare func(t *testing.T, dir string)
		loaded  bool
		refused bool
	}{
		{"an empty one is free", func(*testing.T, string) {}, false, false},
		{"the same records are found again", func(t *testing.T, dir string) { keep(t, dir, 1000) }, true, false},
		{"records of another size are not what is measured", func(t *testing.T, dir string) { keep(t, dir, 2000) }, false, true},
		{"somebody else's files are left alone", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "credentials.json"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, true},
	} {
		dir := t.TempDir()
		c.prepare(t, dir)
		d, err := openDirectory(options{Messages: 1000, Dir: dir})
		if (err != nil) != c.refused || d.contents.Loaded != c.loaded {
			t.Errorf("%s: loaded %v, error %v", c.reason, d.contents.Loaded, err)
		}
	}
}

// keep creates a directory into which a benchmark of a size has loaded its records.
func keep(t *testing.T, dir string, messages int) {
	t.Helper()
	d, err := openDirectory(options{Messages: messages, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	d.contents.Loaded = true
	if err := d.write(); err != nil {
		t.Fatal(err)
	}
}
