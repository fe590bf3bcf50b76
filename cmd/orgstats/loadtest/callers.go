package loadtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

const (
	// maxCallers is the maximum number of callers that sign in from each organization.
	maxCallers = 40
	// adminEvery says that of so many callers one, the first, is an admin: dashboards are for admins more than for
	// others.
	adminEvery = 2
	// tokenTime is how long signed tokens are valid: longer than any load test.
	tokenTime = 24 * time.Hour
)

// SignIn creates callers for the organization's busiest users, with tokens signed by the development key.
func (o *Organization) SignIn(key *auth.DevKey) error {
	for i, user := range o.Users[:min(len(o.Users), maxCallers)] {
		caller := auth.Caller{OrgID: o.ID, UserID: user, Role: "org:member"}
		if i%adminEvery == 0 {
			caller.Role = roleAdmin
		}
		token, err := key.Sign(caller, tokenTime)
		if errors.Is(err, auth.ErrUnauthorized) {
			continue // the records name a user whom no token can name
		}
		if err != nil {
			return err
		}
		o.Callers = append(o.Callers, Caller{caller, token})
	}
	return nil
}

// ReadTokens reads callers, one token per line; empty lines and those that begin with # are skipped. It returns all
// mistakes at once, including tokens that have expired by now.
func ReadTokens(r io.Reader, now time.Time) ([]Caller, error) {
	var callers []Caller
	var mistakes []error
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		token := strings.TrimSpace(lines.Text())
		if token == "" || token[0] == '#' {
			continue
		}
		caller, expires, err := auth.Inspect(token)
		switch {
		case err != nil:
			err = fmt.Errorf("line %d: %w", n, err) // which never quotes the token
		case caller.OrgID == "":
			err = fmt.Errorf("line %d: the token of %s has no active organization", n, caller.UserID)
		case now.After(expires):
			err = fmt.Errorf("line %d: the token of %s expired at %s", n, caller.UserID, expires.UTC().Format(time.RFC3339))
		default:
			callers = append(callers, Caller{caller, token})
		}
		if err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if err := lines.Err(); err != nil {
		mistakes = append(mistakes, err)
	}
	if len(callers) == 0 && len(mistakes) == 0 {
		mistakes = append(mistakes, errors.New("there is no token in it"))
	}
	return callers, errors.Join(mistakes...)
}

// Organizations returns the organizations of callers, in the order of their first callers. Their users are those among
// the callers.
func Organizations(callers []Caller) []Organization {
	var all []Organization
	for _, c := range callers {
		i := slices.IndexFunc(all, func(o Organization) bool { return o.ID == c.OrgID })
		if i < 0 {
			i = len(all)
			all = append(all, Organization{ID: c.OrgID})
		}
		all[i].Callers = append(all[i].Callers, c)
		if !slices.Contains(all[i].Users, c.UserID) {
			all[i].Users = append(all[i].Users, c.UserID)
		}
	}
	return all
}

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

func (p Population) callers() (n int) {
	for _, org := range p.Organizations {
		n += len(org.Callers)
	}
	return n
}

// withCallers returns the population without the organizations that have no callers.
func (p Population) withCallers() Population {
	p.Organizations = slices.DeleteFunc(slices.Clone(p.Organizations), func(o Organization) bool { return len(o.Callers) == 0 })
	return p
}
