package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math/big"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const testIssuer = "https://clerk.example.com"

// The keys of the tests: the instance's, the one that it rotates to, and one of another kind. Those of RSA are the same
// in every process, so that a fuzz test's workers agree on what was signed.
var (
	instanceKey = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(1, 2048) })
	nextKey     = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(2, 2048) })
	weakKey     = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(3, 1024) })
	ellipticKey = sync.OnceValue(func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return key
	})
)

func makeRSA(seed byte, bits int) *rsa.PrivateKey {
	random := mathrand.NewChaCha8([32]byte{seed})
	p, q := makePrime(random, bits/2), makePrime(random, bits/2)
	one, e := big.NewInt(1), big.NewInt(65537)
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: int(e.Int64())},
		D:         new(big.Int).ModInverse(e, order),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		panic(err)
	}
	return key
}

// makePrime returns the next prime after a random number whose two highest bits are set.
func makePrime(random *mathrand.ChaCha8, bits int) *big.Int {
	data := make([]byte, bits/8)
	_, _ = random.Read(data)
	data[0] |= 0xc0
	data[len(data)-1] |= 1
	p := new(big.Int).SetBytes(data)
	for !p.ProbablyPrime(10) {
		p.Add(p, big.NewInt(2))
	}
	return p
}

// fields is a JSON object with changes: what is nil in the changes is taken out.
type fields map[string]any

func (f fields) with(changes fields) fields {
	changed := maps.Clone(f)
	for name, value := range changes {
		if value == nil {
			delete(changed, name)
		} else {
			changed[name] = value
		}
	}
	return changed
}

var null = json.RawMessage("null")

// header returns the header that Clerk gives its tokens.
func header() fields {
	return fields{"alg": "RS256", "kid": "ins_1", "typ": "JWT", "cat": "cl_B7d4PD111AAA"}
}

// session returns the payload of a version-2 session token, made now.
func session() fields {
	now := time.Now().Unix()
	return fields{
		"v": 2, "iss": testIssuer, "sub": "user_ada", "sid": "sess_1", "azp": "https://app.example.com", "sts": "active",
		"iat": now, "nbf": now - 10, "exp": now + 60, "fva": []int{1, -1},
		"o": fields{"id": "org_acme", "slg": "acme", "rol": "admin"},
	}
}

// asVersion1 returns the changes that make version 1 of a version-2 payload, and further ones.
func asVersion1(further fields) fields {
	changes := fields{"v": nil, "o": nil, "sts": nil, "org_id": "org_acme", "org_role": "org:admin", "org_slug": "acme"}
	maps.Copy(changes, further)
	return changes
}

// sign puts a token together. A header or payload that is a string is taken as it is, so that it need not be JSON.
func sign(t testing.TB, method jwt.SigningMethod, key any, header, payload any) string {
	t.Helper()
	text := segment(t, header) + "." + segment(t, payload)
	signature, err := method.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(t testing.TB, value any) string {
	t.Helper()
	text, ok := value.(string)
	if !ok {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// signed returns a token that the instance's first key has signed.
func signed(t testing.TB, header, payload any) string {
	t.Helper()
	return sign(t, jwt.SigningMethodRS256, instanceKey(), header, payload)
}

// fixedKeys returns a key set that never changes, for tests that are not about fetching.
func fixedKeys(t testing.TB, set keySet) keySource {
	j := startJWKS(t.Context(), func(context.Context) (keySet, error) { return set, nil }, slog.New(slog.DiscardHandler))
	t.Cleanup(j.close)
	for j.ready() != nil {
		time.Sleep(time.Microsecond)
	}
	return j
}

// wantReason checks that err is a refusal for that reason.
func wantReason(t testing.TB, err error, want Reason) {
	t.Helper()
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Reason != want {
		t.Errorf("got %v, want a refusal for the reason %q", err, want)
	}
	if !errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrKeysUnavailable) {
		t.Errorf("%v is not told apart as ErrUnauthorized", err)
	}
}
