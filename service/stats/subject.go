package stats

import (
	"reflect"
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
}

// The sets of messages, in this order.
const (
	conversationSet = iota
	userSet
	agentSet
)

var (
	messageRecords = &subject{
		name:   "messages",
		grains: []cells.Grain{cells.Month, cells.Day, cells.Hour},
		unit:   cells.Hour,
		sums:   sumColumns(),
		sets:   []string{conversationSet: "conversation_count", userSet: "unique_users", agentSet: "unique_agents"},
	}
	fileRecords = &subject{
		name:   "files",
		grains: []cells.Grain{cells.Month, cells.Day},
		unit:   cells.Day,
		sums:   []string{"kb_file_count", "kb_total_tokens", "kb_input_tokens", "kb_output_tokens"},
		sets:   []string{"kb_count"},
	}
)

func sumColumns() (columns []string) {
	for _, sum := range cells.Sums {
		columns = append(columns, sum.Column)
	}
	return columns
}

func (s *subject) newUnion() *buckets.Union { return buckets.NewUnion(len(s.sums), len(s.sets)) }

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

// addTo sets the figures of the subject. It fails when a sum is too great.
func (s *subject) addTo(f *Figures, u *buckets.Union) error {
	sums, err := u.Sums()
	if err != nil {
		return err
	}
	to := reflect.ValueOf(f).Elem()
	for i, column := range s.sums {
		to.Field(figureFields[column]).SetUint(sums[i])
	}
	for i, column := range s.sets {
		to.Field(figureFields[column]).SetUint(u.Count(i))
	}
	return nil
}
