package campus

import "syscall"

// deathSignal has the kernel end a child whose parent dies, and gives it a
// group of its own, so that a Ctrl-C meant for this process does not reach it.
func deathSignal() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// signal reaches the whole group: a wrapper such as strace, and the daemon.
func (p *Process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// Freeze stops the daemon where it is, as a machine does that hangs, until Thaw.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw has a frozen daemon go on.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }
