package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/auth"
)

// demoTokenTime is how long the token of the printed request is valid.
const demoTokenTime = 24 * time.Hour

type demoCommand struct {
	serviceFlags
	Messages      int    `help:"About how many sample messages to make." default:"200000"`
	Organizations int    `help:"How many organizations to make." default:"30"`
	Days          int    `help:"How many days the records span, up to now." default:"365"`
	Seed          uint64 `help:"Another seed makes other records." default:"1"`
}

// AfterApply accepts the token of the request that is printed.
func (c *demoCommand) AfterApply() error {
	c.DevAuth = true
	return nil
}

func (c *demoCommand) Run(p *program) error {
	return c.run(p, func(db *database, address string) error {
		options, err := c.options()
		if err != nil {
			return err
		}
		summary, err := c.load(p, db, options)
		if err != nil {
			return err
		}
		return c.printRequest(p, address, options.Until, summary.Organizations[0])
	})
}

// demoEnd is the name of the file in the data directory that stores the instant at which the sample records end, so
// that a demo that is started again generates the same records and loads nothing twice.
const demoEnd = "demo-end"

func (c *demoCommand) options() (sample.Options, error) {
	o := sample.Options{Seed: c.Seed, Messages: c.Messages, Organizations: c.Organizations, Days: c.Days}
	path := filepath.Join(c.DataDir, demoEnd)
	text, err := os.ReadFile(path)
	if err == nil {
		err = o.Until.UnmarshalText(text)
	} else if errors.Is(err, fs.ErrNotExist) {
		o.Until = time.Now().UTC().Truncate(24 * time.Hour)
		text, _ = o.Until.MarshalText() // fails only for years beyond 9999
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return o, fmt.Errorf("keep the end of the sample records in %s: %w", path, err)
	}
	return o, o.Validate()
}

func (c *demoCommand) load(p *program, db *database, options sample.Options) (sample.Summary, error) {
	load := loadCommand{databaseFlags: c.databaseFlags}
	return sample.Feed(p.ctx, options, func(records io.Reader) error {
		return load.load(p, db, []loader.Input{{Path: "sample records", Reader: records}})
	})
}

// printRequest prints the dashboard's address and a request that work for a day, of the largest organization. The
// request is for the last 30 days.
func (c *demoCommand) printRequest(p *program, address string, until time.Time, org sample.Organization) error {
	key, err := auth.OpenDevKey(c.DataDir)
	if err != nil {
		return err
	}
	token, err := key.Sign(auth.Caller{OrgID: org.ID, UserID: org.AdminUserID, Role: "org:admin"}, demoTokenTime)
	if err != nil {
		return err
	}
	parameters := url.Values{
		"from":     {until.AddDate(0, 0, -30).Format(time.RFC3339)},
		"to":       {until.Format(time.RFC3339)},
		"allInOrg": {"true"},
	}
	_, err = fmt.Fprintf(p.stdout, `
The largest sample organization is %s: %d messages of %d users and %d agents.
Ask for the last 30 days of it:

curl -H 'Authorization: Bearer %s' \
  'http://%s/api/dashboard/getStats?%s'

Narrow it with &agentId=%s, &userId=%s or &metadataKey=%s&metadataValue=%s.

Or open its dashboard, and press Ctrl-C here to stop:

http://%s/#token=%s
`, org.ID, org.Messages, org.Users, org.Agents, token, address, parameters.Encode(), org.TopAgentID, org.MemberUserID,
		sample.MetadataFilters[1].Key, sample.MetadataFilters[1].Value, address, token)
	return err
}
