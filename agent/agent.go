// Package agent assembles the agent of a gate or a till out of its parts and runs
// it: scanners and barriers (package devices), the lanes or the till that decide,
// the store that remembers, the link to the server and the console of whoever
// sits there.
//
// It works from a cold start with no network as soon as a snapshot was received
// once; the link catches up by itself.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"golang.org/x/sync/errgroup"

	"campusgate/agent/call"
	"campusgate/agent/console"
	"campusgate/agent/delivery"
	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/link"
	"campusgate/agent/peer"
	"campusgate/agent/printing"
	"campusgate/agent/shift"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Software is what an agent calls itself on the link and on its page.
const Software = "campusgate-agent/1"

// Version is the one that was built, set by the linker; empty in a build that
// nobody gave one.
var Version string

// pruneEvery is how often what has expired is removed from the store.
const pruneEvery = time.Hour

// recentEvents is how far back the guard page looks after a restart.
const recentEvents = 50

// Deps is what an agent needs of the world. Nil means the real thing.
type Deps struct {
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// DialPeer opens connections to other gates.
	DialPeer func(ctx context.Context, network, addr string) (net.Conn, error)
	// Root is the folder with the system's /sys and /dev; "" means "/".
	Root string
	// Said gives the end of the log, for the support bundle; nil means that nobody
	// keeps it.
	Said func() []byte
	// Program is who runs this agent, and would run another version. Nil means that
	// it takes none from the server.
	Program *Program
	// File is the configuration as it is written, for the support bundle.
	File []byte
}

// work is what gates and tills do alike; *lane.Desk and *till.Desk are both.
type work interface {
	console.Desk
	shift.Desk
	Run(ctx context.Context) error
	ScanTowards(lane, source string, towards verdict.Direction, text string) error
	SetOffset(offsetMS int64, at time.Time)
	Nudge()
	LastScan() int64
	Elapsed() time.Duration
	Idle() time.Duration
	Claimed(ctx context.Context, c wire.Claim) wire.Answer
}

// Agent is an enrolled gate or till PC. New opens everything, Run works once.
type Agent struct {
	settings Settings
	log      *slog.Logger
	now      func() time.Time
	root     string // of /sys and /dev
	said     func() []byte
	file     []byte // the configuration as it is written

	lock          *os.File
	db            *disk.DB
	journal       *journal.Journal
	snapshot      *snapshot.Snapshot
	desk          work
	till          *till.Desk // nil at a gate
	gate          *lane.Desk // nil at a till
	calls         *call.Book // nil at a till
	link          *link.Link
	console       *console.Console
	listener      net.Listener
	lanes         []*port
	sensors       map[string]*sensor // by lane
	devices       []*device          // of all lanes, and of none
	standing      standing           // open, in an emergency
	contact       devices.Input      // that opens in an emergency; nil = none
	contactHealth *device
	disk          *device // how it takes what the desk writes
	clock         *clock
	logins        *shift.Logins
	press         *printing.Press   // nil without a printer
	peers         *peer.Peers       // nil at a till
	courier       *delivery.Courier // nil = no program is taken from the server
	door          net.Listener      // for other gates; nil = they do not come here
	changed       chan struct{}     // one token when the status would read differently
}

// New takes the data folder for itself (ErrInUse), opens the store, which must
// exist (disk.ErrMissing), and takes the console's port. After an error nothing
// stays open.
func New(s Settings, d Deps) (_ *Agent, err error) {
	a := &Agent{
		settings: s, log: d.Log, now: d.Now, root: d.Root, said: d.Said, file: d.File, changed: make(chan struct{}, 1),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	a.disk = a.newDiskHealth()
	if a.lock, err = hold(s); err != nil {
		return nil, err
	}
	if a.db, err = disk.Open(s.store()); err != nil {
		return nil, err
	}
	if a.journal, err = journal.Open(a.db); err != nil {
		return nil, err
	}
	id := a.journal.Identity()
	if a.snapshot, err = s.snapshot(a.db, id); err != nil {
		return nil, err
	}
	s.Lanes = interlocked(s.Lanes)
	for _, l := range s.Lanes {
		p, err := a.newPort(l)
		if err != nil {
			return nil, err
		}
		a.lanes = append(a.lanes, p)
	}
	if a.contact, err = s.Emergency.input(); err != nil {
		return nil, err
	}
	if a.contact != nil {
		a.contactHealth = a.newDevice("", kindContact, s.Emergency.Driver, "")
	}
	lanes, err := a.newDesk(d)
	if err != nil {
		return nil, err
	}
	if err := a.newSensors(s.Lanes, lanes); err != nil {
		return nil, err
	}
	a.newCalls(lanes)
	a.newCourier(d.Program)
	if err := a.newLink(d); err != nil {
		return nil, err
	}
	if err := a.newPeers(d); err != nil {
		return nil, err
	}
	if err := a.newPress(); err != nil {
		return nil, err
	}
	cfg := console.Config{
		Status: a.status, StatusChanged: a.changed,
		Trigger:   a.trigger,
		Guideline: a.snapshot.Guideline, Guards: duty{a.logins, a.touch}, Lookup: lookup{a}, Service: a,
		FrameAncestors: s.FrameAncestors, Log: a.log, Rand: d.Rand,
	}
	if a.till != nil {
		cfg.Till = a.till
	} else {
		cfg.Lanes = lanes
		cfg.Calls, cfg.Kiosk = helpCalls{a.calls, s.Lanes}, a.kiosk()
	}
	if a.press != nil {
		cfg.Press = a.press
	}
	if a.console, err = console.New(cfg); err != nil {
		return nil, err
	}
	if a.listener, err = net.Listen("tcp", s.Listen); err != nil {
		return nil, err
	}
	return a, nil
}

// hold takes the data folder of an agent that was enrolled.
func hold(s Settings) (*os.File, error) {
	if _, err := os.Stat(s.store()); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: gateagent enroll -config FILE -code CODE; the server's administrator makes the code", s.store(), disk.ErrMissing)
	}
	return lockFolder(s.Data)
}

