package sample

import (
	"errors"
	"fmt"
	"time"
)

const (
	maxMessages      = 10_000_000_000
	maxOrganizations = 100_000
	maxDays          = 20 * 366
)

// Options configures what is generated. Seed and LargestShare may be zero.
type Options struct {
	// Seed selects one of many equally believable outputs.
	Seed uint64
	// Messages is about how many messages to make in all organizations together. Users, agents and files follow from
	// it.
	Messages int
	// Organizations is the number of organizations. The smallest may have no messages.
	Organizations int
	// Until is the end of the history: every time in the records lies before it.
	Until time.Time
	// Days is the length of the history.
	Days int
	// LargestShare is the largest organization's part of the messages, 0 to 1. At 0 the sizes follow Zipf's law alone;
	// otherwise those of the others do.
	LargestShare float64
}

// Validate returns every mistake in o, joined into one error.
func (o Options) Validate() error {
	return errors.Join(
		between("Messages", o.Messages, 1, maxMessages),
		between("Organizations", o.Organizations, 1, maxOrganizations),
		between("Days", o.Days, 1, maxDays),
		between("the year of Until", o.Until.UTC().Year(), 2000, 2200), // which DateTime64 and all readers of RFC 3339 hold
		o.validateLargestShare(),
	)
}

func between(field string, value, low, high int) error {
	if value < low || value > high {
		return fmt.Errorf("sample: %s is %d: give a number from %d to %d", field, value, low, high)
	}
	return nil
}

func (o Options) validateLargestShare() error {
	switch {
	case !(o.LargestShare >= 0 && o.LargestShare <= 1): // NaN is neither
		return fmt.Errorf("sample: LargestShare is %g: give a share from 0 to 1", o.LargestShare)
	case o.LargestShare == 0, o.Organizations < 2, o.Organizations > maxOrganizations:
		return nil
	}
	if second := o.shares()[1]; second > o.LargestShare {
		return fmt.Errorf("sample: LargestShare is %g, but the second of %d organizations would have %.3g: give a larger share, or more organizations",
			o.LargestShare, o.Organizations, second)
	}
	return nil
}

// shares returns each organization's part of the messages, largest first; they sum to 1.
func (o Options) shares() []float64 {
	sizes := newZipf(o.Organizations, 1.05, 0)
	shares := make([]float64, o.Organizations)
	if o.LargestShare == 0 || o.Organizations == 1 {
		for rank := range shares {
			shares[rank] = sizes.share(rank, len(shares))
		}
		return shares
	}
	shares[0] = o.LargestShare
	for rank := range shares[1:] {
		shares[rank+1] = (1 - o.LargestShare) * sizes.share(rank, len(shares)-1)
	}
	return shares
}
