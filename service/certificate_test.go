package service

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// pair is a certificate of 127.0.0.1 and its key, in files.
type pair struct{ cert, key string }

func (p pair) write(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, p.cert, "CERTIFICATE", der)
	writePEM(t, p.key, "PRIVATE KEY", private)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func writePEM(t *testing.T, path, kind string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func pairIn(dir string) pair {
	return pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

func TestServiceOverTLS(t *testing.T) {
	files := pairIn(t.TempDir())
	roots := x509.NewCertPool()
	roots.AddCert(files.write(t, "first.example"))
	config, err := TLSFiles(files.cert, files.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	service := start(t, Config{TLS: config})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	for range 2 { // the second over the same connection
		request, err := http.NewRequest(http.MethodGet, "https://"+service.address+statsPath+"?"+day, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = bearer(tokenOf(admin))
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Error(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 200 || response.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("got %d %v", response.StatusCode, response.Header)
		}
	}
	if open, _ := service.Connections(); open != 1 {
		t.Errorf("%d connections are open, want the one that is kept", open)
	}
	old := &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}
	if c, err := tls.Dial("tcp", service.address, old); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	plain := service.dial(t) // plain HTTP gets no answer, and does no harm
	send(t, plain, rawRequest(admin, day))
	if n, _ := plain.Read(make([]byte, 100)); n > 0 && n != 7 { // 7: a TLS alert
		t.Errorf("plain HTTP was answered with %d bytes", n)
	}
}

func TestCertificateFollowsItsFiles(t *testing.T) {
	files := pairIn(t.TempDir())
	first := files.write(t, "first.example")
	log := &logBuffer{}
	c := &certificate{certFile: files.cert, keyFile: files.key, log: slog.New(slog.NewTextHandler(log, nil))}
	changed, err := c.stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.load(changed); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	expect := func(why, name string) {
		t.Helper()
		if got := c.get(now).Leaf.DNSNames[0]; got != name {
			t.Errorf("%s: the certificate of %s is used, want %s", why, got, name)
		}
		now = now.Add(certificateCheck)
	}
	expect("as it began", first.DNSNames[0])
	second := pairIn(t.TempDir())
	second.write(t, "second.example")
	move(t, second.cert, files.cert, now)
	expect("the new certificate does not fit to the old key", "first.example")
	move(t, second.key, files.key, now)
	expect("both are new", "second.example")
	if err := os.Remove(files.cert); err != nil {
		t.Fatal(err)
	}
	expect("the file is gone", "second.example")
	now = now.Add(-certificateCheck)
	pairIn(filepath.Dir(files.cert)).write(t, "third.example")
	expect("it was looked at just now", "second.example")
	expect("and later", "third.example")
}

// move replaces a file and lets it be as old as at.
func move(t *testing.T, from, to string, at time.Time) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(to, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestTLSFilesThatCannotBeUsed(t *testing.T) {
	good, other := pairIn(t.TempDir()), pairIn(t.TempDir())
	good.write(t, "good.example")
	other.write(t, "other.example")
	for why, p := range map[string]pair{
		"no certificate":          {filepath.Join(t.TempDir(), "none"), good.key},
		"no key":                  {good.cert, filepath.Join(t.TempDir(), "none")},
		"the key of another":      {good.cert, other.key},
		"the files are exchanged": {good.key, good.cert},
	} {
		if _, err := TLSFiles(p.cert, p.key, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
}
