package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

// Secrets are passed as files: the password of a ClickHouse server, for which another installation's engine stands in,
// and the key that verifies tokens.
func TestVariablesFromFiles(t *testing.T) {
	t.Parallel()
	server := install(t)
	owner := server.engine().Owner()
	i := install(t)
	key, err := auth.OpenDevKey(server.data())
	if err != nil {
		t.Fatal(err)
	}
	i.env = []string{
		fmt.Sprintf("ORGSTATS_CLICKHOUSE_URL=clickhouse://%s@127.0.0.1:%d/%s", owner.User, owner.TCPPort, owner.Database),
		"ORGSTATS_CLICKHOUSE_PASSWORD_FILE=" + i.write("password", []byte(owner.Password+"\n")),
		"CLERK_ISSUER_FILE=" + i.write("issuer", []byte(key.Issuer()+"\r\n")),
		"CLERK_JWT_KEY_FILE=" + i.write("key.pem", []byte(key.PublicPEM())),
	}
	s := i.listening("serve", "--listen", "127.0.0.1:0")
	token, err := key.Sign(adminOfA, patience)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ask(token, always()); got.status != 200 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if said := s.stdout.String() + s.stderr.String(); strings.Contains(said, owner.Password) {
		t.Errorf("the password is printed: %s", said)
	}
}

func TestMistakesInVariablesFromFiles(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("empty", []byte("\n"))
	i.write("password", []byte("c29tZSBzZWNyZXQ"))
	i.write("large", make([]byte, 1<<20))
	i.env = []string{
		"ORGSTATS_LISTEN=127.0.0.1:0", "ORGSTATS_LISTEN_FILE=password", "ORGSTATS_CLICKHOUSE_URL_FILE=absent",
		"ORGSTATS_CLICKHOUSE_PASSWORD_FILE=empty", "CLERK_JWT_KEY_FILE=large",
	}
	o := i.run("serve")
	if o.status != cli.ExitFailed {
		t.Errorf("status %d, want %d", o.status, cli.ExitFailed)
	}
	for _, name := range []string{"ORGSTATS_LISTEN_FILE", "ORGSTATS_CLICKHOUSE_URL_FILE", "ORGSTATS_CLICKHOUSE_PASSWORD_FILE", "CLERK_JWT_KEY_FILE"} {
		if !strings.Contains(o.stderr, name) {
			t.Errorf("no word of %s in %s", name, o.stderr)
		}
	}
	if strings.Contains(o.stderr, "no way to verify tokens") {
		t.Errorf("what a file should have said is missed, too: %s", o.stderr)
	}
	if _, err := os.Stat(i.data()); err == nil {
		t.Error("a data directory was made")
	}
}

// listening starts a server in another way than serve does; the test must sign its tokens itself.
func (i *installation) listening(arguments ...string) *server {
	i.Helper()
	s := &server{process: i.start(arguments...), client: &http.Client{Timeout: patience}}
	s.address = s.awaitText(&s.stderr, `listening"?[ ,]"?address"?[=:]"?([^\s"]+)`)
	i.Cleanup(s.client.CloseIdleConnections)
	return s
}
