package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	memoryOrganizations = 1000
	memoryMessages      = 10_000_000 // at most, of all of them
)

// measureMemory asks distinct questions about 1,000 organizations, for a time, of a service that keeps nothing and of
// one whose bound is too small for what it is asked. Each is a process of its own.
func (b *bench) measureMemory(ctx context.Context) (err error) {
	program, err := builtProgram()
	if err != nil {
		return err
	}
	dataDir := b.dir.file("memory")
	defer func() { err = errors.Join(err, os.RemoveAll(dataDir)) }()
	callers, err := b.fillMemory(ctx, dataDir)
	if err != nil {
		return err
	}
	result := &memoryResult{Organizations: len(callers), Bound: b.MemoryBound}
	for _, run := range []struct {
		bound int64
		to    *memoryRun
	}{{0, &result.Nothing}, {b.MemoryBound, &result.AtBound}} {
		b.log.Info("asking about many organizations", "memory", run.bound, "time", b.MemoryTime)
		if *run.to, err = b.askService(ctx, program, dataDir, callers, run.bound); err != nil {
			return err
		}
	}
	b.report.Memory = result
	b.report.printMemory(b.out)
	return nil
}

// fillMemory loads the organizations, and returns a caller of each.
func (b *bench) fillMemory(ctx context.Context, dataDir string) (callers []loadtest.Caller, err error) {
	e, err := b.startEngine(ctx, dataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	o := sample.Options{Seed: 2, Messages: min(b.Messages, memoryMessages), Organizations: memoryOrganizations, Until: until, Days: days}
	made, err := sample.Feed(ctx, o, func(records io.Reader) error {
		return b.load(ctx, e, loader.Input{Path: "sample records of many organizations", Reader: records})
	})
	if err != nil {
		return nil, err
	}
	key, err := auth.OpenDevKey(dataDir)
	if err != nil {
		return nil, err
	}
	for _, org := range made.Organizations {
		caller, err := (&servers{key: key}).admin(org)
		if err != nil {
			return nil, err
		}
		callers = append(callers, caller)
	}
	return callers, nil
}

// askService starts a service, lets clients ask it, and reads how much memory it took.
func (b *bench) askService(ctx context.Context, program, dataDir string, callers []loadtest.Caller, bound int64) (run memoryRun, err error) {
	c := command(ctx, program, "serve", "--dev-auth", "--data-dir", dataDir, "--memory", strconv.FormatInt(bound, 10), "--log-format=json",
		"--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--user-rate=0", "--organization-rate=0",
		"--concurrency", strconv.Itoa(2*b.Clients)) // so that nobody queues, and none is refused
	logs, err := c.StderrPipe()
	if err != nil {
		return run, err
	}
	if err := c.Start(); err != nil {
		return run, err
	}
	lines, drained := bufio.NewScanner(logs), make(chan struct{})
	defer func() {
		ended := c.Cancel()
		<-drained
		err = errors.Join(err, ended, c.Wait())
	}()
	metrics, err1 := addressIn(lines, "serving metrics")
	address, err2 := addressIn(lines, "listening")
	go func() {
		defer close(drained)
		for lines.Scan() { // so that the service is not kept waiting
		}
	}()
	if err := errors.Join(err1, err2); err != nil {
		return run, err
	}
	if err := b.askCallers(ctx, address, callers, &run); err != nil {
		return run, err
	}
	if err := run.readMetrics(metrics); err != nil {
		return run, err
	}
	run.PeakMemory, err = peakMemory(c)
	return run, err
}

// addressIn reads log lines until one with the message, and returns the address in it.
func addressIn(lines *bufio.Scanner, message string) (string, error) {
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == message {
			return line.Address, nil
		}
	}
	return "", fmt.Errorf("the service ended, or did not log %q", message)
}

// askCallers lets clients ask about random windows of random organizations.
func (b *bench) askCallers(ctx context.Context, address string, callers []loadtest.Caller, run *memoryRun) error {
	s := &server{url: "http://" + address, client: &fasthttp.HostClient{Addr: address, MaxConns: b.Clients}}
	defer s.client.CloseIdleConnections()
	var took loadtest.Latencies
	err := repeatedly(ctx, &took, b.Clients, 0, b.MemoryTime, func(n int) client {
		random, r := rand.New(rand.NewPCG(5, uint64(n))), newRequest("")
		return client{
			next: func() stats.Question {
				caller := callers[random.IntN(len(callers))]
				r.authorize(caller.Token)
				return randomWindow(random, sample.Organization{ID: caller.OrgID})
			},
			ask: func(_ context.Context, q stats.Question) error { return r.send(s, q) },
		}
	})
	run.PerSecond, run.Latency = float64(took.Count)/b.MemoryTime.Seconds(), took.Summary()
	return err
}

// readMetrics reads what the service keeps.
func (run *memoryRun) readMetrics(address string) error {
	client := http.Client{Timeout: time.Minute}
	response, err := client.Get("http://" + address + "/metrics")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		number, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "orgstats_memory_bytes":
			run.Kept = int64(number)
		case "orgstats_memory_evictions_total":
			run.Evicted = int64(number)
		}
	}
	return lines.Err()
}

// peakMemory returns the peak resident memory of a process that runs, in bytes; 0 where the system does not report it.
func peakMemory(c *exec.Cmd) (bytes int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, err := fmt.Sscan(value, &bytes)
			return bytes << 10, err
		}
	}
	return 0, err
}
