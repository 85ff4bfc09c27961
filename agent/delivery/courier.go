package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"campusgate/agent/disk"
	"campusgate/agent/link"
	"campusgate/agent/update"
	"campusgate/signing/release"
	"campusgate/signing/wire"
)

// How long things wait.
const (
	// Pause is the shortest time between two parts.
	Pause = 200 * time.Millisecond
	// lookEvery is how often a quiet moment is looked for.
	lookEvery  = 10 * time.Second
	retryFirst = time.Minute
	retryLast  = time.Hour
)

// What can be in the way, beside what package update says.
var (
	// ErrRoom: what the release needs would leave too little to the journal.
	ErrRoom = errors.New("硬盘空间不足 not enough room on the disk")
	// ErrBroken: the bytes that came are not the program of the manifest.
	ErrBroken = errors.New("下载的程序与签名清单不符 what was downloaded is not the program of its manifest")
	// ErrAnswer: the server does not give what it offers.
	ErrAnswer = errors.New("服务器没有给出所提供的程序 the server does not give what it offers")
)

// errWithdrawn: it is not offered any more, which is no fault.
var errWithdrawn = errors.New("withdrawn")

// Config is what a Courier needs. All but Pause and Every are required.
type Config struct {
	Book update.Book
	Here update.Here // with Delivered
	Dir  string      // for what is on its way; may not be there yet
	// Hash is the running program's, "" of the installed one.
	Hash string
	// Fetch asks the server for a part.
	Fetch func(context.Context, wire.Fetch) (wire.Part, error)
	// Calm tells whether this is a quiet moment.
	Calm func() bool
	// Room tells whether a program of so many bytes may be brought and tried:
	// ErrRoom.
	Room  func(size int64) error
	Now   func() time.Time
	Log   *slog.Logger
	Pause time.Duration // between parts; 0 = the usual
	Every time.Duration // between looks; 0 = the usual
}

// Courier brings releases. Its methods may be called at once; Run runs once.
type Courier struct {
	Config
	changed chan struct{}

	mu      sync.Mutex
	offer   string // SHA-256
	health  wire.Program
	failed  string // the offer that failed, how often, and when it may be tried again
	times   int
	retryAt time.Time
}

// New makes a Courier.
func New(c Config) *Courier {
	if c.Pause == 0 {
		c.Pause = Pause
	}
	if c.Every == 0 {
		c.Every = lookEvery
	}
	return &Courier{
		Config: c, changed: make(chan struct{}, 1),
		health: wire.Program{Version: c.Here.Running, OS: c.Here.OS, Arch: c.Here.Arch, State: wire.ProgramCurrent},
	}
}

// Offer notes what the server offers now; "" = nothing. It does not wait.
func (c *Courier) Offer(release string) {
	c.mu.Lock()
	same := c.offer == release
	c.offer = release
	c.mu.Unlock()
	if !same {
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

// Health is what the server is told.
func (c *Courier) Health() *wire.Program {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.health
	return &h
}

// Run brings what is offered until ctx ends.
func (c *Courier) Run(ctx context.Context) error {
	for {
		if err := c.turn(ctx); err != nil {
			c.fault(err)
		}
		wait := time.NewTimer(c.Every)
		select {
		case <-ctx.Done():
		case <-c.changed:
		case <-wait.C:
		}
		wait.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// turn does what there is to do now.
func (c *Courier) turn(ctx context.Context) error {
	offer := c.offered()
	s, err := c.Book.Load()
	if err != nil {
		return err
	}
	switch state, why := standing(s, offer, c.Hash); {
	case state != "":
		c.say(state, 0, why)
		return nil
	case c.rests(offer):
		return nil
	}
	m, err := c.bring(ctx, offer)
	if err == nil {
		err = c.stage(ctx, m)
	}
	switch {
	case ctx.Err() != nil, errors.Is(err, errWithdrawn), errors.Is(err, link.ErrOffline):
		return nil // it goes on where it was
	case disk.IsFull(err):
		return errors.Join(fmt.Errorf("%w: %w", ErrRoom, err), c.clear())
	}
	return err
}

// stage has a program that is here tried at the next quiet moment.
func (c *Courier) stage(ctx context.Context, m release.Manifest) error {
	c.say(wire.ProgramWaiting, 0, "")
	if !c.Calm() {
		return nil
	}
	if err := c.Room(m.Size); err != nil {
		return err
	}
	_, err := c.Book.Stage(ctx, c.Dir, c.Here)
	switch {
	case errors.Is(err, update.ErrSelfTest) && ctx.Err() == nil:
		c.say(wire.ProgramUnfit, 0, err.Error())
		c.Log.Warn("no update", "version", m.Version, "error", err)
	case err != nil:
		return err
	default:
		c.Log.Info("an update is staged", "version", m.Version)
		c.say(wire.ProgramStaged, 0, "")
	}
	return c.clear()
}

// standing is how things are with an offer as the book has it; "" = it is to be
// brought.
func standing(s update.State, offer, running string) (state wire.ProgramState, why string) {
	current := ""
	if s.Current != nil {
		current = s.Current.SHA256
	}
	switch last := s.Last; {
	case s.Trial != nil && s.Tried:
		return wire.ProgramTrying, ""
	case s.Trial != nil:
		return wire.ProgramStaged, ""
	case offer == "", offer == current, current != running: // the last: it was taken back by hand, and will be restarted
		return wire.ProgramCurrent, ""
	case last != nil && last.SHA256 == offer && (last.Outcome == update.RolledBack || last.Outcome == update.TakenBack):
		return wire.ProgramTakenBack, last.Why
	case s.Unfit != nil && s.Unfit.SHA256 == offer:
		return wire.ProgramUnfit, s.Unfit.Why
	}
	return "", ""
}

func (c *Courier) offered() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offer
}

func (c *Courier) say(state wire.ProgramState, percent int, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.State, c.health.Percent, c.health.Why = state, percent, wire.Clip(why)
}

// rests tells whether an offer failed lately. What it failed of is still said.
func (c *Courier) rests(offer string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != offer {
		c.failed, c.times = offer, 0
	}
	return c.times > 0 && c.Now().Before(c.retryAt)
}

// fault notes why an offer was not brought, and when to try again.
func (c *Courier) fault(err error) {
	c.Log.Warn("no update", "error", err)
	if errors.Is(err, update.ErrOlder) && c.runs() {
		c.say(wire.ProgramCurrent, 0, "")
	} else if refused(err) {
		c.say(wire.ProgramRefused, 0, err.Error())
	} else {
		c.say(wire.ProgramFailing, 0, err.Error())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := min(retryFirst<<min(c.times, 10), retryLast)
	if refused(err) {
		wait = retryLast
	}
	c.times++
	c.retryAt = c.Now().Add(wait)
}

// runs tells whether the version that was offered is the one that runs, as with
// a PC that was installed from a package of it.
func (c *Courier) runs() bool {
	m, err := c.manifest()
	return err == nil && m.Version == c.Here.Running
}

// refused tells the errors that another attempt would not mend.
func refused(err error) bool {
	for _, is := range []error{
		release.ErrManifest, release.ErrSignature, update.ErrSite, update.ErrSystem, update.ErrSerial, update.ErrOlder,
	} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}
