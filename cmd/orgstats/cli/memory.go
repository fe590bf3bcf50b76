package cli

import (
	"os"
	"runtime/debug"
)

// limitMemory sets the memory limit of the process, within which the garbage collector keeps it by running more often.
// GOMEMLIMIT, in the environment, sets another limit.
func limitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}

// leastRoom is what a service needs beside what it keeps: connections, requests, and what is being fetched.
const leastRoom = 128 << 20

// keptOf returns how much of --memory the service keeps to answer from. The rest is for what keeping costs beyond its
// bytes, and for garbage.
func keptOf(memory int64) int64 { return memory - memory/8 }

// limitOf returns the memory limit of a service: a tenth more than --memory.
func limitOf(memory int64) int64 { return max(memory+memory/10, keptOf(memory)+leastRoom) }
