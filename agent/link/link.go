package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"campusgate/signing/wire"
)

// Pace of reconnecting.
const (
	backoffBase  = 250 * time.Millisecond
	backoffLimit = 10 * time.Second
	stableAfter  = 30 * time.Second // a connection this old starts the pace anew
)

// Identity is what enrolment gave this agent.
type Identity struct {
	Agent uint32
	Epoch uint32
	Site  string
	Key   ed25519.PrivateKey
}

// Config is how to reach the server.
type Config struct {
	Server   string // https://host[:port]; http:// and ws:// on loopback only
	TLS      *tls.Config
	Identity Identity
	Software string // name and version, for the console

	// Dial opens the network connection; nil = the system's. A switch that cuts
	// the network goes here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Now is the PC's own clock, never corrected; nil = time.Now.
	Now  func() time.Time
	Rand io.Reader    // for jitter; nil = crypto/rand
	Log  *slog.Logger // nil = none
}

// Journal is the agent's durable record of events. Only the up stream calls
// After and Ack, one call at a time.
type Journal interface {
	// Last is the highest seq that was ever written; 0 = none.
	Last() uint64
	// After gives at most limit records that follow seq, in order, without a
	// gap.
	After(seq uint64, limit int) ([]wire.Record, error)
	// Begins is how far the journal was pruned, and the hash that its first
	// record follows.
	Begins() (seq uint64, hash wire.Hash, err error)
	// Resume notes what the server holds at the start of a connection. It is
	// less than it had acknowledged where it was put back from a backup.
	Resume(acked uint64) error
	// Ack notes that the server holds every event up to seq. It is called
	// again with the same seq after an error.
	Ack(seq uint64) error
	// Appended gives a channel that is closed, or receives, when a record was
	// written since the call.
	Appended() <-chan struct{}
	// Queue is how many events have not been acked.
	Queue() uint64
}

// Snapshot is what the agent holds of the server's feed. Only the down stream
// calls Apply and Fresh, one call at a time.
type Snapshot interface {
	// Cursor is how far the feed has been applied, as it stands in the store.
	Cursor() wire.Cursor
	// Apply takes a group: all its items and the last cursor in one
	// transaction, or nothing. With Reset on the first it replaces everything.
	Apply(group []wire.Delta) error
	// Fresh notes that the server has just said, at this time of the PC's own
	// clock, that nothing follows the cursor. It comes at the start of each
	// connection, after each group, and every 30 s.
	Fresh(at time.Time) error
}

// Clock learns what to add to the PC's own clock, and when, by that clock, it
// was measured.
type Clock interface {
	SetOffset(offsetMS int64, at time.Time)
}

// Deps are the parts of the agent that the link serves.
type Deps struct {
	Journal  Journal
	Snapshot Snapshot
	Clock    Clock
	// Claimed decides a claim on a pass that this gate owns. Calls run at the
	// same time; ctx ends when nobody waits for the answer any more.
	Claimed func(ctx context.Context, claim wire.Claim) wire.Answer
	// Pinged promises not to act alone for a while, and says up to which event the
	// gate may have. Nil = no promise is made.
	Pinged func(ctx context.Context, ping wire.Ping) (wire.Pong, error)
	// Print prints a slip, once for each id, and returns within
	// wire.PrintWaitMS. Calls run at the same time. Nil means that there is no
	// printer.
	Print func(ctx context.Context, p wire.Print) wire.Printed
	// Move gives a pass up for another gate, once for each id, and returns within
	// wire.MoveWaitMS. Calls run at the same time. Nil means that no pass is
	// decided here.
	Move func(ctx context.Context, m wire.Move) wire.Moved
	// Health is asked every 5 s; the link itself fills in Queue. May be nil.
	Health func() wire.Health
	// Offered is told with each heartbeat which release of the agent's program the
	// server offers, and "" when it offers none or is gone. It must not wait. May
	// be nil.
	Offered func(release string)
	// Calls takes calls for help. Nil = they are not taken.
	Calls Calls
}

// Link keeps the agent connected. Its methods may be called at once.
type Link struct {
	cfg   Config
	deps  Deps
	url   *url.URL // ws or wss
	plain bool
	retry chan struct{}

	mu      sync.Mutex
	state   State
	changed chan struct{} // closed at the next change of state
	live    *session      // nil = offline
}

// ErrConfig is wrapped by every refusal of New.
var ErrConfig = errors.New("link configuration")

// New checks the configuration. The link does nothing until Run.
func New(cfg Config, deps Deps) (*Link, error) {
	u, err := serverURL(cfg.Server)
	if err != nil {
		return nil, err
	}
	if deps.Journal == nil || deps.Snapshot == nil || deps.Clock == nil || deps.Claimed == nil {
		return nil, fmt.Errorf("%w: journal, snapshot, clock and claimed are needed", ErrConfig)
	}
	id := cfg.Identity
	if id.Agent == 0 || id.Epoch == 0 || id.Site == "" || len(id.Key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: the identity is incomplete: enrol first", ErrConfig)
	}
	if deps.Calls == nil {
		deps.Calls = deaf{}
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Link{
		cfg: cfg, deps: deps, url: u, plain: u.Scheme == "http",
		retry: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	l.url = u.JoinPath(wire.Path)
	l.url.Scheme = map[bool]string{true: "ws", false: "wss"}[l.plain]
	l.state.Since = cfg.Now()
	return l, nil
}

// Run connects, and connects again, until ctx ends, and then returns its
// cause. It returns only after every call to Deps has; it dials again only
// then, too. Call it once.
func (l *Link) Run(ctx context.Context) error {
	failures := 0
	for {
		lasted, err := l.connect(ctx)
		l.offline(err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if lasted >= stableAfter {
			failures = 0
		}
		failures++
		pace := failures
		var bye *ByeError
		if errors.As(err, &bye) && wire.Lasting(bye.Code) {
			pace = 64 // the slowest
		}
		wait := time.NewTimer(wire.Backoff(pace, backoffBase, backoffLimit, l.jitter()))
		select {
		case <-ctx.Done():
		case <-l.retry:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// connect lives through one connection and says how long it was online, and
// why it ended.
func (l *Link) connect(ctx context.Context) (time.Duration, error) {
	ws, welcome, err := l.dial(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	s := newSession(ctx, l, ws)
	l.online(s)
	err = s.run(welcome)
	return time.Since(start), err
}

// Retry dials at once when the link is waiting to dial again. While it is
// online nothing happens.
func (l *Link) Retry() {
	if l.current() != nil {
		return
	}
	select {
	case l.retry <- struct{}{}:
	default:
	}
}

func (l *Link) jitter() uint32 {
	var b [4]byte
	if _, err := io.ReadFull(l.cfg.Rand, b[:]); err != nil {
		return 1 << 31 // no randomness: the middle will do
	}
	return binary.BigEndian.Uint32(b[:])
}
