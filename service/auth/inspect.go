package auth

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Inspect reads whom a token speaks for and when it expires, without verifying it: for its holder, never to let anybody
// in. The error does not quote the token.
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
