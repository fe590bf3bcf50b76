package e2e

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// Rows change all the time while the replicator, the engine and PostgreSQL are killed. From time to time all changes
// pause, and then every answer must equal what PostgreSQL itself computes. ORGSTATS_CHAOS_SEED repeats what is written
// and what is killed, though not the moments; ORGSTATS_CHAOS_KILLS makes the test longer.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed, kills := variable(t, "ORGSTATS_CHAOS_SEED", uint64(time.Now().UnixNano())), variable(t, "ORGSTATS_CHAOS_KILLS", 5)
	t.Logf("ORGSTATS_CHAOS_SEED=%d ORGSTATS_CHAOS_KILLS=%d", seed, kills)
	c := &chaos{replication: replicates(t), Rand: rand.New(rand.NewPCG(seed, 0)), killed: map[string]int{}}
	c.writers = newWriters(c.source, t, seed+1, 3, 300)
	c.writers.fill(1500)
	c.writers.start()
	c.follow()
	const killsARound = 10
	for kill := range kills {
		if kill > 0 && kill%killsARound == 0 {
			c.check(60)
			c.writers.start()
		}
		c.killSomebody()
	}
	c.check(100)
	t.Logf("killed %v; %d rows were written", c.killed, c.writers.rows.Load())
}

// chaos is a replication whose processes are killed at random.
type chaos struct {
	*replication
	*rand.Rand
	writers *writers
	killed  map[string]int
	next    []int // the order of kills: every five kills include every kind
}

// killSomebody kills a process at a random moment, and ensures that it runs again.
func (c *chaos) killSomebody() {
	c.Helper()
	time.Sleep(time.Duration(c.IntN(3000)) * time.Millisecond) // any moment will do
	if !c.replicator.running() {
		c.again()
	}
	if len(c.next) == 0 {
		c.next = c.Perm(5)
	}
	switch c.next[0] {
	case 0:
		c.killReplicator()
	case 1:
		c.killEngine()
	case 2:
		c.killEngine()
		c.killReplicator()
	case 3:
		c.killSource()
	case 4:
		c.killReplicator()
		c.killSource()
	}
	c.next = c.next[1:]
	if c.Failed() {
		c.FailNow()
	}
}

func (c *chaos) killReplicator() {
	c.Helper()
	c.killed["replicator"]++
	c.replicator.kill()
	c.follow()
}

func (c *chaos) killEngine() {
	c.Helper()
	c.killed["engine"] += killEngines(c.data())
}

// killSource kills PostgreSQL, and restarts it after a while. The replicator waits for it.
func (c *chaos) killSource() {
	c.Helper()
	c.killed["PostgreSQL"]++
	c.source.Kill()
	time.Sleep(time.Duration(c.IntN(1000)) * time.Millisecond) // any time will do
	c.source.Start()
}

// check pauses all changes and compares the answers.
func (c *chaos) check(questions int) {
	c.Helper()
	c.writers.stop()
	c.source.Exec(mend)
	c.catchUp()
	s := c.serve()
	g := newGenerator(c.Uint64())
	g.made = c.writers.workers[0].made
	s.compareRandom(&sourceOracle{c.source.Connect()}, g, questions)
	c.verify()
	if n := c.rejects(); n > 0 {
		c.Errorf("%d rows are rejected after all were mended", n)
	}
	if c.Failed() {
		c.FailNow()
	}
	s.signal(syscall.SIGTERM)
	s.wait()
}
