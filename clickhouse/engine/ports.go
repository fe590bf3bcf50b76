package engine

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// portPatience is how long the kernel may take to free the port of an engine that was killed.
const portPatience = time.Second

// choosePorts returns the native and the HTTP port: the wanted one or an error, else those of the last start, else free
// ones.
func choosePorts(ctx context.Context, wanted int, last state) (tcp, http int, err error) {
	if wanted != 0 {
		tcp, err = wanted, awaitPort(ctx, wanted)
	} else {
		tcp, err = choosePort(ctx, last.TCPPort, 0)
	}
	if err != nil {
		return 0, 0, err
	}
	http, err = choosePort(ctx, last.HTTPPort, tcp)
	return tcp, http, err
}

// choosePort returns the last start's port if it is free and not the one to avoid, else any free one.
func choosePort(ctx context.Context, last, avoid int) (int, error) {
	if last != 0 && last != avoid && awaitPort(ctx, last) == nil {
		return last, nil
	}
	for {
		listener, err := net.Listen("tcp4", loopback+":0")
		if err != nil {
			return 0, fmt.Errorf("no port on %s is free for the engine: %w", loopback, err)
		}
		port := listener.Addr().(*net.TCPAddr).Port
		if err := listener.Close(); err != nil || port != avoid {
			return port, err
		}
	}
}

// awaitPort waits, for a moment at most, until the port can be listened on.
func awaitPort(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, portPatience)
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		listener, err := net.Listen("tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
		if err != nil {
			return false, err
		}
		return true, listener.Close()
	})
	if err != nil {
		return fmt.Errorf("port %d on %s is not free for the engine (%w): end the program that has it, or choose another "+
			"(--engine-port, ORGSTATS_ENGINE_PORT; 0 takes a free one)", port, loopback, err)
	}
	return nil
}

// poll calls ask repeatedly until the question about another process is settled, and returns the error that came with
// the answer. If the context ends first, it returns the last error, or the context's if there was none.
func poll(ctx context.Context, ask func() (settled bool, err error)) error {
	ticker := time.NewTicker(retryDelay)
	defer ticker.Stop()
	for {
		settled, err := ask()
		if settled {
			return err
		}
		select {
		case <-ctx.Done():
			return cmp.Or(err, ctx.Err())
		case <-ticker.C:
		}
	}
}
