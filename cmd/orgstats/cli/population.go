package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service/auth"
)

// signedPopulation returns the busiest users of the database's busiest organizations, with tokens signed by the
// development key.
func (c *loadtestCommand) signedPopulation(ctx context.Context, conn clickhouse.Conn) (loadtest.Population, error) {
	key, err := auth.OpenDevKey(c.DataDir)
	if err != nil {
		return loadtest.Population{}, err
	}
	ids, err := loadtest.Survey(ctx, conn)
	if err != nil {
		return loadtest.Population{}, err
	}
	if len(ids) == 0 {
		return loadtest.Population{}, errors.New("the database holds no messages yet: load some records, or start the service with orgstats demo")
	}
	var organizations []loadtest.Organization
	for _, id := range ids {
		organizations = append(organizations, loadtest.Organization{ID: id})
	}
	population, err := describe(ctx, conn, organizations)
	if err != nil {
		return population, err
	}
	for i := range population.Organizations {
		if err := population.Organizations[i].SignIn(key); err != nil {
			return population, err
		}
	}
	return population, nil
}

// tokenPopulation returns the callers of the tokens in the file, with what they can ask about according to the
// database, if there is one, or to the flags.
func (c *loadtestCommand) tokenPopulation(p *program, conn clickhouse.Conn) (loadtest.Population, error) {
	callers, err := c.readTokens(p.stdin)
	if err != nil {
		return loadtest.Population{}, fmt.Errorf("read tokens from %s: %w", c.Tokens, err)
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
	if conn == nil {
		return loadtest.Population{Organizations: organizations, Until: time.Now()}, nil
	}
	return describe(p.ctx, conn, organizations)
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

// describe adds what the database knows about the organizations, and uses the time of their newest message as now.
func describe(ctx context.Context, conn clickhouse.Conn, organizations []loadtest.Organization) (loadtest.Population, error) {
	population := loadtest.Population{Organizations: organizations}
	for i := range organizations {
		found, newest, err := loadtest.Describe(ctx, conn, organizations[i].ID)
		if err != nil {
			return population, err
		}
		o := &organizations[i]
		o.Users = append(o.Users, found.Users...)
		o.Agents = append(o.Agents, found.Agents...)
		o.Metadata = append(o.Metadata, found.Metadata...)
		if newest.After(population.Until) {
			population.Until = newest
		}
	}
	if population.Until.IsZero() {
		population.Until = time.Now()
	}
	return population, nil
}
