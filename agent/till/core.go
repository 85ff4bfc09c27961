package till

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// How long things wait, in milliseconds.
const (
	// ConfirmMS is how long the cashier may take to say that the same holder pays
	// once more.
	ConfirmMS = 20_000
	// AgainMS is how soon after a charge the same holder is asked about.
	AgainMS = 10_000

	queueLength = 8 // codes that wait while the server is asked

	maxDoubted = 256 // bounds what is kept while a disk takes nothing at all
)

// Config is what a Core knows of its till apart from the book. Rules come with
// the inputs.
type Config struct {
	Gate  uint16
	Site  string
	Lanes []string
	Zone  *time.Location // of the campus
	Shift bool           // nothing is charged while nobody is on duty
	// ClockMaxAge and PolicyMaxAge are as in package lane.
	ClockMaxAge, PolicyMaxAge int64
}

// Core decides. It belongs to one goroutine. What Step changed in memory is
// provisional until Commit or Rollback.
type Core struct {
	desk.Base
	cfg     Config
	doubted []*attempt // that were told as failed, and whose charges may be on the disk
	state
}

var _ desk.Core[Book] = (*Core)(nil)

// state is replaced as a whole; what it points to is never changed.
type state struct {
	sale    *Sale      // armed; nil = none
	asking  *attempt   // waits for the server
	queue   []*attempt // behind it, oldest first
	confirm *attempt   // waits for the cashier
}

// attempt is a scan on its way to being an event.
type attempt struct {
	scan      *desk.Scan
	now       desk.Moment // of presentation
	kase      verdict.Case
	armed     *Sale // nil = none was
	sale      *Sale // what it pays; nil = nothing is asked
	charge    wire.Charge
	claim     string // id, once asked
	answer    *wire.ChargeAnswer
	confirmed bool
}

// NewCore makes a core and reads clock and shift from the book.
func NewCore(cfg Config, book Book) (*Core, error) {
	switch {
	case cfg.Gate == 0:
		return nil, errors.New("till: gate 0 is the server")
	case cfg.Zone == nil:
		return nil, errors.New("till: no time zone")
	}
	base, err := desk.NewBase(cfg.Gate, cfg.ClockMaxAge, book)
	return &Core{Base: base, cfg: cfg}, err
}

// Step takes one input and says what to do once the transaction is on the disk.
func (c *Core) Step(book Book, in desk.Input) ([]desk.Effect, error) {
	now := c.Advance(in.Stamped())
	effects, err := c.resolve(book)
	if err != nil {
		return nil, err
	}
	more, err := c.take(book, in, now)
	return append(effects, more...), err
}

// resolve tells of the charges that are on the disk though their commits failed,
// before anything else is paid.
func (c *Core) resolve(book Book) (effects []desk.Effect, err error) {
	doubted := c.doubted
	if len(doubted) == 0 {
		return nil, nil
	}
	for _, a := range doubted {
		was, ok, err := book.ChargeOf(a.scan.ID)
		if err != nil {
			return nil, err
		}
		if !ok || was.Annulled {
			continue
		}
		if c.sale != nil && c.sale == a.armed && !c.sale.Sticky {
			effects = append(effects, c.hold(nil)...)
		}
		r, _ := ResultOf(&was)
		effects = append(effects, desk.Show{Result: r})
	}
	c.Undo(func() { c.doubted = doubted })
	c.doubted = nil
	return effects, nil
}

func (c *Core) take(book Book, in desk.Input, now desk.Moment) ([]desk.Effect, error) {
	switch in := in.(type) {
	case *desk.Scan:
		return c.scan(book, in, now)
	case desk.ClaimReply:
		return c.reply(book, in, now)
	case Confirm:
		return c.confirmed(book, in, now)
	case Arm:
		return c.arm(in, now), nil
	case Disarm:
		return append(c.hold(nil), desk.Done{}), nil
	case Void:
		return c.void(book, in, now)
	case MoveBatch:
		return c.moveBatch(book, in, now)
	case desk.BeginShift:
		return c.begin(book, in, now)
	case desk.EndShift:
		return c.EndShift(book, now)
	case desk.Synced:
		return nil, c.Sync(book, in)
	case desk.Tick:
		return c.tick(book, now)
	}
	return nil, fmt.Errorf("till: input %T", in)
}

func (c *Core) set(next state) {
	old := c.state
	c.Undo(func() { c.state = old })
	c.state = next
}

