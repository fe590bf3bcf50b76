package e2e

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

// programVariable, in the environment, makes the test binary run as the program: the tests start it as its users do.
const programVariable = "ORGSTATS_TEST_PROGRAM"

// patience is how long the tests wait for what should happen soon.
const patience = enginetest.Patience

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		cli.Main(cli.Options{OnStatement: killAfterWrites(os.Getenv(writesVariable))})
	}
	enginetest.Main(m)
}

// installation is a directory in which the program runs, with its data directory.
type installation struct {
	*testing.T
	dir     string
	env     []string // variables of the program, beside the usual ones
	program string   // "": the test binary
}

// install creates an empty installation. A test that fails keeps it and logs where it is.
func install(t *testing.T) *installation {
	t.Helper()
	dir, err := os.MkdirTemp("", "orgstats-test-*")
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{T: t, dir: dir}
	t.Cleanup(func() {
		i.expectNoEngine()
		if t.Failed() {
			t.Logf("the data directory is kept: %s", i.data())
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return i
}

func (i *installation) data() string { return i.path("data") }

func (i *installation) path(name string) string { return filepath.Join(i.dir, name) }

// write writes a file and returns its path.
func (i *installation) write(name string, content []byte) string {
	i.Helper()
	if err := os.WriteFile(i.path(name), content, 0o600); err != nil {
		i.Fatal(err)
	}
	return i.path(name)
}

func (i *installation) read(name string) string {
	i.Helper()
	content, err := os.ReadFile(i.path(name))
	if err != nil {
		i.Fatal(err)
	}
	return string(content)
}

// environment returns the program's environment, without the tester's own configuration.
func (i *installation) environment() []string {
	env := []string{programVariable + "=1", "ORGSTATS_DATA_DIR=" + i.data(), "ORGSTATS_LOG_FORMAT=text"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "GORACE", engine.LibraryVariable} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, i.env...)
}

// engine starts or joins the engine of the installation for the test itself.
func (i *installation) engine() *engine.Engine {
	i.Helper()
	e, err := engine.Start(i.Context(), engine.Options{DataDir: i.data()})
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() {
		if err := e.Close(); err != nil {
			i.Error(err)
		}
	})
	return e
}

// connection opens a connection to the engine for the test itself, as its owner.
func (i *installation) connection() clickhouse.Conn {
	i.Helper()
	conn, err := clickhouse.Open(i.Context(), i.engine().URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() { _ = conn.Close() })
	return conn
}

// engines returns the processes that run an engine on the data directory.
func (i *installation) engines() (pids []int) { return enginesOn(i.data()) }

func enginesOn(data string) (pids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, _ := os.ReadFile(path) // the process may have ended
		if bytes.Contains(line, []byte("\x00"+data+"\x00")) && bytes.Contains(line, []byte("\x00engine-child\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func (i *installation) expectNoEngine() {
	i.Helper()
	if !enginetest.Eventually(func() bool { return len(i.engines()) == 0 }) {
		i.Errorf("engines are left behind: processes %v", i.engines())
	}
}

// process is the running program.
type process struct {
	*installation
	command        *exec.Cmd
	stdin          *os.File // the writing end of a pipe
	stdout, stderr output
	exited         chan struct{}
}

// outcome is the result of a process that has ended.
type outcome struct {
	status         int // -1: ended by a signal
	stdout, stderr string
}

// start starts the program. Its standard input stays open until the test closes it. A process that still runs at the
// end of the test is killed.
func (i *installation) start(arguments ...string) *process {
	i.Helper()
	executable, err := os.Executable()
	if err != nil {
		i.Fatal(err)
	}
	executable = cmp.Or(i.program, executable)
	p := &process{installation: i, command: exec.Command(executable, arguments...), exited: make(chan struct{})}
	p.command.Dir, p.command.Env = i.dir, i.environment()
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	input, stdin, err := os.Pipe()
	if err != nil {
		i.Fatal(err)
	}
	defer input.Close()
	p.command.Stdin, p.stdin = input, stdin
	if err := p.command.Start(); err != nil {
		i.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // the status says how it ended
		close(p.exited)
	}()
	i.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.exited
		_ = p.stdin.Close() // most are closed already
		if i.Failed() && p.stderr.String() != "" {
			i.Logf("%q said:\n%s%s", arguments, p.stdout.lastWords(), p.stderr.lastWords())
		}
	})
	return p
}

// run runs the program to its end, without input.
func (i *installation) run(arguments ...string) outcome {
	i.Helper()
	return i.start(arguments...).end()
}

// runWith runs the program to its end, with an input.
func (i *installation) runWith(input []byte, arguments ...string) outcome {
	i.Helper()
	p := i.start(arguments...)
	_, _ = p.stdin.Write(input) // it need not read all of it
	return p.end()
}

// end closes the input and waits for the process to end.
func (p *process) end() outcome {
	p.Helper()
	_ = p.stdin.Close()
	return p.wait()
}

func (p *process) wait() outcome {
	p.Helper()
	select {
	case <-p.exited:
	case <-time.After(2 * patience):
		p.Fatalf("%q does not end", p.command.Args[1:])
	}
	return outcome{p.command.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) signal(s os.Signal) {
	_ = p.command.Process.Signal(s) // it may have ended
}

// kill kills the process as kill -9 does.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// feed writes input and waits until the program has read it.
func (p *process) feed(input []byte) {
	p.Helper()
	if _, err := p.stdin.Write(input); err != nil {
		p.Fatal(err)
	}
	if !enginetest.Eventually(func() bool {
		left, err := unix.IoctlGetInt(int(p.stdin.Fd()), unix.TIOCINQ)
		return err == nil && left == 0
	}) {
		p.Fatalf("%q does not read its input", p.command.Args[1:])
	}
}

// awaitText waits until a pattern appears in the output, and returns its first group.
func (p *process) awaitText(o *output, pattern string) string {
	p.Helper()
	var found []string
	expression := regexp.MustCompile(pattern)
	if !enginetest.Eventually(func() bool {
		ended := !p.running()
		found = expression.FindStringSubmatch(o.String())
		return found != nil || ended
	}) || found == nil {
		p.Fatalf("%q never said %q", p.command.Args[1:], pattern)
	}
	return found[len(found)-1]
}

// output collects a process's output, and can be read meanwhile.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// lastWords returns the last few lines.
func (o *output) lastWords() string {
	const most = 2000
	text := o.String()
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}
