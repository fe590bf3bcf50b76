//go:build !linux

package pgtest

import "syscall"

// endWithParent does nothing: only Linux signals its parent's end to a process. A test that is killed leaves its server
// running.
func endWithParent(*syscall.SysProcAttr) {}
