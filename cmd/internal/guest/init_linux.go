package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Inside reports whether this process is the first one of a guest machine.
func Inside() bool { return os.Getpid() == 1 && os.Getenv(variable) != "" }

// Init is what the first process does: it loads the modules, runs the programs
// with its own arguments and switches the machine off. It does not return.
func Init() {
	if err := prepare(); err != nil {
		fmt.Println(marker, "failed", err)
	} else {
		programs, _ := filepath.Glob("/programs/*") // sorted; the pattern is sound
		for _, p := range programs {
			fmt.Println(marker, "runs", filepath.Base(p))
			err := run(p, os.Args[1:])
			fmt.Println(marker, "ended", filepath.Base(p), status(err))
		}
	}
	unix.Sync()
	fmt.Println(marker, "off", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
	select {} // a first process that ends is a panic of the kernel
}

func run(program string, arguments []string) error {
	c := exec.Command(program, arguments...)
	c.Stdout, c.Stderr, c.Dir = os.Stdout, os.Stdout, "/tmp"
	c.Env = []string{"HOME=/tmp", "TMPDIR=/tmp", InsideVariable + "=1"}
	return c.Run()
}

func status(err error) string {
	if err == nil {
		return "well"
	}
	return err.Error()
}

func prepare() error {
	for _, m := range []struct{ kind, where string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"},
	} {
		if err := unix.Mount(m.kind, m.where, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	modules, _ := filepath.Glob("/modules/*")
	for _, m := range modules {
		if err := insert(m); err != nil {
			return fmt.Errorf("module %s: %w", filepath.Base(m), err)
		}
	}
	return nil
}

func insert(module string) error {
	f, err := os.Open(module)
	if err != nil {
		return err
	}
	err = unix.FinitModule(int(f.Fd()), "", 0)
	if errors.Is(err, unix.EEXIST) { // built in
		err = nil
	}
	return errors.Join(err, f.Close())
}
