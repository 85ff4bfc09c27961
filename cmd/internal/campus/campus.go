package campus

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
	"campusgate/devices/pty"
	"campusgate/server"
)

// Options say what to run. The zero Options run a server and two gates with
// the daemons found beside this program, in a new temporary folder.
type Options struct {
	Dir            string    // data of all daemons; "" = temporary, removed by Close
	Bin            string    // folder of the daemons; "" = beside this program, ./bin, or on the path
	Gates          []string  // names; nil = two invented ones
	Documents      bool      // gates ask for a document
	Printer        string    // path of the first gate's receipt printer; "" = none
	FrameAncestors []string  // who may show the guard pages in a frame
	Log            io.Writer // what the daemons say; nil = nowhere
	Texts          io.Writer // the one-time codes that phones would get; nil = nowhere
	Wrap           []string  // a command that runs each agent, such as strace

	Lines bool // each gate has a line of its own to the server (Gate.Line)
	Peers bool // gates ask each other directly; for a Place
	// Place puts the daemons elsewhere, "server" and then "gate 1", "gate 2", …:
	// the server has TLS there, and there is no Network. Nil = all are on loopback.
	Place func(name string) Place

	// Now is the clock of all daemons, which then run inside this process until
	// Resume. Nil = they are processes, whose clock is the computer's.
	Now func() time.Time
}

// Campus is a server, its agents, their devices and the network between.
type Campus struct {
	Server    *Process
	Client    Client // of the server's API, around the network
	AdminLink string // makes the first administrator, once
	Texts     *Texts // codes for phones
	Database  string // the server's file
	Network   *Network
	Gates     []*Gate
	Tills     []*Till

	options Options // completed
	dir     string
	owned   bool
	logs    sync.Mutex // of Options.Log
}

// Gate is a gate PC with one lane.
type Gate struct {
	ID      uint16
	Name    string
	URL     string // of the guard page
	Agent   *Process
	Data    string     // the agent's folder
	Scanner *pty.Cable // Device is where a scan is written
	Relay   *pty.Cable // Device is where relay frames come out
	Line    *Network   // to the server: its own, or that of all; nil in a Place

	http *http.Client // reaches it in its Place; nil = on loopback
}

// Start brings everything up and returns when every agent is ready. On an
// error nothing is left running.
func Start(ctx context.Context, o Options) (c *Campus, err error) {
	c = &Campus{dir: o.Dir}
	defer func(begun *Campus) {
		if err != nil {
			_ = begun.Close()
		}
	}(c)
	if o.Dir == "" {
		if c.dir, err = os.MkdirTemp("", "campusgate-"); err != nil {
			return nil, err
		}
		c.owned = true
	}
	if o.Bin == "" {
		if o.Bin, err = daemons(); err != nil {
			return nil, err
		}
	}
	if o.Gates == nil {
		o.Gates = []string{"东门 East Gate", "西门 West Gate"}
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	c.options = o
	if err := c.startServer(ctx, o); err != nil {
		return nil, err
	}
	if o.Place == nil {
		if c.Network, err = NewNetwork(c.Addr()); err != nil {
			return nil, err
		}
	}
	if err := c.Client.Do(ctx, http.MethodPost, "/api/v1/zones", map[string]any{"id": 1, "name": "A 区 Campus A"}, nil); err != nil {
		return nil, err
	}
	for i, name := range o.Gates {
		if err := c.addGate(ctx, o, i+1, name); err != nil {
			return nil, fmt.Errorf("gate %q: %w", name, err)
		}
	}
	return c, nil
}

func (c *Campus) startServer(ctx context.Context, o Options) error {
	at, addr, err := c.placeServer()
	if err != nil {
		return err
	}
	data := filepath.Join(c.dir, "server")
	c.Database = filepath.Join(data, "server.db")
	config := data + ".yaml"
	yaml := fmt.Sprintf("listen: %s\ndata: %s\nsite: 云岭大学\nsms: {gateway: terminal}\nrecharge: {trial: true}\n", addr, data)
	if at.Addr != "" {
		yaml += fmt.Sprintf("tls: {hosts: [%q]}\n", at.Addr)
	}
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		return err
	}
	c.Texts = &Texts{}
	if o.Now == nil { // what is past concerns nobody
		c.Texts.tell(o.Texts)
	}
	c.Server = &Process{
		name: "server", bin: filepath.Join(o.Bin, "gateserver"), args: []string{"-config", config}, wrap: at.Wrap,
		log: io.MultiWriter(prefixed("server", o.Log, &c.logs), c.Texts),
	}
	made, err := c.found(ctx, config)
	if err != nil {
		return err
	}
	c.Client, c.AdminLink = Client{Base: "http://" + addr, Token: made.Token}, made.AdminLink
	if at.Addr != "" {
		c.Client.Base, c.Client.HTTP = "https://"+addr, at.client()
	}
	return c.StartServer(ctx)
}

