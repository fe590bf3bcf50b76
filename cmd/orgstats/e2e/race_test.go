//go:build race

package e2e

// raceDetector reports that the race detector is on, so that the program needs several times its memory.
const raceDetector = true
