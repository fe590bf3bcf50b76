package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/orgstats/orgstats/loader/record"
)

// numbered is a line as the reader found it.
type numbered struct {
	number int64
	text   string
	size   int // 0 unless the line is too long
}

// linesOf returns all lines of r.
func linesOf(t *testing.T, r io.Reader) ([]numbered, error) {
	t.Helper()
	var all []numbered
	err := readLines(t.Context(), &source{Reader: r, path: "input"}, func(c *chunk) error {
		for i, l := range c.lines {
			all = append(all, numbered{l.number, string(c.text(i)), l.size})
		}
		return nil
	})
	return all, err
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 3*chunkBytes)
	for _, row := range []struct {
		why, input string
		want       []numbered
	}{
		{"an empty file has no lines", "", nil},
		{"a file of line ends has none either", "\n\r\n\n", nil},
		{"lines are numbered from 1", "a\nb\n", []numbered{{1, "a", 0}, {2, "b", 0}}},
		{"the last line needs no end", "a\nb", []numbered{{1, "a", 0}, {2, "b", 0}}},
		{"blank lines count, and are nothing", "\na\n \t\r\n\nb\n\n", []numbered{{2, "a", 0}, {5, "b", 0}}},
		{"Windows' line ends", "a\r\nb\r\n", []numbered{{1, "a\r", 0}, {2, "b\r", 0}}},
		{"a byte order mark is not part of the first line", "\ufeffa\nb\n", []numbered{{1, "a", 0}, {2, "b", 0}}},
		{"it may be all there is", "\ufeff", nil},
		{"or all there is of the first line", "\ufeff\na\n", []numbered{{2, "a", 0}}},
		{"elsewhere it is part of the line", "a\n\ufeffb\n", []numbered{{1, "a", 0}, {2, "\ufeffb", 0}}},
		{"a line may be longer than a chunk", "a\n" + long + "\nb\n", []numbered{{1, "a", 0}, {2, long, 0}, {3, "b", 0}}},
		{"NUL and bytes that are no text are the parser's to refuse", "a\x00\xff\n", []numbered{{1, "a\x00\xff", 0}}},
	} {
		for name, r := range map[string]io.Reader{
			"at once":       strings.NewReader(row.input),
			"in halves":     iotest.HalfReader(strings.NewReader(row.input)),
			"data with EOF": iotest.DataErrReader(strings.NewReader(row.input)),
		} {
			if got, err := linesOf(t, r); err != nil || !slices.Equal(got, row.want) {
				t.Errorf("%s (%s): got %.200q, want %.200q; %v", row.why, name, fmt.Sprint(got), fmt.Sprint(row.want), err)
			}
		}
	}
}

// repeated returns n times the same byte.
func repeated(b byte, n int64) io.Reader { return io.LimitReader(endless(b), n) }

type endless byte

func (e endless) Read(p []byte) (int, error) {
	filled := copy(p, []byte{byte(e)})
	for filled < len(p) { // by doubling: one byte after the other takes long under the race detector
		filled += copy(p[filled:], p[:filled])
	}
	return len(p), nil
}

func TestLongestLines(t *testing.T) {
	for _, row := range []struct {
		why  string
		size int64
		end  string
		read bool
	}{
		{"the longest line", maxLine, "\nafter\n", true},
		{"one byte more", maxLine + 1, "\nafter\n", false},
		{"twice as long", 2 * maxLine, "\nafter\n", false},
		{"the longest line at the end of the file", maxLine, "", true},
		{"one byte more at the end of the file", maxLine + 1, "", false},
	} {
		got, err := linesOf(t, io.MultiReader(strings.NewReader("before\n"), repeated('x', row.size), strings.NewReader(row.end)))
		if err != nil || len(got) < 2 {
			t.Fatalf("%s: %d lines, %v", row.why, len(got), err)
		}
		long := got[1]
		if row.read && (long.size != 0 || int64(len(long.text)) != row.size) {
			t.Errorf("%s: %d bytes were read, its size is said to be %d", row.why, len(long.text), long.size)
		}
		if !row.read && (int64(long.size) != row.size || long.text != "") {
			t.Errorf("%s: its size is said to be %d of %d, and %d bytes were kept", row.why, long.size, row.size, len(long.text))
		}
		if row.end != "" && (len(got) != 3 || got[2] != numbered{3, "after", 0}) {
			t.Errorf("%s: %d lines, and not the next one after it", row.why, len(got))
		}
	}
}

