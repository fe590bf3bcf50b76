package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// programs is the folder of PostgreSQL's programs.
type programs string

// findPrograms looks where distributions put them: initdb and postgres are in few people's PATH.
func findPrograms() (programs, error) {
	var folders []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	if folder, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(folder)))
	}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is right
	for _, folder := range append(folders, debian...) {
		if p := programs(folder); p.complete() {
			return p, nil
		}
	}
	return "", errors.New("PostgreSQL's server programs (initdb, postgres, pg_basebackup) are needed and not found: " +
		"install PostgreSQL 15 or later (Debian: apt-get install postgresql), or put their folder into PATH")
}

// complete reports whether all programs that are needed are in the folder.
func (p programs) complete() bool {
	return !slices.ContainsFunc([]string{"initdb", "postgres", "pg_basebackup"}, func(name string) bool {
		_, err := os.Stat(p.path(name))
		return err != nil
	})
}

func (p programs) path(name string) string { return filepath.Join(string(p), name) }
