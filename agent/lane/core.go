package lane

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What an input can ask for in vain. Nothing is changed by it.
var (
	// ErrNoLane: no lane has that name.
	ErrNoLane = errors.New("no such lane")
	// ErrNoScan: no attempt has that id, or it was too long ago.
	ErrNoScan = errors.New("no such scan")
	// ErrNotWaiting: the attempt has been decided, or gave up waiting.
	ErrNotWaiting = errors.New("the scan does not wait for an answer")
	// ErrNotAnnullable: the attempt admitted nobody, was annulled before, or is
	// too old to be taken back.
	ErrNotAnnullable = errors.New("the scan cannot be annulled")
	// ErrBadAnswer: neither documents nor a refusal, or both.
	ErrBadAnswer = errors.New("answer with the documents that were shown, or refuse")
	// ErrBadEntry: an entry that says too little, or what its rule has no place for.
	ErrBadEntry = errors.New("the entry is not complete")
	// ErrNoRule: the guideline has no such rule.
	ErrNoRule = errors.New("no such rule")
	// ErrNoRegister: no such entry of a register, or it has ended.
	ErrNoRegister = errors.New("no such entry in the register")
	// ErrNoShift: nobody is on duty who could answer for this.
	ErrNoShift = errors.New("no guard is on duty")
)

// How long things wait, in milliseconds.
const (
	DocumentMS = 60_000  // a guard may look for a document
	ClaimMS    = 60_000  // a question may stay open before it is given back
	AnnulMS    = 900_000 // an admission may be taken back
	saveMS     = 60_000  // between writes of the clock
	offsetMS   = 100     // an offset that moved further is written at once

	// waitingPerLane bounds the attempts that wait at one lane; the oldest gives
	// way.
	waitingPerLane = 8
	maxDocument    = 64 // bytes of a document's name
	maxDocuments   = 12
)

// Core decides. It belongs to one goroutine. What Step changed in memory is
// provisional until Commit or Rollback.
type Core struct {
	cfg     Config
	lanes   map[string]*Lane
	clock   Clock
	shift   Shift      // zero = nobody is on duty
	saved   int64      // mono of the last SetClock
	waiting []*attempt // oldest first; attempts are replaced, never changed
	undo    []func()
}

// attempt is a scan on its way to being an event.
type attempt struct {
	scan  *Scan
	kase  verdict.Case
	claim string // id, once asked
	asked bool   // waits for that claim rather than for the guard
	docs  []string
}

// NewCore makes a core and reads the clock from the book.
func NewCore(cfg Config, book Book) (*Core, error) {
	c := &Core{cfg: cfg, lanes: map[string]*Lane{}}
	if cfg.Gate == 0 {
		return nil, errors.New("lane: gate 0 is the server")
	}
	for _, l := range cfg.Lanes {
		if l.Name == "" || c.lanes[l.Name] != nil {
			return nil, fmt.Errorf("lane: %q: names must differ", l.Name)
		}
		if l.Direction == "" {
			l.Direction = verdict.Entry
		}
		if l.Kinds == 0 {
			l.Kinds = signing.GateKinds
		}
		c.lanes[l.Name] = &l
	}
	var err error
	if c.clock, err = book.Clock(); err == nil {
		c.shift, err = book.Shift()
	}
	return c, err
}

// Step takes one input and says what to do once the transaction is on the disk.
// An error is the book's; then the transaction must be rolled back, and the
// core with it.
func (c *Core) Step(book Book, in Input) ([]Effect, error) {
	now := c.advance(in.stamp())
	switch in := in.(type) {
	case *Scan:
		return c.scan(book, in, now)
	case Answer:
		return c.answer(book, in, now)
	case Annul:
		return c.annul(book, in, now)
	case Entry:
		return c.enter(book, &in, now)
	case BeginShift:
		return c.begin(book, in, now)
	case EndShift:
		return c.endShift(book, now)
	case ClaimReply:
		return c.reply(book, in, now)
	case ClaimAsked:
		return c.asked(book, in, now)
	case Synced:
		return nil, c.sync(book, in)
	case Tick:
		return c.tick(book, now)
	}
	return nil, fmt.Errorf("lane: input %T", in)
}

// Commit makes the steps since the last call final.
func (c *Core) Commit() { c.undo = c.undo[:0] }

// Rollback takes them back.
func (c *Core) Rollback() {
	for i := len(c.undo) - 1; i >= 0; i-- {
		c.undo[i]()
	}
	c.undo = c.undo[:0]
}