func TestChunksAreBounded(t *testing.T) {
	line := strings.Repeat("y", 99) + "\n"
	const lines = 50_000
	next, chunks := int64(1), 0
	err := readLines(t.Context(), &source{Reader: strings.NewReader(strings.Repeat(line, lines)), path: "input"}, func(c *chunk) error {
		chunks++
		if len(c.bytes) > chunkBytes+len(line) {
			t.Errorf("a chunk has %d bytes", len(c.bytes))
		}
		for i, l := range c.lines {
			if l.number != next || len(c.text(i)) != 99 {
				t.Fatalf("line %d of %d bytes came where %d was due", l.number, len(c.text(i)), next)
			}
			next++
		}
		return nil
	})
	if err != nil || next != lines+1 {
		t.Errorf("%d lines, %v", next-1, err)
	}
	if most := len(line)*lines/chunkBytes*2 + 1; chunks > most {
		t.Errorf("the lines came in %d chunks, at most %d would do", chunks, most)
	}
}

func TestASlowSourcesLinesAreHandedOnAtOnce(t *testing.T) {
	r, w := io.Pipe()
	emitted := make(chan string)
	go func() {
		defer close(emitted)
		err := readLines(t.Context(), &source{Reader: r, path: "pipe"}, func(c *chunk) error {
			emitted <- string(c.bytes)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	for _, text := range []string{"one", "two"} {
		if _, err := io.WriteString(w, text+"\n"); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-emitted:
			if got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		case <-time.After(5 * time.Minute):
			t.Fatal("the line waits for the next one")
		}
	}
	w.Close()
	<-emitted
}

func TestReadingStops(t *testing.T) {
	failure := errors.New("the disk is gone")
	_, err := linesOf(t, io.MultiReader(strings.NewReader("a\nb\nc"), iotest.ErrReader(failure)))
	if !errors.Is(err, failure) || !strings.Contains(err.Error(), "input: line 3:") {
		t.Errorf("an error of the source gave %v", err)
	}
	full := errors.New("no more")
	if err := readLines(t.Context(), &source{Reader: strings.NewReader("a\n")}, func(*chunk) error { return full }); err != full {
		t.Errorf("an error of the next stage gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = readLines(ctx, &source{Reader: io.MultiReader(strings.NewReader("a\n"), endless('\n'))}, func(*chunk) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a load that was stopped gave %v", err)
	}
}

func TestLinesAreParsed(t *testing.T) {
	input := "\ufeff" + `{"type":"conversation","id":"c1","organizationId":"o1","userId":"u1","createdAt":"2026-01-01T00:00:00Z"}` + "\r\n" +
		"nonsense\r\n" +
		`{"type":"member","organizationId":"o1","userId":"u1","publicMetadata":{},"updatedAt":"2026-01-01T00:00:00Z"}`
	var results []result
	err := readLines(t.Context(), &source{Reader: strings.NewReader(input)}, func(c *chunk) error {
		c.parse()
		results = append(results, c.results...)
		return nil
	})
	if err != nil || len(results) != 3 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if c, ok := results[0].record.(*record.Conversation); !ok || c.ID != "c1" {
		t.Errorf("the first line is %+v", results[0])
	}
	if results[1].record != nil || results[1].err == nil {
		t.Errorf("the second line is %+v", results[1])
	}
	if m, ok := results[2].record.(*record.Member); !ok || m.UserID != "u1" {
		t.Errorf("the third line is %+v", results[2])
	}
}

func TestRecordsOutliveTheirChunk(t *testing.T) {
	text := []byte(`{"type":"conversation","id":"c1","organizationId":"o1","userId":"u1","agentId":"a1","createdAt":"2026-01-01T00:00:00Z"}`)
	c := newChunk("input")
	c.bytes = append(c.bytes, text...)
	c.lines = []line{{1, len(c.bytes), 0}}
	c.parse()
	kept, ok := c.results[0].record.(*record.Conversation)
	if !ok {
		t.Fatal(c.results[0].err)
	}
	before := *kept
	copy(c.bytes, bytes.Repeat([]byte{'#'}, len(text))) // as the next user of the buffer does
	if *kept != before || kept.ID != "c1" {
		t.Errorf("the record became %+v", kept)
	}
}
