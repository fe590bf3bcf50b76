package cli

import (
	"fmt"
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

type tokenCommand struct {
	DataDir string        `help:"The data directory of the service that shall accept the token." env:"ORGSTATS_DATA_DIR" default:"data" placeholder:"DIR"`
	Org     string        `help:"Active organization of the caller; none if not given." placeholder:"ORG"`
	User    string        `required:"" help:"The caller's user id, as in user_2abc." placeholder:"USER"`
	Role    string        `help:"The caller's role in the organization: org:admin or org:member." default:"org:member" placeholder:"ROLE"`
	TTL     time.Duration `name:"ttl" help:"How long the token is valid. Clerk's own session tokens live for a minute." default:"24h" placeholder:"TIME"`
}

func (c *tokenCommand) Run(p *program) error {
	key, err := auth.OpenDevKey(c.DataDir)
	if err != nil {
		return err
	}
	caller := auth.Caller{UserID: c.User, OrgID: c.Org, Role: c.Role}
	if c.Org == "" {
		caller.Role = ""
	}
	token, err := key.Sign(caller, c.TTL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}
