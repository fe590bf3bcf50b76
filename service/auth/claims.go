package auth

import (
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/tidwall/gjson"
)

// claims is what is read of a token's payload. The organization comes from the fields of the token's own version and
// from no others: an instance may well add an org_id of its own to its version-2 tokens, or an o to its templates.
type claims struct {
	issuer, subject, party, status string
	expires, notBefore, issuedAt   *jwt.NumericDate
	orgID, role                    string
}

// UnmarshalJSON reads the payload, strictly: names are case-sensitive, no claim may stand twice, and none that is read
// may have another type than it should.
func (c *claims) UnmarshalJSON(payload []byte) error {
	r := readObject(string(payload))
	*c = claims{
		issuer:    r.text("iss"),
		subject:   r.text("sub"),
		party:     r.text("azp"),
		status:    r.text("sts"),
		expires:   r.time("exp"),
		notBefore: r.time("nbf"),
		issuedAt:  r.time("iat"),
	}
	version, versioned := r.fields["v"]
	switch {
	case r.err != nil:
		return r.err
	case !versioned:
		c.orgID, c.role = r.text("org_id"), r.text("org_role")
		return r.err
	case version.Raw == "2":
		return c.readOrganization(r.fields["o"])
	}
	return refuse(ReasonVersion, fmt.Sprintf("the token's version is %.20s; only 2, and tokens without v, are known", version.Raw))
}

// readOrganization reads a version-2 token's o, which stands there only while an organization is active.
func (c *claims) readOrganization(o gjson.Result) error {
	if !o.Exists() {
		return nil
	}
	r := readObject(o.Raw)
	c.orgID = r.text("id")
	if role := r.text("rol"); role != "" {
		c.role = rolePrefix + role
	}
	if r.err == nil && c.orgID == "" {
		return refuse(ReasonOrg, "the token has o without an id")
	}
	return r.err
}

// rolePrefix stands before every role, but not in version-2 tokens.
const rolePrefix = "org:"

// checkClaims checks what the parser does not know of. The signature is good by then.
func (v *Verifier) checkClaims(c *claims) error {
	if err := checkUser(c.subject); err != nil {
		return err
	}
	if c.status == "pending" {
		return refuse(ReasonPending, "the session is pending: its sign-in is not finished")
	}
	if c.party != "" && len(v.parties) > 0 && !v.parties[c.party] {
		return refuse(ReasonParty, fmt.Sprintf("azp %q is not among the authorized parties", c.party))
	}
	return checkOrganization(c.orgID, c.role)
}

func checkUser(id string) error {
	switch {
	case strings.HasPrefix(id, "mch_"):
		return refuse(ReasonMachine, "this is a machine-to-machine token, not a session token")
	case !strings.HasPrefix(id, "user_") || id == "user_":
		return refuse(ReasonSubject, "the token's sub is not a user (user_…)")
	case len(id) > maxIDBytes:
		return refuse(ReasonSubject, fmt.Sprintf("the token's sub has %d bytes, more than %d", len(id), maxIDBytes))
	}
	return nil
}

func checkOrganization(id, role string) error {
	switch {
	case id == "" && role != "":
		return refuse(ReasonOrg, "the token has a role without an organization")
	case len(id) > maxIDBytes || len(role) > maxIDBytes:
		return refuse(ReasonOrg, fmt.Sprintf("the token's organization or role has more than %d bytes", maxIDBytes))
	}
	return nil
}

// The parser asks for the registered claims by these; they never fail, for the types were checked while reading. The
// audience (aud) is not judged.

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.expires, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.notBefore, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.issuedAt, nil }
func (c *claims) GetIssuer() (string, error)                   { return c.issuer, nil }
func (c *claims) GetSubject() (string, error)                  { return c.subject, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }
