package lane

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What an input can ask for in vain. Nothing is changed by it.
var (
	// ErrNotAnnullable: the attempt admitted nobody, was annulled before, or is
	// too old to be taken back.
	ErrNotAnnullable = errors.New("the scan cannot be annulled")
	// ErrBadAnswer: not one of documents, agreement and refusal, or not what was asked.
	ErrBadAnswer = errors.New("answer with the documents that were shown, confirm, or refuse")
	// ErrBadEntry: an entry that says too little, or what its rule has no place for.
	ErrBadEntry = errors.New("the entry is not complete")
	// ErrNoRule: the guideline has no such rule.
	ErrNoRule = errors.New("no such rule")
	// ErrNoRegister: no such entry of a register, or it has ended.
	ErrNoRegister = errors.New("no such entry in the register")
)

// How long things wait, in milliseconds.
const (
	DocumentMS = 60_000  // a guard may look for a document, where the configuration says nothing
	AnnulMS    = 900_000 // an admission may be taken back

	// waitingPerLane bounds the attempts that wait at one lane; the oldest gives
	// way.
	waitingPerLane = 8
	maxDocument    = 64 // bytes of a document's name
	maxDocuments   = 12
)

// Core decides. It belongs to one goroutine. What Step changed in memory is
// provisional until Commit or Rollback.
type Core struct {
	desk.Base
	cfg     Config
	lanes   map[string]*Lane
	waiting []*attempt       // oldest first; attempts are replaced, never changed
	held    []wire.AlarmMove // in force, the one that counts first; replaced as a whole
	loose   wire.AlarmSource // whose opening stands although it could not be written; "" = none's

	quests   map[string]*quest // by claim; replaced as a whole
	reserved map[signing.PassID][]reservation
	doubted  []string // scans that were told as failed, and may be on the disk
	started  int64    // mono of the first input; below 0 = none came
	lease    int64    // mono of the last ping
}

var _ desk.Core[Book] = (*Core)(nil)

// attempt is a scan on its way to being an event.
type attempt struct {
	scan  *desk.Scan
	kase  verdict.Case
	claim string // id, once asked
	asked bool   // waits for that claim rather than for the guard
	docs  []string
	guard string // who answered from elsewhere; "" = whoever is on duty here
	area  string // where it is kept who is inside; "" = nobody keeps it
	agree bool   // waits for the guard to agree that nobody can confirm it
}

// NewCore makes a core and reads the clock from the book.
func NewCore(cfg Config, book Book) (*Core, error) {
	c := &Core{cfg: cfg, lanes: map[string]*Lane{}, reserved: map[signing.PassID][]reservation{}, started: -1, lease: -wire.LeaseGateMS}
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
	if c.cfg.DocumentMS == 0 {
		c.cfg.DocumentMS = DocumentMS
	}
	var err error
	if c.Base, err = desk.NewBase(cfg.Gate, cfg.ClockMaxAge, book); err == nil {
		c.held, err = book.Held()
	}
	return c, err
}

// Step takes one input and says what to do once the transaction is on the disk.
// An error is the book's; then the transaction must be rolled back, and the
// core with it.
func (c *Core) Step(book Book, in desk.Input) ([]desk.Effect, error) {
	now := c.Advance(in.Stamped())
	if c.started < 0 {
		c.started = now.Mono
	}
	if len(c.doubted) == 0 {
		return c.take(book, in, now)
	}
	effects, err := c.resolve(book, now)
	if err != nil {
		return nil, err
	}
	more, err := c.take(book, in, now)
	return append(effects, more...), err
}

func (c *Core) take(book Book, in desk.Input, now desk.Moment) ([]desk.Effect, error) {
	switch in := in.(type) {
	case *desk.Scan:
		return c.scan(book, in, now)
	case Answer:
		return c.answer(book, in, now)
	case Annul:
		return c.annul(book, in, now)
	case Entry:
		return c.enter(book, &in, now)
	case Alarm:
		return c.alarm(book, in, now)
	case desk.BeginShift:
		return c.BeginShift(book, in, now)
	case desk.EndShift:
		return c.EndShift(book, now)
	case desk.ClaimReply:
		return c.reply(book, in, now)
	case ClaimAsked:
		return c.asked(book, in, now)
	case desk.Waited:
		return c.waited(book, in, now)
	case Pinged:
		return c.pinged(book, in, now)
	case MoveAsked:
		return c.part(book, in, now)
	case desk.Synced:
		return nil, c.Sync(book, in)
	case desk.Tick:
		return c.tick(book, now)
	}
	return nil, fmt.Errorf("lane: input %T", in)
}

