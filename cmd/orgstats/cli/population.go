package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service/auth"
)

// population returns the callers of the tokens, or the busiest users of the database's busiest organizations, with what
// they can ask about according to the database, if there is one, or to the flags.
func (c *loadtestCommand) population(p *program, conn clickhouse.Conn) (loadtest.Population, error) {
	find := func() ([]loadtest.Organization, error) { return c.tokenOrganizations(p.stdin) }
	if c.Tokens == "" {
		find = func() ([]loadtest.Organization, error) { return loadtest.Survey(p.ctx, conn) }
	}
	organizations, err := find()
	if err != nil {
		return loadtest.Population{}, err
	}
	population := loadtest.Population{Organizations: organizations, Until: time.Now()}
	if conn != nil {
		err = population.Describe(p.ctx, conn)
	}
	if err == nil && c.Tokens == "" {
		err = c.signIn(organizations)
	}
	return population, err
}

// signIn creates callers for the organizations, with tokens signed by the development key.
func (c *loadtestCommand) signIn(organizations []loadtest.Organization) error {
	key, err := auth.OpenDevKey(c.DataDir)
	for i := range organizations {
		if err == nil {
			err = organizations[i].SignIn(key)
		}
	}
	return err
}

// tokenOrganizations returns the organizations of the callers in the file of tokens, with the agents and metadata of
// the flags.
func (c *loadtestCommand) tokenOrganizations(stdin io.Reader) ([]loadtest.Organization, error) {
	callers, err := c.readTokens(stdin)
	if err != nil {
		return nil, fmt.Errorf("read tokens from %s: %w", c.Tokens, err)
	}
	organizations := loadtest.Organizations(callers)
	for i := range organizations {
		o := &organizations[i]
		o.Agents = append(o.Agents, c.Agents...)
		for _, text := range c.Metadata {
			key, value, _ := strings.Cut(text, "=")
			o.Metadata = append(o.Metadata, loadtest.Metadata{Key: key, Value: value})
		}
	}
	return organizations, nil
}

func (c *loadtestCommand) readTokens(stdin io.Reader) ([]loadtest.Caller, error) {
	if c.Tokens == "-" {
		return loadtest.ReadTokens(stdin, time.Now())
	}
	file, err := os.Open(c.Tokens)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return loadtest.ReadTokens(file, time.Now())
}
