package auth

import (
	"crypto/rsa"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// ErrUnauthorized matches, by errors.Is, every refusal of a token or of an Authorization header: an HTTP 401.
var ErrUnauthorized = errors.New("unauthorized")

// ErrKeysUnavailable says that a token cannot be judged because no signing key was ever loaded: an HTTP 503. It does
// not occur with a PEM key, nor once a key set was loaded, however long the JWKS endpoint is down afterwards.
var ErrKeysUnavailable = errors.New("no signing keys have been loaded yet")

// Reason is a short, fixed code for why a token was refused, fit for a log field and a metric's label.
type Reason string

const (
	ReasonHeader      Reason = "header"        // no Authorization header, or not one bearer token
	ReasonMalformed   Reason = "malformed"     // not a JWT, or a claim of the wrong type
	ReasonAlgorithm   Reason = "alg"           // signed with anything but RS256
	ReasonType        Reason = "typ"           // another kind of JWT
	ReasonOAuth       Reason = "oauth"         // an OAuth access token
	ReasonCritical    Reason = "crit"          // extensions that must be understood
	ReasonKeyID       Reason = "kid"           // no key id, or one that names no key
	ReasonSignature   Reason = "signature"     // not signed by the key
	ReasonMissing     Reason = "missing"       // without exp or iss
	ReasonExpired     Reason = "expired"       // past exp
	ReasonNotYetValid Reason = "not_yet_valid" // before nbf
	ReasonIssuedAt    Reason = "iat"           // issued in the future
	ReasonIssuer      Reason = "issuer"        // of another instance
	ReasonParty       Reason = "azp"           // made for an origin that is not on the list
	ReasonPending     Reason = "pending"       // the sign-in is not finished
	ReasonMachine     Reason = "machine"       // a machine-to-machine token
	ReasonSubject     Reason = "subject"       // no user
	ReasonVersion     Reason = "version"       // neither version 1 nor 2
	ReasonOrg         Reason = "organization"  // organization or role that contradict each other
)

// Reasons are all of them.
var Reasons = []Reason{
	ReasonHeader, ReasonMalformed, ReasonAlgorithm, ReasonType, ReasonOAuth, ReasonCritical, ReasonKeyID, ReasonSignature, ReasonMissing,
	ReasonExpired, ReasonNotYetValid, ReasonIssuedAt, ReasonIssuer, ReasonParty, ReasonPending, ReasonMachine, ReasonSubject,
	ReasonVersion, ReasonOrg,
}

// Error is a refusal. Its text may quote the token's claims: it is for the log, not for the caller.
type Error struct {
	Reason Reason
	cause  error
}

func refuse(reason Reason, sentence string) *Error {
	return &Error{Reason: reason, cause: errors.New(sentence)}
}

func (e *Error) Error() string { return "token refused (" + string(e.Reason) + "): " + e.cause.Error() }

func (e *Error) Unwrap() error { return e.cause }

// Is makes every refusal an ErrUnauthorized.
func (e *Error) Is(target error) bool { return target == ErrUnauthorized }

// parserReasons has the reasons of golang-jwt's errors. The first match counts: the parser joins all that it finds
// wrong, and it wraps a wrong algorithm and a wrong signature alike, but only the latter holds rsa.ErrVerification.
var parserReasons = []struct {
	cause  error
	reason Reason
}{
	{rsa.ErrVerification, ReasonSignature},
	{jwt.ErrTokenSignatureInvalid, ReasonAlgorithm},
	{jwt.ErrTokenUnverifiable, ReasonAlgorithm},
	{jwt.ErrTokenMalformed, ReasonMalformed},
	{jwt.ErrTokenInvalidIssuer, ReasonIssuer},
	{jwt.ErrTokenRequiredClaimMissing, ReasonMissing},
	{jwt.ErrTokenExpired, ReasonExpired},
	{jwt.ErrTokenNotValidYet, ReasonNotYetValid},
	{jwt.ErrTokenUsedBeforeIssued, ReasonIssuedAt},
}

// refusal turns an error of the parser, or of what it calls back, into the one that Verify returns.
func refusal(err error) error {
	if errors.Is(err, ErrKeysUnavailable) {
		return err
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	for _, known := range parserReasons {
		if errors.Is(err, known.cause) {
			return &Error{Reason: known.reason, cause: err}
		}
	}
	return &Error{Reason: ReasonMalformed, cause: err}
}
