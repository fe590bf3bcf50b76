package auth

import (
	"context"
	"crypto/rsa"
	"time"
)

// keySource gives the key that a token must be signed with.
type keySource interface {
	// key gives the key for a token with this header, a refusal, or ErrKeysUnavailable.
	key(ctx context.Context, header map[string]any) (*rsa.PublicKey, error)
	ready() error
	// fetched tells when the keys were last fetched; followed is false for a key that never changes.
	fetched() (last time.Time, followed bool)
	close()
}

// singleKey is the one key of the configuration. The kid is not looked at: the PEM text does not tell its own.
type singleKey struct{ public *rsa.PublicKey }

func (s singleKey) key(context.Context, map[string]any) (*rsa.PublicKey, error) { return s.public, nil }
func (s singleKey) ready() error                                                { return nil }
func (s singleKey) fetched() (last time.Time, followed bool)                    { return }
func (s singleKey) close()                                                      {}
