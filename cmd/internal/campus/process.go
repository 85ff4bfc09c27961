package campus

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is one daemon that can be killed and started again with the same
// arguments. Not safe for concurrent use.
type Process struct {
	name string
	bin  string
	args []string
	log  io.Writer
	wrap []string // a command that runs the daemon, such as strace

	inside func(context.Context) error // does the daemon's work in this process; nil = it is one of its own

	end  context.CancelFunc // of inside, while it runs
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs the daemon. The kernel ends it should this process die first.
func (p *Process) Start() error {
	if p.inside != nil {
		p.begin()
		return nil
	}
	argv := append(append(append([]string(nil), p.wrap...), p.bin), p.args...)
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = deathSignal()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		p.err = cmd.Wait()
		close(done)
	}(p.cmd, p.done)
	return nil
}

// begin has this process do the daemon's work.
func (p *Process) begin() {
	var ctx context.Context
	ctx, p.end = context.WithCancel(context.Background())
	p.done = make(chan struct{})
	go func(done chan struct{}) {
		p.err = p.inside(ctx)
		close(done)
	}(p.done)
}

// Kill sends SIGKILL to the daemon, and to what wraps it, and waits for the end.
// One inside this process is asked to end.
func (p *Process) Kill() {
	if p.end != nil {
		p.end()
		<-p.done
		p.end = nil
	}
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	<-p.done
	p.cmd = nil
}

// Stop asks the daemon to end and kills it after five seconds.
func (p *Process) Stop() {
	if p.cmd == nil {
		p.Kill()
		return
	}
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	p.Kill()
}

// PID is the process id of the daemon that runs now.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// await polls url until it answers 200, the daemon dies or ctx ends.
func (p *Process) await(ctx context.Context, client *http.Client, url string) error {
	if client == nil {
		client = http.DefaultClient
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if res, err := client.Get(url); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready: %v", p.name, p.err)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, ctx.Err())
		case <-tick.C:
		}
	}
}

// run executes a command to its end and gives its standard output.
func run(ctx context.Context, bin string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, bin, args...)
	out, err := cmd.Output()
	if err != nil {
		var said []byte
		if exit, ok := err.(*exec.ExitError); ok {
			said = exit.Stderr
		}
		return nil, fmt.Errorf("%s %v: %w\n%s", filepath.Base(bin), args, err, said)
	}
	return out, nil
}

// Ports of daemons are below those that systems give to whoever connects
// somewhere: one of these would take a daemon's while it is down.
const (
	firstPort = 10_000
	ports     = 20_000
)

// Processes begin to look for a port in different places.
var (
	startPort = rand.Uint32N(ports)
	tried     atomic.Uint32
)

// freeAddr picks a loopback port that was free a moment ago, and that this process
// has not picked yet. A daemon that is killed must come back on the same one.
func freeAddr() (string, error) {
	var err error
	for range 100 {
		var ln net.Listener
		ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+(startPort+tried.Add(1))%ports))
		if err == nil {
			return ln.Addr().String(), ln.Close()
		}
	}
	return "", err
}

// prefixed writes whole lines to out, each behind a name.
func prefixed(name string, out io.Writer, mu *sync.Mutex) io.Writer {
	r, w := io.Pipe()
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			mu.Lock()
			_, _ = fmt.Fprintf(out, "%-9s| %s\n", name, lines.Text())
			mu.Unlock()
		}
	}()
	return w
}

// daemons finds the folder of the two daemons: beside the running program, in
// ./bin, or on the path.
func daemons() (string, error) {
	var folders []string
	if self, err := os.Executable(); err == nil {
		folders = append(folders, filepath.Dir(self))
	}
	folders = append(folders, "bin")
	if found, err := exec.LookPath("gateagent"); err == nil {
		folders = append(folders, filepath.Dir(found))
	}
	for _, dir := range folders {
		if _, err := os.Stat(filepath.Join(dir, "gateserver")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "gateagent")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", fmt.Errorf("gateserver and gateagent are not in %v: make build, or name their folder with -bin", folders)
}