// moment is a stamp in the agent's corrected time, with the clock's standing
// just before it.
type moment struct {
	Stamp
	at    int64
	clock verdict.Clock
}

func (c *Core) advance(s Stamp) moment {
	m := moment{
		Stamp: s, at: s.Wall + c.clock.OffsetMS,
		clock: verdict.Clock{HighWater: c.clock.HighWater, Synced: c.clock.Synced, MaxAgeMS: c.cfg.ClockMaxAge},
	}
	if m.at > c.clock.HighWater {
		c.setClock(Clock{OffsetMS: c.clock.OffsetMS, Synced: c.clock.Synced, HighWater: m.at})
	}
	return m
}

func (c *Core) setClock(next Clock) {
	old := c.clock
	c.undo = append(c.undo, func() { c.clock = old })
	c.clock = next
}

// sync believes the server: its time lowers the mark that a wrong clock raised.
func (c *Core) sync(book Book, in Synced) error {
	at := in.Wall + in.OffsetMS
	moved := c.clock.OffsetMS - in.OffsetMS
	urgent := c.clock.Synced == 0 || moved > offsetMS || moved < -offsetMS || c.clock.HighWater > at+verdict.ClockSlackMS
	c.setClock(Clock{OffsetMS: in.OffsetMS, Synced: at, HighWater: at})
	if urgent {
		return c.saveClock(book, in.Mono)
	}
	return nil
}

func (c *Core) saveClock(book Book, mono int64) error {
	old := c.saved
	c.undo = append(c.undo, func() { c.saved = old })
	c.saved = mono
	return book.SetClock(c.clock)
}

func (c *Core) scan(book Book, s *Scan, now moment) ([]Effect, error) {
	l := c.lanes[s.Lane]
	if l == nil {
		return []Effect{Reject{ID: s.ID, Err: ErrNoLane}}, nil
	}
	a := &attempt{scan: s, kase: c.present(l, s, now)}
	effects, err := c.makeRoom(book, a, now)
	if err != nil {
		return nil, err
	}
	more, err := c.decide(book, a, now)
	return append(effects, more...), err
}

// present makes the case of a scan, without what the book holds.
func (c *Core) present(l *Lane, s *Scan, now moment) verdict.Case {
	k := verdict.Case{
		At: now.at, Clock: now.clock,
		Lane: verdict.Lane{Gate: c.cfg.Gate, Site: c.cfg.Site, Direction: l.Direction, Kinds: l.Kinds},
	}
	if k.Code, k.Read = verdict.FactsOf(s.Code, s.Err); k.Read == 0 {
		k.Document = s.Guideline.Beside(k.Code.Kind, nil)
	}
	return k
}

