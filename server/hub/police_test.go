package hub_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/hub"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// fault is what happens to a call of a store.
type fault int

const (
	works fault = iota
	fails
	failsButDone // the call has its effect, and the caller is told that it has not
)

var errFault = errors.New("injected fault")

// faults decides about each call of a store by its name; nil = all work.
type faults func(op string) fault

func (f faults) of(op string) fault {
	if f == nil {
		return works
	}
	return f(op)
}

// police is a server's store in memory that fails the test when the hub calls
// it as it must not.
type police struct {
	t *testing.T

	mu      sync.Mutex
	faults  faults
	agents  map[uint32]hub.Agent
	held    map[uint32][]wire.Record // by agent, of its present epoch
	busy    map[uint32]bool          // agents with an Ingest under way
	lineage string
	horizon uint64
	log     []change // revision n is at n-1
	knownAt uint64   // revision of known: the last result of at
	known   map[string]string
	changed chan struct{}
	running chan struct{} // closed when the hub has begun to run
	begun   sync.Once
	answers map[string]wire.Answer    // by claim id
	taken   map[string]wire.Claim     // by pass: the claim that got it
	seen    map[uint32][]hub.State    // as told, without repetitions of Connected
	pages   map[uint64][]wire.Item    // snapshots that are being paged, by revision
	leased  []uint16                  // gates that are pinged
	stall   map[string]chan struct{}  // calls of these names wait for the channel
	torn    bool                      // events were lost here, so gaps are not the hub's fault
	block   func(ctx context.Context) // Decide waits for it
}

type change struct {
	item wire.Item
	at   time.Time
}

func newPolice(t *testing.T) *police {
	return &police{
		t: t, agents: make(map[uint32]hub.Agent), held: make(map[uint32][]wire.Record),
		busy: make(map[uint32]bool), lineage: "one", changed: make(chan struct{}), running: make(chan struct{}),
		answers: make(map[string]wire.Answer), taken: make(map[string]wire.Claim),
		seen: make(map[uint32][]hub.State), pages: make(map[uint64][]wire.Item),
	}
}

// set changes something under the lock.
func (p *police) set(change func(*police)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *police) Agent(_ context.Context, id uint32) (hub.Agent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.of("agent") != works {
		return hub.Agent{}, errFault
	}
	a, ok := p.agents[id]
	if !ok {
		return a, fmt.Errorf("agent %d: %w", id, hub.ErrUnknownAgent)
	}
	return a, nil
}

func (p *police) Acked(_ context.Context, agent, epoch uint32) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.of("acked") != works {
		return 0, errFault
	}
	if p.agents[agent].Epoch != epoch {
		p.t.Errorf("acked of epoch %d of agent %d", epoch, agent)
	}
	return uint64(len(p.held[agent])), nil
}

