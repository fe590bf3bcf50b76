package auth

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestVerifyRefusesForgeries has tokens that are not put together as the instance does it.
func TestVerifyRefusesForgeries(t *testing.T) {
	good := signed(t, header(), session())
	parts := strings.Split(good, ".")
	public, err := newDevKey(instanceKey())
	if err != nil {
		t.Fatal(err)
	}
	alg := func(name string) fields { return header().with(fields{"alg": name}) }
	unsigned := func(header any) string { return segment(t, header) + "." + parts[1] + "." }
	otherPayload := session().with(fields{"sub": "user_eve"})
	tests := []struct {
		why   string
		token string
		want  Reason
	}{
		{"signed by another key", sign(t, jwt.SigningMethodRS256, nextKey(), header(), session()), ReasonSignature},
		{"another payload under a good signature", parts[0] + "." + segment(t, otherPayload) + "." + parts[2], ReasonSignature},
		{"another header under a good signature", segment(t, header().with(fields{"x": 1})) + "." + parts[1] + "." + parts[2], ReasonSignature},
		{"the signature cut off", parts[0] + "." + parts[1] + ".", ReasonSignature},
		{"half a signature", good[:len(good)-170], ReasonSignature},
		{"alg none", unsigned(alg("none")), ReasonAlgorithm},
		{"alg None", unsigned(alg("None")), ReasonAlgorithm},
		{"no alg", unsigned(header().with(fields{"alg": nil})), ReasonAlgorithm},
		{"alg that is not text", unsigned(header().with(fields{"alg": []string{"RS256"}})), ReasonAlgorithm},
		{"alg that nobody knows", unsigned(alg("RS257")), ReasonAlgorithm},
		{"alg in lower case", sign(t, jwt.SigningMethodRS256, instanceKey(), alg("rs256"), session()), ReasonAlgorithm},
		{"HS256, with the public key as the secret", sign(t, jwt.SigningMethodHS256, []byte(public.PublicPEM()), alg("HS256"), session()), ReasonAlgorithm},
		{"RS384 by the right key", sign(t, jwt.SigningMethodRS384, instanceKey(), alg("RS384"), session()), ReasonAlgorithm},
		{"RS512 by the right key", sign(t, jwt.SigningMethodRS512, instanceKey(), alg("RS512"), session()), ReasonAlgorithm},
		{"PS256 by the right key", sign(t, jwt.SigningMethodPS256, instanceKey(), alg("PS256"), session()), ReasonAlgorithm},
		{"ES256", sign(t, jwt.SigningMethodES256, ellipticKey(), alg("ES256"), session()), ReasonAlgorithm},
		{"RS512 that calls itself RS256", sign(t, jwt.SigningMethodRS512, instanceKey(), header(), session()), ReasonSignature},
		{"empty", "", ReasonMalformed},
		{"two segments", parts[0] + "." + parts[1], ReasonMalformed},
		{"four segments", good + "." + parts[2], ReasonMalformed},
		{"segments of garbage", "a.b.c", ReasonMalformed},
		{"a header that is not JSON", signed(t, "{", session()), ReasonMalformed},
		{"a header that is an array", signed(t, `["RS256"]`, session()), ReasonMalformed},
		{"a header that is null", signed(t, "null", session()), ReasonAlgorithm},
		{"a payload that is not JSON", signed(t, header(), "{"), ReasonMalformed},
		{"a payload that is null", signed(t, header(), "null"), ReasonMissing},
		{"a payload that is an array", signed(t, header(), "[]"), ReasonMalformed},
		{"a payload that is text", signed(t, header(), `"user_ada"`), ReasonMalformed},
		{"a payload with something after it", signed(t, header(), `{} {}`), ReasonMalformed},
		{"a payload that is not UTF-8", signed(t, header(), "{\"sub\":\"user_\xff\"}"), ReasonMalformed},
		{"a claim that stands twice", signed(t, header(), twice(t, `"sub":"user_eve"`)), ReasonMalformed},
		{"a claim that stands twice, once escaped", signed(t, header(), twice(t, `"\u0073ub":"user_eve"`)), ReasonMalformed},
		{"an organization that has two ids", signed(t, header(), session().with(fields{"o": "X"}).replace(t, `"X"`, `{"id":"org_acme","id":"org_evil"}`)), ReasonMalformed},
		{"1 MB", strings.Repeat("a", 1<<20), ReasonMalformed},
		{"16 KiB and a byte, rightly signed", signed(t, header(), session().with(fields{"pad": strings.Repeat("a", 16<<10)})), ReasonMalformed},
		{"base64 with padding", good + "==", ReasonMalformed},
		{"a line break in the signature", good[:len(good)-4] + "\n" + good[len(good)-4:], ReasonMalformed},
		{"bits at the end that decode to nothing", otherSpelling(good), ReasonMalformed},
		{"letters of another alphabet", strings.Replace(good, ".", "․", 1), ReasonMalformed},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			for _, v := range verifiers(t, testConfig) {
				_, err := v.Verify(t.Context(), test.token)
				wantReason(t, err, test.want)
			}
		})
	}
}

// twice returns the payload of a session with one more field before the others.
func twice(t *testing.T, field string) string { return session().replace(t, "{", "{"+field+",") }

// replace returns the object's text with the first old in it replaced.
func (f fields) replace(t *testing.T, old, text string) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(segment(t, f))
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s holds no %s: %v", data, old, err)
	}
	return strings.Replace(string(data), old, text, 1)
}

// otherSpelling changes the last character of a token in the bits that a lax decoder drops: 256 bytes take 341⅓
// characters.
func otherSpelling(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}
