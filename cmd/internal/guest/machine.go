package guest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// marker begins the lines of the init on the console.
	marker = "[guest]"
	// variable marks the first process of a machine.
	variable = "CAMPUSGATE_GUEST"
	// InsideVariable is set for a program that runs inside a guest machine.
	InsideVariable = "CAMPUSGATE_INSIDE"
	// memory is in MB; most of it holds the programs.
	memory = "512"
)

// Machine is a running guest machine.
type Machine struct {
	folder  string
	command *exec.Cmd
	console io.ReadCloser
	monitor *monitor
}

// Start boots a machine from a kernel and a disk made by Kernel.Disk. Its sockets
// are made in folder, whose path must be short. Its programs get the arguments. It
// ends with ctx.
func (k *Kernel) Start(ctx context.Context, folder, disk string, arguments ...string) (*Machine, error) {
	m := &Machine{folder: folder}
	m.command = exec.CommandContext(ctx, emulator,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "pc", "-accel", "tcg", "-m", memory,
		"-kernel", k.Image, "-initrd", disk,
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr cryptomgr.notests random.trust_cpu=on "+
			"tsc=reliable no_timer_check rdinit=/init "+variable+"=1 -- "+strings.Join(arguments, " "),
		"-serial", "stdio",
		"-serial", "unix:"+m.socket("line")+",server=on,wait=off",
		"-qmp", "unix:"+m.socket("monitor")+",server=on,wait=off",
		"-device", "qemu-xhci,id=usb",
		"-chardev", "socket,id=wire,path="+m.socket("wire")+",server=on,wait=off",
	)
	m.command.Stderr = os.Stderr
	var err error
	if m.console, err = m.command.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := m.command.Start(); err != nil {
		return nil, fmt.Errorf("start the guest machine: %w", err)
	}
	link, err := m.dial(ctx, "monitor")
	if err == nil {
		m.monitor, err = newMonitor(link)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("guest machine: %w", err), m.command.Process.Kill(), m.Wait())
	}
	return m, nil
}

func (m *Machine) socket(name string) string { return filepath.Join(m.folder, name) }

// dial connects to a socket of the emulator, which may still be starting.
func (m *Machine) dial(ctx context.Context, name string) (net.Conn, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		link, err := (&net.Dialer{}).DialContext(ctx, "unix", m.socket(name))
		if err == nil {
			return link, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Console reads what the machine says, line by line, until it is off.
func (m *Machine) Console(said func(line string)) error {
	lines := bufio.NewScanner(m.console)
	for lines.Scan() {
		said(strings.TrimRight(lines.Text(), "\r"))
	}
	return lines.Err()
}

// Wait returns when the machine is off.
func (m *Machine) Wait() error {
	err := m.command.Wait()
	if m.monitor != nil {
		err = errors.Join(err, m.monitor.close())
	}
	return err
}
