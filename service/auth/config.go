package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Config says whose tokens are accepted. Exactly one of PublicKey and JWKSURL is set.
type Config struct {
	// Issuer is the Clerk instance's frontend API, as in "https://clerk.example.com". Tokens must carry it exactly.
	Issuer string
	// PublicKey is the instance's RSA public key in PEM; it needs no network, and a restart to change.
	PublicKey string
	// JWKSURL is where the instance publishes its keys, "<frontend API>/.well-known/jwks.json"; rotations are followed.
	JWKSURL string
	// AuthorizedParties lists the origins that tokens may have been made for (azp), as in "https://app.example.com".
	// Empty means any. A token without azp passes, as in Clerk's own SDKs: native apps and template tokens have none.
	AuthorizedParties []string
	// Log receives the key set's loads and failures; nil drops them.
	Log *slog.Logger
}

// Validate returns every mistake, each a sentence that names the setting; none means that the configuration is good.
func (c Config) Validate() []error {
	mistakes := append([]error{checkIssuer(c.Issuer)}, checkKeySource(c.PublicKey, c.JWKSURL)...)
	for _, party := range c.AuthorizedParties {
		mistakes = append(mistakes, checkParty(party))
	}
	return slices.DeleteFunc(mistakes, func(err error) bool { return err == nil })
}

func checkIssuer(issuer string) error {
	if issuer == "" {
		return errors.New("CLERK_ISSUER is not set: give the instance's frontend API, as in https://clerk.example.com")
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("CLERK_ISSUER %q is not a URL like https://clerk.example.com", issuer)
	}
	return nil
}

func checkKeySource(publicKey, jwksURL string) (mistakes []error) {
	switch {
	case publicKey != "" && jwksURL != "":
		mistakes = append(mistakes, errors.New("CLERK_JWT_KEY and CLERK_JWKS_URL are both set: give one, so that it is clear whose keys count"))
	case publicKey == "" && jwksURL == "":
		mistakes = append(mistakes, errors.New("there is no way to verify tokens: set CLERK_JWKS_URL, or CLERK_JWT_KEY to the public key in PEM"))
	}
	if publicKey != "" {
		mistakes = append(mistakes, checkPublicKey(publicKey))
	}
	if jwksURL != "" {
		mistakes = append(mistakes, checkJWKSURL(jwksURL))
	}
	return mistakes
}

func checkPublicKey(text string) error {
	if _, err := parsePublicKey(text); err != nil {
		return fmt.Errorf("CLERK_JWT_KEY %w", err)
	}
	return nil
}

func checkJWKSURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		// The text is not quoted, nor the parser's error, which quotes it: it may hold a password.
		return errors.New("CLERK_JWKS_URL is not a URL like https://clerk.example.com/.well-known/jwks.json")
	case u.User != nil:
		return errors.New("CLERK_JWKS_URL holds a user or password: the key set is public, take them out")
	case !secure(u):
		return fmt.Errorf("CLERK_JWKS_URL %q is not https: whoever can change the answer on its way could sign tokens", text)
	}
	return nil
}

// secure reports whether nobody on the way can change what u answers: https, or http that never leaves the machine.
func secure(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// checkParty accepts what a browser may send as Origin, which is compared byte by byte: scheme, host in lower case, and
// port, without so much as a trailing slash. Browser extensions have schemes of their own.
func checkParty(party string) error {
	u, err := url.Parse(party)
	if err != nil || u.Host == "" || party != u.Scheme+"://"+strings.ToLower(u.Host) {
		return fmt.Errorf("CLERK_AUTHORIZED_PARTIES: %q is not an origin like https://app.example.com "+
			"(scheme and host in lower case, no slash at the end)", party)
	}
	return nil
}
