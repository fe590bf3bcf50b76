package auth

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// testConfig is used with keys of its own.
var testConfig = Config{Issuer: testIssuer, AuthorizedParties: []string{"https://app.example.com"}}

// verifiers returns one verifier for each way to get the instance's key.
func verifiers(t *testing.T, config Config) map[string]*Verifier {
	return map[string]*Verifier{
		"JWKS": newVerifier(config, fixedKeys(t, keySet{"ins_1": &instanceKey().PublicKey})),
		"PEM":  newVerifier(config, singleKey{&instanceKey().PublicKey}),
	}
}

func TestVerifyAccepts(t *testing.T) {
	admin := Caller{UserID: "user_ada", OrgID: "org_acme", Role: "org:admin"}
	nobody := Caller{UserID: "user_ada"}
	tests := []struct {
		why     string
		header  fields
		payload fields
		want    Caller
	}{
		{"a version-2 session", nil, nil, admin},
		{"a version-1 session", nil, asVersion1(nil), admin},
		{"a template token: version 1 without sid or azp", nil, asVersion1(fields{"sid": nil, "azp": nil}), admin},
		{
			"a custom role keeps its name", nil,
			fields{"o": fields{"id": "org_acme", "rol": "billing:read"}},
			Caller{"user_ada", "org_acme", "org:billing:read"},
		},
		{
			"a version-1 role is taken as it stands", nil, asVersion1(fields{"org_role": "admin"}),
			Caller{"user_ada", "org_acme", "admin"},
		},
		{
			"a version-2 role that brings a prefix is not an administrator's", nil,
			fields{"o": fields{"id": "org_acme", "rol": "org:admin"}},
			Caller{"user_ada", "org_acme", "org:org:admin"},
		},
		{"an organization without a role", nil, fields{"o": fields{"id": "org_acme"}}, Caller{UserID: "user_ada", OrgID: "org_acme"}},
		{"no active organization, version 2", nil, fields{"o": nil}, nobody},
		{"no active organization, version 1", nil, asVersion1(fields{"org_id": nil, "org_role": nil}), nobody},
		{"no active organization, a template's null", nil, asVersion1(fields{"org_id": null, "org_role": null}), nobody},
		{
			"version 2 reads only o, not the custom claims org_id and org_role", nil,
			fields{"org_id": "org_evil", "org_role": "org:owner"},
			admin,
		},
		{
			"version 2 without o does not fall back to org_id", nil,
			fields{"o": nil, "org_id": "org_evil", "org_role": "org:admin"},
			nobody,
		},
		{
			"version 1 reads only org_id and org_role, not a custom claim o", nil,
			asVersion1(fields{"o": fields{"id": "org_evil", "rol": "owner"}}), admin,
		},
		{
			"version 1 without org_id does not fall back to o", nil,
			fields{"v": nil},
			nobody,
		},
		{"no azp, though parties are configured", nil, fields{"azp": nil}, admin},
		{"no iat, nbf and sts", nil, fields{"iat": nil, "nbf": nil, "sts": nil}, admin},
		{"expired 4 s ago: within the leeway", nil, fields{"exp": now(-4)}, admin},
		{"valid in 5 s: within the leeway", nil, fields{"nbf": now(5)}, admin},
		{"issued 5 s ahead: within the leeway", nil, fields{"iat": now(5)}, admin},
		{"fractions of a second", nil, fields{"exp": 4102444800.75}, admin},
		{"names in another case are other claims", nil, fields{"EXP": 0, "ISS": "x", "Sub": 7, "O": 7, "V": 1}, admin},
		{"fields of the header that are not known", fields{"x-new": []int{1}, "jku": "https://evil.example"}, nil, admin},
		{"no typ", fields{"typ": nil}, nil, admin},
		{"typ in its long form", fields{"typ": "application/jwt"}, nil, admin},
		{
			"the longest ids", nil,
			fields{"sub": "user_" + strings.Repeat("a", 123), "o": fields{"id": strings.Repeat("o", 128)}},
			Caller{"user_" + strings.Repeat("a", 123), strings.Repeat("o", 128), ""},
		},
		{"an impersonated session", nil, fields{"act": fields{"sub": "user_support"}}, admin},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token := signed(t, header().with(test.header), session().with(test.payload.atNow()))
				for keys, v := range verifiers(t, testConfig) {
					got, err := v.Verify(t.Context(), token)
					if err != nil || got != test.want {
						t.Errorf("%s: got %+v, %v, want %+v", keys, got, err, test.want)
					}
				}
			})
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	tests := []struct {
		why     string
		header  fields
		payload fields
		want    Reason
	}{
		{"expired 5 s ago: the leeway is over", nil, fields{"exp": now(-5)}, ReasonExpired},
		{"valid in 6 s", nil, fields{"nbf": now(6)}, ReasonNotYetValid},
		{"issued 6 s ahead", nil, fields{"iat": now(6)}, ReasonIssuedAt},
		{"no exp", nil, fields{"exp": nil}, ReasonMissing},
		{"exp null", nil, fields{"exp": null}, ReasonMalformed},
		{"exp 0", nil, fields{"exp": 0}, ReasonExpired},
		{"exp as text", nil, fields{"exp": "4102444800"}, ReasonMalformed},
		{"exp beyond all years", nil, fields{"exp": 1e300}, ReasonMalformed},
		{"exp negative", nil, fields{"exp": -1}, ReasonMalformed},
		{"nbf as an array", nil, fields{"nbf": []int{1}}, ReasonMalformed},
		{"iat as a boolean", nil, fields{"iat": true}, ReasonMalformed},
		{"no issuer", nil, fields{"iss": nil}, ReasonMissing},
		{"another instance's issuer", nil, fields{"iss": "https://clerk.evil.com"}, ReasonIssuer},
		{"the issuer with a slash at its end", nil, fields{"iss": testIssuer + "/"}, ReasonIssuer},
		{"the issuer in another case", nil, fields{"iss": "https://Clerk.example.com"}, ReasonIssuer},
		{"the issuer as the first of two", nil, fields{"iss": []string{testIssuer}}, ReasonMalformed},
		{"another party", nil, fields{"azp": "https://evil.example.com"}, ReasonParty},
		{"a party that only begins like one on the list", nil, fields{"azp": "https://app.example.com.evil.com"}, ReasonParty},
		{"an empty party", nil, fields{"azp": ""}, ReasonMalformed},
		{"a pending session", nil, fields{"sts": "pending"}, ReasonPending},
		{"a pending session in version 1", nil, asVersion1(fields{"sts": "pending"}), ReasonPending},
		{"sts that is not text", nil, fields{"sts": []string{"pending"}}, ReasonMalformed},
		{"a machine-to-machine token", nil, fields{"sub": "mch_1"}, ReasonMachine},
		{"an OAuth access token", fields{"typ": "at+jwt"}, nil, ReasonOAuth},
		{"an OAuth access token, written otherwise", fields{"typ": "Application/AT+JWT"}, nil, ReasonOAuth},
		{"another kind of JWT", fields{"typ": "logout+jwt"}, nil, ReasonType},
		{"typ that is not text", fields{"typ": 1}, nil, ReasonMalformed},
		{"an extension that must be understood", fields{"crit": []string{"b64"}, "b64": false}, nil, ReasonCritical},
		{"no subject", nil, fields{"sub": nil}, ReasonSubject},
		{"a subject that is not a user", nil, fields{"sub": "org_acme"}, ReasonSubject},
		{"a user without an id", nil, fields{"sub": "user_"}, ReasonSubject},
		{"a user's id of 129 bytes", nil, fields{"sub": "user_" + strings.Repeat("a", 124)}, ReasonSubject},
		{"a subject that is a number", nil, fields{"sub": 7}, ReasonMalformed},
		{"version 3", nil, fields{"v": 3}, ReasonVersion},
		{"version 1, written out", nil, fields{"v": 1}, ReasonVersion},
		{"version 2 as text", nil, fields{"v": "2"}, ReasonVersion},
		{"version 2.5", nil, fields{"v": 2.5}, ReasonVersion},
		{"version 2.0", nil, fields{"v": json.RawMessage("2.0")}, ReasonVersion},
		{"version null", nil, fields{"v": null}, ReasonVersion},
		{"o that is not an object", nil, fields{"o": "org_acme"}, ReasonMalformed},
		{"o null", nil, fields{"o": null}, ReasonMalformed},
		{"o without an id", nil, fields{"o": fields{"rol": "admin"}}, ReasonOrg},
		{"o.id that is not text", nil, fields{"o": fields{"id": 7}}, ReasonMalformed},
		{"o.id empty", nil, fields{"o": fields{"id": "", "rol": "admin"}}, ReasonMalformed},
		{"o.rol that is not text", nil, fields{"o": fields{"id": "org_acme", "rol": []string{"admin"}}}, ReasonMalformed},
		{"an organization's id of 129 bytes", nil, fields{"o": fields{"id": strings.Repeat("o", 129)}}, ReasonOrg},
		{"org_id that is not text", nil, asVersion1(fields{"org_id": fields{"id": "org_acme"}}), ReasonMalformed},
		{"a role without an organization", nil, asVersion1(fields{"org_id": nil}), ReasonOrg},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token := signed(t, header().with(test.header), session().with(test.payload.atNow()))
				for _, v := range verifiers(t, testConfig) {
					_, err := v.Verify(t.Context(), token)
					wantReason(t, err, test.want)
				}
			})
		})
	}
}

