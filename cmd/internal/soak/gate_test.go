package soak

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/link"
	"campusgate/agent/link/memnet"
	"campusgate/agent/snapshot"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// gate is a gate PC with one lane.
type gate struct {
	w    *world
	id   uint32 // of the agent and of the gate
	path string

	mu   sync.Mutex // guards mode and what start makes
	mode memnet.Mode
	*process
}

// process is what an agent is while it runs.
type process struct {
	db       *disk.DB
	journal  *journal.Journal
	snapshot *snapshot.Snapshot
	desk     *lane.Desk
	link     *link.Link
	end      func()
}

func (w *world) newGate(id uint32) *gate {
	g := &gate{w: w, id: id, path: filepath.Join(w.dir, fmt.Sprintf("gate%d.db", id))}
	ctx, db := context.Background(), w.server.db
	made, err := db.AddGate(ctx, "soak", store.Gate{Name: fmt.Sprintf("%d 号门", id), Zone: 1, Mode: verdict.Owner})
	if err != nil {
		w.t.Fatal(err)
	}
	secret := sha256.Sum256(fmt.Append(nil, "enrolment", id))
	if err := db.NewEnrolment(ctx, "soak", made.ID, secret[:], time.Now().UnixMilli()+60_000); err != nil {
		w.t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := db.Enrol(ctx, secret[:], public, "gate-pc")
	if err != nil || a.ID != id || a.Gate != uint16(id) {
		w.t.Fatal(a, err)
	}
	w.mu.Lock()
	w.server.cables[id] = g.cable(w.server.net)
	w.mu.Unlock()
	g.install(g.path, private)
	g.start()
	return g
}

// install makes the agent's store, as enrolment does.
func (g *gate) install(path string, private ed25519.PrivateKey) {
	_, signed, err := g.w.server.db.Keyring(context.Background())
	if err != nil {
		g.w.t.Fatal(err)
	}
	site, root := g.w.server.db.Site().Name, g.w.root.Public().(ed25519.PublicKey)
	err = disk.Create(path, func(tx *disk.Tx) error {
		return errors.Join(
			journal.Enrol(tx, journal.Identity{
				Agent: g.id, Epoch: 1, Gate: uint16(g.id), Site: site, TimeZone: "UTC", Root: root, Private: private,
			}),
			snapshot.Enrol(tx, root, site, signed),
		)
	})
	if err != nil {
		g.w.t.Fatal(err)
	}
}

// open opens a store.
func open(path string) (p *process, err error) {
	p = &process{}
	if p.db, err = disk.Open(path); err != nil {
		return nil, err
	}
	if p.journal, err = journal.Open(p.db); err != nil {
		return nil, err
	}
	id := p.journal.Identity()
	p.snapshot, err = snapshot.Open(p.db, id.Gate, id.Site, id.Root)
	return p, err
}

// start runs the agent until stop.
func (g *gate) start() {
	p, err := open(g.path)
	if err != nil {
		g.w.t.Fatal(err)
	}
	past, err := p.journal.Recent(50)
	if err != nil {
		g.w.t.Fatal(err)
	}
	id := p.journal.Identity()
	p.desk, err = lane.NewDesk(lane.Config{Gate: id.Gate, Site: id.Site, Lanes: []lane.Lane{{Name: "entry"}}, ClockMaxAge: desk.DefaultClockMaxAge},
		lane.Deps{
			Store: p.journal, Keyring: p.snapshot.Keyring, Guideline: p.snapshot.Guideline, Gate: p.snapshot.Gate,
			Barriers: map[string]func(context.Context) error{"entry": func(context.Context) error { return nil }}, Opened: g.barrier,
			Ask:    func(ctx context.Context, c wire.Claim) wire.Answer { return p.link.Ask(ctx, c) },
			Online: func() bool { return p.link.State().Online }, Past: past,
		})
	if err != nil {
		g.w.t.Fatal(err)
	}
	p.link, err = link.New(link.Config{
		Server: "http://" + address, Software: "soak", Dial: g.dial,
		Identity: link.Identity{Agent: id.Agent, Epoch: id.Epoch, Site: id.Site, Key: id.Private},
	}, link.Deps{Journal: &acks{Journal: p.journal, gate: g}, Snapshot: &groups{p.snapshot, g.w}, Clock: p.desk, Claimed: p.desk.Claimed})
	if err != nil {
		g.w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = p.desk.Run(ctx) })
	parts.Go(func() { _ = p.link.Run(ctx) })
	p.end = func() {
		cancel()
		parts.Wait()
		if err := p.db.Close(); err != nil {
			g.w.t.Error(err)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.process = p
}

// stop ends the process, with whatever was under way.
func (g *gate) stop() { g.now().end() }

func (g *gate) now() *process {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.process
}

// cable joins the gate to a server's network.
func (g *gate) cable(n *memnet.Listener) *memnet.Cable {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := n.Cable(fmt.Sprintf("127.0.0.1:%d", 5000+g.id))
	c.Shape(1<<20, 5*time.Millisecond)
	c.Set(g.mode)
	return c
}

// plug changes the condition of the cable.
func (g *gate) plug(mode memnet.Mode) {
	g.mu.Lock()
	g.mode = mode
	g.mu.Unlock()
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	if s := g.w.server; s != nil {
		s.cables[g.id].Set(mode)
	}
}

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	g.w.mu.Lock()
	var cable *memnet.Cable
	if s := g.w.server; s != nil {
		cable = s.cables[g.id]
	}
	g.w.mu.Unlock()
	if cable == nil {
		return nil, memnet.ErrRefused
	}
	return cable.Dial(ctx, network, addr)
}

// present is somebody at the lane, who now and then turns back.
func (g *gate) present() {
	p := g.w.some()
	if p == nil {
		return
	}
	now := g.now()
	g.w.counts.add(&g.w.counts.Scans)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := now.desk.Present(ctx, "entry", "serial", p.code)
	if err != nil || r.Reason != verdict.Granted || r.Repeat || g.w.dice.below(10) > 0 {
		return
	}
	<-time.After(g.w.dice.between(time.Second, 5*time.Minute))
	if _, err := g.now().desk.Annul(context.Background(), r.ID); err == nil {
		g.w.counts.add(&g.w.counts.Annulled)
	}
}

// barrier notes an opening.
func (g *gate) barrier(_, scan string) {
	g.w.counts.add(&g.w.counts.Opened)
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	g.w.opened[scan] = true
}

func (g *gate) prune() {
	now := g.now()
	if _, err := now.journal.Prune(time.Now(), journal.Keep{}); err != nil && !closed(err) {
		g.w.t.Error(err)
	}
	if err := now.snapshot.Prune(time.Now()); err != nil && !closed(err) {
		g.w.t.Error(err)
	}
}

// acks sees that the journal is told of each event once, in order.
type acks struct {
	*journal.Journal
	gate *gate
	held uint64
}

func (a *acks) Ack(seq uint64) error {
	if seq < a.held || seq > a.Last() {
		a.gate.w.t.Errorf("gate %d: acked %d after %d of %d", a.gate.id, seq, a.held, a.Last())
	}
	a.held = seq
	return a.Journal.Ack(seq)
}

// groups counts snapshots.
type groups struct {
	*snapshot.Snapshot
	w *world
}

// Fresh goes by the fake clock, which everybody shares.
func (s *groups) Fresh(at time.Time) error { return s.Current(at) }

func (s *groups) Apply(group []wire.Delta) error {
	if group[0].Reset {
		s.w.counts.add(&s.w.counts.Snapshots)
	}
	return s.Snapshot.Apply(group)
}
