package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Deps is what a Desk needs of its core and of the rest of the agent. Settle and
// Keyring must be set; the functions must be safe for concurrent use, but for
// Settle and Perform, which Run's goroutine calls.
type Deps struct {
	// Settle is Settle with a store and a core.
	Settle func([]Input) ([][]Effect, error)
	// Perform is given every effect after the commit, before results are shown.
	Perform func(Effect)
	// Shift is who was on duty when the core was made.
	Shift Shift
	// Past are results of before the start, newest first.
	Past []Result
	// Keyring, Guideline and Till are those in force; nil = none is known.
	Keyring   func() *signing.Keyring
	Guideline func() *verdict.Guideline
	Till      func() *wire.Till
	// Gate gives the names of gates.
	Gate func(id uint16) (wire.Gate, bool)
	// Ask puts a question to whoever decides. Without an answer it gives the
	// state silent; so does a Desk that was given no Ask.
	Ask func(ctx context.Context, c wire.Claim) wire.Answer
	// Online says whether the server can be reached.
	Online func() bool
	Now    func() time.Time // the computer's clock; time.Now where nil
	Rand   io.Reader        // crypto/rand where nil
	Log    *slog.Logger     // discards where nil
}

// Desk runs a core. All methods are safe for concurrent use.
type Desk struct {
	deps   Deps
	prefix string // of scan ids: differs with every start
	count  atomic.Uint64
	start  time.Time

	queue    chan *entry
	done     chan struct{} // closed when Run has returned
	asks     sync.WaitGroup
	board    board
	shift    atomic.Pointer[Shift]
	lastScan atomic.Int64
	turned   atomic.Int64 // Elapsed at the end of the last turn

	// Below belongs to Run's goroutine.
	waiters map[string][]*entry // by scan id: who waits for its result
}

// entry is an input on its way through the queue, and who waits for it.
type entry struct {
	in   Input
	back chan outcome // room for one; nil when nobody waits
}

type outcome struct {
	moved  wire.Moved
	result Result
	answer wire.Answer
	pong   wire.Pong
	err    error
}

func (e *entry) deliver(o outcome) {
	if e.back == nil {
		return
	}
	select {
	case e.back <- o:
	default:
	}
}