// makeRoom ends what a new scan replaces: an attempt with the same pass at the
// same lane that still waits for a document, and the oldest where too many wait.
func (c *Core) makeRoom(book Book, a *attempt, now moment) (effects []Effect, err error) {
	n := 0
	for i := len(c.waiting) - 1; i >= 0; i-- {
		w := c.waiting[i]
		if w.scan.Lane != a.scan.Lane || w.asked {
			continue
		}
		n++
		same := a.kase.Code.Kind != 0 && w.kase.Code.ID == a.kase.Code.ID
		if !same && n < waitingPerLane {
			continue
		}
		more, err := c.refuse(book, w, now)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	return effects, nil
}

// refuse ends an attempt for which no document was shown.
func (c *Core) refuse(book Book, a *attempt, now moment) ([]Effect, error) {
	next := *a
	next.kase.Document.Refused = true
	return c.decide(book, &next, now)
}

func (c *Core) answer(book Book, in Answer, now moment) ([]Effect, error) {
	switch {
	case in.Refuse == (len(in.Documents) > 0) || !kinds(in.Documents):
		return []Effect{Reject{ID: in.ID, Err: ErrBadAnswer}}, nil
	case !in.Refuse && c.unattended():
		return []Effect{Reject{ID: in.ID, Err: ErrNoShift}}, nil
	}
	for _, a := range c.waiting {
		if a.scan.ID != in.ID || a.asked {
			continue
		}
		if in.Refuse {
			return c.refuse(book, a, now)
		}
		next := *a
		next.kase.Document = in.Guideline.Beside(a.kase.Code.Kind, in.Documents)
		next.docs = in.Documents
		return c.decide(book, &next, now)
	}
	return []Effect{Reject{ID: in.ID, Err: ErrNotWaiting}}, nil
}

// kinds reports that a list can be one of kinds of document, each once.
func kinds(list []string) bool {
	for i, id := range list {
		if id == "" || len(id) > maxDocument || !utf8.ValidString(id) || slices.Contains(list[:i], id) {
			return false
		}
	}
	return len(list) <= maxDocuments
}

// tick ends what waited too long.
func (c *Core) tick(book Book, now moment) (effects []Effect, err error) {
	for _, a := range append([]*attempt(nil), c.waiting...) {
		if now.Mono-a.scan.Mono < DocumentMS {
			continue
		}
		next := *a
		if a.asked {
			next.kase.Claim = verdict.Claim{State: verdict.ClaimSilent}
		} else {
			next.kase.Document.Refused = true
		}
		more, err := c.decide(book, &next, now)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	if err := c.giveBack(book, now); err != nil {
		return nil, err
	}
	if err := c.release(book, now); err != nil {
		return nil, err
	}
	more, err := c.lapse(book, now)
	if err != nil {
		return nil, err
	}
	effects = append(effects, more...)
	if now.Mono-c.saved >= saveMS {
		return effects, c.saveClock(book, now.Mono)
	}
	return effects, nil
}

// Failed says what to tell the world of an input whose transaction could not be
// committed. It is called after Rollback. Attempts that the input would have
// settled are given up: nobody is admitted by them any more.
func (c *Core) Failed(in Input, cause error) []Effect {
	switch in := in.(type) {
	case *Scan:
		a := &attempt{scan: in}
		if l := c.lanes[in.Lane]; l != nil {
			a.kase = c.present(l, in, moment{at: in.Wall + c.clock.OffsetMS})
		}
		return []Effect{a.internal(in.Wall + c.clock.OffsetMS)}
	case Answer:
		return c.giveUp(in.Wall, func(a *attempt) bool { return a.scan.ID == in.ID && !a.asked }, Reject{in.ID, cause})
	case ClaimReply:
		return c.giveUp(in.Wall, func(a *attempt) bool { return a.asked && a.claim == in.Answer.ID }, nil)
	case Annul:
		return []Effect{Reject{in.ID, cause}}
	case Entry:
		return []Effect{Reject{in.ID, cause}}
	case BeginShift, EndShift:
		return []Effect{Reject{Err: cause}}
	case ClaimAsked:
		return []Effect{Reply{wire.Answer{ID: in.Claim.ID, State: verdict.ClaimSilent}}}
	}
	return nil
}

func (c *Core) giveUp(wall int64, concerned func(*attempt) bool, otherwise Effect) (effects []Effect) {
	kept := c.waiting[:0:0]
	for _, a := range c.waiting {
		if concerned(a) {
			effects = append(effects, a.internal(wall+c.clock.OffsetMS))
		} else {
			kept = append(kept, a)
		}
	}
	c.waiting = kept
	if len(effects) == 0 && otherwise != nil {
		effects = []Effect{otherwise}
	}
	return effects
}

func (a *attempt) internal(at int64) Effect {
	return Show{a.result(at, verdict.Verdict{Reason: verdict.Internal})}
}

func (a *attempt) result(at int64, v verdict.Verdict) Result {
	r := Result{
		ID: a.scan.ID, Lane: a.scan.Lane, Direction: a.kase.Lane.Direction, Source: a.scan.Source,
		Offline: a.scan.Offline,
	}
	r.judged(at, &a.kase, v)
	r.Documents = a.docs
	r.named(&a.scan.Code)
	return r
}

func (c *Core) setWaiting(next []*attempt) {
	old := c.waiting
	c.undo = append(c.undo, func() { c.waiting = old })
	c.waiting = next
}

// park keeps an attempt, in its place where it waits already.
func (c *Core) park(a *attempt) {
	next := append([]*attempt(nil), c.waiting...)
	for i, w := range next {
		if w.scan == a.scan {
			next[i] = a
			c.setWaiting(next)
			return
		}
	}
	c.setWaiting(append(next, a))
}

func (c *Core) unpark(a *attempt) {
	for i, w := range c.waiting {
		if w.scan == a.scan {
			c.setWaiting(append(append([]*attempt(nil), c.waiting[:i]...), c.waiting[i+1:]...))
			return
		}
	}
}
