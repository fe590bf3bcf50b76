package engine

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const (
	ownerName   = "orgstats"
	analystName = "analyst"
)

// credentials are the generated passwords of the two users, kept in the data directory for as long as it lives.
type credentials struct {
	Owner   string `json:"orgstats"`
	Analyst string `json:"analyst"`
}

// readCredentials reads the passwords that an earlier start generated. The error is fs.ErrNotExist when there was none.
func readCredentials(path string) (credentials, error) {
	var c credentials
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("the engine's passwords cannot be read: %w", err)
	}
	if err := json.Unmarshal(text, &c); err != nil || c.Owner == "" || c.Analyst == "" {
		return c, fmt.Errorf("%s does not hold the engine's two passwords: remove it, and new ones are made at the next start", path)
	}
	return c, nil
}

// makeCredentials reads the passwords, and generates them first if there are none yet.
func makeCredentials(path string) (credentials, error) {
	c, err := readCredentials(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	c = credentials{Owner: rand.Text(), Analyst: rand.Text()}
	return c, writeJSON(path, c)
}

func sha256Hex(password string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(password))) }
