package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing/wire"
)

// What can be asked in vain. Nothing is changed by it.
var (
	// ErrNoCall: there is no such call, or it was over long ago.
	ErrNoCall = errors.New("no such call")
	// ErrOver: the call does not wait for an answer any more.
	ErrOver = errors.New("the call is over")
	// ErrAnswer: an answer that this call does not take.
	ErrAnswer = errors.New("not an answer to this call")
	// ErrMany: too many calls are open.
	ErrMany = errors.New("too many calls are open")
)

const (
	settleTime = 5 * time.Second  // for a scan to be settled
	shownTime  = 10 * time.Second // that a call is listed after its end
	maxRung    = 64               // calls of others that are kept
)

// Deps is what a Book needs of the rest of the agent. All but Settle, Attended
// and Log are required; functions must be safe for concurrent use and, but for
// Settle, quick. None may call the Book.
type Deps struct {
	Agent, Epoch uint32
	Gate         uint16
	GateName     func(id uint16) string
	// Tell sends a message on the stream call; false = there is no connection.
	Tell func(typ string, body any) bool
	// Settle answers a scan that waits for a document, for a guard elsewhere or
	// here. Nil = no scan of this agent makes calls.
	Settle func(ctx context.Context, scan, guard string, documents []string, refuse bool) (desk.Result, error)
	// OnDuty is who is on duty here. Required says that nobody else may answer.
	OnDuty   func() desk.Shift
	Required bool
	// Attended reports whether a guard's page is open here. Nil = never.
	Attended func() bool
	// Now is the corrected time in unix ms; Elapsed is monotonic.
	Now     func() int64
	Elapsed func() time.Duration
	Log     *slog.Logger
}

// Book keeps the calls. All methods are safe for concurrent use.
type Book struct {
	deps    Deps
	changed chan struct{}

	mu     sync.Mutex
	calls  []*entry // oldest first
	online bool
	last   int64 // number of the last own call
	closed bool
	work   sync.WaitGroup
}

// entry is one call, of ours or of another gate.
type entry struct {
	ring     wire.Ring
	mine     bool
	stand    wire.Stand
	born     time.Duration // as elapsed
	cut      bool          // the connection by which it came or went is lost
	told     bool          // mine: the server has heard its end
	sent     *wire.Reply   // of another: our answer, until we hear what came of it
	acked    bool          // of another: that it rings here was said
	settling bool          // mine: an answer is being carried out
	timer    *time.Timer
}

