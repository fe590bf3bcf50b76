package loader

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// numCounted is how many rows a summary may have: one for each kind of record, in their order, and one for lines that
// do not say what they are.
const (
	numCounted  = record.NumKinds + 1
	unknownKind = record.NumKinds
)

// Counts are what became of the records of one kind.
type Counts struct {
	Read      uint64 // lines
	Loaded    uint64 // changed a replica
	Unchanged uint64 // older than what was there, or equal to it
	Rejected  uint64 // no records
}

// Summary is what a load did.
type Summary struct {
	Kinds   [numCounted]Counts
	Waiting uint64 // messages in the database that wait for their conversation, after the load
	Rejects string // the rejects file, "" when nothing was rejected
}

// Rejected returns the number of lines that were no records.
func (s *Summary) Rejected() (n uint64) {
	for _, c := range s.Kinds {
		n += c.Rejected
	}
	return n
}

// counted returns the row of the summary that counts the records of a name.
func counted(name string) int {
	if kind, ok := record.ParseKind(name); ok {
		return int(kind)
	}
	return unknownKind
}

// add counts the records of a batch that was written.
func (s *Summary) add(read [numCounted]uint64, changed replica.Changed) {
	for i, loaded := range changed {
		s.Kinds[i].Read += read[i]
		s.Kinds[i].Loaded += uint64(loaded)
		s.Kinds[i].Unchanged += read[i] - uint64(loaded)
	}
}

// rejected counts the lines that were no records.
func (s *Summary) rejected(r *rejects) {
	for i, n := range r.n {
		s.Kinds[i].Read += n
		s.Kinds[i].Rejected += n
	}
	if r.file != nil {
		s.Rejects = r.path
	}
}

// Print writes the summary as a table.
func (s *Summary) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "type\tread\tloaded\tunchanged\twaiting\trejected\t")
	for i, c := range s.Kinds {
		name, waiting := "unknown", "-"
		if i < unknownKind {
			name = record.Kind(i).String()
		} else if c.Read == 0 {
			continue
		}
		if i == int(record.KindMessage) {
			waiting = fmt.Sprint(s.Waiting)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%d\t\n", name, c.Read, c.Loaded, c.Unchanged, waiting, c.Rejected)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Rejects != "" {
		fmt.Fprintf(w, "%d lines were rejected; each stands with its reason in %s\n", s.Rejected(), s.Rejects)
	}
	return nil
}
