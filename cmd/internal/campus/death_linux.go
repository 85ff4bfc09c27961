package campus

import "syscall"

// deathSignal has the kernel end a child whose parent dies.
func deathSignal() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