// New makes a Book without calls.
func New(deps Deps) *Book {
	if deps.Attended == nil {
		deps.Attended = func() bool { return false }
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	return &Book{deps: deps, changed: make(chan struct{}, 1)}
}

// Close ends what is under way and waits for it. Calls are forgotten.
func (b *Book) Close() {
	b.mu.Lock()
	b.closed = true
	for _, e := range b.calls {
		e.timer.Stop()
	}
	b.calls = nil
	b.mu.Unlock()
	b.work.Wait()
}

// Changed receives after List may have come to give something else.
func (b *Book) Changed() <-chan struct{} { return b.changed }

func (b *Book) touch() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// View is a call as the pages show it.
type View struct {
	wire.Ring
	GateName string          `json:"gate_name"`
	Mine     bool            `json:"mine"` // was made here
	State    wire.CallState  `json:"state"`
	By       uint16          `json:"by,omitempty"` // gate that rings or answered
	ByName   string          `json:"by_name,omitempty"`
	Guard    string          `json:"guard,omitempty"`   // number of who answered
	Verdict  string          `json:"verdict,omitempty"` // of the scan that was settled
	Cut      bool            `json:"cut,omitempty"`     // the connection is lost
	Sent     wire.CallAnswer `json:"sent,omitempty"`    // our answer, on its way
}

func (b *Book) view(e *entry) View {
	v := View{
		Ring: e.ring, GateName: b.deps.GateName(e.ring.Gate), Mine: e.mine, State: e.stand.State,
		By: e.stand.Gate, Guard: e.stand.Guard, Verdict: e.stand.Reason, Cut: e.cut,
	}
	if v.By != 0 {
		v.ByName = b.deps.GateName(v.By)
	}
	if e.sent != nil {
		v.Sent = e.sent.Answer
	}
	return v
}

// List gives the open calls and those that ended a moment ago, oldest first.
func (b *Book) List() []View {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []View{}
	for _, e := range b.calls {
		if !e.gone() {
			list = append(list, b.view(e))
		}
	}
	return list
}

// gone: an end that is kept only to be told.
func (e *entry) gone() bool { return e.timer == nil }

// find gives a call; nil = there is none.
func (b *Book) find(id string) *entry {
	for _, e := range b.calls {
		if e.ring.ID == id {
			return e
		}
	}
	return nil
}

// Ring makes a call from a lane of this agent. One that is open already, from
// the same lane for the same reason, is given again. Errors: ErrMany.
func (b *Book) Ring(lane string, reason wire.CallReason, scan string, subject *wire.Subject) (View, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := 0
	for _, e := range b.calls {
		if !e.mine || !e.stand.State.Open() {
			continue
		}
		if open++; e.ring.Lane == lane && e.ring.Reason == reason && e.ring.Scan == scan {
			return b.view(e), nil
		}
	}
	if open >= wire.MaxCalls || b.closed {
		return View{}, ErrMany
	}
	at := b.deps.Now()
	b.last = max(at, b.last+1) // so that two of the same moment differ
	e := &entry{mine: true, born: b.deps.Elapsed(), ring: wire.Ring{
		ID:   fmt.Sprintf("%d-%d-%d", b.deps.Agent, b.deps.Epoch, b.last),
		Gate: b.deps.Gate, Lane: lane, At: at, Reason: reason, Scan: scan, Subject: subject,
	}}
	e.stand = wire.Stand{ID: e.ring.ID, State: wire.CallCalling}
	if b.deps.Attended() {
		e.stand.State, e.stand.Gate = wire.CallRinging, b.deps.Gate
	}
	e.cut = !b.deps.Tell(wire.TypeRing, e.ring)
	e.timer = time.AfterFunc(wire.RingMS*time.Millisecond, func() { b.expire(e) })
	b.calls = append(b.calls, e)
	b.touch()
	b.deps.Log.Info("call", "id", e.ring.ID, "lane", lane, "reason", reason, "connected", !e.cut)
	return b.view(e), nil
}

// Cancel takes a call back that was made here. The scan of a document call is
// refused. Errors: ErrNoCall, ErrOver.
func (b *Book) Cancel(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(id)
	switch {
	case e == nil || !e.mine:
		return ErrNoCall
	case !e.stand.State.Open() || e.settling:
		return ErrOver
	}
	b.end(e, wire.Stand{State: wire.CallCancelled})
	b.giveUp(e)
	return nil
}

// Answer is a guard's answer, given at this agent. It is carried out here, or on
// its way when Answer returns. Errors: ErrNoCall, ErrOver, ErrAnswer,
// desk.ErrNoShift.
func (b *Book) Answer(id string, answer wire.CallAnswer, documents []string) error {
	guard := b.deps.OnDuty().Number
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(id)
	if e == nil || e.gone() {
		return ErrNoCall
	}
	r := wire.Reply{ID: id, Answer: answer, Gate: b.deps.Gate, Guard: guard, Documents: documents}
	switch {
	case !e.stand.State.Open():
		return ErrOver
	case answer == wire.CallAdmit && e.ring.Reason != wire.CallDocument:
		return ErrAnswer
	case guard == "" && (answer == wire.CallAdmit || answer == wire.CallComing && b.deps.Required):
		return desk.ErrNoShift
	}
	if err := r.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if e.mine {
		b.take(e, r)
		return nil
	}
	e.sent = &r
	e.cut = !b.deps.Tell(wire.TypeReply, r)
	b.touch()
	return nil
}

// Nudge says that a guard's page was opened or a guard came on duty.
func (b *Book) Nudge() {
	if !b.deps.Attended() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.calls {
		b.sound(e)
	}
}

// sound notes that a call rings at a guard's page here.
func (b *Book) sound(e *entry) {
	switch {
	case e.mine && e.stand.State == wire.CallCalling:
		e.stand.State, e.stand.Gate = wire.CallRinging, b.deps.Gate
		b.touch()
	case !e.mine && !e.acked && e.stand.State.Open():
		e.acked = b.deps.Tell(wire.TypeStand, wire.Stand{ID: e.ring.ID, State: wire.CallRinging, Gate: b.deps.Gate})
	}
}

// drop forgets a call.
func (b *Book) drop(e *entry) {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	b.calls = slices.DeleteFunc(b.calls, func(x *entry) bool { return x == e })
	b.touch()
}
