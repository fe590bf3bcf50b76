package engine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/creack/pty"
)

// serve runs ClickHouse until the pipe that descriptor reads from is closed. Standard input must be a terminal from
// openTerminal.
func (l *library) serve(configuration string, descriptor int) error {
	arguments := []string{
		"clickhouse",
		"--config-file=" + configuration,
		// Without a terminal and this mode the library ends the whole process for any error of one connection, even for
		// a wrong password.
		"--interactive",
		"--disable_suggestion", "--highlight=0", "--progress=off", "--progress-table=off", "--enable-progress-table-toggle=0",
		// The native port comes last, because the process that starts the engine waits for an answer there. The last
		// statement reads the pipe, and so lasts as long as that is open.
		fmt.Sprintf("--query=CREATE DATABASE IF NOT EXISTS %s; SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; "+
			"SELECT count() FROM file('/dev/fd/%d', 'LineAsString', 'line String') FORMAT Null", Database, descriptor),
	}
	pointers := make([]*byte, 0, len(arguments)+1)
	for _, argument := range arguments {
		pointers = append(pointers, &append([]byte(argument), 0)[0])
	}
	result := l.query(int32(len(arguments)), &append(pointers, nil)[0])
	runtime.KeepAlive(pointers)
	if result == 0 {
		return errors.New("ClickHouse ended without an answer")
	}
	// ClickHouse writes most of its errors to standard error itself; this handles those about its configuration, which
	// have a stack trace.
	if message, _, _ := strings.Cut(l.failure(result), "\n"); message != "" {
		return errors.New(message)
	}
	return nil
}

// openTerminal opens the terminal that ClickHouse's interactive mode requires as its standard input. When the
// statements are done, or one has failed, ClickHouse prompts there for more; the answer, to exit, is already waiting.
// The terminal lasts as long as its other end is open.
func openTerminal() (otherEnd, terminal *os.File, err error) {
	otherEnd, terminal, err = pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("the engine needs a pseudo-terminal, and none can be made: %w", err)
	}
	if _, err := otherEnd.WriteString("exit\n"); err != nil {
		return nil, nil, errors.Join(err, otherEnd.Close(), terminal.Close())
	}
	return otherEnd, terminal, nil
}
