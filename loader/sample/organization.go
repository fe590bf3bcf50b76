package sample

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// organization is one organization and how far its history has come.
type organization struct {
	id        string
	zone      time.Duration
	rhythm    rhythm
	users     []string // the most active first
	agents    []string // the busiest first, in JSON: some are numbers, some are names
	firstBase int      // its knowledge bases are numbered from here
	bases     int
	messages  quota
	files     quota
}

// quota is how many of something to make over the whole history, and how many were made or are promised. They are begun
// in batches of a mean size.
type quota struct {
	total float64
	batch float64
	made  int
	phase float64 // less than a batch: says when the next batch is begun
}

func (s *source) quota(total, batch float64) quota {
	return quota{total: total, batch: batch, phase: s.fraction() * batch}
}

// due returns how many more batches to begin by the time when a fraction of the history is over. What was made too much
// or too little is made good later. A new phase after each batch makes the times of rare ones irregular without a bias
// in their number.
func (q *quota) due(s *source, fraction float64) int {
	missing := q.total*fraction - float64(q.made) + q.phase
	if missing < q.batch {
		return 0
	}
	q.phase = s.fraction() * q.batch
	return int(missing / q.batch)
}

// The sizes of an organization with 30 million messages, from which the others are scaled: twice the messages have
// fewer than twice the users, and the number of agents grows slower still.
const (
	referenceMessages = 30_000_000
	referenceUsers    = 20_000
	referenceAgents   = 200
	userGrowth        = 0.7
	agentGrowth       = 0.4
	messagesPerFile   = 800
	filesPerBase      = 25
)

func scaled(reference, messages, exponent float64, least int) int {
	return max(least, int(math.Round(reference*math.Pow(messages/referenceMessages, exponent))))
}

// newOrganization draws an organization that is to have so many messages. One user in sharedEvery also belongs to
// consultancy, which may be nil.
func (g *generator) newOrganization(messages float64, consultancy *organization) *organization {
	org := &organization{
		id:        g.clerkID("org"),
		zone:      g.zone(),
		messages:  g.quota(messages, meanLength),
		files:     g.quota(2+messages/messagesPerFile, 1),
		firstBase: g.nextBase,
	}
	org.rhythm = newRhythm([2]uint64{g.Uint64(), g.Uint64()}, g.start, g.hours, org.zone)
	org.users = g.newUsers(scaled(referenceUsers, messages, userGrowth, 3), consultancy)
	org.agents = g.newAgents(scaled(referenceAgents, messages, agentGrowth, 2))
	org.bases = max(1, int(org.files.total)/filesPerBase)
	g.nextBase += org.bases
	return org
}

// sharedEvery of an organization's users, one is shared with the largest.
const sharedEvery = 25

func (g *generator) newUsers(n int, consultancy *organization) []string {
	users := make([]string, n)
	for i := range users {
		users[i] = g.clerkID("user")
		if consultancy != nil && i%sharedEvery == sharedEvery-1 && i < len(consultancy.users) {
			users[i] = consultancy.users[i]
		}
	}
	return users
}

var agentNames = []string{
	"support", "sales-bot", "onboarding", "it-helpdesk", "hr-assistant",
	"contract-review", "code-review", "translator", "research", "billing",
}

// newAgents numbers agents across all organizations, as a database does; one in four goes by a name, which other
// organizations use too.
func (g *generator) newAgents(n int) []string {
	agents := make([]string, n)
	for i := range agents {
		if i%4 != 1 {
			agents[i] = strconv.Itoa(g.nextAgent)
			g.nextAgent++
			continue
		}
		name := agentNames[i/4%len(agentNames)]
		if round := i / 4 / len(agentNames); round > 0 {
			name = fmt.Sprintf("%s-%d", name, round+1)
		}
		agents[i] = strconv.Quote(name)
	}
	return agents
}
