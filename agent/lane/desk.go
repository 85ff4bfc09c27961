package lane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	pulseQueue = 64 // pulses that wait for one barrier: a whole batch may be of one lane

	// pulseLife is how long a pulse may wait for its barrier. A barrier that comes
	// back later must not open for people who have gone.
	pulseLife = 3 * time.Second
)

// Store runs a function in one durable transaction: when Update returns nil,
// what the function wrote is on the disk.
type Store interface {
	Update(do func(Book) error) error
}

// Deps is what a Desk needs of the rest of the agent. Store and Keyring must be
// set; the functions must be safe for concurrent use.
type Deps struct {
	Store Store
	// Keyring is the keyring in force.
	Keyring func() *signing.Keyring
	// Guideline is the guideline in force. Nil = none is known.
	Guideline func() *verdict.Guideline
	// Gate gives the names of gates.
	Gate func(id uint16) (wire.Gate, bool)
	// Barriers open lanes; a lane without one shows its verdict only. An error is
	// logged and counted: the person was admitted all the same.
	Barriers map[string]func(ctx context.Context) error
	// Opened is told of each scan that a barrier was to open for, when that was
	// tried, or given up. Nil = nobody wants to know.
	Opened func(lane, scan string)
	// Ask puts a question to the decider of a pass. Without an answer it gives
	// the state silent; so does a Desk that was given no Ask.
	Ask func(ctx context.Context, c wire.Claim) wire.Answer
	// Online says whether the server can be reached.
	Online func() bool
	// Alarmed is told of the alarms in force, the one that counts first: at the
	// start, and when they change. While the first is an emergency opening the
	// barriers are held open by whoever is told, and get no pulses.
	Alarmed func(held []wire.AlarmMove)
	// Past are the latest events, newest first, to show after a restart.
	Past []desk.Past
	Now  func() time.Time // the computer's clock; time.Now where nil
	Rand io.Reader        // crypto/rand where nil
	Log  *slog.Logger     // discards where nil
}

// Desk runs a Core and moves its barriers. All methods are safe for concurrent
// use.
type Desk struct {
	*desk.Desk
	barriers map[string]func(context.Context) error
	pulses   map[string]chan pulse
	opened   func(lane, scan string)
	lost     atomic.Uint64
	alarms   atomic.Pointer[[]wire.AlarmMove]
	alarmed  func([]wire.AlarmMove)
	log      *slog.Logger
}

// pulse is an opening that waits for its barrier.
type pulse struct {
	scan  string
	asked time.Duration // when, as elapsed
}

