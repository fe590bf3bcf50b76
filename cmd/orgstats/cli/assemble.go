package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/trace"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/metrics"
	"github.com/orgstats/orgstats/service/stats"
)

// assembly is the service with everything that it depends on.
type assembly struct {
	flags    *serviceFlags
	program  *program
	db       *database
	verifier *auth.Verifier
	tracer   trace.Tracer
	conn     clickhouse.Conn
	store    *stats.Store
	gate     *limit.Gate
	metrics  *metrics.Metrics
	service  *service.Service
	closers  []func() error // in the order in which what they close was opened
}

// assemble creates the service from the flags. The assembly must be closed even if assemble fails.
func (f *serviceFlags) assemble(p *program, db *database) (*assembly, error) {
	a := &assembly{flags: f, program: p, db: db, metrics: metrics.New(), gate: f.gate(f.Connections, db.engine != nil)}
	for _, step := range []func() error{a.openVerifier, a.openTraces, a.openStore, a.makeService, a.openMetrics} {
		if err := step(); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *assembly) openVerifier() (err error) {
	if a.verifier, err = a.flags.verifier(a.program); err != nil {
		return err
	}
	a.onClose(func() error { a.verifier.Close(); return nil })
	return nil
}

func (a *assembly) openTraces() error {
	tracer, stop, err := startTraces(a.program.ctx, a.program.log)
	if err != nil {
		return err
	}
	a.tracer = tracer
	a.onClose(func() error { stop(); return nil })
	return nil
}

func (a *assembly) openStore() (err error) {
	if a.conn, err = a.db.connect(a.program.ctx, a.flags.Connections); err != nil {
		return err
	}
	a.onClose(a.conn.Close)
	limitMemory(limitOf(a.flags.Memory))
	limits := clickhouse.Limits{Time: a.flags.QueryTime, Memory: a.flags.QueryMemory}
	a.store = stats.NewStore(a.conn, stats.Options{
		Limits: limits, Memory: keptOf(a.flags.Memory), MaxAge: a.flags.CacheAge,
		Admit: a.gate.Enter, Tracer: a.tracer, Observe: a.metrics.Statement,
	})
	return nil
}

func (a *assembly) makeService() (err error) {
	var secured *tls.Config
	if a.flags.TLSCert != "" {
		if secured, err = service.TLSFiles(a.flags.TLSCert, a.flags.TLSKey, a.program.log); err != nil {
			return err
		}
	}
	a.service = service.New(service.Config{
		Build:    readBuild(),
		Answerer: a.store, Authenticator: a.verifier, Ready: a.problems,
		Log: a.program.log, Observe: a.metrics.Request, Tracer: a.tracer,
		Rates: a.flags.rates(), MaxConnections: a.flags.Clients,
		TLS: secured, TrustedProxies: a.flags.proxies(), Origins: a.flags.CORSOrigins, EmbedOrigins: a.flags.EmbedOrigins,
	})
	return nil
}

// openMetrics serves the metrics, if they are enabled. The loader's state is queried over a connection of its own, so
// that it is visible while all others are busy.
func (a *assembly) openMetrics() error {
	if a.flags.MetricsListen == "" {
		return nil
	}
	own, err := a.db.connect(a.program.ctx, 1)
	if err != nil {
		return err
	}
	a.onClose(own.Close)
	a.metrics.Build(readBuild())
	a.metrics.Database(own, a.program.log)
	a.metrics.Pool(a.conn)
	a.metrics.Gate(a.gate)
	a.metrics.Memory(a.store)
	a.metrics.Connections(a.service)
	a.metrics.Keys(a.verifier)
	if a.db.keeper != nil {
		a.metrics.Engine(a.db.keeper)
	}
	stop, err := a.flags.metricsFlags.serve(a.metrics.Handler(a.program.log), a.program.log)
	if err != nil {
		return err
	}
	a.onClose(func() error { stop(); return nil })
	return nil
}

func (a *assembly) onClose(closer func() error) { a.closers = append(a.closers, closer) }

// close closes everything, in the reverse order of opening.
func (a *assembly) close() (err error) {
	for _, closer := range slices.Backward(a.closers) {
		err = errors.Join(err, closer())
	}
	return err
}

// problems returns the parts that are not ready.
func (a *assembly) problems(ctx context.Context) (all []service.Problem) {
	cause := a.db.down()
	if cause == nil {
		cause = a.store.Ping(ctx)
	}
	if cause != nil {
		all = append(all, service.Problem{Part: "clickhouse", Cause: cause})
	} else if bound := a.flags.MaxLag; bound > 0 {
		if cause := lagging(ctx, a.conn, bound); cause != nil {
			all = append(all, service.Problem{Part: "replication", Cause: cause})
		}
	}
	if err := a.verifier.Ready(); err != nil {
		all = append(all, service.Problem{Part: "signing keys", Cause: err})
	}
	return all
}
