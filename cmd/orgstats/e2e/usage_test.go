package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

// usage is a process's resource usage over time.
type usage struct {
	*testing.T
	name   string
	memory []int // bytes, without mapped files
	files  []int // that are open
	stop   func()
}

const watchEvery = time.Second

var anonymousMemoryLine = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB`)

// watch measures a process until it is judged.
func (s *soak) watch(name string, pid int) *usage {
	u := &usage{T: s.T, name: name}
	ended := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			u.measure(pid)
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
		}
	})
	u.stop = sync.OnceFunc(func() { close(ended); done.Wait() })
	s.Cleanup(u.stop)
	return u
}

func (u *usage) measure(pid int) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended, which other checks detect
	if found := anonymousMemoryLine.FindSubmatch(status); found != nil {
		kilobytes, _ := strconv.Atoi(string(found[1]))
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		u.memory, u.files = append(u.memory, kilobytes<<10), append(u.files, len(open))
	}
}

// measure is one of the resources that a process uses.
type measure struct {
	what   string
	values []int
	slack  int
	unit   int // in which it is printed
}

// judge checks that usage has stopped growing: in the last third of the time it must be about what it was in the
// second.
func (u *usage) judge(duration time.Duration) {
	u.Helper()
	u.stop()
	n := len(u.memory)
	if n < 3 {
		if duration >= flatAfter {
			u.Errorf("%s: measured %d times only", u.name, n)
		}
		return
	}
	measures := []measure{{"memory in MiB", u.memory, 64 << 20, 1 << 20}, {"open files", u.files, 100, 1}}
	if u.name == "engine" {
		measures = measures[:1]       // its files are those of its tables' parts, which merges bound in their own time
		measures[0].slack = 192 << 20 // its caches fill for longer than a soak takes; the one of marks is bounded by 256 MiB
	}
	for _, of := range measures {
		second, last := mean(of.values[n/3:2*n/3]), mean(of.values[2*n/3:])
		u.Logf("%s, %s: %d at first, %d in the second third, %d in the last", u.name, of.what, of.values[0]/of.unit, second/of.unit, last/of.unit)
		if duration >= flatAfter && last > second+second/10+of.slack {
			u.Errorf("%s: %s grow from %d to %d", u.name, of.what, second/of.unit, last/of.unit)
		}
	}
}

func mean(values []int) int {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum / max(len(values), 1)
}
