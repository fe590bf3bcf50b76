package sample

import (
	"math/rand/v2"
	"time"
)

const (
	millisPerSecond = 1000
	millisPerHour   = 60 * 60 * millisPerSecond
	millisPerDay    = 24 * millisPerHour
)

// zone is a time zone and how common it is. Fixed offsets keep the output the same wherever no time-zone database is
// installed.
type zone struct {
	offset time.Duration
	weight int
}

var zones = []zone{
	{-8 * time.Hour, 20},               // Los Angeles
	{-5 * time.Hour, 22},               // New York
	{-3*time.Hour - 30*time.Minute, 2}, // St. John's
	{-3 * time.Hour, 5},                // São Paulo
	{0, 10},                            // London
	{1 * time.Hour, 20},                // Berlin
	{5*time.Hour + 30*time.Minute, 12}, // Kolkata
	{5*time.Hour + 45*time.Minute, 3},  // Kathmandu
	{8 * time.Hour, 6},                 // Singapore
	{9 * time.Hour, 5},                 // Tokyo
	{9*time.Hour + 30*time.Minute, 3},  // Darwin
	{12*time.Hour + 45*time.Minute, 1}, // Chatham Islands
}

func (s *source) zone() time.Duration {
	total := 0
	for _, z := range zones {
		total += z.weight
	}
	left := s.below(total)
	for _, z := range zones {
		if left -= z.weight; left < 0 {
			return z.offset
		}
	}
	panic("unreachable: the weights sum to the total")
}

// hourWeights says how busy each local hour of a working day is.
var hourWeights = [24]float64{
	0.06, 0.04, 0.03, 0.03, 0.04, 0.08, 0.18, 0.42, 0.78, 1.00, 1.08, 1.02,
	0.78, 0.88, 1.04, 1.02, 0.92, 0.72, 0.48, 0.36, 0.32, 0.28, 0.20, 0.12,
}

// weekdayWeights starts with Sunday, as time.Weekday does.
var weekdayWeights = [7]float64{0.18, 1.02, 1.10, 1.08, 1.00, 0.84, 0.24}

// growth is by how much an organization's last day is busier than its first, as a part of its mean day.
const growth = 0.4

// rhythm walks through the hours of one organization's history and says how much of all its activity has happened by
// then.
type rhythm struct {
	days   source
	seed   [2]uint64
	start  millis // the first hour, in local time
	hours  int
	passed int
	total  float64
	sum    float64
	day    millis
	daily  float64
}

// newRhythm walks once through all hours to learn their total, then returns to the first: the same seed repeats the
// same good and bad days.
func newRhythm(seed [2]uint64, start millis, hours int, offset time.Duration) rhythm {
	r := rhythm{seed: seed, start: start + millis(offset.Milliseconds()), hours: hours}
	r.rewind()
	for range hours {
		r.sum += r.weight()
	}
	r.total = r.sum
	r.rewind()
	return r
}

func (r *rhythm) rewind() {
	r.days.PCG = *rand.NewPCG(r.seed[0], r.seed[1])
	r.passed, r.sum, r.day = 0, 0, -1
}

// next passes one hour and returns the part of all activity up to its end, in (0, 1].
func (r *rhythm) next() float64 {
	r.sum += r.weight()
	return r.sum / r.total
}

func (r *rhythm) weight() float64 {
	local := r.start + millis(r.passed)*millisPerHour
	if day := local / millisPerDay; day != r.day {
		r.day = day
		trend := 1 + growth*(float64(r.passed)/float64(r.hours)-0.5)
		luck := 0.8 + 0.4*r.days.fraction()
		// Day 0 of Unix time was a Thursday.
		r.daily = trend * luck * weekdayWeights[(day+millis(time.Thursday))%7]
	}
	r.passed++
	return r.daily * hourWeights[local/millisPerHour%24]
}
