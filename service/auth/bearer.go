package auth

import "strings"

// BearerToken takes the token out of the value of an Authorization header: the scheme Bearer in any case, one space or
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
