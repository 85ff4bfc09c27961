//go:build linux

package nets_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"campusgate/cmd/internal/campus"
)

// prefix begins the names of all namespaces; the id of the process that made
// them follows.
const prefix = "cgnet"

var lans atomic.Int64

// lan is a network of its own: a switch, and machines that are plugged into it.
// Machine 0 is the server's.
type lan struct {
	t    *testing.T
	name string // of the namespace with the switch
	all  []*machine
}

// machine is a computer on the lan: a network namespace.
type machine struct {
	lan   *lan
	name  string // of the namespace
	port  string // of the switch
	addr  string
	space *os.File
}

// newLAN makes a network of n machines that ends with the test.
func newLAN(t *testing.T, n int) *lan {
	t.Helper()
	l := &lan{t: t, name: fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), lans.Add(1))}
	if out, err := ip("netns", "add", l.name); err != nil {
		t.Skipf("no network namespaces here (root and iproute2's ip are needed): %v: %s", err, out)
	}
	t.Cleanup(func() { l.must("netns", "del", l.name) })
	if out, err := ip("-n", l.name, "link", "add", "switch", "type", "bridge"); err != nil {
		t.Skipf("no bridges here (the kernel's CONFIG_BRIDGE is needed): %v: %s", err, out)
	}
	l.must("-n", l.name, "link", "set", "switch", "up")
	for i := range n {
		m := &machine{lan: l, name: fmt.Sprintf("%s-%d", l.name, i), port: fmt.Sprintf("port%d", i), addr: fmt.Sprintf("10.0.0.%d", i+1)}
		l.must("netns", "add", m.name)
		t.Cleanup(func() {
			if m.space != nil {
				_ = m.space.Close()
			}
			l.must("netns", "del", m.name)
		})
		var err error
		if m.space, err = os.Open(filepath.Join("/var/run/netns", m.name)); err != nil {
			t.Fatal(err)
		}
		if out, err := ip("-n", l.name, "link", "add", m.port, "type", "veth", "peer", "name", "eth0", "netns", m.name); err != nil {
			t.Skipf("no cables here (the kernel's CONFIG_VETH is needed): %v: %s", err, out)
		}
		l.must("-n", l.name, "link", "set", m.port, "master", "switch", "up")
		l.must("-n", m.name, "addr", "add", m.addr+"/24", "dev", "eth0")
		l.must("-n", m.name, "link", "set", "eth0", "up")
		l.must("-n", m.name, "link", "set", "lo", "up")
		l.all = append(l.all, m)
	}
	return l
}

func ip(args ...string) (string, error) {
	out, err := exec.Command("ip", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (l *lan) must(args ...string) {
	l.t.Helper()
	if out, err := ip(args...); err != nil {
		l.t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// sweep removes what a run left behind that was killed.
func sweep() {
	out, err := ip("netns", "list")
	if err != nil {
		return // then there is nothing either
	}
	for _, line := range strings.Split(out, "\n") {
		name, _, _ := strings.Cut(line, " ")
		pid, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "-")
		if _, err := strconv.Atoi(pid); err != nil || !strings.HasPrefix(name, prefix) {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); os.IsNotExist(err) {
			_, _ = ip("netns", "del", name) // another run may be doing the same
		}
	}
}

// plug puts the machine's cable in, or pulls it out. What was on its way is lost,
// and no connection hears of it.
func (m *machine) plug(in bool) {
	m.lan.t.Helper()
	m.lan.must("-n", m.lan.name, "link", "set", m.port, map[bool]string{true: "up", false: "down"}[in])
}

// mute has nothing that the machine sends to the other arrive any more; what the
// other sends does arrive.
func (m *machine) mute(other *machine, mute bool) {
	m.lan.t.Helper()
	m.lan.must("-n", m.name, "route", map[bool]string{true: "add", false: "del"}[mute], "blackhole", other.addr+"/32")
}

// narrow has the machine send no faster than so many kilobits per second; 0 ends
// that.
func (m *machine) narrow(kbit int) {
	m.lan.t.Helper()
	verb := append([]string{"netns", "exec", m.name, "tc", "qdisc"}, strings.Fields("del dev eth0 root")...)
	if kbit > 0 {
		verb = append(verb[:5], strings.Fields(fmt.Sprintf("add dev eth0 root tbf rate %dkbit burst 8kb latency 2s", kbit))...)
	}
	m.lan.must(verb...)
}

// place is the machine for a daemon.
func (m *machine) place() campus.Place {
	return campus.Place{Addr: m.addr, Wrap: []string{"ip", "netns", "exec", m.name}, Dial: m.dial}
}

// dial connects as a program on the machine does. A socket belongs to the
// namespace of the thread that made it.
func (m *machine) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = m.inside(func() error {
		conn, err = (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// inside calls do on a thread that is on the machine. The thread goes on
// elsewhere: should it end, the kernel would end the daemons that it started.
func (m *machine) inside(do func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() { _ = home.Close() }()
	if err := unix.Setns(int(m.space.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return back // the thread is lost, and stays locked
	}
	runtime.UnlockOSThread()
	return err
}

// waiting is how many bytes have arrived at the machine from the server's port
// that the program there has not read.
func (m *machine) waiting() (bytes int64) {
	err := m.inside(func() error {
		data, err := os.ReadFile("/proc/thread-self/net/tcp")
		for _, line := range strings.Split(string(data), "\n") {
			f := strings.Fields(line)
			if len(f) < 5 || !strings.HasSuffix(f[2], fmt.Sprintf(":%04X", 8443)) || f[3] != "01" {
				continue
			}
			_, queue, _ := strings.Cut(f[4], ":")
			n, err := strconv.ParseInt(queue, 16, 64)
			if err != nil {
				return err
			}
			bytes += n
		}
		return err
	})
	if err != nil {
		m.lan.t.Error(err)
	}
	return bytes
}
