//go:build race

package e2e

// raceDetector says that the program needs several times its memory.
const raceDetector = true