func (c *Core) scan(book Book, s *desk.Scan, now desk.Moment) ([]desk.Effect, error) {
	if !slices.Contains(c.cfg.Lanes, s.Lane) {
		return []desk.Effect{desk.Reject{ID: s.ID, Err: desk.ErrNoLane}}, nil
	}
	a := &attempt{scan: s, now: now}
	if c.asking == nil {
		return c.present(book, a, now)
	}
	if len(c.queue) >= queueLength {
		return []desk.Effect{desk.Reject{ID: s.ID, Err: desk.ErrBusy}}, nil
	}
	next := c.state
	next.queue = append(slices.Clone(c.queue), a)
	c.set(next)
	return nil, nil
}

// present makes the case of an attempt. It keeps the moment of presentation: a
// code that was fresh when it was shown does not go stale while another is
// asked about.
func (c *Core) present(book Book, a *attempt, now desk.Moment) ([]desk.Effect, error) {
	c.look(a)
	return c.decide(book, a, now)
}

// look reads what an attempt is about, without the book.
func (c *Core) look(a *attempt) {
	s := a.scan
	day, period := when(s.Till, a.now.At, c.cfg.Zone)
	a.kase = verdict.Case{
		At: a.now.At, Clock: a.now.Clock,
		Lane: verdict.Lane{Gate: c.cfg.Gate, Site: c.cfg.Site, Direction: verdict.Entry, Kinds: signing.PayKinds},
	}
	k := &a.kase
	k.Code, k.Read = verdict.FactsOf(s.Code, s.Err)
	k.Card.Offline = s.Offline
	a.charge = wire.Charge{Day: day, Period: period.ID}
	a.armed = c.sale
	if a.sale = c.priced(s.Till, period); a.sale != nil {
		a.charge.AmountFen, a.charge.Entry, a.charge.Items = a.sale.AmountFen, a.sale.Entry, a.sale.Items
		a.charge.Config = a.sale.config
		k.Card.AmountFen = a.sale.AmountFen
	}
	if r := s.Till; r != nil {
		k.Card.PerTxFen, k.Card.PerDayFen, k.Card.PinAboveFen = r.PerTxFen, r.PerDayFen, r.PinAboveFen
		if period.ID != "" {
			k.Card.PerMealFen, k.Card.PerMealTx = r.PerMealFen, uint32(r.PerMealTx)
		}
	}
}

// tick ends what waited too long.
func (c *Core) tick(book Book, now desk.Moment) (effects []desk.Effect, err error) {
	if a := c.confirm; a != nil && now.Mono-a.now.Mono >= ConfirmMS {
		if effects, err = c.decline(book, a); err != nil {
			return nil, err
		}
	}
	// What is overdue was asked before the till went down: nothing is under way
	// for so long.
	underway := func(claim string) bool { return c.asking != nil && c.asking.claim == claim }
	if err := c.GiveBackOverdue(book, wire.EventVoid, underway, now); err != nil {
		return nil, err
	}
	more, err := c.Base.Tick(book, now)
	return append(effects, more...), err
}

// Failed says what to tell the world of an input whose transaction could not be
// committed. It is called after Rollback. Attempts that the input would have
// settled are given up: nobody pays by them any more.
func (c *Core) Failed(in desk.Input, cause error) []desk.Effect {
	at := c.At(in.Stamped())
	switch in := in.(type) {
	case *desk.Scan:
		a := &attempt{scan: in, now: desk.Moment{Stamp: in.Stamp, At: at}}
		c.look(a)
		return []desk.Effect{c.lost(a, at)}
	case desk.ClaimReply:
		if c.asking == nil || c.asking.claim != in.Answer.ID {
			return nil
		}
		effects := []desk.Effect{c.lost(c.asking, at)}
		for _, a := range c.queue {
			c.look(a)
			effects = append(effects, c.lost(a, at))
		}
		c.asking, c.queue = nil, nil
		return effects
	case Confirm:
		if a := c.confirm; a != nil && a.scan.ID == in.ID {
			c.confirm = nil
			return []desk.Effect{c.lost(a, at)}
		}
		return []desk.Effect{desk.Reject{ID: in.ID, Err: cause}}
	case Arm, Disarm, Void, MoveBatch, desk.BeginShift, desk.EndShift:
		return []desk.Effect{desk.Reject{Err: cause}}
	}
	return nil
}

// lost tells an attempt as failed, and doubts it.
func (c *Core) lost(a *attempt, at int64) desk.Effect {
	if len(c.doubted) < maxDoubted {
		c.doubted = append(slices.Clip(c.doubted), a)
	}
	return desk.Show{Result: a.result(at, verdict.Verdict{Reason: verdict.Internal})}
}