// snapshot opens the snapshot as the mode needs it.
func (s *Settings) snapshot(db *disk.DB, id journal.Identity) (*snapshot.Snapshot, error) {
	if s.Till {
		return snapshot.OpenTill(db, id.Gate, id.Site, id.Root)
	}
	return snapshot.Open(db, id.Gate, id.Site, id.Root)
}

// newDesk makes what decides. The lanes are nil at a till.
func (a *Agent) newDesk(d Deps) (lanes *lane.Desk, err error) {
	past, err := a.journal.Recent(recentEvents)
	if err != nil {
		return nil, err
	}
	if a.settings.Till {
		if a.till, err = a.newTill(d, past); err == nil {
			a.desk = a.till
		}
	} else if lanes, err = a.newLanes(d, past); err == nil {
		a.desk, a.gate = lanes, lanes
	}
	if err != nil {
		return nil, err
	}
	a.logins = shift.New(shift.Deps{Desk: a.desk, Guard: a.snapshot.Guard, Elapsed: a.desk.Elapsed})
	return lanes, nil
}

func (a *Agent) newLanes(d Deps, past []desk.Past) (*lane.Desk, error) {
	id := a.journal.Identity()
	zone, err := time.LoadLocation(id.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone of the campus: %w", err)
	}
	cfg := lane.Config{
		Gate: id.Gate, Site: id.Site, Zone: zone, Documents: a.settings.Documents, Shift: a.settings.Shift,
		ClockMaxAge: a.settings.ClockMaxAge.Milliseconds(), PolicyMaxAge: a.settings.PolicyMaxAge.Milliseconds(),
	}
	if k := a.settings.Kiosk; k != nil {
		cfg.Unstaffed, cfg.DocumentMS = !k.OnCall, wire.CallLifeMS
	}
	barriers := map[string]func(context.Context) error{}
	for _, p := range a.lanes {
		cfg.Lanes = append(cfg.Lanes, lane.Lane{Name: p.lane.Name, Direction: p.lane.Direction})
		barriers[p.lane.Name] = p.gate.open
	}
	return lane.NewDesk(cfg, lane.Deps{
		Store: watched[lane.Book]{a.journal, a.disk}, Keyring: a.snapshot.Keyring, Guideline: a.snapshot.Guideline, Gate: a.snapshot.Gate, Barriers: barriers,
		Opened: a.opened, Ask: a.ask, Online: a.online, Alarmed: a.alarmed,
		Past: past, Now: a.now, Rand: d.Rand, Log: a.log,
	})
}

func (a *Agent) newTill(d Deps, past []desk.Past) (*till.Desk, error) {
	id := a.journal.Identity()
	zone, err := time.LoadLocation(id.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone of the campus: %w", err)
	}
	cfg := till.Config{
		Gate: id.Gate, Site: id.Site, Zone: zone, Shift: a.settings.Shift,
		ClockMaxAge: a.settings.ClockMaxAge.Milliseconds(), PolicyMaxAge: a.settings.PolicyMaxAge.Milliseconds(),
	}
	for _, p := range a.lanes {
		cfg.Lanes = append(cfg.Lanes, p.lane.Name)
	}
	taken := journal.Till{Journal: a.journal}
	return till.NewDesk(cfg, till.Deps{
		Store: watched[till.Book]{taken, a.disk}, Ledger: taken, Keyring: a.snapshot.Keyring, Till: a.snapshot.Till, Guard: a.snapshot.Guard,
		Confirmed: a.snapshot.Confirmed, Corrected: a.corrected, Ask: a.ask, Online: a.online,
		Past: past, Now: a.now, Rand: d.Rand, Log: a.log,
	})
}

