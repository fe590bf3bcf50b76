package e2e

import (
	"encoding/pem"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

func TestAllMistakesAreListedAtOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.env = []string{
		"ORGSTATS_LISTEN=8080", "ORGSTATS_QUERY_TIME=1ms", "ORGSTATS_QUERY_MEMORY=1", "ORGSTATS_CONNECTIONS=0",
		"ORGSTATS_ENGINE_PORT=65536", "ORGSTATS_CLICKHOUSE_URL=clickhouse://127.0.0.1:9000",
		"ORGSTATS_CONCURRENCY=-1", "ORGSTATS_QUEUE_TIME=-1s", "ORGSTATS_USER_RATE=+Inf", "ORGSTATS_ORGANIZATION_RATE=NaN", "ORGSTATS_CLIENTS=0",
		"ORGSTATS_TRUSTED_PROXIES=10.0.0.0/40", "ORGSTATS_CORS_ORIGINS=app.example.com", "ORGSTATS_TLS_CERT=cert.pem",
		"ORGSTATS_METRICS_LISTEN=9090",
	}
	o := i.run("serve")
	if o.status != cli.ExitFailed {
		t.Errorf("status %d, want %d", o.status, cli.ExitFailed)
	}
	for _, want := range append(i.env, "CLERK_ISSUER=") {
		name, _, _ := strings.Cut(want, "=")
		if n := strings.Count(o.stderr, name); n != 1 {
			t.Errorf("%s is named %d times, want once:\n%s", name, n, o.stderr)
		}
	}
	if _, err := os.Stat(i.data()); err == nil {
		t.Error("a data directory was made")
	}
}

// Two loaders that reach different servers would both get the claim to write.
func TestNoCommandTakesSeveralHosts(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("url", []byte("clickhouse://one:9000,two:9000/orgstats\n"))
	for _, variable := range []string{
		"ORGSTATS_CLICKHOUSE_URL=clickhouse://one:9000,two:9000/orgstats", "ORGSTATS_CLICKHOUSE_URL_FILE=url",
		"ORGSTATS_CLICKHOUSE_URL=clickhouse://one:9000/orgstats?alt_hosts=two:9000", "ORGSTATS_CLICKHOUSE_URL=clickhouse://one:9000/orgstats?hosts=two:9000",
	} {
		i.env = []string{variable, "ORGSTATS_SOURCE_URL=postgres://user@127.0.0.1:1/database"}
		for _, command := range []string{
			"serve --dev-auth", "load -", "replicate", "replicate --check", "replicate --status", "migrate up", "migrate version", "clickhouse", "verify", "rebuild", "backup b.tar", "restore b.tar",
			"explain --org o --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z",
		} {
			o := i.run(strings.Fields(command)...)
			if o.status != cli.ExitFailed || !strings.Contains(o.stderr+o.stdout, "names 2 hosts, and Orgstats works with one server") {
				t.Errorf("%s: status %d: %s%s", command, o.status, o.stdout, o.stderr)
			}
		}
	}
}

func TestServeRefusesToStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		reason    string
		arguments []string
		env       []string
		says      string
	}{
		{"there is no way to verify tokens", nil, nil, "no way to verify tokens"},
		{"an issuer alone verifies nothing", nil, []string{"CLERK_ISSUER=https://clerk.example.com"}, "CLERK_JWT_KEY"},
		{"a key of nobody", nil, []string{"CLERK_JWT_KEY=x"}, "CLERK_ISSUER"},
		{"development and production keys at once", []string{"--dev-auth"}, []string{"CLERK_ISSUER=https://clerk.example.com"}, "--dev-auth"},
		{"the address is taken", []string{"--dev-auth", "--listen", taken.Addr().String()}, nil, taken.Addr().String()},
		{
			"the TLS certificate is not there",
			[]string{"--dev-auth", "--listen", "127.0.0.1:0", "--tls-cert", "/absent/cert.pem", "--tls-key", "/absent/key.pem"},
			nil, "/absent/cert.pem",
		},
		{"traces go where nobody knows", []string{"--dev-auth", "--listen", "127.0.0.1:0"}, []string{"OTEL_TRACES_EXPORTER=pigeon"}, "pigeon"},
		{
			"the engine's library is not there",
			[]string{"--dev-auth", "--listen", "127.0.0.1:0"},
			[]string{engine.LibraryVariable + "=/absent/libchdb.so"},
			"/absent/libchdb.so",
		},
	} {
		i := install(t)
		i.env = c.env
		if o := i.run(append([]string{"serve"}, c.arguments...)...); o.status != cli.ExitFailed || !strings.Contains(o.stderr, c.says) {
			t.Errorf("%s: status %d, want %d and a word of %q: %s", c.reason, o.status, cli.ExitFailed, c.says, o.stderr)
		}
	}
}

