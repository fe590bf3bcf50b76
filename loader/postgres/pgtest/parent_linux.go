package pgtest

import "syscall"

// endWithParent lets the server end at once, with all its processes, when the test is killed.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGQUIT }
