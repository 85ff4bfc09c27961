package hub_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link"
	"campusgate/agent/link/memnet"
	"campusgate/server/hub"
	"campusgate/signing"
	"campusgate/signing/wire"
)

const site = "xq-campus"

// world is a server with its hub on a network in memory.
type world struct {
	t     *testing.T
	store *police
	hub   *hub.Hub
	net   *memnet.Listener
	stop  func()
	parts sync.WaitGroup
	ctx   context.Context
}

// newWorld starts the server, in a synctest bubble. It ends with the test.
func newWorld(t *testing.T, settings ...func(*hub.Config)) *world {
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{t: t, store: newPolice(t), net: memnet.Listen("127.0.0.1:8080"), ctx: ctx, stop: cancel}
	cfg := hub.Config{Site: site}
	for _, set := range settings {
		set(&cfg)
	}
	w.hub = hub.New(cfg, w.store)
	mux := http.NewServeMux()
	mux.Handle(wire.Path, w.hub)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	w.parts.Go(func() {
		if err := srv.Serve(w.net); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	w.parts.Go(func() {
		if err := w.hub.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("hub: %v", err)
		}
	})
	t.Cleanup(func() {
		w.stop()
		_ = srv.Close() // ends Serve; the hub ends its own connections
		w.parts.Wait()
	})
	synctest.Wait() // until the hub lets agents in
	return w
}

// gate is an agent with stores that fail the test when the link calls them as
// it must not. Its number is agent id and gate id.
type gate struct {
	w     *world
	id    uint32
	epoch uint32
	key   ed25519.PrivateKey
	cable *memnet.Cable
	link  *link.Link
	stop  context.CancelFunc
	ended chan struct{}

	mu       sync.Mutex
	faults   faults
	skew     time.Duration // of the PC's clock
	records  []wire.Record
	acked    uint64
	acks     chan uint64 // gets each ack; may be nil
	appended chan struct{}
	cursor   wire.Cursor
	items    map[string]string
	resets   int
	groups   int
	fresh    []time.Time
	offsets  []int64
	answers  map[string]wire.Answer
	offered  func(string)       // may be nil
	health   func() wire.Health // may be nil
	taken    map[string]wire.Claim
	claimed  func(ctx context.Context, c wire.Claim) // runs before a claim is decided
	print    func(ctx context.Context, p wire.Print) wire.Printed
	move     func(ctx context.Context, m wire.Move) wire.Moved
}

// gate enrols an agent and gives it a cable. Start connects it.
func (w *world) gate(id uint32) *gate {
	g := &gate{
		w: w, id: id, epoch: 1, key: w.store.enrol(id, 1, uint16(id)),
		cable:    w.net.Cable(fmt.Sprintf("127.0.0.1:%d", 5000+id)),
		appended: make(chan struct{}), items: make(map[string]string),
		answers: make(map[string]wire.Answer), taken: make(map[string]wire.Claim),
	}
	return g
}

// start runs the link until stop or the end of the test.
func (g *gate) start() *gate {
	var err error
	g.link, err = link.New(link.Config{
		Server: "http://127.0.0.1:8080", Software: "test 1",
		Identity: link.Identity{Agent: g.id, Epoch: g.epoch, Site: site, Key: g.key},
		Dial:     g.cable.Dial, Now: g.now,
	}, link.Deps{Journal: (*gateJournal)(g), Snapshot: (*gateSnapshot)(g), Clock: (*gateClock)(g), Claimed: g.decide, Print: g.print, Move: g.move, Offered: g.offered, Health: g.health})
	if err != nil {
		g.w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(g.w.ctx)
	ended := make(chan struct{})
	g.stop, g.ended = cancel, ended
	g.w.parts.Go(func() {
		defer close(ended)
		if err := g.link.Run(ctx); !errors.Is(err, context.Canceled) {
			g.w.t.Errorf("link %d: %v", g.id, err)
		}
	})
	return g
}

func (g *gate) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Add(g.skew)
}

func (g *gate) set(change func(*gate)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g)
}

// happen appends events to the journal.
func (g *gate) happen(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for range n {
		var prev wire.Hash
		if len(g.records) > 0 {
			prev = g.records[len(g.records)-1].Hash
		}
		seq := uint64(len(g.records) + 1)
		r, err := wire.Seal(prev, &wire.Event{
			ID: wire.EventID{Agent: g.id, Epoch: g.epoch, Seq: seq}, Type: wire.EventScan,
			At: time.Now().UnixMilli(), Gate: uint16(g.id), Lane: "<北门>\u2028&",
		})
		if err != nil {
			g.w.t.Error(err)
		}
		g.records = append(g.records, r)
	}
	close(g.appended)
	g.appended = make(chan struct{})
}

// decide is the owner's record behind Claimed.
func (g *gate) decide(ctx context.Context, c wire.Claim) wire.Answer {
	g.mu.Lock()
	wait := g.claimed
	g.mu.Unlock()
	if wait != nil {
		wait(ctx, c)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.faults.of("claimed")
	if f == fails {
		return wire.Answer{}
	}
	if c.Owner != uint16(g.id) {
		g.w.t.Errorf("gate %d was asked for a claim of gate %d", g.id, c.Owner)
	}
	a := settle(g.w.t, g.answers, g.taken, c)
	if f == failsButDone {
		return wire.Answer{}
	}
	return a
}

// claim makes a claim of this gate.
func (g *gate) claim(number int, pass byte, owner uint16) wire.Claim {
	return wire.Claim{
		ID: fmt.Sprintf("%d-%d-%d", g.id, g.epoch, number), Pass: signing.PassID{1, 2, 3, 4, 5, 6, 7, pass},
		Gate: uint16(g.id), Owner: owner, Uses: 1, At: 1,
	}
}

type gateJournal gate

func (j *gateJournal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.records))
}

func (j *gateJournal) Queue() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.records)) - j.acked
}

func (j *gateJournal) Appended() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.appended
}

func (j *gateJournal) After(seq uint64, limit int) ([]wire.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.faults.of("after") != works {
		return nil, errFault
	}
	if seq > uint64(len(j.records)) {
		j.w.t.Errorf("gate %d: asked for what follows %d of %d events", j.id, seq, len(j.records))
		return nil, nil
	}
	return append([]wire.Record(nil), j.records[seq:min(len(j.records), int(seq)+limit)]...), nil
}

func (j *gateJournal) Begins() (uint64, wire.Hash, error) { return 0, wire.Hash{}, nil }

// Resume is Ack: what this server holds never becomes less.
func (j *gateJournal) Resume(acked uint64) error { return j.Ack(acked) }

func (j *gateJournal) Ack(seq uint64) error {
	j.w.store.mu.Lock()
	held := uint64(len(j.w.store.held[j.id]))
	j.w.store.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.faults.of("ack")
	if f == fails {
		return errFault
	}
	if seq > held || seq < j.acked {
		j.w.t.Errorf("gate %d: acked %d after %d, but the server holds %d", j.id, seq, j.acked, held)
	}
	j.acked = seq
	select {
	case j.acks <- seq:
	default:
	}
	if f == failsButDone {
		return errFault
	}
	return nil
}

type gateSnapshot gate

func (s *gateSnapshot) Cursor() wire.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// Apply checks that the group leads exactly to what the server had at its last
// revision.
func (s *gateSnapshot) Apply(group []wire.Delta) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults.of("apply")
	if f == fails {
		return errFault
	}
	s.groups++
	items := maps.Clone(s.items)
	for i, d := range group {
		if d.Reset {
			items = make(map[string]string)
			s.resets++
		}
		if (d.Reset && i > 0) || d.More != (i < len(group)-1) {
			s.w.t.Errorf("gate %d: frame %d of %d has reset %v, more %v", s.id, i, len(group), d.Reset, d.More)
		}
		for _, it := range d.Items {
			key := string(it.Kind) + " " + it.Key
			if items[key] = string(it.Body); it.Gone {
				delete(items, key)
			}
		}
	}
	last := group[len(group)-1].Cursor
	s.w.store.mu.Lock()
	if last.Lineage == s.w.store.lineage {
		if want := s.w.store.at(last.Revision); !maps.Equal(items, want) {
			s.w.t.Errorf("gate %d: at %v with %d items, the server had %d others", s.id, last, len(items), len(want))
		}
	}
	s.w.store.mu.Unlock()
	s.items, s.cursor = items, last
	if f == failsButDone {
		return errFault
	}
	return nil
}

// Fresh checks that what the server knew a second ago has been applied.
func (s *gateSnapshot) Fresh(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults.of("fresh")
	if f == fails {
		return errFault
	}
	at = at.Add(-s.skew)
	s.w.store.mu.Lock()
	if s.cursor.Lineage == s.w.store.lineage {
		for i, c := range s.w.store.log {
			if uint64(i+1) > s.cursor.Revision && at.Sub(c.at) > time.Second {
				s.w.t.Errorf("gate %d: called fresh at %v with revision %d, but revision %d is from %v", s.id, at, s.cursor.Revision, i+1, c.at)
				break
			}
		}
	}
	s.w.store.mu.Unlock()
	s.fresh = append(s.fresh, at)
	if f == failsButDone {
		return errFault
	}
	return nil
}

type gateClock gate

func (c *gateClock) SetOffset(ms int64, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := at.Sub(time.Now().Add(c.skew)); d.Abs() > time.Second {
		c.w.t.Errorf("gate %d: offset of another time: %v", c.id, d)
	}
	c.offsets = append(c.offsets, ms)
}

// slow makes a decision that takes longer than anybody waits.
func slow(context.Context, wire.Claim) { <-time.After(time.Second) }
