package loader

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// Types of records, in the order in which a summary shows them. The last stands for lines that do not say what they
// are.
var types = [...]string{"conversation", "message", "kbFile", "member", "unknown"}

const unknownType = len(types) - 1

// Counts are what became of the records of one type.
type Counts struct {
	Read      uint64 // lines
	Loaded    uint64 // changed a replica
	Unchanged uint64 // older than what was there, or equal to it
	Rejected  uint64 // no records
}

// Summary is what a load did.
type Summary struct {
	Types   [len(types)]Counts
	Waiting uint64 // messages in the database that wait for their conversation, after the load
	Rejects string // the rejects file, "" when nothing was rejected
}

// Rejected is the number of lines that were no records.
func (s *Summary) Rejected() (n uint64) {
	for _, c := range s.Types {
		n += c.Rejected
	}
	return n
}

func typeOf(r record.Record) int {
	switch r.(type) {
	case *record.Conversation:
		return 0
	case *record.Message:
		return 1
	case *record.KBFile:
		return 2
	default:
		return 3
	}
}

func typeNamed(name string) int {
	for i, t := range types {
		if t == name {
			return i
		}
	}
	return unknownType
}

// taken counts the records of a batch that was written.
func (s *Summary) taken(read [len(types)]uint64, changed replica.Changed) {
	loaded := [len(types)]int{changed.Conversations, changed.Messages, changed.KBFiles, changed.Members}
	for i := range types {
		s.Types[i].Read += read[i]
		s.Types[i].Loaded += uint64(loaded[i])
		s.Types[i].Unchanged += read[i] - uint64(loaded[i])
	}
}

// rejected counts the lines that were no records.
func (s *Summary) rejected(r *rejects) {
	for i, n := range r.n {
		s.Types[i].Read += n
		s.Types[i].Rejected += n
	}
	if r.file != nil {
		s.Rejects = r.path
	}
}

// Print writes the summary as a table.
func (s *Summary) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "type\tread\tloaded\tunchanged\twaiting\trejected\t")
	for i, c := range s.Types {
		if i == unknownType && c.Read == 0 {
			continue
		}
		waiting := "-"
		if types[i] == "message" {
			waiting = fmt.Sprint(s.Waiting)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%d\t\n", types[i], c.Read, c.Loaded, c.Unchanged, waiting, c.Rejected)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Rejects != "" {
		fmt.Fprintf(w, "%d lines were rejected; each stands with its reason in %s\n", s.Rejected(), s.Rejects)
	}
	return nil
}