// now stands for a Unix time so many seconds from now; atNow puts it in, when the test's clock runs.
type now int64

func (f fields) atNow() fields {
	f = maps.Clone(f)
	for name, value := range f {
		if offset, ok := value.(now); ok {
			f[name] = time.Now().Unix() + int64(offset)
		}
	}
	return f
}

func TestKeyID(t *testing.T) {
	v := newVerifier(testConfig, fixedKeys(t, keySet{"ins_1": &instanceKey().PublicKey, "ins_2": &nextKey().PublicKey}))
	for why, kid := range map[string]any{
		"none":                         nil,
		"null":                         null,
		"empty":                        "",
		"a number":                     1,
		"an array":                     []string{"ins_1"},
		"too long":                     strings.Repeat("k", 129),
		"with a space":                 "ins_1 ",
		"with a NUL":                   "ins_1\x00",
		"of another alphabet":          "ïns_1",
		"in another case":              "INS_1",
		"unknown":                      "ins_9",
		"a path":                       "../../dev/null",
		"a statement in SQL":           "x'%20OR'1'='1",
		"of the kind of a JSON object": fields{"kid": "ins_1"},
	} {
		_, err := v.Verify(t.Context(), signed(t, header().with(fields{"kid": kid}), session()))
		t.Run(why, func(t *testing.T) { wantReason(t, err, ReasonKeyID) })
	}
	_, err := v.Verify(t.Context(), signed(t, header().with(fields{"kid": "ins_2"}), session()))
	wantReason(t, err, ReasonSignature) // a key verifies only under its own id
}

func TestAnyPartyWithoutList(t *testing.T) {
	v := newVerifier(Config{Issuer: testIssuer}, singleKey{&instanceKey().PublicKey})
	if _, err := v.Verify(t.Context(), signed(t, header(), session().with(fields{"azp": "https://other.example.com"}))); err != nil {
		t.Error(err)
	}
}

func TestRefusalsDoNotQuoteTheToken(t *testing.T) {
	v := newVerifier(testConfig, singleKey{&nextKey().PublicKey})
	token := signed(t, header(), session())
	_, err := v.Verify(t.Context(), token)
	wantReason(t, err, ReasonSignature)
	if signature := token[strings.LastIndex(token, ".")+1:]; strings.Contains(err.Error(), signature) {
		t.Errorf("the log would hold the token: %v", err)
	}
}
