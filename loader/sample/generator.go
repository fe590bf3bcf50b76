package sample

import (
	"context"
	"io"
	"math/rand/v2"
)

// generator makes the history of all organizations hour by hour.
type generator struct {
	source
	lines
	start, until millis // until is not part of the history
	hours        int
	orgs         []*organization
	userRanks    zipf
	agentRanks   zipf
	resumed      [resumeHours][]conversation // by hour, in a ring
	counts       Summary
	nextAgent    int
	nextBase     int
	nextFile     int64
}

// seedStream tells this generator's random numbers from those of others that are given the same small seed.
const seedStream = 0x6f72677374617473

func newGenerator(ctx context.Context, w io.Writer, o Options) *generator {
	until := millis(o.Until.UnixMilli())
	g := &generator{
		source:    source{*rand.NewPCG(o.Seed, seedStream)},
		lines:     newLines(ctx, w),
		start:     until - millis(o.Days)*millisPerDay,
		until:     until,
		hours:     o.Days * 24,
		nextAgent: 1,
		nextBase:  1,
		nextFile:  100_000,
	}
	g.populate(o)
	return g
}

func (g *generator) populate(o Options) {
	var largest *organization
	users, agents := 0, 0
	for _, share := range o.shares() {
		org := g.newOrganization(share*float64(o.Messages), largest)
		g.orgs = append(g.orgs, org)
		largest = g.orgs[0]
		users, agents = max(users, len(org.users)), max(agents, len(org.agents))
	}
	// The shift keeps the first user from being a tenth of a large organization.
	g.userRanks = newZipf(users, 0.95, 4)
	g.agentRanks = newZipf(agents, 1, 0)
}

func (g *generator) run() error {
	for _, org := range g.orgs {
		for rank := 0; rank < len(org.users) && g.err == nil; rank++ {
			g.member(org, rank)
		}
	}
	for hour := 0; hour < g.hours && g.err == nil; hour++ {
		g.resume(hour)
		for _, org := range g.orgs {
			g.hour(org, hour)
		}
	}
	g.flush()
	return g.err
}

// hour makes the conversations and files that begin in one hour of one organization, in the order of their times.
func (g *generator) hour(org *organization, hour int) {
	fraction := org.rhythm.next()
	begin := g.start + millis(hour)*millisPerHour
	for range org.files.due(&g.source, fraction) {
		g.kbFile(org, begin+millis(g.below(millisPerHour)))
	}
	conversations := org.messages.due(&g.source, fraction)
	for i := range conversations {
		at := begin + millis((float64(i)+g.fraction())*millisPerHour/float64(conversations))
		g.conversation(org, at, hour)
	}
}

// resume goes on with the conversations that were put off to this hour.
func (g *generator) resume(hour int) {
	begin := g.start + millis(hour)*millisPerHour
	slot := &g.resumed[hour%resumeHours]
	for i := range *slot {
		c := &(*slot)[i]
		c.at = begin + millis(g.below(millisPerHour))
		g.messages(c, c.left)
	}
	*slot = (*slot)[:0]
}
