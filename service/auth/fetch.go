package auth

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/MicahParks/jwkset"
)

const (
	// fetchTimeout covers a whole fetch, from the connection to the answer's last byte.
	fetchTimeout = 5 * time.Second
	// maxSetBytes is far above any real key set: a key has half a kilobyte.
	maxSetBytes = 1 << 20
	// maxRedirects allows a CDN's hop or two.
	maxRedirects = 3
)

// newFetcher returns a function that fetches the keys of the JWKS endpoint at url.
func newFetcher(url string) fetchFunc {
	return fetcher(url, &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true, // a connection would idle for ten minutes between two fetches
		MaxResponseHeaderBytes: 64 << 10,
	})
}

func fetcher(url string, transport http.RoundTripper) fetchFunc {
	client := &http.Client{Transport: transport, Timeout: fetchTimeout, CheckRedirect: checkRedirect}
	return func(ctx context.Context) (keySet, error) {
		body, err := get(ctx, client, url)
		if err != nil {
			return nil, err
		}
		return parseKeySet(body)
	}
}

// checkRedirect keeps a redirect from leading where the configuration would not be allowed to.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("the JWKS endpoint redirects too often")
	}
	if !secure(req.URL) {
		return errors.New("the JWKS endpoint redirects to a URL that is not https")
	}
	return nil
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("the JWKS endpoint cannot be asked: %w", err)
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	req.Header.Set("User-Agent", "orgstats")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the JWKS endpoint did not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the JWKS endpoint answered with status %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the JWKS endpoint's answer broke off: %w", err)
	}
	if len(body) > maxSetBytes {
		return nil, fmt.Errorf("the JWKS endpoint's answer has more than %d bytes", maxSetBytes)
	}
	return body, nil
}

// parseKeySet returns the keys of a JWK set that may sign session tokens, and leaves the others alone: one key that
// is broken or of another kind must not cost the rest. Of several keys with one id the first counts. A set without any
// usable key is an error, so that it never replaces a good one.
func parseKeySet(body []byte) (keySet, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, fmt.Errorf("the JWKS endpoint's answer is not a JWK set: %w", err)
	}
	set := keySet{}
	var unusable []error
	for i, raw := range document.Keys {
		kid, key, err := parseKey(raw)
		if err != nil {
			unusable = append(unusable, fmt.Errorf("key %d %w", i+1, err))
			continue
		}
		if _, again := set[kid]; !again {
			set[kid] = key
		}
	}
	if len(set) == 0 {
		return nil, errors.Join(append([]error{errors.New("the JWKS endpoint's answer has no RS256 signing key")}, unusable...)...)
	}
	return set, nil
}

// parseKey returns the key id and the key of an RSA key that is meant for RS256 signatures.
func parseKey(raw json.RawMessage) (string, *rsa.PublicKey, error) {
	jwk, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return "", nil, fmt.Errorf("cannot be read: %w", err)
	}
	key, ok := jwk.Key().(*rsa.PublicKey)
	if !ok {
		return "", nil, errors.New("is not an RSA key")
	}
	meta := jwk.Marshal()
	switch {
	case !validKeyID(meta.KID):
		return "", nil, errors.New("has no kid, or one that no token may carry")
	case meta.USE != "" && meta.USE != jwkset.UseSig:
		return "", nil, fmt.Errorf("is for another use than signatures (%q)", meta.USE)
	case meta.ALG != "" && meta.ALG != jwkset.AlgRS256:
		return "", nil, fmt.Errorf("is for another algorithm than RS256 (%q)", meta.ALG)
	case len(meta.KEYOPS) > 0 && !slices.Contains(meta.KEYOPS, jwkset.KeyOpsVerify):
		return "", nil, errors.New("is not for verifying (key_ops)")
	}
	return meta.KID, key, checkStrength(key)
}
