package auth

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

func TestParseKeySet(t *testing.T) {
	one, next := instanceKey(), nextKey()
	good := jwk("ins_1", one)
	private := good.with(fields{"d": "AQAB", "p": "AQAB", "q": "AQAB"})
	weak := jwk("weak", weakKey())
	tests := []struct {
		why  string
		keys []any
		want keySet
	}{
		{"one key", []any{good}, keySet{"ins_1": &one.PublicKey}},
		{"two keys", []any{good, jwk("ins_2", next)}, keySet{"ins_1": &one.PublicKey, "ins_2": &next.PublicKey}},
		{"use and alg may be left out", []any{good.with(fields{"use": nil, "alg": nil})}, keySet{"ins_1": &one.PublicKey}},
		{"key_ops that allow verifying", []any{good.with(fields{"key_ops": []string{"verify"}})}, keySet{"ins_1": &one.PublicKey}},
		{"members that nobody knows", []any{good.with(fields{"x-status": "current"})}, keySet{"ins_1": &one.PublicKey}},
		{"a private key is taken as its public one", []any{private}, keySet{"ins_1": &one.PublicKey}},
		{"two keys with one id: the first counts", []any{good, jwk("ins_1", next)}, keySet{"ins_1": &one.PublicKey}},
		{"an elliptic key with the same id before it", []any{fields{"kty": "EC", "kid": "ins_1"}, good}, keySet{"ins_1": &one.PublicKey}},
		{
			"a broken key does not cost the others",
			[]any{7, nil, "x", fields{"kty": "RSA", "n": "!", "e": "AQAB"}, good},
			keySet{"ins_1": &one.PublicKey},
		},
		{"without kid", []any{good.with(fields{"kid": nil})}, nil},
		{"a kid that no token may carry", []any{jwk("ins 1", one)}, nil},
		{"for encryption", []any{good.with(fields{"use": "enc"})}, nil},
		{"for RS512", []any{good.with(fields{"alg": "RS512"})}, nil},
		{"for PS256", []any{good.with(fields{"alg": "PS256"})}, nil},
		{"key_ops that allow only signing", []any{good.with(fields{"key_ops": []string{"sign"}})}, nil},
		{"1024 bits", []any{weak}, nil},
		{"an exponent of 1", []any{good.with(fields{"e": "AQ"})}, nil},
		{"an even exponent", []any{good.with(fields{"e": "Ag"})}, nil},
		{"a symmetric key", []any{fields{"kty": "oct", "kid": "ins_1", "k": "c2VjcmV0"}}, nil},
		{"no keys", []any{}, nil},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			body, err := json.Marshal(fields{"keys": test.keys})
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseKeySet(body)
			if (err == nil) != (test.want != nil) || !sameKeys(got, test.want) {
				t.Errorf("got %v, %v, want %v", slices.Collect(maps.Keys(got)), err, slices.Collect(maps.Keys(test.want)))
			}
		})
	}
}
