package loader

import (
	"os"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

func TestSummaryIsATable(t *testing.T) {
	s := Summary{Waiting: 5}
	s.add([numCounted]uint64{10, 200_000, 3, 4}, replica.Changed{10, 150_000, 0, 4})
	s.add([numCounted]uint64{0, 1, 0, 0}, replica.Changed{record.KindMessage: 1})
	var out strings.Builder
	if err := s.Print(&out); err != nil {
		t.Fatal(err)
	}
	const taken = `
          type    read  loaded  unchanged  waiting  rejected
  conversation      10      10          0        -         0
       message  200001  150001      50000        5         0
        kbFile       3       0          3        -         0
        member       4       4          0        -         0
`
	if out.String() != taken[1:] {
		t.Errorf("got\n%s", out.String())
	}

	s.rejected(&rejects{path: "rejects.ndjson", file: os.Stdout, n: [numCounted]uint64{1: 2, unknownKind: 7}})
	out.Reset()
	if err := s.Print(&out); err != nil {
		t.Fatal(err)
	}
	const withRejects = `
          type    read  loaded  unchanged  waiting  rejected
  conversation      10      10          0        -         0
       message  200003  150001      50000        5         2
        kbFile       3       0          3        -         0
        member       4       4          0        -         0
       unknown       7       0          0        -         7
9 lines were rejected; each stands with its reason in rejects.ndjson
`
	if out.String() != withRejects[1:] || s.Rejected() != 9 {
		t.Errorf("%d were rejected; got\n%s", s.Rejected(), out.String())
	}
}