func (c *Core) scan(book Book, s *desk.Scan, now desk.Moment) ([]desk.Effect, error) {
	l := c.lanes[s.Lane]
	if l == nil {
		return []desk.Effect{desk.Reject{ID: s.ID, Err: desk.ErrNoLane}}, nil
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
func (c *Core) present(l *Lane, s *desk.Scan, now desk.Moment) verdict.Case {
	k := verdict.Case{
		At: now.At, Clock: now.Clock,
		Lane: verdict.Lane{Gate: c.cfg.Gate, Site: c.cfg.Site, Direction: l.Direction, Kinds: l.Kinds},
	}
	if s.Towards != "" {
		k.Lane.Direction = s.Towards
	}
	if k.Code, k.Read = verdict.FactsOf(s.Code, s.Err); k.Read == 0 {
		k.Document = s.Guideline.Beside(k.Code.Kind, nil)
	}
	return k
}

// makeRoom ends what a new scan replaces: an attempt with the same pass at the
// same lane that still waits for a document, and the oldest where too many wait.
func (c *Core) makeRoom(book Book, a *attempt, now desk.Moment) (effects []desk.Effect, err error) {
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

// refuse ends an attempt for which no document was shown, or to which the guard
// did not agree.
func (c *Core) refuse(book Book, a *attempt, now desk.Moment) ([]desk.Effect, error) {
	next := *a
	if next.kase.Document.Refused = !a.agree; a.agree {
		next.kase.Claim = verdict.Claim{State: verdict.ClaimSilent}
	}
	return c.decide(book, &next, now)
}

func (c *Core) answer(book Book, in Answer, now desk.Moment) ([]desk.Effect, error) {
	switch {
	case in.says() != 1 || !kinds(in.Documents):
		return []desk.Effect{desk.Reject{ID: in.ID, Err: ErrBadAnswer}}, nil
	case !in.Refuse && in.Guard == "" && c.unattended():
		return []desk.Effect{desk.Reject{ID: in.ID, Err: desk.ErrNoShift}}, nil
	}
	for _, a := range c.waiting {
		if a.scan.ID != in.ID || a.asked {
			continue
		}
		next := *a
		next.guard = in.Guard
		switch {
		case in.Refuse:
			return c.refuse(book, &next, now)
		case in.Confirm != a.agree:
			return []desk.Effect{desk.Reject{ID: in.ID, Err: ErrBadAnswer}}, nil
		case in.Confirm:
			next.agree, next.kase.Offline.Confirmed = false, true
			return c.decide(book, &next, now)
		}
		next.kase.Document = in.Guideline.Beside(a.kase.Code.Kind, in.Documents)
		next.docs = in.Documents
		return c.decide(book, &next, now)
	}
	return []desk.Effect{desk.Reject{ID: in.ID, Err: desk.ErrNotWaiting}}, nil
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
func (c *Core) tick(book Book, now desk.Moment) (effects []desk.Effect, err error) {
	for _, a := range append([]*attempt(nil), c.waiting...) {
		if now.Mono-a.scan.Mono < c.patience(a) {
			continue
		}
		more, err := c.tired(book, a, now)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	if err := c.GiveBackOverdue(book, wire.EventAnnul, c.underway, now); err != nil {
		return nil, err
	}
	if err := c.release(book, now); err != nil {
		return nil, err
	}
	c.expire(now)
	alarms, err := c.alarms(book, now)
	if err != nil {
		return nil, err
	}
	more, err := c.Base.Tick(book, now)
	return append(append(effects, alarms...), more...), err
}

// tired ends an attempt that waited too long.
func (c *Core) tired(book Book, a *attempt, now desk.Moment) ([]desk.Effect, error) {
	silent := verdict.Claim{State: verdict.ClaimSilent}
	switch q := c.quests[a.claim]; {
	case !a.asked:
		return c.refuse(book, a, now)
	case q != nil:
		return c.end(book, q, silent, now)
	}
	next := *a
	next.kase.Claim = silent
	return c.decide(book, &next, now)
}

// patience is how long an attempt may wait.
func (c *Core) patience(a *attempt) int64 {
	switch {
	case c.quests[a.claim] != nil:
		return wire.AttemptMS
	case a.asked:
		return DocumentMS
	}
	return c.cfg.DocumentMS
}

// Failed says what to tell the world of an input whose transaction could not be
// committed. It is called after Rollback. Attempts that the input would have
// settled are given up: nobody is admitted by them any more.
func (c *Core) Failed(in desk.Input, cause error) []desk.Effect {
	switch in := in.(type) {
	case *desk.Scan:
		a := &attempt{scan: in}
		if l := c.lanes[in.Lane]; l != nil {
			a.kase = c.present(l, in, desk.Moment{At: c.At(in.Stamp)})
		}
		c.doubt(in.ID)
		return []desk.Effect{a.internal(c.At(in.Stamp))}
	case Answer:
		return c.giveUp(in.Stamp, func(a *attempt) bool { return a.scan.ID == in.ID && !a.asked }, desk.Reject{ID: in.ID, Err: cause})
	case desk.ClaimReply:
		return c.lose(in.Stamp, in.Answer.ID)
	case desk.Waited:
		return c.lose(in.Stamp, in.Claim)
	case Pinged:
		return []desk.Effect{desk.Reject{Err: cause}}
	case Annul:
		return []desk.Effect{desk.Reject{ID: in.ID, Err: cause}}
	case Entry:
		c.doubt(in.ID)
		return []desk.Effect{desk.Reject{ID: in.ID, Err: cause}}
	case Alarm:
		return c.unwritten(in, cause)
	case desk.BeginShift, desk.EndShift:
		return []desk.Effect{desk.Reject{Err: cause}}
	case ClaimAsked:
		return []desk.Effect{desk.Reply{Answer: in.Claim.Answer(verdict.ClaimSilent)}}
	case MoveAsked:
		return []desk.Effect{desk.Reply{Moved: wire.Moved{ID: in.Move.ID, State: wire.MoveSilent}}}
	}
	return nil
}

// lose gives up the attempts that wait for a claim. Its question stays open in
// the book.
func (c *Core) lose(s desk.Stamp, claim string) []desk.Effect {
	c.setQuest(claim, nil)
	return c.giveUp(s, func(a *attempt) bool { return a.asked && a.claim == claim }, nil)
}

func (c *Core) giveUp(s desk.Stamp, concerned func(*attempt) bool, otherwise desk.Effect) (effects []desk.Effect) {
	kept := c.waiting[:0:0]
	for _, a := range c.waiting {
		if concerned(a) {
			c.doubt(a.scan.ID)
			effects = append(effects, a.internal(c.At(s)))
		} else {
			kept = append(kept, a)
		}
	}
	c.waiting = kept
	if len(effects) == 0 && otherwise != nil {
		effects = []desk.Effect{otherwise}
	}
	return effects
}

func (a *attempt) internal(at int64) desk.Effect {
	return desk.Show{Result: a.result(at, verdict.Verdict{Reason: verdict.Internal})}
}

func (a *attempt) result(at int64, v verdict.Verdict) desk.Result {
	r := desk.Result{
		ID: a.scan.ID, Lane: a.scan.Lane, Direction: a.kase.Lane.Direction, Source: a.scan.Source,
		Offline: a.scan.Offline,
	}
	r.Judged(at, &a.kase, v)
	r.Documents = a.docs
	r.Named(&a.scan.Code)
	return r
}

func (c *Core) setWaiting(next []*attempt) {
	old := c.waiting
	c.Undo(func() { c.waiting = old })
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

// unattended: a guard has to answer for it, and none is on duty. Codes are
// judged all the same, and open where no document is asked for: for that nobody
// has to be there.
func (c *Core) unattended() bool { return c.cfg.Shift && c.OnDuty() == desk.Shift{} }
