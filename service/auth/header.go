package auth

import "strings"

// maxIDBytes bounds the ids of keys, users and organizations.
const maxIDBytes = 128

// checkHeader refuses other kinds of JWT that the same key signs. Fields that it does not know are ignored, unless
// "crit" says that they must not be.
func checkHeader(header map[string]any) error {
	if _, ok := header["crit"]; ok {
		return refuse(ReasonCritical, "the header has crit, and no extension is supported")
	}
	value, ok := header["typ"]
	if !ok {
		return nil
	}
	typ, ok := value.(string)
	if !ok {
		return refuse(ReasonMalformed, "the header's typ is not a string")
	}
	// RFC 7515, section 4.1.9: a media type in any case, of which "application/" may be left out.
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "jwt":
		return nil
	case "at+jwt":
		return refuse(ReasonOAuth, "this is an OAuth access token, not a session token")
	}
	return refuse(ReasonType, "the header's typ is not JWT")
}

// keyID returns the header's kid, or rejects it before any key is looked up.
func keyID(header map[string]any) (string, error) {
	kid, ok := header["kid"].(string)
	if !ok || !validKeyID(kid) {
		return "", refuse(ReasonKeyID, "the header has no kid, or not one of 1 to 128 visible ASCII characters")
	}
	return kid, nil
}

func validKeyID(kid string) bool {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	return kid != "" && len(kid) <= maxIDBytes && !strings.ContainsFunc(kid, invisible)
}

// BearerToken returns the token of the value of an Authorization header: the scheme Bearer in any case, one space or
// more, exactly one token. The result shares memory with header. Anything else is refused with ReasonHeader.
func BearerToken(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refuse(ReasonHeader, "the Authorization header is missing or its scheme is not Bearer")
	}
	token = strings.Trim(token, " ")
	if token == "" || strings.ContainsAny(token, " \t,") {
		return "", refuse(ReasonHeader, "the Authorization header does not carry exactly one token")
	}
	return token, nil
}