// New makes a desk. Nothing happens before Run.
func New(deps Deps) (*Desk, error) {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Rand == nil {
		deps.Rand = rand.Reader
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	var boot [6]byte
	if _, err := io.ReadFull(deps.Rand, boot[:]); err != nil {
		return nil, fmt.Errorf("scan ids: %w", err)
	}
	d := &Desk{
		deps: deps, prefix: hex.EncodeToString(boot[:]), start: time.Now(),
		queue: make(chan *entry, queueLength), done: make(chan struct{}), waiters: map[string][]*entry{},
	}
	d.board.load(deps.Past)
	d.shift.Store(&deps.Shift)
	return d, nil
}

// Present hands a code to a lane as if a scanner had read it, and waits for the
// result: a verdict, or a question. A refusal is a result. When ctx ends first
// the attempt goes on without its caller.
func (d *Desk) Present(ctx context.Context, lane, source, text string) (Result, error) {
	return d.Do(ctx, d.read(lane, source, "", text))
}

// Scan is Present for a scanner: it verifies the code, queues it and returns.
// It fails with ErrBusy when the queue is full.
func (d *Desk) Scan(lane, source, text string) error { return d.ScanTowards(lane, source, "", text) }

// ScanTowards is Scan for one of two scanners of a lane, which stand on either
// side of it; without a direction it is Scan.
func (d *Desk) ScanTowards(lane, source string, towards verdict.Direction, text string) error {
	select {
	case <-d.done:
		return ErrBusy
	default:
	}
	select {
	case d.queue <- &entry{in: d.read(lane, source, towards, text)}:
		return nil
	default:
		return ErrBusy
	}
}

// read verifies in the caller's goroutine, so that signatures of several lanes
// are verified at once.
func (d *Desk) read(lane, source string, towards verdict.Direction, text string) *Scan {
	stamp := d.Stamp()
	d.lastScan.Store(stamp.Wall)
	c, err := code.Read(d.deps.Keyring(), text)
	return &Scan{
		Stamp: stamp, ID: d.NewID(), Lane: lane, Source: source, Towards: towards, Code: c, Err: err,
		Guideline: d.Guideline(), Till: d.Till(),
	}
}

// NewID is an id that no attempt has had.
func (d *Desk) NewID() string { return fmt.Sprintf("%s-%d", d.prefix, d.count.Add(1)) }

// Guideline is the one in force; nil = none is known.
func (d *Desk) Guideline() *verdict.Guideline {
	if d.deps.Guideline == nil {
		return nil
	}
	return d.deps.Guideline()
}

// Till is the till's rules in force; nil = none are known.
func (d *Desk) Till() *wire.Till {
	if d.deps.Till == nil {
		return nil
	}
	return d.deps.Till()
}

// SetOffset reports how far the server's clock is ahead of the computer's, as
// compared when the computer's showed at.
func (d *Desk) SetOffset(offsetMS int64, at time.Time) {
	s := d.Stamp()
	s.Wall = at.UnixMilli()
	d.put(Synced{Stamp: s, OffsetMS: offsetMS})
}

// Nudge lets the desk look at once, rather than within a second, for what a
// snapshot brought.
func (d *Desk) Nudge() { d.put(Tick{d.Stamp()}) }

func (d *Desk) put(in Input) {
	select {
	case d.queue <- &entry{in: in}:
	case <-d.done:
	}
}

// Recent gives the latest attempts, newest first.
func (d *Desk) Recent() []Result { return d.board.recent() }

// Has reports whether an attempt is among the latest.
func (d *Desk) Has(id string) bool { return d.board.has(id) }

// Passed notes what a sensor saw of an attempt that is among the latest.
func (d *Desk) Passed(id string, passage Passage) { d.board.passed(id, passage) }

// Subscribe delivers every result from now on, and an attempt again whenever it
// changes. A subscriber that falls behind is dropped: its channel is closed, as
// it is by the returned function and when the desk stops.
func (d *Desk) Subscribe() (<-chan Result, func()) { return d.board.subscribe() }

// LastScan is when a code was last presented, in unix ms of the computer's
// clock; 0 = not since the start.
func (d *Desk) LastScan() int64 { return d.lastScan.Load() }

// Do queues an input and waits for the result that answers it.
func (d *Desk) Do(ctx context.Context, in Input) (Result, error) {
	o, err := d.outcome(ctx, in)
	return o.result, err
}

// Reply queues another gate's question and waits for the answer.
func (d *Desk) Reply(ctx context.Context, in Input) (wire.Answer, error) {
	o, err := d.outcome(ctx, in)
	return o.answer, err
}

// Pong queues a ping and waits for what answers it.
func (d *Desk) Pong(ctx context.Context, in Input) (wire.Pong, error) {
	o, err := d.outcome(ctx, in)
	return o.pong, err
}

// Moved queues what moves a pass and waits for what came of it.
func (d *Desk) Moved(ctx context.Context, in Input) (wire.Moved, error) {
	o, err := d.outcome(ctx, in)
	return o.moved, err
}

func (d *Desk) outcome(ctx context.Context, in Input) (outcome, error) {
	e := &entry{in: in, back: make(chan outcome, 1)}
	select {
	case d.queue <- e:
	case <-d.done:
		return outcome{}, ErrBusy
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	}
	select {
	case o := <-e.back:
		return o, o.err
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	case <-d.done:
		// It may have been the last thing that was done.
		select {
		case o := <-e.back:
			return o, o.err
		default:
			return outcome{}, ErrBusy
		}
	}
}

// Stamp is now.
func (d *Desk) Stamp() Stamp {
	return Stamp{
		Wall: d.deps.Now().UnixMilli(), Mono: d.Elapsed().Milliseconds(),
		Offline: d.deps.Online == nil || !d.deps.Online(),
	}
}

// Idle is how long ago Run finished a turn. It takes one every second when there
// is nothing to decide, so a long time means that it hangs.
func (d *Desk) Idle() time.Duration { return d.Elapsed() - time.Duration(d.turned.Load()) }

// Elapsed is the time since the desk was made, which no setting of the clock
// changes.
func (d *Desk) Elapsed() time.Duration { return time.Since(d.start) }