// found makes the server's data and keys.
func (c *Campus) found(ctx context.Context, config string) (made server.Founded, err error) {
	if c.options.Now != nil {
		return c.foundInside(ctx, config)
	}
	out, err := run(ctx, c.Server.bin, "init", "-config", config, "-json")
	if err != nil {
		return made, err
	}
	if err := json.Unmarshal(out, &made); err != nil || made.Token == "" {
		return made, fmt.Errorf("gateserver init printed no token: %q", out)
	}
	return made, nil
}

// Administer runs a command of gateserver with the server's configuration, and
// gives what it printed.
func (c *Campus) Administer(ctx context.Context, verb string, more ...string) ([]byte, error) {
	return run(ctx, c.Server.bin, append([]string{verb, "-config", filepath.Dir(c.Database) + ".yaml"}, more...)...)
}

// StartServer starts the server, again after a kill, and waits until it is
// ready.
func (c *Campus) StartServer(ctx context.Context) error {
	if err := c.Server.Start(); err != nil {
		return err
	}
	return c.Server.await(ctx, c.Client.HTTP, c.Client.Base+"/readyz")
}

func (c *Campus) addGate(ctx context.Context, o Options, n int, name string) error {
	g := &Gate{Name: name, Data: filepath.Join(c.dir, fmt.Sprintf("gate%d", n))}
	c.Gates = append(c.Gates, g)
	var made struct {
		ID uint16 `json:"id"`
	}
	err := c.Client.Do(ctx, http.MethodPost, "/api/v1/gates", map[string]any{"name": name, "zone": 1, "policy": "owner"}, &made)
	if err != nil {
		return err
	}
	g.ID = made.ID
	if g.Scanner, err = pty.NewCable(c.dir, fmt.Sprintf("scanner%d", n)); err != nil {
		return err
	}
	if g.Relay, err = pty.NewCable(c.dir, fmt.Sprintf("relay%d", n)); err != nil {
		return err
	}
	label := fmt.Sprintf("gate %d", n)
	at, server, listen, err := c.placeGate(g, label)
	if err != nil {
		return err
	}
	g.URL, g.http = "http://"+listen+"/", at.client()
	config := g.Data + ".yaml"
	if err := os.WriteFile(config, []byte(agentYAML(o, server, listen, g, n == 1)), 0o600); err != nil {
		return err
	}
	if g.Agent, err = c.enrolAgent(ctx, g.ID, config, label, append(at.Wrap, o.Wrap...)); err != nil {
		return err
	}
	return g.Start(ctx)
}

