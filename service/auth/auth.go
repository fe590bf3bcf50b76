// Package auth verifies Clerk session tokens, of version 1 and 2, and says who is calling.
//
// A token passes when it is signed with RS256 by a key of the configured instance, is neither expired nor from the
// future, was issued by exactly that instance, and belongs to a user whose sign-in is finished. Machine-to-machine and
// OAuth tokens are refused, though the same key signs them. An impersonated session (act) counts as the user's own.
package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// leeway is the clock skew that Clerk's own SDKs allow.
const leeway = 5 * time.Second

// maxTokenBytes is far above what fits into the cookie that Clerk keeps its tokens in (4 KiB).
const maxTokenBytes = 16 << 10

// Caller is who a verified token speaks for. Its strings share no memory with the token.
type Caller struct {
	UserID string // as in "user_2abc", 1 to 128 bytes
	OrgID  string // the active organization, 1 to 128 bytes; "" means none
	Role   string // in the active organization, as in "org:admin"; "" without one, or when the token names none
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	parser  *jwt.Parser
	keys    keySource
	parties map[string]bool
}

// New returns a verifier, or every mistake of the configuration. With a JWKS URL it returns at once and loads the keys
// in the background, for as long as it takes, until Close or the end of ctx.
func New(ctx context.Context, config Config) (*Verifier, error) {
	if mistakes := config.Validate(); len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if config.JWKSURL != "" {
		return newVerifier(config, startJWKS(ctx, newFetcher(config.JWKSURL), cmp.Or(config.Log, slog.New(slog.DiscardHandler)))), nil
	}
	key, err := parsePublicKey(config.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("CLERK_JWT_KEY %w", err)
	}
	return newVerifier(config, singleKey{key}), nil
}

func newVerifier(config Config, keys keySource) *Verifier {
	v := &Verifier{keys: keys, parties: map[string]bool{}}
	for _, party := range config.AuthorizedParties {
		v.parties[party] = true
	}
	v.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
		jwt.WithIssuer(config.Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
	)
	return v
}

// Verify returns the caller that token speaks for. A rejection is an *Error (and ErrUnauthorized); ErrKeysUnavailable
// means that no key was ever loaded, so that the token may be good. Only a token whose kid names no known key may wait,
// for a second at most and no longer than ctx, for the key set to be fetched again.
func (v *Verifier) Verify(ctx context.Context, token string) (Caller, error) {
	if err := checkShape(token); err != nil {
		return Caller{}, err
	}
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		if err := checkHeader(t.Header); err != nil {
			return nil, err
		}
		return v.keys.key(ctx, t.Header)
	})
	if err != nil {
		return Caller{}, refusal(err)
	}
	if err := v.checkClaims(&c); err != nil {
		return Caller{}, err
	}
	return Caller{UserID: c.subject, OrgID: c.orgID, Role: c.role}, nil
}

// Ready returns nil when tokens can be verified; otherwise it returns ErrKeysUnavailable with the cause of the last
// failure.
func (v *Verifier) Ready() error { return v.keys.ready() }

// Fetched returns when the key set was last fetched, the zero time before the first time. It reports false for a PEM
// key.
func (v *Verifier) Fetched() (last time.Time, followed bool) { return v.keys.fetched() }

// Close ends the background work. Tokens can still be verified with the keys loaded so far.
func (v *Verifier) Close() { v.keys.close() }

// checkShape bounds what the parser is given, and refuses the line breaks that base64 decoders skip, so that every
// token has one spelling.
func checkShape(token string) error {
	if len(token) > maxTokenBytes {
		return refuse(ReasonMalformed, fmt.Sprintf("the token has %d bytes, more than %d", len(token), maxTokenBytes))
	}
	for i := range len(token) {
		switch b := token[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.':
		default:
			return refuse(ReasonMalformed, fmt.Sprintf("the token holds the byte %q, which no JWT has", b))
		}
	}
	return nil
}

// Inspect returns who a token speaks for and when it expires, without verifying it: for its holder, never to let
// anybody in. The error does not quote the token.
func Inspect(token string) (caller Caller, expires time.Time, err error) {
	if err := checkShape(token); err != nil {
		return Caller{}, time.Time{}, err
	}
	var c claims
	if _, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(token, &c); err != nil {
		return Caller{}, time.Time{}, refusal(err)
	}
	if c.expires == nil {
		return Caller{}, time.Time{}, refuse(ReasonMissing, "the token has no exp")
	}
	if err := checkUser(c.subject); err != nil {
		return Caller{}, time.Time{}, err
	}
	return Caller{UserID: c.subject, OrgID: c.orgID, Role: c.role}, c.expires.Time, nil
}
