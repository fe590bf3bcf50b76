package sample

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"sort"

	"github.com/google/uuid"
)

// source is the seeded randomness behind all that is drawn.
type source struct{ rand.PCG }

// fraction returns a number that is uniform in [0, 1).
func (s *source) fraction() float64 { return float64(s.Uint64()>>11) / (1 << 53) }

func (s *source) chance(p float64) bool { return s.fraction() < p }

// below returns a number that is uniform in [0, n).
func (s *source) below(n int) int {
	high, _ := bits.Mul64(s.Uint64(), uint64(n))
	return int(high)
}

// zipf holds the running sums of 1/(rank+1+shift)^exponent. One table serves every number of ranks up to its length.
type zipf []float64

func newZipf(n int, exponent, shift float64) zipf {
	z := make(zipf, n)
	sum := 0.0
	for rank := range z {
		sum += math.Pow(float64(rank+1)+shift, -exponent)
		z[rank] = sum
	}
	return z
}

// draw returns a rank in [0, n), small ranks most often.
func (z zipf) draw(s *source, n int) int {
	return min(sort.SearchFloat64s(z[:n], s.fraction()*z[n-1]), n-1)
}

// share returns the probability that draw returns rank.
func (z zipf) share(rank, n int) float64 {
	if rank == 0 {
		return z[0] / z[n-1]
	}
	return (z[rank] - z[rank-1]) / z[n-1]
}

// quantiles is a distribution of whole numbers, tabled so that drawing from it costs no logarithm. Its tails end at the
// 1/2050 quantiles.
type quantiles [quantileSteps + 1]int64

const quantileSteps = 1 << 10

func newQuantiles(inverse func(p float64) float64) *quantiles {
	var q quantiles
	for i := range q {
		q[i] = int64(inverse((float64(i) + 0.5) / float64(len(q))))
	}
	return &q
}

func newLogNormal(median, sigma float64) *quantiles {
	return newQuantiles(func(p float64) float64 {
		return median * math.Exp(sigma*math.Sqrt2*math.Erfinv(2*p-1))
	})
}

// draw interpolates between the table's steps: 10 random bits select the step, 32 others the place in it.
func (q *quantiles) draw(s *source) int64 {
	r := s.Uint64()
	i := r >> 54
	return q[i] + (q[i+1]-q[i])*int64(uint32(r))>>32
}

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// uuid returns a random UUID of version 4.
func (s *source) uuid() string {
	const version4, variantRFC = 0x4000, 1 << 63
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], s.Uint64()&^0xf000|version4)
	binary.BigEndian.PutUint64(id[8:], s.Uint64()&^(3<<62)|variantRFC)
	return id.String()
}

// clerkID returns an identifier as Clerk assigns them. It begins with 2 as those of our time do: they lead with a
// timestamp.
func (s *source) clerkID(prefix string) string { return prefix + "_2" + s.base62(26) }

// base62 returns random letters and digits, ten for each 64 bits.
func (s *source) base62(n int) string {
	text := make([]byte, n)
	var bits uint64
	for i := range text {
		if i%10 == 0 {
			bits = s.Uint64()
		}
		text[i] = base62Digits[bits%62]
		bits /= 62
	}
	return string(text)
}
