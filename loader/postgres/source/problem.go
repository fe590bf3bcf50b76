package source

import (
	"errors"
	"fmt"
)

// Problem is what stands in the way of replication, and how to fix it.
type Problem struct {
	What string
	Fix  string // SQL, or what else to do

	Unpublished *Table // is not in the publication
	TableOID    uint32 // the WAL may have changes of this table from before it became so; 0: that does not help
}

// problemf returns a problem, whose text is formatted, and its fix.
func problemf(fix, format string, arguments ...any) Problem {
	return Problem{What: fmt.Sprintf(format, arguments...), Fix: fix}
}

// fixMapping is the fix of a mapping that names what the source does not have.
const fixMapping = "correct the mapping (--mapping; --print-mapping shows it)"

func (p Problem) Error() string {
	if p.Fix == "" {
		return p.What
	}
	return p.What + "\n    " + p.Fix
}

// JoinProblems returns an error that holds all problems.
func JoinProblems(problems []Problem) error {
	all := make([]error, len(problems))
	for i, p := range problems {
		all[i] = p
	}
	return errors.Join(all...)
}

// FatalError is a failure that trying again does not fix.
type FatalError struct{ Message string }

func (e *FatalError) Error() string { return e.Message }

// Fatalf returns a FatalError.
func Fatalf(format string, arguments ...any) error {
	return &FatalError{fmt.Sprintf(format, arguments...)}
}

// RestartError ends a session that has to begin anew at once, because the source is not any more as it was when the
// session began.
type RestartError struct{ Reason string }

func (e *RestartError) Error() string { return e.Reason }

// Restartf returns a RestartError.
func Restartf(format string, arguments ...any) error {
	return &RestartError{fmt.Sprintf(format, arguments...)}
}

// RenamedError returns the failure to find a table under its name, which is another one now.
func RenamedError(t *Table, name string) error {
	return Fatalf("table %s was renamed to %s: rename it back or correct the mapping; nothing after the change was applied", t.FullName(), name)
}
