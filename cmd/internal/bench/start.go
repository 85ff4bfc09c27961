package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"campusgate/agent"
	"campusgate/devices/pty"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	starts      = 7       // of the agent; the figure is their median
	stored      = 100_000 // revocations, and as many passes used elsewhere
	scansBefore = 200     // that an agent judges before its memory is read
)

// start measures the gateagent program: how long a cold start takes until it
// is ready to judge, without a network, and what it holds in memory.
func (r *run) start(ctx context.Context) (err error) {
	bin, err := r.agentProgram()
	if err != nil {
		return err
	}
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	p, err := r.prepare(c, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	var took sample
	var memory float64
	for i := range starts {
		seconds, err := p.start(ctx)
		if err != nil {
			return err
		}
		took = append(took, seconds)
		if i == starts-1 {
			memory, err = p.work(ctx, c)
		}
		if stopped := p.stop(); err == nil {
			err = stopped
		}
		if err != nil {
			return err
		}
	}
	slices.Sort(took)
	return r.print(
		Figure{Name: "cold_start", Value: Number(took.median()), Unit: "s"}.atMost(0.5),
		Figure{Name: "agent_rss", Value: Number(memory), Unit: "MiB"}.atMost(60),
	)
}

// agentProgram finds gateagent.
func (r *run) agentProgram() (string, error) {
	dir := r.o.Bin
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		dir = filepath.Dir(self)
	}
	path, err := filepath.Abs(filepath.Join(dir, "gateagent"))
	if err != nil {
		return "", err
	}
	return exec.LookPath(path)
}

// program is the gateagent program with its store and its devices.
type program struct {
	bin, config, url string
	cables           []*pty.Cable
	cmd              *exec.Cmd
	said             *bytes.Buffer
}

// prepare makes the store of an enrolled agent, and its configuration.
func (r *run) prepare(c *campus, bin string) (p *program, err error) {
	p = &program{bin: bin, config: filepath.Join(r.dir, "gate.yaml")}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	items, err := crowd(c, r.size(stored))
	if err != nil {
		return p, err
	}
	a, err := newGatePC(filepath.Join(r.dir, agent.StoreName), c, items)
	if err != nil {
		return p, err
	}
	if err := a.db.Close(); err != nil {
		return p, err
	}
	for _, name := range []string{"scanner", "relay"} {
		cable, err := pty.NewCable(r.dir, name)
		if err != nil {
			return p, err
		}
		p.cables = append(p.cables, cable)
	}
	addr, err := freeAddr()
	if err != nil {
		return p, err
	}
	p.url = "http://" + addr
	text := fmt.Sprintf(`server: %s
data: %q
listen: %s
lanes:
  - name: main
    scanner: {driver: serial, path: %q}
    barrier: {driver: lcus, path: %q}
`, nowhere, r.dir, addr, p.cables[0].Host, p.cables[1].Host)
	return p, os.WriteFile(p.config, []byte(text), 0o600)
}

// crowd is a snapshot with many revocations, and as many passes used elsewhere.
func crowd(c *campus, size int) (items []wire.Item, err error) {
	at := c.now.UnixMilli()
	revoked := wire.Revocation{At: at, Expires: c.now.Unix() + 86400}
	used := wire.Use{First: verdict.Use{At: at, Gate: gateID + 1}, Count: 1, Expires: revoked.Expires}
	for _, list := range []struct {
		kind wire.ItemKind
		body any
		from int
	}{
		{wire.ItemRevocation, revoked, 10_000_000},
		{wire.ItemUse, used, 20_000_000},
	} {
		for n := range size {
			it, err := item(list.kind, passID(list.from+n).String(), list.body)
			if err != nil {
				return nil, err
			}
			items = append(items, it)
		}
	}
	return items, nil
}

// freeAddr picks a loopback port that was free a moment ago.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start runs the program and gives the seconds until it is ready.
func (p *program) start(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.said = &bytes.Buffer{}
	p.cmd = exec.Command(p.bin, "-config", p.config)
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, p.said
	p.cmd.SysProcAttr = deathSignal()
	from := time.Now()
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return 0, err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if res, err := http.Get(p.url + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(from).Seconds(), nil
			}
		}
		select {
		case <-ctx.Done():
			_ = p.stop()
			return 0, fmt.Errorf("%s is not ready: %w; it said: %s", p.bin, ctx.Err(), p.said)
		case <-tick.C:
		}
	}
}

// work lets the program judge, and gives its memory in MiB.
func (p *program) work(ctx context.Context, c *campus) (float64, error) {
	texts, err := c.bearers(1, scansBefore)
	if err != nil {
		return 0, err
	}
	for _, text := range texts {
		if err := p.present(ctx, text); err != nil {
			return 0, err
		}
	}
	return resident(p.cmd.Process.Pid)
}

func (p *program) present(ctx context.Context, text string) error {
	body, err := json.Marshal(map[string]string{"text": text, "source": "api"})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/v1/scans", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return err
	}
	var got struct {
		Reason verdict.Reason `json:"reason"`
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.Reason != verdict.Granted {
		return fmt.Errorf("not admitted: %s: %s", res.Status, strings.TrimSpace(string(answer)))
	}
	return nil
}

// stop ends the program as a power cut would.
func (p *program) stop() error {
	if p.cmd == nil {
		return nil
	}
	cmd := p.cmd
	p.cmd = nil
	http.DefaultClient.CloseIdleConnections()
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = cmd.Wait() // it says that it was killed
	return nil
}

func (p *program) close() error {
	errs := []error{p.stop()}
	for _, c := range p.cables {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
