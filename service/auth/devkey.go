package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// devIssuer cannot be a real instance's: the top-level domain .invalid is reserved (RFC 2606).
const devIssuer = "https://dev.orgstats.invalid"

// devKeyFile is the key's name in the data directory.
const devKeyFile = "dev-auth-key.pem"

// DevKey signs tokens for trials and tests in the place of a Clerk instance.
type DevKey struct {
	private *rsa.PrivateKey
	public  string // PEM
	id      string
}

// OpenDevKey returns the development key of a data directory. The first call makes it, readable by its owner only; of
// several processes that do so at once, all get the same one.
func OpenDevKey(dataDir string) (*DevKey, error) {
	path := filepath.Join(dataDir, devKeyFile)
	key, err := readDevKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = createDevKey(path); err == nil || errors.Is(err, fs.ErrExist) {
			key, err = readDevKey(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the development key cannot be opened: %w", err)
	}
	return key, nil
}

func readDevKey(path string) (*DevKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if others := info.Mode().Perm() &^ 0o700; others != 0 {
		return nil, fmt.Errorf("%s may be read or written by others (%v): remove it to have a new one made", path, info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	private, err := jwt.ParseRSAPrivateKeyFromPEM(text)
	if err != nil {
		return nil, fmt.Errorf("%s does not hold an RSA private key: remove it to have a new one made: %w", path, err)
	}
	return newDevKey(private)
}

func newDevKey(private *rsa.PrivateKey) (*DevKey, error) {
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(public)
	return &DevKey{
		private: private,
		public:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		id:      "dev_" + hex.EncodeToString(sum[:8]),
	}, nil
}

// createDevKey returns a key and puts it at path whole, or returns fs.ErrExist when another process was faster: unlike
// a rename, a link never replaces a key that someone has begun to sign with.
func createDevKey(path string) error {
	private, err := rsa.GenerateKey(rand.Reader, minKeyBits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, devKeyFile+".*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	err = errors.Join(pem.Encode(temp, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Link(temp.Name(), path)
}

// PublicPEM returns the public key, for Config.PublicKey.
func (d *DevKey) PublicPEM() string { return d.public }

// Issuer returns the issuer of the key's tokens, for Config.Issuer.
func (d *DevKey) Issuer() string { return devIssuer }

// Sign returns a version-2 session token for caller, valid from now for ttl, which is at least a second. The role may
// be written with or without its prefix: "admin" means "org:admin". A caller that Verify would refuse is an error.
func (d *DevKey) Sign(caller Caller, ttl time.Duration) (string, error) {
	if ttl < time.Second {
		return "", fmt.Errorf("a token cannot be valid for %v: give at least a second", ttl)
	}
	if err := errors.Join(checkUser(caller.UserID), checkOrganization(caller.OrgID, caller.Role)); err != nil {
		return "", fmt.Errorf("no valid token can name this caller: %w", err)
	}
	now := time.Now()
	claims := jwt.MapClaims{
		"v": 2, "iss": devIssuer, "sub": caller.UserID, "sid": "sess_" + rand.Text(), "jti": rand.Text(), "sts": "active",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(ttl).Unix(),
	}
	if caller.OrgID != "" {
		claims["o"] = devOrganization(caller)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = d.id
	return token.SignedString(d.private)
}

func devOrganization(caller Caller) map[string]string {
	o := map[string]string{"id": caller.OrgID, "slg": strings.ToLower(strings.TrimPrefix(caller.OrgID, "org_"))}
	if role := strings.TrimPrefix(caller.Role, rolePrefix); role != "" {
		o["rol"] = role
	}
	return o
}
