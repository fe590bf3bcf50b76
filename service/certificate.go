package service

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how long a certificate is used before its files are looked at again.
const certificateCheck = 10 * time.Second

// certificate is a TLS certificate that follows its files: when they change, the next connections get the new one.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	changed [2]time.Time // when the files were changed last, as of the last look
	looked  time.Time
}

// TLSFiles returns a TLS configuration with the certificate, and its chain, and the key of two PEM files. Files that
// are replaced are noticed within seconds; while they don't fit together the certificate before stays in use.
func TLSFiles(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	changed, err := c.stat()
	if err == nil {
		err = c.load(changed)
	}
	if err != nil {
		return nil, fmt.Errorf("the TLS certificate can't be used: %w", err)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get(time.Now()), nil },
	}, nil
}

// get returns the certificate, after a look at the files if the last one is some time ago.
func (c *certificate) get(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.looked) < certificateCheck {
		return c.current
	}
	c.looked = now
	changed, err := c.stat()
	if err == nil && changed != c.changed {
		if err = c.load(changed); err == nil {
			c.log.Info("the TLS certificate was replaced", "file", c.certFile, "valid_until", c.current.Leaf.NotAfter)
		}
	}
	if err != nil {
		c.log.Error("the TLS certificate can't be replaced; the one before stays in use", "error", err)
	}
	return c.current
}

func (c *certificate) stat() (changed [2]time.Time, err error) {
	for i, path := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return changed, err
		}
		changed[i] = info.ModTime()
	}
	return changed, nil
}

func (c *certificate) load(changed [2]time.Time) error {
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.certFile, c.keyFile, err)
	}
	c.current, c.changed = &loaded, changed
	return nil
}