// NewDesk makes a desk and reads the clock from the store. Nothing happens
// before Run.
func NewDesk(cfg Config, deps Deps) (*Desk, error) {
	if deps.Store == nil || deps.Keyring == nil {
		return nil, errors.New("lane: a desk needs a store and a keyring")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	var core *Core
	err := deps.Store.Update(func(book Book) (err error) {
		core, err = NewCore(cfg, book)
		return err
	})
	if err != nil {
		return nil, err
	}
	d := &Desk{barriers: deps.Barriers, pulses: map[string]chan pulse{}, opened: deps.Opened, alarmed: deps.Alarmed, log: deps.Log}
	held := core.held
	d.alarms.Store(&held)
	if d.opened == nil {
		d.opened = func(string, string) {}
	}
	for name := range deps.Barriers {
		if core.lanes[name] == nil {
			return nil, fmt.Errorf("%w: barrier of %q", desk.ErrNoLane, name)
		}
		d.pulses[name] = make(chan pulse, pulseQueue)
	}
	var past []desk.Result
	for i := range deps.Past {
		if r, ok := desk.ResultOf(&deps.Past[i].Event, deps.Past[i].Annulled); ok {
			past = append(past, r)
		}
	}
	d.Desk, err = desk.New(desk.Deps{
		Settle: func(batch []desk.Input) ([][]desk.Effect, error) {
			return desk.Settle(deps.Store.Update, core, batch)
		},
		Perform: d.perform, Shift: core.OnDuty(), Past: past,
		Keyring: deps.Keyring, Guideline: deps.Guideline, Gate: deps.Gate,
		Ask: deps.Ask, Online: deps.Online, Now: deps.Now, Rand: deps.Rand, Log: deps.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	return d, nil
}

// Run decides and opens until ctx ends. It is called once.
func (d *Desk) Run(ctx context.Context) error {
	var pulsing sync.WaitGroup
	defer pulsing.Wait()
	for name, open := range d.barriers {
		pulsing.Go(func() { d.pulse(ctx, name, open) })
	}
	if d.alarmed != nil {
		d.alarmed(d.Alarms())
	}
	return d.Desk.Run(ctx)
}

// Answer settles a question to the guard: with the documents that were shown,
// or with refuse. It waits for the result. Errors are ErrNoScan, ErrNotWaiting,
// ErrBadAnswer, ErrNoShift, ErrBusy and ErrStore.
func (d *Desk) Answer(ctx context.Context, id string, documents []string, refuse bool) (desk.Result, error) {
	return d.AnswerFor(ctx, id, "", documents, refuse)
}

// AnswerFor is Answer for a guard elsewhere, whose number is in the event.
// Nobody has to be on duty here.
func (d *Desk) AnswerFor(ctx context.Context, id, guard string, documents []string, refuse bool) (desk.Result, error) {
	r, err := d.Do(ctx, Answer{Stamp: d.Stamp(), ID: id, Guard: guard, Documents: documents, Refuse: refuse, Guideline: d.Guideline()})
	if errors.Is(err, desk.ErrNotWaiting) && !d.Has(id) {
		err = desk.ErrNoScan
	}
	return r, err
}

// Annul takes back an admission of the last fifteen minutes, once. Errors are
// ErrNoScan, ErrNotAnnullable, ErrNoShift, ErrBusy and ErrStore.
func (d *Desk) Annul(ctx context.Context, id string) (desk.Result, error) {
	r, err := d.Do(ctx, Annul{Stamp: d.Stamp(), ID: id})
	if errors.Is(err, desk.ErrNoScan) && d.Has(id) {
		err = ErrNotAnnullable
	}
	return r, err
}

// NobodyWentThrough is Annul by the lane's sensor: no guard has to be on duty.
func (d *Desk) NobodyWentThrough(ctx context.Context, id string) error {
	_, err := d.Do(ctx, Annul{Stamp: d.Stamp(), ID: id, Sensor: true})
	return err
}

// Claimed answers another gate's question about a pass that this gate owns. The
// answer is given after it is on the disk; where there is none its state is
// silent.
func (d *Desk) Claimed(ctx context.Context, c wire.Claim) wire.Answer {
	a, err := d.Reply(ctx, ClaimAsked{Stamp: d.Stamp(), Claim: c})
	if err != nil {
		return c.Answer(verdict.ClaimSilent)
	}
	return a
}

// Pinged takes a ping of the server, and gives the promise that answers it.
func (d *Desk) Pinged(ctx context.Context, ping wire.Ping) (wire.Pong, error) {
	return d.Pong(ctx, Pinged{Stamp: d.Stamp(), Ping: ping})
}

// Confirm settles the question whether somebody comes in although nobody can
// confirm it, with yes. Errors are those of Answer.
func (d *Desk) Confirm(ctx context.Context, id string) (desk.Result, error) {
	r, err := d.Do(ctx, Answer{Stamp: d.Stamp(), ID: id, Confirm: true, Guideline: d.Guideline()})
	if errors.Is(err, desk.ErrNotWaiting) && !d.Has(id) {
		err = desk.ErrNoScan
	}
	return r, err
}

// Move gives a pass up for the server. The answer is given after it is on the
// disk; where there is none its state is silent.
func (d *Desk) Move(ctx context.Context, m wire.Move) wire.Moved {
	a, err := d.Moved(ctx, MoveAsked{Stamp: d.Stamp(), Move: m})
	if err != nil {
		return wire.Moved{ID: m.ID, State: wire.MoveSilent}
	}
	return a
}

// LostPulses is how often a barrier did not take the pulse of an admission.
func (d *Desk) LostPulses() uint64 { return d.lost.Load() }

// perform hands a pulse to the lane's barrier without waiting: a stuck port of
// one lane is no other lane's business.
func (d *Desk) perform(e desk.Effect) {
	if a, ok := e.(Alarmed); ok {
		d.alarms.Store(&a.Held)
		d.log.Warn("alarms", "state", string(state(a.Held)), "in_force", len(a.Held))
		if d.alarmed != nil {
			d.alarmed(a.Held)
		}
		return
	}
	open, ok := e.(Open)
	if !ok || d.pulses[open.Lane] == nil || state(d.Alarms()) == wire.AlarmOpen {
		return
	}
	select {
	case d.pulses[open.Lane] <- pulse{open.Scan, d.Elapsed()}:
	default:
		d.opened(open.Lane, open.Scan)
		d.lost.Add(1)
		d.log.Error("admitted, but the barrier is still busy with earlier pulses", "lane", open.Lane)
	}
}

func (d *Desk) pulse(ctx context.Context, lane string, open func(context.Context) error) {
	for {
		var p pulse
		select {
		case <-ctx.Done():
			return
		case p = <-d.pulses[lane]:
		}
		if late := d.Elapsed() - p.asked; late > pulseLife {
			d.opened(lane, p.scan)
			d.lost.Add(1)
			d.log.Error("admitted, but the barrier came back too late", "lane", lane, "late", late)
			continue
		}
		err := open(ctx)
		d.opened(lane, p.scan)
		if err != nil {
			d.lost.Add(1)
			d.log.Error("admitted, but the barrier did not take the pulse", "lane", lane, "error", err)
		}
	}
}
