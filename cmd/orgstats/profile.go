package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// profileFlags say whether the program is profiled.
type profileFlags struct {
	CPUProfile string `name:"cpu-profile" help:"Where to write, at the end, what the program used the processors for: for go tool pprof. The embedded engine is a program of its own." placeholder:"FILE"`
}

// profiled runs do, and profiles it if that is asked for.
func (f *profileFlags) profiled(do func() error) (err error) {
	if f.CPUProfile == "" {
		return do()
	}
	file, err := os.Create(f.CPUProfile)
	if err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return do()
}
