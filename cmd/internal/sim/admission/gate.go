package admission

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const laneName = "main"

// cut is where a gate loses its power.
type cut int

const (
	cutNowhere cut = iota
	cutBefore      // the next commit: it is not done
	cutAfter       // the next commit: it is done, and nobody hears of it
	cutDecided     // after the commit of a decision, before its effects
	cutOpened      // when the barrier has opened, before anything else
	cuts           // how many
)

// gate is a gate's PC: its disk, and what it has in memory while it has power.
type gate struct {
	w      *world
	number uint16
	agent  store.Agent
	path   string
	clock  clock

	db      *disk.DB
	journal *journal.Journal
	snap    *snapshot.Snapshot
	core    *lane.Core
	on      bool
	boot    int  // counts starts; what was begun before means nothing any more
	gone    bool // its disk is
	alone   bool // without the server, until its disk goes
	armed   cut
	dying   bool

	link  uplink
	asks  map[string]*question // of ours, by wire.Claim.Asked
	fault int64                // when its disk failed last
	queue []input
	busy  bool
	scans int
	await []*presentation // those that nobody was told anything of
	wiped byte
}

// input waits for the next transaction.
type input struct {
	in    desk.Input
	reply func(wire.Answer) error // of a claim that somebody asked
}

func (w *world) newGate(n int) (*gate, error) {
	g := &gate{w: w, number: uint16(n + 1), clock: newClock(w)}
	mode := w.cfg.Policy
	if w.cfg.Mixed && n%2 == 1 {
		mode = verdict.Online
	}
	made, err := w.server.db.AddGate(ctx, "sim", store.Gate{
		Name: fmt.Sprintf("%d 号门", n+1), Zone: 1, Mode: mode, Documents: w.weather.documents && w.chance(0.4),
		Offline: w.cfg.offline(),
	})
	if err != nil {
		return nil, err
	}
	if made.ID != g.number {
		return nil, fmt.Errorf("gate %d became %d", g.number, made.ID)
	}
	return g, g.enrol()
}

// enrol makes the gate's agent, with an empty disk.
func (g *gate) enrol() error {
	key := ed25519.NewKeyFromSeed(g.w.bytes(ed25519.SeedSize))
	agent, err := g.w.server.enrol(g, key, g.wiped)
	if err != nil {
		return err
	}
	g.agent, g.gone = agent, false
	g.path = filepath.Join(g.w.dir, fmt.Sprintf("gate%d-%d.db", g.number, agent.Epoch))
	i := g.w.server.issuer
	root := i.root.Public().(ed25519.PublicKey)
	return disk.Create(g.path, func(tx *disk.Tx) error {
		return errors.Join(
			journal.Enrol(tx, journal.Identity{
				Agent: agent.ID, Epoch: agent.Epoch, Gate: g.number, Site: siteName, TimeZone: g.w.zone.String(), Root: root, Private: key,
			}),
			snapshot.Enrol(tx, root, siteName, i.keyring),
		)
	})
}

// start opens the disk and begins to work.
func (g *gate) start() (err error) {
	if g.db, err = disk.Open(g.path); err != nil {
		return err
	}
	if g.journal, err = journal.Open(g.db); err != nil {
		return err
	}
	id := g.journal.Identity()
	if g.snap, err = snapshot.Open(g.db, id.Gate, id.Site, id.Root); err != nil {
		return err
	}
	err = g.journal.Update(func(b lane.Book) (err error) {
		g.core, err = lane.NewCore(lane.Config{
			Gate: id.Gate, Site: id.Site, Lanes: []lane.Lane{{Name: laneName}}, Zone: g.w.zone, ClockMaxAge: desk.DefaultClockMaxAge,
		}, b)
		return err
	})
	if err != nil {
		return err
	}
	g.db.Faults(g.commit)
	g.boot++
	g.on, g.dying, g.busy, g.queue = true, false, false, nil
	g.link, g.asks = uplink{}, map[string]*question{}
	g.clock.started = g.w.now
	g.during(g.w.between(1, wire.HeartbeatMS), g.beat)
	return g.w.witness.read(g)
}

// during has something happen in ms, unless the power goes before.
func (g *gate) during(ms int64, do func() error) {
	boot := g.boot
	g.w.after(ms, func() error {
		if !g.on || g.boot != boot {
			return nil
		}
		return do()
	})
}

// commit fails some commits, in both forms, and is where the power goes.
func (g *gate) commit() (apply bool, err error) {
	switch {
	case g.armed == cutBefore || g.armed == cutAfter:
		apply = g.armed == cutAfter
		g.armed, g.dying = cutNowhere, true
		return apply, errPower
	case g.dying:
		return false, errPower
	case g.w.faults && g.w.chance(g.w.weather.disk):
		g.w.result.Faults++
		g.fault = g.w.now
		return g.w.chance(0.5), errDisk
	}
	return true, nil
}

// arm chooses where the gate's power goes: at once, or at the next step of that
// kind.
func (g *gate) arm() error {
	if !g.w.faults || !g.on {
		return nil
	}
	if g.armed = cut(g.w.rng.IntN(int(cuts))); g.armed == cutNowhere {
		return g.crash()
	}
	return nil
}

// crash cuts the power, for a while.
func (g *gate) crash() error {
	g.w.result.PowerCuts++
	g.armed = cutNowhere
	if err := g.stop(); err != nil {
		return err
	}
	for _, p := range g.await {
		p.holder.heard = "no_power"
		p.holder.again(0)
	}
	g.await = nil
	if !g.w.faults {
		return g.start()
	}
	boot := g.boot
	g.w.after(g.w.spell(15_000), func() error {
		if g.on || g.gone || g.boot != boot {
			return nil
		}
		return g.start()
	})
	return nil
}

