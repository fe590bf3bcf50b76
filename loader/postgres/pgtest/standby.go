package pgtest

import "strconv"

// Standby makes a cluster that follows this one by streaming replication, as those do that take over when a primary
// fails. It has none of the primary's replication slots. Settings are added to those of the primary.
func (c *Cluster) Standby(settings ...string) *Cluster {
	c.Helper()
	s := newCluster(c.TB, append(c.settings[:len(c.settings):len(c.settings)], settings...))
	s.runProgram("pg_basebackup", "--pgdata", s.data(), "--dbname", c.urlOf("postgres"), "--checkpoint=fast", "--wal-method=stream",
		"--write-recovery-conf", "--no-sync", "--no-password")
	s.Start()
	return s
}

// Promote makes a standby a primary, on a timeline of its own, after it has received all that the primary has
// committed, and kills the primary.
func (c *Cluster) Promote(primary *Cluster) {
	c.Helper()
	c.awaitReplay(primary)
	primary.Kill()
	c.ExecIn("postgres", "SELECT pg_promote(wait_seconds => "+strconv.Itoa(int(patience.Seconds()))+")")
}

// awaitReplay waits until the standby is where the primary is now.
func (c *Cluster) awaitReplay(primary *Cluster) {
	c.Helper()
	var end string
	if err := primary.Connect().QueryRow(c.Context(), "SELECT pg_current_wal_flush_lsn()").Scan(&end); err != nil {
		c.Fatal(err)
	}
	conn := c.Connect()
	c.Await("the standby follows", func() (reached bool) {
		if err := conn.QueryRow(c.Context(), "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", end).Scan(&reached); err != nil {
			c.Fatal(err)
		}
		return reached
	})
}
