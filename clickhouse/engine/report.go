package engine

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
)

const (
	reportBytes = 64 << 10
	reportLines = 3
	reportWidth = 400
)

// noise are the lines of ClickHouse's stack traces and its greeting.
var noise = regexp.MustCompile(`^\s*$|^\d+\. |^Logging \w+ to `)

// lastWords returns the last lines that an ended engine logged.
func lastWords(d directory) string {
	for _, path := range []string{d.errorLog(), d.log()} {
		if lines := tail(path); len(lines) > 0 {
			return strings.Join(lines, "\n")
		}
	}
	return "it left no message; see " + d.log()
}

// tail returns the file's last lines without noise; none if the file cannot be read.
func tail(path string) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > reportBytes {
		_, _ = file.Seek(-reportBytes, io.SeekEnd)
	}
	content, _ := io.ReadAll(io.LimitReader(file, reportBytes))
	var lines []string
	for line := range bytes.Lines(content) {
		if !noise.Match(line) {
			line = bytes.TrimSpace(line)
			lines = append(lines, string(line[:min(len(line), reportWidth)]))
		}
	}
	return lines[max(0, len(lines)-reportLines):]
}
