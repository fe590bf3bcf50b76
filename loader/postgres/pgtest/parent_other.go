//go:build !linux

package pgtest

import "syscall"

// endWithParent does nothing: only Linux tells a process of its parent's end. A test that is killed leaves its server
// running.
func endWithParent(*syscall.SysProcAttr) {}
