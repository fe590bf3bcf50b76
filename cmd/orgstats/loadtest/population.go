package loadtest

import (
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

// Population is who asks, and what they can ask about.
type Population struct {
	Organizations []Organization // those that ask most come first
	// Until is the instant that questions use as now when the test starts, so that their windows contain records.
	Until time.Time
}

// Organization is an organization of the population.
type Organization struct {
	ID       string
	Callers  []Caller   // those who ask most come first
	Users    []string   // the users that admins ask about, the busiest first
	Agents   []string   // the busiest first
	Metadata []Metadata // the most common first
}

// Caller is somebody who asks, with the token that identifies them.
type Caller struct {
	auth.Caller
	Token string
}

// Metadata is a key and a value that users are selected by.
type Metadata struct{ Key, Value string }

// callers returns the number of callers.
func (p Population) callers() (n int) {
	for _, org := range p.Organizations {
		n += len(org.Callers)
	}
	return n
}

// withCallers returns the population without the organizations that have no callers.
func (p Population) withCallers() Population {
	asking := Population{Until: p.Until}
	for _, org := range p.Organizations {
		if len(org.Callers) > 0 {
			asking.Organizations = append(asking.Organizations, org)
		}
	}
	return asking
}
