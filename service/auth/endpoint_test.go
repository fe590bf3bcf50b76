package auth

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// endpoint is an instance's JWKS endpoint, which can be told to answer in other ways. It runs on connections in memory,
// so that the clock of a synctest bubble goes on while someone waits for it.
type endpoint struct {
	*httptest.Server
	fetches atomic.Int64
	answer  atomic.Pointer[http.HandlerFunc]
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

func newEndpoint(t testing.TB, answer http.HandlerFunc) *endpoint {
	listener := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	e := &endpoint{dial: listener.dial}
	e.answer.Store(&answer)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.fetches.Add(1)
		(*e.answer.Load())(w, r)
	})
	e.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	e.Start()
	t.Cleanup(e.Close)
	return e
}

// answers changes what the endpoint does from now on.
func (e *endpoint) answers(answer http.HandlerFunc) { e.answer.Store(&answer) }

// verifier returns a verifier of the endpoint's keys, with the timing of the product.
func (e *endpoint) verifier(t testing.TB) *Verifier {
	fetch := fetcher(e.URL, &http.Transport{DialContext: e.dial, DisableKeepAlives: true})
	v := newVerifier(testConfig, startJWKS(t.Context(), fetch, slog.New(slog.DiscardHandler)))
	t.Cleanup(v.Close)
	return v
}

type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// The ways to answer.

func publish(keys ...fields) http.HandlerFunc {
	body, err := json.Marshal(fields{"keys": append([]fields{}, keys...)})
	if err != nil {
		panic(err)
	}
	return respond(http.StatusOK, string(body))
}

func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// trickle sends the headers at once and the body never.
func trickle(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(`{"keys":[`))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// breakOff ends the connection in the middle of an answer.
func breakOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"keys":[`))
	panic(http.ErrAbortHandler)
}

// jwk returns a key as Clerk publishes it.
func jwk(kid string, key *rsa.PrivateKey) fields {
	return fields{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}
}