// stop closes the disk, whose every event has been seen then.
func (g *gate) stop() error {
	if !g.on {
		return nil
	}
	g.on = false
	g.link = uplink{}
	return errors.Join(g.w.witness.read(g), g.db.Close())
}

// estrange has a gate go on for a while without its server, so that its disk, which
// goes then, holds what nobody else knows.
func (g *gate) estrange() error {
	if !g.w.faults || g.gone || g.alone {
		return nil
	}
	g.alone = true
	g.w.net.part(int(g.number), 0)
	g.w.after(g.w.between(10_000, 300_000), func() error {
		g.alone = false
		if g.w.faults {
			g.w.net.join(int(g.number), 0)
		}
		return g.wipe()
	})
	return nil
}

// wipe takes the gate's disk away. Somebody enrols it again.
func (g *gate) wipe() error {
	if !g.w.faults || g.gone {
		return nil
	}
	if g.w.cfg.Trouble > 1 && g.on && g.journal.Queue() == 0 { // with something that nobody else knows
		g.w.after(1_000, g.wipe)
		return nil
	}
	if err := g.stop(); err != nil {
		return err
	}
	g.gone = true
	g.w.result.Wipes++
	g.w.witness.forget(g)
	g.w.after(g.w.between(20_000, 120_000), g.replace)
	return nil
}

// replace enrols a gate whose disk was taken away, as soon as the server hears it.
func (g *gate) replace() error {
	n := g.w.net
	if !g.gone {
		return nil
	}
	if !g.w.server.up() || !n.held(int(g.number), 0, g.w.now) || !n.held(0, int(g.number), g.w.now) {
		g.w.after(5_000, g.replace)
		return nil
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(g.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	g.wiped++
	if err := g.enrol(); err != nil {
		if ok, fault := g.w.server.done(err); ok || fault != nil {
			return fault
		}
		g.gone = true
		g.w.after(5_000, g.replace)
		return nil
	}
	return g.start()
}

// mend gives the power back.
func (g *gate) mend() error {
	g.armed = cutNowhere
	switch {
	case g.gone:
		return g.replace()
	case !g.on:
		return g.start()
	}
	return nil
}

// done looks at how a change of the disk ended. It is not ok when nothing follows
// from it: the disk failed, or the power went with it.
func (g *gate) done(err error) (ok bool, fault error) {
	if g.dying {
		return false, g.crash()
	}
	if errors.Is(err, errDisk) {
		return false, nil
	}
	return err == nil, err
}

func (g *gate) stamp() desk.Stamp {
	return desk.Stamp{Wall: g.clock.wall(g.w.now), Mono: g.clock.mono(g.w.now), Offline: !g.link.open}
}

// mostAtOnce are stepped in one transaction.
const mostAtOnce = 64

// put has the gate step an input, together with others that come meanwhile.
func (g *gate) put(in input) {
	g.queue = append(g.queue, in)
	if !g.busy {
		g.busy = true
		g.during(g.w.spell(3), g.settle)
	}
}

// settle is one transaction and what follows it.
func (g *gate) settle() error {
	n := min(len(g.queue), mostAtOnce)
	batch := g.queue[:n:n]
	g.queue = g.queue[n:]
	if g.busy = len(g.queue) > 0; g.busy {
		g.during(1, g.settle)
	}
	ins := make([]desk.Input, n)
	for i := range batch {
		ins[i] = batch[i].in
	}
	last := g.journal.Last()
	effects, err := desk.Settle(g.journal.Update, g.core, ins)
	switch {
	case g.dying:
		return g.crash()
	case err != nil && !errors.Is(err, errDisk):
		return err
	}
	if err != nil || g.journal.Last() != last {
		if err := g.w.witness.read(g); err != nil {
			return err
		}
		if err == nil && g.armed == cutDecided {
			return g.crash()
		}
		g.during(g.w.between(1, 200), g.upload)
	}
	return g.perform(batch, effects)
}

// perform moves barriers first, as the desk does.
func (g *gate) perform(batch []input, effects [][]desk.Effect) error {
	for _, list := range effects {
		for _, e := range list {
			if e, ok := e.(lane.Open); ok {
				g.w.witness.opened(g, e.Scan)
				if g.armed == cutOpened {
					return g.crash()
				}
			}
		}
	}
	for i, list := range effects {
		for _, e := range list {
			if err := g.effect(batch[i], e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *gate) effect(of input, e desk.Effect) error {
	switch e := e.(type) {
	case desk.Show:
		return g.w.shown(g, e.Result)
	case desk.Ask:
		return g.ask(e.Claim)
	case desk.Tell:
		return g.tell(e.Claim)
	case desk.Later:
		g.later(e)
	case desk.Pong:
		return g.send(wire.Link, wire.TypePong, e.Pong)
	case desk.Reply:
		if of.reply != nil {
			return of.reply(e.Answer)
		}
	}
	return nil
}

// claimed answers a claim on a pass that this gate owns.
func (g *gate) claimed(c *wire.Claim, reply func(wire.Answer) error) {
	g.put(input{lane.ClaimAsked{Stamp: g.stamp(), Claim: *c}, func(a wire.Answer) error {
		if a.ID = c.ID; a.Check() != nil {
			a = c.Answer(verdict.ClaimSilent)
		}
		return reply(a)
	}})
}