// enrolAgent gives the agent of a gate or till its place, and makes its process.
func (c *Campus) enrolAgent(ctx context.Context, gate uint16, config, name string, wrap []string) (*Process, error) {
	var ticket struct {
		Code string `json:"code"`
	}
	if err := c.Client.Do(ctx, http.MethodPost, fmt.Sprintf("/api/v1/gates/%d/enrolments", gate), map[string]any{}, &ticket); err != nil {
		return nil, err
	}
	p := &Process{
		name: name, bin: filepath.Join(c.options.Bin, "gateagent"), args: []string{"-config", config},
		wrap: wrap, log: prefixed(name, c.options.Log, &c.logs),
	}
	if c.options.Now != nil {
		return p, c.enrolInside(ctx, p, config, ticket.Code)
	}
	enrol := append(slices.Clone(wrap), p.bin, "enroll", "-config", config, "-code", ticket.Code)
	_, err := run(ctx, enrol[0], enrol[1:]...)
	return p, err
}

// Start starts the gate's agent, again after a kill, and waits until it can
// admit: the server has told it the time and that its snapshot is current, now or
// in an earlier run, and its scanner is open (what a scanner sends to a closed
// port is lost).
func (g *Gate) Start(ctx context.Context) error {
	if err := g.Agent.Start(); err != nil {
		return err
	}
	if err := g.Agent.await(ctx, g.http, g.URL+"readyz"); err != nil {
		return err
	}
	return Until(ctx, func() (bool, error) {
		s, err := g.Status(ctx)
		return err == nil && ready(&s), err
	})
}

// ready reports whether an agent can judge what its one scanner reads.
func ready(s *console.Status) bool {
	return s.Clock.Trusted && s.Snapshot.At > 0 && len(s.Lanes) == 1 && s.Lanes[0].Scanner.State == devices.OK
}

// Status asks the agent how it is.
func (g *Gate) Status(ctx context.Context) (s console.Status, err error) {
	err = g.Client().Do(ctx, http.MethodGet, "/api/v1/status", nil, &s)
	return s, err
}

func agentYAML(o Options, server, listen string, g *Gate, first bool) string {
	documents := "none"
	if o.Documents {
		documents = "required"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "server: %s\ndata: %s\nlisten: %s\nmode: gate\ndocuments: %s\n", server, g.Data, listen, documents)
	if len(o.FrameAncestors) > 0 {
		fmt.Fprintf(&b, "frame_ancestors: [%q]\n", strings.Join(o.FrameAncestors, `", "`))
	}
	if o.Printer != "" && first {
		fmt.Fprintf(&b, "printer: {driver: escpos, path: %q}\n", o.Printer)
	}
	if o.Peers {
		fmt.Fprintf(&b, "peers: {listen: %q}\n", ":"+peerPort)
	}
	fmt.Fprintf(&b, "lanes:\n  - name: 主通道\n    direction: in\n")
	fmt.Fprintf(&b, "    scanner: {driver: serial, path: %s, baud: 115200}\n", g.Scanner.Host)
	fmt.Fprintf(&b, "    barrier: {driver: lcus, path: %s, pulse_ms: 500}\n", g.Relay.Host)
	return b.String()
}

// Addr is where the server listens, host:port.
func (c *Campus) Addr() string { return c.Client.Base[strings.Index(c.Client.Base, "//")+2:] }

// Close stops every process, takes the devices away and removes a temporary
// folder. It may be called more than once.
func (c *Campus) Close() error {
	var stops sync.WaitGroup
	for _, g := range c.Gates {
		if g.Agent != nil {
			stops.Go(g.Agent.Stop)
		}
	}
	for _, t := range c.Tills {
		t.stop(&stops)
	}
	if c.Server != nil {
		stops.Go(c.Server.Stop)
	}
	stops.Wait()
	for _, t := range c.Tills {
		if t.Scanner != nil {
			_ = t.Scanner.Close()
		}
	}
	for _, g := range c.Gates {
		for _, cable := range []*pty.Cable{g.Scanner, g.Relay} {
			if cable != nil {
				_ = cable.Close()
			}
		}
		if g.Line != nil {
			_ = g.Line.Close()
		}
	}
	if c.Network != nil {
		_ = c.Network.Close()
	}
	if c.owned {
		return os.RemoveAll(c.dir)
	}
	return nil
}
