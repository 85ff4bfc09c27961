//go:build !linux

package campus

import "syscall"

func deathSignal() *syscall.SysProcAttr { return nil }

func (p *Process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }
