package auth

import (
	"context"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// keySource holds the key that a token must be signed with.
type keySource interface {
	// key returns the key for a token with this header, a refusal, or ErrKeysUnavailable.
	key(ctx context.Context, header map[string]any) (*rsa.PublicKey, error)
	ready() error
	// fetched returns when the keys were last fetched; followed is false for a key that never changes.
	fetched() (last time.Time, followed bool)
	close()
}

// singleKey is the one key of the configuration. The kid is ignored: the PEM text has none.
type singleKey struct{ public *rsa.PublicKey }

func (s singleKey) key(context.Context, map[string]any) (*rsa.PublicKey, error) { return s.public, nil }
func (s singleKey) ready() error                                                { return nil }
func (s singleKey) fetched() (last time.Time, followed bool)                    { return }
func (s singleKey) close()                                                      {}

// minKeyBits is what RFC 7518, section 3.3, asks of an RS256 key.
const minKeyBits = 2048

// parsePublicKey reads exactly one RSA public key (or certificate) in PEM. Line breaks may be written as \n, as they
// are wherever a variable of the environment has to fit on one line. Errors never quote the text: it may be a private
// key put there by mistake.
func parsePublicKey(text string) (*rsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	switch {
	case block == nil:
		return nil, errors.New("is not PEM text: it must hold -----BEGIN PUBLIC KEY----- and its line breaks")
	case strings.Contains(block.Type, "PRIVATE"):
		return nil, errors.New("is a private key: give the public key, and replace the private one, which has been exposed")
	case strings.TrimSpace(string(rest)) != "":
		return nil, errors.New("holds more than one key: give exactly one")
	}
	key, err := jwt.ParseRSAPublicKeyFromPEM(pem.EncodeToMemory(block))
	if errors.Is(err, jwt.ErrNotRSAPublicKey) {
		return nil, errors.New("is not an RSA key: Clerk signs with RS256")
	}
	if err != nil {
		return nil, fmt.Errorf("is not a public key: %w", err)
	}
	if err := checkStrength(key); err != nil {
		return nil, err
	}
	return key, nil
}

// checkStrength refuses keys whose signatures could be forged.
func checkStrength(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < minKeyBits {
		return fmt.Errorf("is an RSA key of %d bits: at least %d are needed", bits, minKeyBits)
	}
	if key.E < 3 || key.E%2 == 0 {
		return fmt.Errorf("is an RSA key with the exponent %d: it must be odd and at least 3", key.E)
	}
	return nil
}
