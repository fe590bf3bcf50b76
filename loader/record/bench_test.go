package record

import (
	"bytes"
	"strings"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	long := `{"type":"message","id":"m1","conversationId":"c1","role":"user","createdAt":"2024-01-01T00:00:00Z","content":"` +
		strings.Repeat(`some words\n`, 200) + `"}`
	byType := map[string][][]byte{"long message": {[]byte(long)}}
	for _, line := range contractLines(b) {
		for _, kind := range []string{"message", "conversation", "kbFile", "member"} {
			if _, err := Parse(line); err == nil && bytes.HasPrefix(line, []byte(`{"type": "`+kind+`"`)) {
				byType[kind] = append(byType[kind], line)
			}
		}
	}
	for kind, lines := range byType {
		b.Run(kind, func(b *testing.B) {
			size := len(bytes.Join(lines, nil)) / len(lines)
			b.SetBytes(int64(size))
			arena := NewArena(1000) // as the loader parses its chunks
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := arena.Parse(lines[i%len(lines)]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkParseTime(b *testing.B) {
	for b.Loop() {
		if _, _, err := ParseTime("2024-01-31T23:59:59.999Z"); err != nil {
			b.Fatal(err)
		}
	}
}
