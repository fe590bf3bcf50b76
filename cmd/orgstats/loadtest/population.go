package loadtest

import (
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

// Population are those who ask, and what they can ask about.
type Population struct {
	Organizations []Organization // those that ask most come first
	// Until is the instant that questions take for now when the test starts, so that their windows hold records.
	Until time.Time
}

// Organization is one of the population.
type Organization struct {
	ID       string
	Callers  []Caller   // those who ask most come first
	Users    []string   // whom admins ask about, the busiest first
	Agents   []string   // the busiest first
	Metadata []Metadata // the most common first
}

// Caller is somebody who asks, with the token that says so.
type Caller struct {
	auth.Caller
	Token string
}

// Metadata is a key and a value that users are selected by.
type Metadata struct{ Key, Value string }

// callers is how many callers there are.
func (p Population) callers() (n int) {
	for _, org := range p.Organizations {
		n += len(org.Callers)
	}
	return n
}

// withCallers leaves out the organizations from which nobody asks.
func (p Population) withCallers() Population {
	asking := Population{Until: p.Until}
	for _, org := range p.Organizations {
		if len(org.Callers) > 0 {
			asking.Organizations = append(asking.Organizations, org)
		}
	}
	return asking
}
