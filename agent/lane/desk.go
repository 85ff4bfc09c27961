package lane

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
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

// What a Desk refuses beside the sentinels of Core.
var (
	// ErrBusy: the queue is full, or the desk has stopped.
	ErrBusy = errors.New("the lanes take no scan now")
	// ErrStore: the transaction failed; nothing may be taken to have happened.
	ErrStore = errors.New("could not be written")
)

const (
	queueLength = 256 // inputs that wait for the next transaction
	batchLength = 64  // inputs in one transaction
	pulseQueue  = 64  // pulses that wait for one barrier: a whole batch may be of one lane

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
	// Ask puts a question to the decider of a pass. Without an answer it gives
	// the state silent; so does a Desk that was given no Ask.
	Ask func(ctx context.Context, c wire.Claim) wire.Answer
	// Online says whether the server can be reached.
	Online func() bool
	// Past are the latest events, newest first, to show after a restart.
	Past []Admission
	Now  func() time.Time // the computer's clock; time.Now where nil
	Rand io.Reader        // crypto/rand where nil
	Log  *slog.Logger     // discards where nil
}

// Desk runs a Core. All methods are safe for concurrent use.
type Desk struct {
	deps   Deps
	prefix string // of scan ids: differs with every start
	start  time.Time
	queue  chan *entry
	done   chan struct{}                 // closed when Run ends
	pulses map[string]chan time.Duration // when each was asked for, as elapsed
	board  board

	shift    atomic.Pointer[Shift]
	count    atomic.Uint64
	lastScan atomic.Int64
	lost     atomic.Uint64
	asks     sync.WaitGroup

	// Below belongs to Run's goroutine.
	core    *Core
	waiters map[string][]*entry // by scan id: who waits for its result
}

// entry is an input on its way through the queue, and who waits for it.
type entry struct {
	in   Input
	back chan outcome // room for one; nil when nobody waits
}

type outcome struct {
	result Result
	answer wire.Answer
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

// NewDesk makes a desk and reads the clock from the store. Nothing happens
// before Run.
func NewDesk(cfg Config, deps Deps) (*Desk, error) {
	if deps.Store == nil || deps.Keyring == nil {
		return nil, errors.New("lane: a desk needs a store and a keyring")
	}
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
		return nil, fmt.Errorf("lane: scan ids: %w", err)
	}
	d := &Desk{
		deps: deps, prefix: hex.EncodeToString(boot[:]), start: time.Now(),
		queue: make(chan *entry, queueLength), done: make(chan struct{}),
		pulses: map[string]chan time.Duration{}, waiters: map[string][]*entry{},
	}
	err := deps.Store.Update(func(book Book) (err error) {
		d.core, err = NewCore(cfg, book)
		return err
	})
	if err != nil {
		return nil, err
	}
	for name := range deps.Barriers {
		if d.core.lanes[name] == nil {
			return nil, fmt.Errorf("%w: barrier of %q", ErrNoLane, name)
		}
		d.pulses[name] = make(chan time.Duration, pulseQueue)
	}
	d.board.load(deps.Past)
	d.shift.Store(&d.core.shift)
	return d, nil
}

// Present hands a code to a lane as if a scanner had read it, and waits for the
// result: a verdict, or the question to the guard. A refusal is a result. When
// ctx ends first the attempt goes on without its caller.
func (d *Desk) Present(ctx context.Context, lane, source, text string) (Result, error) {
	return d.wait(ctx, &entry{in: d.read(lane, source, text), back: make(chan outcome, 1)})
}

// Scan is Present for a scanner: it verifies the code, queues it and returns.
// It fails with ErrBusy when the queue is full.
func (d *Desk) Scan(lane, source, text string) error {
	select {
	case <-d.done:
		return ErrBusy
	default:
	}
	select {
	case d.queue <- &entry{in: d.read(lane, source, text)}:
		return nil
	default:
		return ErrBusy
	}
}

// read verifies in the caller's goroutine, so that signatures of several lanes
// are verified at once.
func (d *Desk) read(lane, source, text string) *Scan {
	stamp := d.stamp()
	d.lastScan.Store(stamp.Wall)
	c, err := code.Read(d.deps.Keyring(), text)
	return &Scan{
		Stamp: stamp, ID: d.newID(), Lane: lane, Source: source, Code: c, Err: err, Guideline: d.guideline(),
	}
}