func (p *police) Ingest(ctx context.Context, agent, epoch uint32, records []wire.Record) (uint64, error) {
	p.mu.Lock()
	if p.busy[agent] {
		p.t.Errorf("two calls of ingest for agent %d at once", agent)
	}
	p.busy[agent] = true
	stall := p.stall["ingest"]
	p.mu.Unlock()
	if stall != nil {
		select {
		case <-stall:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy[agent] = false
	f := p.faults.of("ingest")
	if f == fails {
		return 0, errFault
	}
	if p.agents[agent].Epoch != epoch || len(records) == 0 || len(records) > wire.MaxBatch {
		p.t.Errorf("ingest of %d records of epoch %d of agent %d", len(records), epoch, agent)
	}
	held := p.held[agent]
	for _, r := range records {
		switch {
		case r.Seq > uint64(len(held))+1 && p.torn:
			return uint64(len(held)), nil
		case r.Seq > uint64(len(held))+1:
			p.t.Errorf("agent %d: event %d came, but only %d are held", agent, r.Seq, len(held))
		case r.Seq <= uint64(len(held)):
			if held[r.Seq-1].Hash != r.Hash || string(held[r.Seq-1].Body) != string(r.Body) {
				p.t.Errorf("agent %d: event %d came with other content", agent, r.Seq)
			}
		default:
			var prev wire.Hash
			if len(held) > 0 {
				prev = held[len(held)-1].Hash
			}
			if wire.Chain(prev, r.Body) != r.Hash {
				p.t.Errorf("agent %d: event %d does not follow in the chain", agent, r.Seq)
			}
			held = append(held, r)
		}
	}
	p.held[agent] = held
	if f == failsButDone {
		return 0, errFault
	}
	return uint64(len(held)), nil
}

func (p *police) Skip(_ context.Context, agent, _ uint32, begins uint64, _ wire.Hash) (uint64, error) {
	p.t.Errorf("agent %d skips to %d, and never forgot anything", agent, begins)
	return begins, nil
}

func (p *police) Heard(context.Context, uint32) error { return nil }

// put adds an item to the feed; a nil body removes it.
func (p *police) put(kind wire.ItemKind, key string, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		p.t.Error(err)
	}
	it := wire.Item{Kind: kind, Key: key, Body: raw}
	if body == nil {
		it.Body, it.Gone = nil, true
	}
	p.set(func(p *police) {
		p.log = append(p.log, change{it, time.Now()})
		p.ring()
	})
}

// ring tells that the feed has grown, under the lock.
func (p *police) ring() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *police) Changed() <-chan struct{} {
	p.begun.Do(func() { close(p.running) })
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// at gives the items as they were at a revision, under the lock. The map must
// not be changed.
func (p *police) at(revision uint64) map[string]string {
	from, items := p.knownAt, p.known
	if items == nil || revision < from {
		from, items = 0, make(map[string]string)
	}
	for _, c := range p.log[from:revision] {
		key := string(c.item.Kind) + " " + c.item.Key
		if items[key] = string(c.item.Body); c.item.Gone {
			delete(items, key)
		}
	}
	if revision >= p.knownAt {
		p.knownAt, p.known = revision, items
	}
	return items
}

// Feed pages snapshots by a mark in the lineage, since a page's cursor means
// nothing to anybody else.
func (p *police) Feed(_ context.Context, after wire.Cursor, limit int) (wire.Delta, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.of("feed") != works {
		return wire.Delta{}, errFault
	}
	if limit < 1 || limit > wire.MaxBatch {
		p.t.Errorf("feed asked for %d items", limit)
	}
	head := uint64(len(p.log))
	var from int
	if n, err := fmt.Sscanf(after.Lineage, p.lineage+"#%d", &from); err == nil && n == 1 {
		return p.snapshot(after.Revision, from, limit), nil
	}
	if strings.Contains(after.Lineage, "#") && strings.HasPrefix(after.Lineage, p.lineage) {
		p.t.Errorf("a page's cursor %v came back", after)
	}
	if after.Lineage != p.lineage || after.Revision < p.horizon || after.Revision > head {
		return p.snapshot(head, 0, limit), nil
	}
	d := wire.Delta{Cursor: wire.Cursor{Lineage: p.lineage, Revision: min(head, after.Revision+uint64(limit))}}
	for _, c := range p.log[after.Revision:d.Cursor.Revision] {
		d.Items = append(d.Items, c.item)
	}
	d.More = d.Cursor.Revision < head
	return d, nil
}

func (p *police) snapshot(revision uint64, from, limit int) wire.Delta {
	items, ok := p.pages[revision]
	if !ok {
		state := p.at(revision)
		for _, key := range slices.Sorted(maps.Keys(state)) {
			kind, key, _ := strings.Cut(key, " ")
			items = append(items, wire.Item{Kind: wire.ItemKind(kind), Key: key, Body: json.RawMessage(state[kind+" "+key])})
		}
		p.pages[revision] = items
	}
	to := min(len(items), from+limit)
	d := wire.Delta{Reset: from == 0, More: to < len(items), Items: items[from:to], Cursor: wire.Cursor{Lineage: p.lineage, Revision: revision}}
	if d.More {
		d.Cursor.Lineage = fmt.Sprintf("%s#%d", p.lineage, to)
	}
	return d
}

// Charge grants everything up to 100 yuan.
func (p *police) Charge(_ context.Context, c wire.Claim) (wire.Answer, error) {
	if c.Charge == nil || c.Owner != 0 {
		p.t.Errorf("the server was asked for money: %+v", c)
	}
	said := wire.ChargeAnswer{Reason: verdict.Granted}
	if c.Charge.AmountFen > 100_00 {
		said.Reason = verdict.LimitSingle
		return wire.Answer{State: verdict.ClaimRefused, Charge: &said}, nil
	}
	return wire.Answer{State: verdict.ClaimGranted, Charge: &said}, nil
}

func (p *police) Leased() []uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leased
}

func (p *police) Decide(ctx context.Context, c wire.Claim) (wire.Answer, error) {
	p.mu.Lock()
	block := p.block
	p.mu.Unlock()
	if block != nil {
		block(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.faults.of("decide")
	if f == fails {
		return wire.Answer{}, errFault
	}
	if c.Owner != 0 {
		p.t.Errorf("the server was asked for a claim of gate %d", c.Owner)
	}
	a := settle(p.t, p.answers, p.taken, c)
	if f == failsButDone {
		return wire.Answer{}, errFault
	}
	return a, nil
}

// settle is a decider's durable record: the first claim of a pass gets it, and
// an id gets the same answer for ever.
func settle(t *testing.T, answers map[string]wire.Answer, taken map[string]wire.Claim, c wire.Claim) wire.Answer {
	if a, ok := answers[c.ID]; ok {
		if first, ok := taken[c.Pass.String()]; ok && first.ID == c.ID && first != c {
			t.Errorf("claim %s was changed on the way: %+v, then %+v", c.ID, first, c)
		}
		return a
	}
	a := wire.Answer{ID: c.ID, State: verdict.ClaimGranted}
	if first, ok := taken[c.Pass.String()]; ok {
		a.State, a.First = verdict.ClaimUsed, &verdict.Use{At: first.At, Gate: first.Gate}
	} else {
		taken[c.Pass.String()] = c
	}
	answers[c.ID] = a
	return a
}

func (p *police) Seen(_ context.Context, agent uint32, st hub.State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.faults.of("seen")
	if f == fails {
		return errFault
	}
	told := p.seen[agent]
	if n := len(told); n > 0 && told[n-1].Connected == st.Connected && told[n-1].Since.Equal(st.Since) {
		told[n-1] = st
	} else {
		p.seen[agent] = append(told, st)
	}
	if f == failsButDone {
		return errFault
	}
	return nil
}

// enrol puts an agent on record and gives its key.
func (p *police) enrol(id, epoch uint32, gate uint16) ed25519.PrivateKey {
	key := ed25519.NewKeyFromSeed([]byte(fmt.Sprintf("%032d", uint64(id)<<16|uint64(epoch))))
	p.set(func(p *police) {
		p.agents[id] = hub.Agent{ID: id, Epoch: epoch, Gate: gate, PublicKey: key.Public().(ed25519.PublicKey)}
	})
	return key
}
