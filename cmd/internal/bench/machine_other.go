//go:build !linux

package bench

import (
	"errors"
	"os"
	"syscall"
	"time"
)

var errNotLinux = errors.New("measured on Linux only")

func datasync(f *os.File) error { return f.Sync() }

func inMemory(string) bool { return false }

func loadAverage() (float64, error) { return 0, errNotLinux }

func resident(int) (float64, error) { return 0, errNotLinux }

func processorTime(int) (time.Duration, error) { return 0, errNotLinux }

func deathSignal() *syscall.SysProcAttr { return nil }
