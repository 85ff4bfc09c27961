//go:build !linux

package campus

import "syscall"

func deathSignal() *syscall.SysProcAttr { return nil }
