package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/orgstats/orgstats/loader/postgres"
	"github.com/orgstats/orgstats/loader/postgres/source"
)

// printCheck runs the preflight of a replication and prints what it finds. It returns an error if anything is wrong.
func printCheck(p *program, o postgres.Options) error {
	findings, err := postgres.Check(p.ctx, o)
	wrong := 0
	for _, f := range findings {
		switch f.Severity {
		case source.OK:
			fmt.Fprintf(p.stdout, "ok     %s\n", f.What)
		case source.Note:
			fmt.Fprintf(p.stdout, "note   %s\n", f.What)
		case source.Failed:
			wrong++
			fmt.Fprintf(p.stdout, "WRONG  %s\n", strings.ReplaceAll(f.Problem.Error(), "\n", "\n       "))
		}
	}
	if err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d problems prevent replication", wrong)
	}
	_, err = fmt.Fprintln(p.stdout, "ready to replicate")
	return err
}

func printStatus(p *program, o postgres.Options) error {
	r, err := postgres.ReadReport(p.ctx, o)
	if err != nil {
		return err
	}
	if !r.Known {
		_, err := fmt.Fprintf(p.stdout, "nothing was replicated through slot %s yet\n", r.Slot)
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "slot\t%s of cluster %s, timeline %d\n", r.Slot, r.System, r.Timeline)
	fmt.Fprintf(w, "applied\tup to %s, as of %s\n", r.Confirmed, r.SavedAt.UTC().Format(time.RFC3339))
	if r.Committed.Unix() > 0 {
		fmt.Fprintf(w, "last change\tcommitted %s\n", r.Committed.UTC().Format(time.RFC3339Nano))
	}
	printSource(w, r)
	fmt.Fprintf(w, "waiting\t%d messages whose conversation is not known\n", r.WaitingMessages)
	_ = w.Flush()
	printTables(p, r)
	for _, c := range r.Rejects {
		fmt.Fprintf(p.stdout, "rejected: %d rows of %s: %s %s (as in %q)\n", c.Rows, c.Table, c.Field, c.Reason, c.Key)
	}
	return nil
}

func printSource(w *tabwriter.Writer, r *postgres.Report) {
	switch s := &r.Source; {
	case s.Err != nil:
		fmt.Fprintf(w, "PostgreSQL\tcannot be queried: %v\n", s.Err)
	case s.Slot == nil:
		fmt.Fprintf(w, "PostgreSQL\tslot not found: resynchronize everything with --resync all\n")
	case s.Slot.Lost():
		fmt.Fprintf(w, "PostgreSQL\tslot invalidated: resynchronize everything with --resync all\n")
	default:
		who := "the slot is not active"
		if s.Slot.ActivePID > 0 {
			who = fmt.Sprintf("the slot is active (process %d of PostgreSQL)", s.Slot.ActivePID)
		}
		fmt.Fprintf(w, "lag\t%d bytes, at most %s; %s\n", max(s.LagBytes, 0), r.Lag().Round(time.Second), who)
		fmt.Fprintf(w, "WAL\t%d bytes are retained for the slot\n", s.Slot.Retained)
	}
}

func printTables(p *program, r *postgres.Report) {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "table\trecord\tstate\tcopied\tinserted\tupdated\tdeleted\ttruncated\trejected\t")
	for _, t := range r.Tables {
		state := t.State
		if all := r.Chunks[t.Name]; all > 0 {
			state += fmt.Sprintf(" (%d/%d)", r.Done[t.Name], all)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", t.Name, t.Record, state, t.Copied, t.Inserted, t.Updated, t.Deleted, t.Truncated, t.Rejected)
	}
	_ = w.Flush()
}
