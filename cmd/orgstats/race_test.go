//go:build race

package main

// raceDetector says that the program needs several times its memory.
const raceDetector = true
