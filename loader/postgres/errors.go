package postgres

import "fmt"

// fatalError is a failure that trying again does not mend.
type fatalError struct{ sentence string }

func (e *fatalError) Error() string { return e.sentence }

func fatalf(format string, arguments ...any) error {
	return &fatalError{fmt.Sprintf(format, arguments...)}
}

// Problem is what stands in the way of replication, and how to mend it.
type Problem struct {
	What string
	Mend string // SQL, or what else to do

	missing *table // is not in the publication
	passing uint32 // the log may have changes of this table from before it became so; 0: that does not help
}

func (p Problem) Error() string {
	if p.Mend == "" {
		return p.What
	}
	return p.What + "\n    " + p.Mend
}

// restartError ends a session that has to begin anew at once, because the source is not any more as it was when the
// session began.
type restartError struct{ why string }

func (e *restartError) Error() string { return e.why }

func restart(format string, arguments ...any) error {
	return &restartError{fmt.Sprintf(format, arguments...)}
}