func (a *Agent) newLink(d Deps) (err error) {
	id := a.journal.Identity()
	ca, err := caFile(a.settings.CA)
	if err != nil {
		return err
	}
	server := a.settings.Server.String()
	trust, err := link.TLS(server, id.Root, ca, a.certificates)
	if err != nil {
		return err
	}
	if a.clock, err = newClock(a.journal, a.desk, a.now, a.online); err != nil {
		return err
	}
	var pinged func(context.Context, wire.Ping) (wire.Pong, error)
	var move func(context.Context, wire.Move) wire.Moved
	if a.gate != nil {
		pinged, move = a.gate.Pinged, a.gate.Move
	}
	a.link, err = link.New(link.Config{
		Server: server, TLS: trust, Software: Software, Dial: d.Dial, Now: a.now, Rand: d.Rand, Log: a.log,
		Identity: link.Identity{Agent: id.Agent, Epoch: id.Epoch, Site: id.Site, Key: id.Private},
	}, link.Deps{
		Journal: a.journal, Snapshot: nudging{a.snapshot, a}, Clock: a.clock,
		Claimed: a.desk.Claimed, Pinged: pinged, Print: a.order, Move: move, Health: a.health, Calls: a.linkCalls(), Offered: a.offered,
	})
	return err
}

// Addr is where the console listens.
func (a *Agent) Addr() string { return a.listener.Addr().String() }

// Run works until ctx ends, which is no error, or until a part fails that the
// agent cannot be without. It closes everything.
func (a *Agent) Run(ctx context.Context) error {
	jobs, err := a.schedule()
	if err != nil {
		return errors.Join(err, a.close())
	}
	group, ctx := errgroup.WithContext(ctx)
	ended := ctx.Err
	group.Go(func() error { return unless(ended, a.desk.Run(ctx)) })
	group.Go(func() error { return unless(ended, a.link.Run(ctx)) })
	group.Go(func() error { return unless(ended, a.console.Serve(ctx, a.listener)) })
	if a.peers != nil {
		group.Go(func() error { return unless(ended, a.peers.Run(ctx, a.door)) })
	}
	group.Go(func() error { return a.watchLink(ctx) })
	group.Go(func() error { return a.beep(ctx) })
	group.Go(func() error { return a.attend(ctx) })
	if a.courier != nil {
		group.Go(func() error { return unless(ended, a.courier.Run(ctx)) })
	}
	if a.press != nil {
		group.Go(func() error { return unless(ended, a.press.Run(ctx)) })
	}
	for _, p := range a.lanes {
		for _, loop := range p.loops() {
			group.Go(func() error { return unless(ended, loop(ctx)) })
		}
	}
	if a.contact != nil {
		group.Go(func() error { return unless(ended, a.watchInput(ctx, a.contact, a.gate)) })
	}
	for _, s := range a.sensors {
		group.Go(func() error { return unless(ended, s.run(ctx)) })
	}
	err = group.Wait()
	return errors.Join(err, jobs.Shutdown(), a.close())
}

// unless drops the error that a part gives because ctx ended.
func unless(ended func() error, err error) error {
	if ended() != nil {
		return nil
	}
	return err
}

// schedule starts the housekeeping of the store.
func (a *Agent) schedule() (gocron.Scheduler, error) {
	jobs, err := gocron.NewScheduler()
	if err != nil {
		return nil, err
	}
	_, err = jobs.NewJob(gocron.DurationJob(pruneEvery), gocron.NewTask(func() {
		if _, err := a.journal.Prune(a.now(), journal.Keep{}); err != nil {
			a.log.Error("journal not pruned", "error", err)
		}
		if err := a.snapshot.Prune(a.now()); err != nil {
			a.log.Error("snapshot not pruned", "error", err)
		}
	}))
	if err != nil {
		return nil, errors.Join(err, jobs.Shutdown())
	}
	jobs.Start()
	return jobs, nil
}

func (a *Agent) close() error {
	var errs []error
	var closing sync.WaitGroup
	for _, p := range a.lanes {
		closing.Go(func() {
			// A relay that is not there cannot be switched off. That is no reason for
			// the agent to have failed.
			if err := p.gate.close(); err != nil {
				a.log.Error("barrier not switched off", "lane", p.lane.Name, "error", err)
			}
		})
	}
	closing.Wait()
	for _, ln := range []net.Listener{a.listener, a.door} {
		if ln == nil {
			continue
		}
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
