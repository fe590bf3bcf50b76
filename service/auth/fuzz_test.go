package auth

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// eternal are the changes that make a payload the same at all times.
var eternal = fields{"exp": 4102444800, "iat": 0, "nbf": 0}

// FuzzVerify tries any text as a token: nothing passes but what the instance has signed, byte for byte.
func FuzzVerify(f *testing.F) {
	issued := map[string]bool{
		signed(f, header(), session().with(eternal)):                       true,
		signed(f, header(), session().with(asVersion1(nil)).with(eternal)): true,
	}
	for token := range issued {
		f.Add(token)
		f.Add(token[:len(token)-1])
		f.Add(strings.ToUpper(token))
		f.Add(segment(f, fields{"alg": "none"}) + token[strings.IndexByte(token, '.'):])
	}
	f.Add("")
	f.Add("..")
	v := newVerifier(testConfig, fixedKeys(f, keySet{"ins_1": &instanceKey().PublicKey}))
	f.Fuzz(func(t *testing.T, token string) {
		if caller, err := v.Verify(t.Context(), token); err == nil && !issued[token] {
			t.Errorf("a token that was never issued speaks for %+v: %q", caller, token)
		} else if err != nil && issued[token] {
			t.Errorf("a token that was issued: %v", err)
		}
	})
}

// FuzzSigned signs any header and payload with the instance's key: whatever it may sign, the caller is well formed, and
// only RS256 with a known key id passes.
func FuzzSigned(f *testing.F) {
	head, _ := base64.RawURLEncoding.DecodeString(segment(f, header()))
	for _, payload := range []fields{session(), session().with(asVersion1(nil)), session().with(fields{"o": nil})} {
		text, _ := base64.RawURLEncoding.DecodeString(segment(f, payload.with(eternal)))
		f.Add(string(head), string(text))
	}
	f.Add("null", "null")
	f.Add(`{"alg":"RS256","kid":"ins_1","typ":[]}`, `{"exp":1e999,"o":[[]],"v":2.0}`)
	v := newVerifier(testConfig, fixedKeys(f, keySet{"ins_1": &instanceKey().PublicKey}))
	f.Fuzz(func(t *testing.T, header, payload string) {
		caller, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, instanceKey(), header, payload))
		if err != nil {
			if caller != (Caller{}) {
				t.Errorf("a refusal names a caller: %+v", caller)
			}
			return
		}
		if checkUser(caller.UserID) != nil || checkOrganization(caller.OrgID, caller.Role) != nil {
			t.Errorf("the caller is not well formed: %+v", caller)
		}
		for _, word := range []string{"RS256", "ins_1"} {
			if !strings.Contains(header, word) && !strings.Contains(header, `\u`) {
				t.Errorf("accepted without %s: %s", word, header)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	v := newVerifier(testConfig, fixedKeys(b, keySet{"ins_1": &instanceKey().PublicKey}))
	token := signed(b, header(), session().with(eternal))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