// Whatever fails, and whatever is requested, the program's output never contains secrets.
func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	const secret = "c29tZSBzZWNyZXQ"
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(secret + secret)}))
	keyText := strings.Split(key, "\n")[1]
	for _, c := range []struct {
		reason    string
		arguments []string
		env       []string
	}{
		{"a server that is not there", []string{"load", "records"}, []string{"ORGSTATS_CLICKHOUSE_URL=clickhouse://u:" + secret + "@127.0.0.1:1/d"}},
		{"the same as a flag", []string{"load", "--clickhouse-url", "clickhouse://u:" + secret + "@127.0.0.1:1/d", "records"}, nil},
		{"a URL that can't be read", []string{"load", "records"}, []string{"ORGSTATS_CLICKHOUSE_URL=clickhouse://u:" + secret + "@[::1/d"}},
		{"a URL without a database", []string{"migrate", "version"}, []string{"ORGSTATS_CLICKHOUSE_URL=clickhouse://u:" + secret + "@127.0.0.1:1"}},
		{"a URL with a password that must be escaped", []string{"migrate", "up"}, []string{"ORGSTATS_CLICKHOUSE_URL=clickhouse://u:%" + secret + "@127.0.0.1:1/d"}},
		{"a private key where the public one belongs", []string{"serve"}, []string{"CLERK_ISSUER=https://clerk.example.com", "CLERK_JWT_KEY=" + key}},
		{"a key set's URL with a password", []string{"serve"}, []string{"CLERK_ISSUER=https://clerk.example.com", "CLERK_JWKS_URL=ftp://u:" + secret + "@127.0.0.1"}},
		{"help", []string{"serve", "--help"}, []string{"ORGSTATS_CLICKHOUSE_URL=clickhouse://u:" + secret + "@127.0.0.1:1/d", "CLERK_JWT_KEY=" + key}},
		{"a wrong flag", []string{"serve", "--wrong"}, []string{"ORGSTATS_CLICKHOUSE_URL=clickhouse://u:" + secret + "@127.0.0.1:1/d", "CLERK_JWT_KEY=" + key}},
	} {
		i := install(t)
		i.write("records", conversationLine("c1"))
		i.env = c.env
		o := i.run(c.arguments...)
		if said := o.stdout + o.stderr; strings.Contains(said, secret) || strings.Contains(said, keyText) {
			t.Errorf("%s: printed\n%s", c.reason, said)
		}
		if helps := c.reason == "help"; (o.status == cli.ExitOK) != helps {
			t.Errorf("%s: status %d: %s", c.reason, o.status, o.stderr)
		}
	}
}

func TestAServicesSecretsAreItsOwn(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serve()
	token := s.token(adminOfA)
	if got := s.ask(token, always()); got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	s.ask(token+"x", always())
	secrets := map[string]string{
		"the token":            token[strings.LastIndex(token, ".")+1:],
		"the owner's password": i.engine().Owner().Password,
		"the development key":  strings.Split(i.read(filepath.Join("data", "dev-auth-key.pem")), "\n")[1],
	}
	said := s.stdout.String() + s.stderr.String()
	for name, secret := range secrets {
		if strings.Contains(said, secret) {
			t.Errorf("%s stands in what the service says:\n%s", name, said)
		}
	}
	if !strings.Contains(said, i.engine().Analyst().Password) {
		t.Error("the service does not say how people connect to ClickHouse")
	}
	for _, name := range []string{"credentials.json", "dev-auth-key.pem"} {
		info, err := os.Stat(filepath.Join(i.data(), name))
		if err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: %v, %v, want mode 0600", name, info, err)
		}
	}
	other := install(t)
	key, err := auth.OpenDevKey(other.data())
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := key.Sign(adminOfA, patience)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ask(foreign, always()); got.status != 401 {
		t.Errorf("a token of another installation: status %d, want 401", got.status)
	}
}
