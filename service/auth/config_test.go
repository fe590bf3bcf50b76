package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

func pemText(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func publicPEM(t *testing.T, key any) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	return pemText(t, "PUBLIC KEY", der, err)
}

func TestConfigAccepts(t *testing.T) {
	key := &instanceKey().PublicKey
	text := publicPEM(t, key)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clerk"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key, instanceKey())
	certificateText := pemText(t, "CERTIFICATE", certificate, err)
	for why, config := range map[string]Config{
		"PEM":                          {PublicKey: text},
		"PEM with its breaks as \\n":   {PublicKey: strings.ReplaceAll(text, "\n", `\n`)},
		"PEM with blanks around":       {PublicKey: "\n  \n" + text + " \n"},
		"PKCS #1":                      {PublicKey: pemText(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(key), nil)},
		"a certificate":                {PublicKey: certificateText},
		"a URL":                        {JWKSURL: "https://clerk.example.com/.well-known/jwks.json"},
		"a URL of this machine":        {JWKSURL: "http://localhost:9000/jwks"},
		"a URL of this machine, by IP": {JWKSURL: "http://[::1]:9000/jwks"},
		"parties":                      {PublicKey: text, AuthorizedParties: []string{"http://localhost:3000", "chrome-extension://abc"}},
	} {
		config.Issuer = testIssuer
		if mistakes := config.Validate(); len(mistakes) > 0 {
			t.Errorf("%s: %v", why, mistakes)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	good := Config{Issuer: testIssuer, PublicKey: publicPEM(t, &instanceKey().PublicKey)}
	private, err := x509.MarshalPKCS8PrivateKey(instanceKey())
	privateText := pemText(t, "PRIVATE KEY", private, err)
	tests := []struct {
		why    string
		change func(*Config)
		want   []string // a part of each mistake
	}{
		{"nothing at all", func(c *Config) { *c = Config{} }, []string{"CLERK_ISSUER is not set", "no way to verify"}},
		{"both sources", func(c *Config) { c.JWKSURL = "https://clerk.example.com/jwks" }, []string{"both set"}},
		{
			"both sources, both wrong", func(c *Config) { c.PublicKey, c.JWKSURL = "x", "y" },
			[]string{"both set", "is not PEM", "CLERK_JWKS_URL is not a URL"},
		},
		{"an issuer without scheme", func(c *Config) { c.Issuer = "clerk.example.com" }, []string{"CLERK_ISSUER"}},
		{"an issuer with a blank", func(c *Config) { c.Issuer = "https://clerk.example.com " }, []string{"CLERK_ISSUER"}},
		{"text that is no PEM", func(c *Config) { c.PublicKey = "MIIB" }, []string{"is not PEM"}},
		{"PEM of garbage", func(c *Config) { c.PublicKey = pemText(t, "PUBLIC KEY", []byte("x"), nil) }, []string{"is not a public key"}},
		{"a private key", func(c *Config) { c.PublicKey = privateText }, []string{"is a private key"}},
		{"two keys", func(c *Config) { c.PublicKey += c.PublicKey }, []string{"more than one"}},
		{"an elliptic key", func(c *Config) { c.PublicKey = publicPEM(t, &ellipticKey().PublicKey) }, []string{"is not an RSA key"}},
		{"1024 bits", func(c *Config) { c.PublicKey = publicPEM(t, &weakKey().PublicKey) }, []string{"1024 bits"}},
		{"an exponent of 1", func(c *Config) { c.PublicKey = publicPEM(t, &rsa.PublicKey{N: instanceKey().N, E: 1}) }, []string{"exponent 1"}},
		{"a URL that is not https", func(c *Config) { c.PublicKey, c.JWKSURL = "", "http://clerk.example.com/jwks" }, []string{"is not https"}},
		{"a URL of a file", func(c *Config) { c.PublicKey, c.JWKSURL = "", "file:///etc/jwks" }, []string{"is not a URL"}},
		{"a URL with a password", func(c *Config) { c.PublicKey, c.JWKSURL = "", "https://u:hunter2@clerk.example.com/" }, []string{"password"}},
		{"a URL that cannot be parsed", func(c *Config) { c.PublicKey, c.JWKSURL = "", "https://u:hunter2@[::1" }, []string{"is not a URL"}},
		{"parties that are not origins", func(c *Config) {
			c.AuthorizedParties = []string{"app.example.com", "https://app.example.com/", "https://App.example.com", "", "*", "https://ok.example.com"}
		}, []string{`"app.example.com"`, `.com/"`, `"https://App.`, `""`, `"*"`}},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			config := good
			test.change(&config)
			mistakes := config.Validate()
			if len(mistakes) != len(test.want) {
				t.Fatalf("got %d mistakes: %v", len(mistakes), mistakes)
			}
			for i, mistake := range mistakes {
				if text := mistake.Error(); !strings.Contains(text, test.want[i]) || strings.Contains(text, "hunter2") {
					t.Errorf("got %q, want something with %q", text, test.want[i])
				}
			}
			if v, err := New(t.Context(), config); err == nil || v != nil {
				t.Errorf("New takes it: %v", err)
			}
		})
	}
}