func (d *Desk) newID() string { return fmt.Sprintf("%s-%d", d.prefix, d.count.Add(1)) }

func (d *Desk) guideline() *verdict.Guideline {
	if d.deps.Guideline == nil {
		return nil
	}
	return d.deps.Guideline()
}

// Answer settles a question to the guard: with the documents that were shown,
// or with refuse. It waits for the result. Errors are ErrNoScan, ErrNotWaiting,
// ErrBadAnswer, ErrNoShift, ErrBusy and ErrStore.
func (d *Desk) Answer(ctx context.Context, id string, documents []string, refuse bool) (Result, error) {
	in := Answer{Stamp: d.stamp(), ID: id, Documents: documents, Refuse: refuse, Guideline: d.guideline()}
	r, err := d.wait(ctx, &entry{in: in, back: make(chan outcome, 1)})
	if errors.Is(err, ErrNotWaiting) && !d.board.has(id) {
		err = ErrNoScan
	}
	return r, err
}

// Annul takes back an admission of the last fifteen minutes, once. Errors are
// ErrNoScan, ErrNotAnnullable, ErrNoShift, ErrBusy and ErrStore.
func (d *Desk) Annul(ctx context.Context, id string) (Result, error) {
	r, err := d.wait(ctx, &entry{in: Annul{Stamp: d.stamp(), ID: id}, back: make(chan outcome, 1)})
	if errors.Is(err, ErrNoScan) && d.board.has(id) {
		err = ErrNotAnnullable
	}
	return r, err
}

// Claimed answers another gate's question about a pass that this gate owns. The
// answer is given after it is on the disk; where there is none its state is
// silent.
func (d *Desk) Claimed(ctx context.Context, c wire.Claim) wire.Answer {
	e := &entry{in: ClaimAsked{Stamp: d.stamp(), Claim: c}, back: make(chan outcome, 1)}
	o, err := d.outcome(ctx, e)
	if err != nil {
		return wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	}
	return o.answer
}

// SetOffset reports how far the server's clock is ahead of the computer's, as
// compared when the computer's showed at.
func (d *Desk) SetOffset(offsetMS int64, at time.Time) {
	s := d.stamp()
	s.Wall = at.UnixMilli()
	d.put(Synced{Stamp: s, OffsetMS: offsetMS})
}

// Nudge lets the desk look for released claims at once rather than within a
// second.
func (d *Desk) Nudge() { d.put(Tick{d.stamp()}) }

func (d *Desk) put(in Input) {
	select {
	case d.queue <- &entry{in: in}:
	case <-d.done:
	}
}

// Recent gives the latest attempts, newest first.
func (d *Desk) Recent() []Result { return d.board.recent() }

// Subscribe delivers every result from now on, and an attempt again whenever it
// changes. A subscriber that falls behind is dropped: its channel is closed, as
// it is by the returned function and when the desk stops.
func (d *Desk) Subscribe() (<-chan Result, func()) { return d.board.subscribe() }

// LastScan is when a code was last presented, in unix ms of the computer's
// clock; 0 = not since the start.
func (d *Desk) LastScan() int64 { return d.lastScan.Load() }

// LostPulses is how often a barrier did not take the pulse of an admission.
func (d *Desk) LostPulses() uint64 { return d.lost.Load() }

func (d *Desk) wait(ctx context.Context, e *entry) (Result, error) {
	o, err := d.outcome(ctx, e)
	if err != nil {
		return Result{}, err
	}
	return o.result, o.err
}

func (d *Desk) outcome(ctx context.Context, e *entry) (outcome, error) {
	select {
	case d.queue <- e:
	case <-d.done:
		return outcome{}, ErrBusy
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	}
	select {
	case o := <-e.back:
		return o, nil
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	case <-d.done:
		// It may have been the last thing that was done.
		select {
		case o := <-e.back:
			return o, nil
		default:
			return outcome{}, ErrBusy
		}
	}
}

func (d *Desk) stamp() Stamp {
	return Stamp{
		Wall: d.deps.Now().UnixMilli(), Mono: d.Elapsed().Milliseconds(),
		Offline: d.deps.Online == nil || !d.deps.Online(),
	}
}

// Elapsed is the time since the desk was made, which no setting of the clock
// changes.
func (d *Desk) Elapsed() time.Duration { return time.Since(d.start) }
