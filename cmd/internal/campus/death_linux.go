package campus

import "syscall"

// deathSignal has the kernel end a child whose parent dies, and gives it a
// group of its own, so that a Ctrl-C meant for this process does not reach it.
func deathSignal() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// signal reaches the whole group: a wrapper such as strace, and the daemon.
func (p *Process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }
