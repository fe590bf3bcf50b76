package auth

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDevKeySignsWhatVerifyAccepts(t *testing.T) {
	key, err := OpenDevKey(filepath.Join(t.TempDir(), "not", "there", "yet"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(t.Context(), Config{Issuer: key.Issuer(), PublicKey: key.PublicPEM(), AuthorizedParties: []string{"https://app.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.Ready(); err != nil {
		t.Fatal(err)
	}
	for _, caller := range []Caller{
		{"user_ada", "org_acme", "org:admin"},
		{"user_ada", "org_acme", "org:member"},
		{"user_ada", "org_acme", ""},
		{"user_ada", "", ""},
	} {
		token, err := key.Sign(caller, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Verify(t.Context(), token); err != nil || got != caller {
			t.Errorf("signed for %+v, verified as %+v, %v", caller, got, err)
		}
	}
	short, err := key.Sign(Caller{"user_ada", "org_acme", "admin"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Verify(t.Context(), short); err != nil || got.Role != "org:admin" {
		t.Errorf("a role without its prefix: %+v, %v", got, err)
	}
}

func TestDevKeyRefusesToSign(t *testing.T) {
	key, err := newDevKey(instanceKey())
	if err != nil {
		t.Fatal(err)
	}
	for why, caller := range map[string]Caller{
		"no user":                     {"", "org_acme", "org:admin"},
		"not a user":                  {"ada", "org_acme", "org:admin"},
		"a machine":                   {"mch_1", "org_acme", "org:admin"},
		"a role without organization": {"user_ada", "", "org:admin"},
		"a long organization":         {"user_ada", strings.Repeat("o", 129), ""},
	} {
		if token, err := key.Sign(caller, time.Hour); err == nil {
			t.Errorf("%s: signed %s", why, token)
		}
	}
	if token, err := key.Sign(Caller{UserID: "user_ada"}, 0); err == nil {
		t.Errorf("no time to live: signed %s", token)
	}
}

func TestDevKeyIsKept(t *testing.T) {
	dir := t.TempDir()
	var keys [8]*DevKey
	var errs [8]error
	var openers sync.WaitGroup
	for i := range keys {
		openers.Go(func() { keys[i], errs[i] = OpenDevKey(dir) })
	}
	openers.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	again, err := OpenDevKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if key.PublicPEM() != again.PublicPEM() {
			t.Error("two that opened it at once have different keys")
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the directory holds %v, %v, want the key alone", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
}

func TestDevKeyRefusesFiles(t *testing.T) {
	for why, change := range map[string]func(path string) error{
		"readable by others": func(path string) error { return os.Chmod(path, 0o644) },
		"not a key":          func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
		"empty":              func(path string) error { return os.Truncate(path, 0) },
		"a directory":        func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		dir := t.TempDir()
		if _, err := OpenDevKey(dir); err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, devKeyFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDevKey(dir); err == nil {
			t.Errorf("%s: opened", why)
		}
	}
}
