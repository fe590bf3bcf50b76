package buckets_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// states are queries of sets of every kind of content that ClickHouse stores in its own way: none, few, and arrays, bit
// sets and runs of Roaring, in one or many blocks of 65,536 numbers.
func states() (queries []string) {
	for _, count := range []int{0, 1, 2, 31, 32, 33, 64, 4095, 4096, 4097, 65535, 65536, 65537, 300_000} {
		for _, number := range []string{
			"toUInt32(number)", "toUInt32(number * 2)", "toUInt32(number * 7919)", "cityHash64(number)::UInt32", "toUInt32(4294967295 - number)",
		} {
			queries = append(queries, fmt.Sprintf("SELECT groupBitmapState(%s) AS state FROM numbers(%d)", number, count))
		}
	}
	return queries
}

// What is decoded is what the engine itself finds in a state.
func TestStatesAreDecodedAsTheEngineDoes(t *testing.T) {
	conn := connect(t)
	for _, query := range states() {
		state, want := read(t, conn, query)
		set, err := buckets.DecodeBitmap([]byte(state))
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		slices.Sort(want)
		if got := set.Numbers(); !slices.Equal(got, want) {
			t.Errorf("%s: %d numbers, want %d", query, len(got), len(want))
		}
	}
}

// A damaged state is an error or another set, never a panic; and one that lacks bytes, or has more, is an error.
func TestDamagedStates(t *testing.T) {
	conn := connect(t)
	r := rand.New(rand.NewPCG(1, 1))
	for _, query := range states() {
		text, _ := read(t, conn, query)
		damages := 50
		if len(text) > 1<<16 { // what is damaged of so many bytes are mostly numbers
			damages = 10
		}
		for range damages {
			state := []byte(text)
			if _, err := buckets.DecodeBitmap(state[:r.IntN(len(state))]); err == nil {
				t.Errorf("%s: a part of it is decoded", query)
			}
			if _, err := buckets.DecodeBitmap(append(state, byte(r.Uint32()))); err == nil {
				t.Errorf("%s: more than it is decoded", query)
			}
			state[r.IntN(len(state))] ^= byte(1 + r.IntN(255))
			decodeAny(t, state)
		}
	}
}

// decodeAny decodes what may be damaged. What is decoded must be a set that can be used.
func decodeAny(t *testing.T, state []byte) {
	t.Helper()
	set, err := buckets.DecodeBitmap(state)
	if err != nil {
		return
	}
	if got := set.Numbers(); len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%x is decoded as a set with a number twice", state)
	}
}

func FuzzDecodeBitmap(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add([]byte{0, 1, 42, 0, 0, 0})
	f.Add([]byte{1, 18, 0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 42, 0})
	f.Fuzz(func(t *testing.T, state []byte) { decodeAny(t, state) })
}

func connect(t *testing.T) clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.Open(t.Context(), enginetest.Database(t), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// read returns a state, and its numbers as the engine has them.
func read(t *testing.T, conn clickhouse.Conn, query string) (state string, numbers []uint32) {
	t.Helper()
	err := conn.QueryRow(t.Context(), "SELECT toString(state), bitmapToArray(state) FROM ("+query+")").Scan(&state, &numbers)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return state, numbers
}
