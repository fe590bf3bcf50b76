// Package sample makes believable records of an AI-agent platform as newline-delimited JSON, for demonstrations,
// benchmarks and load tests.
//
// A few organizations are large and many are small. Within an organization, users and agents differ as much (Zipf).
// Every organization lives by the days and weeks of its own time zone, half-hour zones among them. Conversations have 2
// to 40 messages over minutes, and some are resumed days later. Records come about in the order in which a platform
// would emit them: members first, then hour by hour each conversation before its messages, with knowledge-base files in
// between. Every id appears on one line only.
//
// The same options give the same bytes. Memory depends on the number of users and of days, not on the number of
// messages.
package sample

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Summary says what Write made.
type Summary struct {
	Conversations int
	Messages      int
	KBFiles       int
	Members       int
	// Organizations, the one with the most messages first.
	Organizations []Organization
}

// Organization is what a caller needs to ask about one organization.
type Organization struct {
	ID string
	// AdminUserID and MemberUserID are two of its most active users. Records have no roles: a token gives one of them
	// the role of an admin.
	AdminUserID  string
	MemberUserID string
	// TopAgentID is the agent with the most conversations.
	TopAgentID string
	// UTCOffset is that of the time zone in which the organization works.
	UTCOffset time.Duration
	Messages  int
	Users     int
	Agents    int
}

// MetadataFilter is a metadata key and value by which users can be selected.
type MetadataFilter struct {
	Key   string
	Value string
	// Share is the part of each organization's users that match, 0 to 1. Where users are few, as many match as come
	// nearest to it.
	Share float64
}

// MetadataFilters select about 1 %, 10 % and 50 % of every organization's users.
var MetadataFilters = [...]MetadataFilter{
	{Key: "department", Value: "Legal", Share: 0.01},
	{Key: "department", Value: "Finance", Share: 0.10},
	{Key: "beta", Value: "true", Share: 0.50},
}

// Write writes the records that o describes to w, one a line. It fails when o is invalid, when w does, or with the
// context's error once ctx is done; what was written until then ends with a whole line unless w took only part of it.
func Write(ctx context.Context, w io.Writer, o Options) (Summary, error) {
	if err := o.Validate(); err != nil {
		return Summary{}, err
	}
	g := newGenerator(ctx, w, o)
	if err := g.run(); err != nil {
		return Summary{}, err
	}
	return g.summarize(), nil
}

// Feed generates the records that o describes while feed reads them.
func Feed(ctx context.Context, o Options, feed func(io.Reader) error) (made Summary, err error) {
	reader, writer := io.Pipe()
	var group errgroup.Group
	group.Go(func() (err error) {
		made, err = Write(ctx, writer, o)
		_ = writer.CloseWithError(err)
		return err
	})
	err = feed(reader)
	_ = reader.Close()
	err = errors.Join(err, group.Wait())
	return made, err
}

func (g *generator) summarize() Summary {
	s := g.counts
	for _, org := range g.orgs {
		s.Organizations = append(s.Organizations, Organization{
			ID:           org.id,
			MemberUserID: org.users[0],
			AdminUserID:  org.users[1],
			TopAgentID:   strings.Trim(org.agents[0], `"`),
			UTCOffset:    org.zone,
			Messages:     org.messages.made,
			Users:        len(org.users),
			Agents:       len(org.agents),
		})
	}
	slices.SortStableFunc(s.Organizations, func(a, b Organization) int {
		return cmp.Compare(b.Messages, a.Messages)
	})
	return s
}
