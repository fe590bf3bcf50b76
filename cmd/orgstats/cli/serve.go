package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
)

// shutdownTime is how long requests in flight may take to end once the program was asked to stop. It is a little longer
// than any request may take.
const shutdownTime = 35 * time.Second

// serviceFlags configure the HTTP service.
type serviceFlags struct {
	databaseFlags
	limitFlags
	edgeFlags
	metricsFlags
	Listen            string        `help:"Address and port to listen on. 0.0.0.0 or an empty address accepts requests from other machines." env:"ORGSTATS_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDRESS:PORT"`
	Issuer            string        `name:"clerk-issuer" help:"Issuer that tokens must have, exactly: the Clerk instance's frontend API." env:"CLERK_ISSUER" placeholder:"URL"`
	JWTKey            string        `name:"clerk-jwt-key" help:"Public key of the Clerk instance, as PEM text. Needs no network, but a restart when the key is rotated." env:"CLERK_JWT_KEY" placeholder:"PEM"`
	JWKSURL           string        `name:"clerk-jwks-url" help:"Key set of the Clerk instance. Follows rotations, and needs the network." env:"CLERK_JWKS_URL" placeholder:"URL"`
	AuthorizedParties []string      `name:"clerk-authorized-parties" help:"Origins whose tokens are accepted, separated by commas; any if not given." env:"CLERK_AUTHORIZED_PARTIES" placeholder:"ORIGIN,…"`
	DevAuth           bool          `help:"Accept tokens signed by \"orgstats token\" with a key made in the data directory. For trials and tests: whoever can read the directory can sign."`
	QueryTime         time.Duration `help:"How long a ClickHouse statement may run. More lets long windows of large organizations finish; a slow statement then occupies ClickHouse for longer." env:"ORGSTATS_QUERY_TIME" default:"20s" placeholder:"TIME" least:"1s"`
	QueryMemory       int64         `help:"Bytes that a statement may use on ClickHouse." env:"ORGSTATS_QUERY_MEMORY" default:"4294967296" placeholder:"BYTES" least:"67108864"`
	Memory            int64         `help:"Bytes of memory for the buckets and records to answer from, garbage included. More fetches less from ClickHouse; the process stays within a tenth more, and takes 128 MiB at least. 0 keeps nothing." env:"ORGSTATS_MEMORY" default:"536870912" placeholder:"BYTES" least:"0"`
	CacheAge          time.Duration `help:"How long an answer from before a change may still be returned after it. More reads the log of changes less often." env:"ORGSTATS_CACHE_AGE" default:"1s" placeholder:"TIME" least:"0s"`
	MaxLag            time.Duration `help:"How old the newest state may be that is known to be replicated from PostgreSQL; beyond that /readyz fails, so that a load balancer leaves this stack out. 30s or more; 0: any." env:"ORGSTATS_MAX_LAG" default:"0s" placeholder:"TIME" least:"0s"`
	Connections       int           `help:"Connections to ClickHouse: how many statements may run at once; further ones wait. A request that fetches something runs up to six at a time, rarely nine." env:"ORGSTATS_CONNECTIONS" default:"24" placeholder:"N" least:"1"`
}

type serveCommand struct{ serviceFlags }

func (c *serveCommand) Run(p *program) error {
	return c.run(p, func(*database, string) error { return nil })
}

// mistakes returns everything that is wrong with the flags.
func (f *serviceFlags) mistakes() []error {
	all := f.databaseFlags.mistakes()
	if _, _, err := net.SplitHostPort(f.Listen); err != nil {
		all = append(all, fmt.Errorf("--listen (ORGSTATS_LISTEN) is %q; it has the form ADDRESS:PORT, as in 127.0.0.1:8080", f.Listen))
	}
	return slices.Concat(all, f.edgeFlags.mistakes(), f.metricsFlags.mistakes(), f.authMistakes(), f.lagMistakes())
}

func (f *serviceFlags) authMistakes() []error {
	clerk := f.Issuer != "" || f.JWTKey != "" || f.JWKSURL != ""
	switch {
	case f.DevAuth && clerk:
		return []error{errors.New("--dev-auth accepts tokens of the development key only; leave it out, or CLERK_ISSUER, CLERK_JWT_KEY and CLERK_JWKS_URL")}
	case f.DevAuth:
		return nil
	case !clerk:
		return []error{errors.New("there is no way to verify tokens; set CLERK_ISSUER and one of CLERK_JWT_KEY and CLERK_JWKS_URL, or try it with --dev-auth")}
	}
	return f.authConfig().Validate()
}

func (f *serviceFlags) authConfig() auth.Config {
	return auth.Config{Issuer: f.Issuer, PublicKey: f.JWTKey, JWKSURL: f.JWKSURL, AuthorizedParties: f.AuthorizedParties}
}

// verifier returns what verifies tokens.
func (f *serviceFlags) verifier(p *program) (*auth.Verifier, error) {
	config := f.authConfig()
	if f.DevAuth {
		key, err := auth.OpenDevKey(f.DataDir)
		if err != nil {
			return nil, err
		}
		config = auth.Config{Issuer: key.Issuer(), PublicKey: key.PublicPEM()}
		p.log.Warn("accepting tokens of the development key, for trials and tests only", "directory", f.DataDir)
	}
	config.Log = p.log
	return auth.New(context.WithoutCancel(p.ctx), config)
}

// run serves until the program is asked to stop. Once it listens, it calls ready with the address; an error from ready
// stops it, too.
func (f *serviceFlags) run(p *program, ready func(db *database, address string) error) error {
	listener, err := net.Listen("tcp", f.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (--listen, ORGSTATS_LISTEN): %w", f.Listen, err)
	}
	defer func() { _ = listener.Close() }()
	return f.with(p, func(db *database) (err error) {
		db.keep()
		a, err := f.assemble(p, db)
		defer func() { err = errors.Join(err, a.close()) }()
		if err != nil {
			return err
		}
		return serve(p, a.service, listener, db, func() error { return ready(db, listener.Addr().String()) })
	})
}

// serve runs the service on the listener and shuts it down gracefully.
func serve(p *program, s *service.Service, listener net.Listener, db *database, ready func() error) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	p.log.Info("listening", "address", listener.Addr().String())
	if db.engine != nil {
		printConnection(p.stdout, db.engine)
	}
	failed := make(chan error, 1)
	go func() {
		if err := ready(); err != nil {
			failed <- err
		}
	}()
	var cause error
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP: %w", err)
	case cause = <-failed:
	case <-p.ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return errors.Join(cause, s.Shutdown(ctx), <-served)
}
