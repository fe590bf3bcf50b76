package stats

import (
	"slices"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// subject is a kind of records that figures are about.
type subject struct {
	name   string
	grains []cells.Grain // of its buckets, coarsest first
	unit   cells.Grain   // of the intervals whose records are kept one by one, for the ragged ends of windows

	sums []string // columns of Figures that are sums over the records
	sets []string // columns of Figures that count distinct numbers of the records

	sumFields, setFields []int // which fields of Figures these are

	records  string            // the figure that counts the records, by its JSON name
	groupSet map[Dimension]int // the sets whose numbers are those of groups
}

// The sets of messages, in this order.
const (
	conversationSet = iota
	userSet
	agentSet
)

var (
	messageRecords = newSubject(subject{
		name:   "messages",
		grains: []cells.Grain{cells.Month, cells.Day, cells.Hour},
		unit:   cells.Hour,
		sums:   sumColumns(),
		sets:   []string{conversationSet: "conversation_count", userSet: "unique_users", agentSet: "unique_agents"},

		records: "messageCount", groupSet: map[Dimension]int{ByAgent: agentSet},
	})
	fileRecords = newSubject(subject{
		name:   "files",
		grains: []cells.Grain{cells.Month, cells.Day},
		unit:   cells.Day,
		sums:   []string{"kb_file_count", "kb_total_tokens", "kb_input_tokens", "kb_output_tokens"},
		sets:   []string{"kb_count"},

		records: "kbFileCount", groupSet: map[Dimension]int{ByKnowledgeBase: 0},
	})
)

func newSubject(s subject) *subject {
	s.sumFields, s.setFields = fieldsOf(s.sums), fieldsOf(s.sets)
	return &s
}

func sumColumns() (columns []string) {
	for _, sum := range cells.Sums {
		columns = append(columns, sum.Column)
	}
	return columns
}

func (s *subject) newUnion() *buckets.Union { return buckets.NewUnion(len(s.sums), len(s.sets)) }

func (p *part) newUnions(n int) []buckets.Union {
	return buckets.NewUnions(n, len(p.subject.sums), len(p.subject.sets))
}

// figures returns the names in JSON of the figures of the subject.
func (s *subject) figures() (names []string) {
	for _, name := range FigureNames {
		column := columnOf(name)
		if slices.Contains(s.sums, column) || slices.Contains(s.sets, column) || column == "-" && s == messageRecords {
			names = append(names, name)
		}
	}
	return names
}

// copyTo sets the figures of the subject to those that others have.
func (s *subject) copyTo(f, from *Figures) {
	fields, values := f.fields(), from.fields()
	for _, list := range [][]int{s.sumFields, s.setFields} {
		for _, column := range list {
			*fields[column] = *values[column]
		}
	}
}

// addTo sets the figures of the subject. It fails when a sum is too great.
func (s *subject) addTo(f *Figures, u *buckets.Union) error {
	sums, err := u.Sums()
	if err != nil {
		return err
	}
	fields := f.fields()
	for i, column := range s.sumFields {
		*fields[column] = sums[i]
	}
	for i, column := range s.setFields {
		*fields[column] = u.Count(i)
	}
	return nil
}
