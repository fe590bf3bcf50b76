package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// certify creates a certificate for 127.0.0.1 and its key, in files of the installation.
func (i *installation) certify() (cert, key string, roots *x509.CertPool) {
	i.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		i.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		i.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(public)
	return i.write("cert.pem", public), i.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), roots
}

// The service speaks TLS, allows requests from the pages of an origin, and trusts the proxy that it is configured to
// trust.
func TestTheServicesEdge(t *testing.T) {
	t.Parallel()
	i := install(t)
	cert, key, roots := i.certify()
	s := i.serveWith("--tls-cert", cert, "--tls-key", key, "--cors-origins", "https://a.example,https://b.example",
		"--trusted-proxies", "127.0.0.1,10.0.0.0/8")
	s.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	request, err := http.NewRequest(http.MethodGet, strings.Replace(s.url(always()), "http:", "https:", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + s.token(adminOfA)}, "Origin": {"https://b.example"}, "X-Forwarded-For": {"203.0.113.7, 10.0.0.1"},
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Access-Control-Allow-Origin") != "https://b.example" ||
		response.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("got %d %v", response.StatusCode, response.Header)
	}
	s.awaitText(&s.stderr, `client=203\.0\.113\.7 `)
}
