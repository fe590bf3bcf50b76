package e2e

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	compose "github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

func repositoryFile(names ...string) string {
	return filepath.Join(append([]string{"..", "..", ".."}, names...)...)
}

// readCompose reads docker-compose.yml as Docker Compose does, with every profile.
func readCompose(t *testing.T) *types.Project {
	t.Helper()
	options, err := compose.NewProjectOptions([]string{repositoryFile("docker-compose.yml")},
		compose.WithEnv([]string{"CLERK_ISSUER=https://clerk.example.com", "ORGSTATS_ANALYST_PASSWORD_SHA256=" + strings.Repeat("0", 64)}), compose.WithProfiles([]string{"*"}), compose.WithConsistency(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// exactVersion matches images with a tag that names one release.
var exactVersion = regexp.MustCompile(`^[a-z/-]+:v?\d+(\.\d+){1,3}(-[a-z]+)?(@sha256:[0-9a-f]{64})?$`)

func TestEveryContainerIsPinnedAndBounded(t *testing.T) {
	t.Parallel()
	project := readCompose(t)
	if len(project.Services) < 4 {
		t.Fatalf("there are %d services", len(project.Services))
	}
	for name, s := range project.Services {
		for _, rule := range []struct {
			holds bool
			text  string
		}{
			{s.Build != nil || exactVersion.MatchString(s.Image), "its image is not pinned: " + s.Image},
			{s.HealthCheck != nil && len(s.HealthCheck.Test) > 1, "nothing tells whether it is healthy"},
			{s.MemLimit > 0 && s.PidsLimit > 0, "its memory or its processes are not limited"},
			{s.Restart == "unless-stopped" || s.Restart == "no", "nothing says whether it is started again"},
			{s.Logging != nil && s.Logging.Options["max-size"] != "", "its log may fill the disk"},
			{slices.Contains(s.SecurityOpt, "no-new-privileges:true"), "its processes may gain privileges"},
		} {
			if !rule.holds {
				t.Errorf("%s: %s", name, rule.text)
			}
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to other machines", name, port.Published)
			}
		}
		for _, volume := range s.Volumes {
			if _, err := os.Stat(volume.Source); volume.Type == types.VolumeTypeBind && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, secret := range project.Secrets {
		if relative, err := filepath.Rel(project.WorkingDir, secret.File); err != nil || !strings.HasPrefix(relative, "secrets/") {
			t.Errorf("the secret %s lies at %s, which git may take", name, secret.File)
		}
	}
}

// A variable that no flag reads would be a setting without effect.
func TestContainersSetOnlyVariablesThatAreRead(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, command := range cli.Model().Leaves(true) {
		for _, flag := range command.Flags {
			for _, name := range flag.Envs {
				known[name], known[name+cli.FileSuffix] = true, true
			}
		}
	}
	set := map[string]bool{}
	for _, s := range readCompose(t).Services {
		if s.Build == nil {
			continue
		}
		for name := range s.Environment {
			set[name] = true
		}
	}
	dockerfile, err := os.ReadFile(repositoryFile("Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`\bORGSTATS_[A-Z_]+`).FindAllString(string(dockerfile), -1) {
		set[found] = true
	}
	for name := range set {
		if !known[name] {
			t.Errorf("no command reads %s", name)
		}
	}
	if len(set) < 6 {
		t.Errorf("only %v are set", set)
	}
}

// The service starts with the environment of its container, except for paths and addresses, and its container's own
// check finds it healthy. The ClickHouse server is another installation's engine.
func TestTheServiceOfTheContainers(t *testing.T) {
	t.Parallel()
	service := readCompose(t).Services["orgstats"]
	server := install(t)
	owner := server.engine().Owner()
	key, err := auth.OpenDevKey(server.data())
	if err != nil {
		t.Fatal(err)
	}
	i := install(t)
	secrets := map[string]string{
		"/run/secrets/clickhouse_password": i.write("clickhouse_password", []byte(owner.Password+"\n")),
		"/run/secrets/clerk_jwt_key":       i.write("clerk_jwt_key", []byte(key.PublicPEM())),
	}
	for name, value := range service.Environment {
		text := strings.ReplaceAll(*value, "@clickhouse:9000/", fmt.Sprintf("@127.0.0.1:%d/", owner.TCPPort))
		switch {
		case secrets[text] != "":
			text = secrets[text]
		case strings.HasSuffix(name, "_LISTEN"):
			text = "127.0.0.1:0"
		case name == "CLERK_ISSUER":
			text = key.Issuer()
		}
		i.env = append(i.env, name+"="+text)
	}
	s := i.listening("serve")
	token, err := key.Sign(adminOfA, patience)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ask(token, always()); got.status != 200 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	check := service.HealthCheck.Test
	if check[0] != "CMD" || check[1] != "/orgstats" {
		t.Fatalf("the health check is %q", check)
	}
	i.env = append(i.env, "ORGSTATS_LISTEN="+s.address)
	if o := i.run(check[2:]...); o.status != cli.ExitOK {
		t.Errorf("%q: status %d: %s", check, o.status, o.stderr)
	}
}

func TestTheServersConfigurationIsXML(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(repositoryFile("clickhouse", "server", "*.xml"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := xml.NewDecoder(file); err == nil; {
			_, err = decoder.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", path, err)
		}
		_ = file.Close()
	}
}
