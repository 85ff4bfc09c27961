package call

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"campusgate/server/hub"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

const (
	inbox  = 1024             // messages that may wait
	grace  = 2_000            // ms: the kiosk's agent says by itself when a call was missed
	kept   = 10 * 60_000      // ms that a call is remembered after its end, for who answers late
	saving = 10 * time.Second // for the records of one turn
)

// Config is what a Service works with. All are required.
type Config struct {
	Store *store.Store
	// Tell sends a message to an agent; false = it cannot be reached.
	Tell func(agent uint32, typ string, body any) bool
	// Connected gives the agents that can be reached, by gate.
	Connected func() map[uint16]uint32
	Now       func() time.Time
	Log       *slog.Logger
}

// Service passes calls on while Run runs. Safe for concurrent use.
type Service struct {
	Config
	in chan func(context.Context)

	// Below belongs to Run's goroutine.
	calls map[string]*open

	mu    sync.Mutex
	dirty map[string]Call // to be written
	wake  chan struct{}
}

var _ hub.Calls = (*Service)(nil)

// open is a call that is under way, or was a moment ago.
type open struct {
	agent uint32
	ring  wire.Ring
	call  Call
	rung  map[uint16]bool // gates that were told
	reply *wire.Reply     // that the kiosk's agent has not said anything to
}

// New makes a Service.
func New(c Config) *Service {
	return &Service{
		Config: c, in: make(chan func(context.Context), inbox),
		calls: map[string]*open{}, dirty: map[string]Call{}, wake: make(chan struct{}, 1),
	}
}

// Run passes calls on and writes what becomes of them, until ctx ends. It gives
// the cause of ctx. Call it once.
func (s *Service) Run(ctx context.Context) error {
	var saver sync.WaitGroup
	saver.Go(func() { s.save(ctx) })
	defer saver.Wait()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case do := <-s.in:
			do(ctx)
		case <-tick.C:
			s.lapse()
		}
	}
}

func (s *Service) put(agent uint32, do func(context.Context)) {
	select {
	case s.in <- do:
	default:
		s.Log.Error("call dropped: too many messages", "agent", agent)
	}
}

// Connected rings at an agent what is open for its gate.
func (s *Service) Connected(a hub.Agent) {
	s.put(a.ID, func(ctx context.Context) { s.connected(ctx, a) })
}

// Rung takes a call from a kiosk's agent.
func (s *Service) Rung(a hub.Agent, r wire.Ring) {
	s.put(a.ID, func(ctx context.Context) { s.rung(ctx, a, r) })
}

// Replied takes a guard's answer.
func (s *Service) Replied(a hub.Agent, r wire.Reply) {
	s.put(a.ID, func(context.Context) { s.replied(a, r) })
}

// Stands takes what an agent says of how a call stands.
func (s *Service) Stands(a hub.Agent, st wire.Stand) {
	s.put(a.ID, func(context.Context) { s.stands(a, st) })
}

func (s *Service) now() int64 { return s.Now().UnixMilli() }

func (s *Service) connected(ctx context.Context, a hub.Agent) {
	for _, o := range s.calls {
		if !o.call.State.Open() || o.ring.Gate == a.Gate || !s.answers(ctx, o.ring.Gate)[a.Gate] {
			continue
		}
		s.ringAt(o, a.Gate, a.ID)
		if o.call.State == wire.CallAnswered {
			s.Config.Tell(a.ID, wire.TypeStand, o.stand())
		}
	}
}

func (s *Service) ringAt(o *open, gate uint16, agent uint32) {
	if s.Config.Tell(agent, wire.TypeRing, o.ring) {
		o.rung[gate] = true
	}
}

func (s *Service) rung(ctx context.Context, a hub.Agent, r wire.Ring) {
	id, err := wire.ParseEventID(r.ID)
	if err != nil || id.Agent != a.ID || r.Gate != a.Gate {
		s.Log.Warn("call in another's name", "agent", a.ID, "call", r.ID)
		return
	}
	if o := s.calls[r.ID]; o != nil { // said again: the connection was lost
		if o.reply != nil {
			s.Config.Tell(a.ID, wire.TypeReply, *o.reply)
		}
		return
	}
	if s.busy(a.ID) {
		s.Log.Warn("call dropped: too many are open", "agent", a.ID)
		return
	}
	o := &open{agent: a.ID, ring: r, rung: map[uint16]bool{}, call: Call{
		ID: r.ID, Gate: r.Gate, Lane: r.Lane, Reason: r.Reason, At: s.now(), State: wire.CallCalling,
	}}
	s.calls[r.ID] = o
	s.note(o)
	if o.call.At-r.At >= wire.RingMS {
		return // of a time without a connection: it is only recorded
	}
	answers := s.answers(ctx, r.Gate)
	for gate, agent := range s.Config.Connected() {
		if gate != r.Gate && answers[gate] {
			s.ringAt(o, gate, agent)
		}
	}
}

func (s *Service) busy(agent uint32) bool {
	n := 0
	for _, o := range s.calls {
		if o.agent == agent && o.call.State.Open() {
			n++
		}
	}
	return n >= 2*wire.MaxCalls // its ends may be on their way
}

func (s *Service) replied(a hub.Agent, r wire.Reply) {
	o := s.calls[r.ID]
	switch {
	case o == nil:
		s.Config.Tell(a.ID, wire.TypeStand, wire.Stand{ID: r.ID, State: wire.CallOver})
	case !o.rung[a.Gate] || r.Gate != a.Gate:
		s.Log.Warn("answer to a call that was none of this gate's", "agent", a.ID, "call", r.ID)
	case !o.call.State.Open():
		s.Config.Tell(a.ID, wire.TypeStand, o.stand())
	default:
		// An admission is not forgotten for one who says that he is coming.
		if o.reply == nil || r.Answer != wire.CallComing {
			o.reply = &r
		}
		s.Config.Tell(o.agent, wire.TypeReply, r)
	}
}

func (s *Service) stands(a hub.Agent, st wire.Stand) {
	o := s.calls[st.ID]
	switch {
	case o == nil:
	case a.ID == o.agent:
		s.decided(o, st)
	case o.rung[a.Gate] && st.State == wire.CallRinging:
		if o.call.State == wire.CallCalling {
			o.call.State = wire.CallRinging
			s.note(o)
		}
		s.Config.Tell(o.agent, wire.TypeStand, wire.Stand{ID: st.ID, State: wire.CallRinging, Gate: a.Gate})
	default:
		s.Log.Warn("word of a call that is another's", "agent", a.ID, "call", st.ID)
	}
}

// decided takes over what the kiosk's agent says, and tells whoever was rung.
func (s *Service) decided(o *open, st wire.Stand) {
	if st.Gate != o.ring.Gate && !o.rung[st.Gate] {
		st.Gate, st.Guard = 0, "" // nobody who was asked
	}
	o.reply = nil
	c := &o.call
	c.State, c.AnsweredGate, c.Guard, c.Verdict = st.State, st.Gate, st.Guard, st.Reason
	if st.Gate != 0 && c.AnsweredAt == 0 {
		c.AnsweredAt = s.now()
	}
	if c.EndedAt = 0; !st.State.Open() {
		c.EndedAt = s.now()
	}
	s.note(o)
	s.spread(o)
}

// spread tells every gate that was rung how a call stands.
func (s *Service) spread(o *open) {
	connected := s.Config.Connected()
	for gate := range o.rung {
		if agent := connected[gate]; agent != 0 {
			s.Config.Tell(agent, wire.TypeStand, o.stand())
		}
	}
}

func (o *open) stand() wire.Stand {
	return wire.Stand{ID: o.ring.ID, State: o.call.State, Gate: o.call.AnsweredGate, Guard: o.call.Guard, Reason: o.call.Verdict}
}

// lapse ends calls whose kiosk says nothing any more, and forgets old ones.
func (s *Service) lapse() {
	now := s.now()
	for id, o := range s.calls {
		c := &o.call
		switch {
		case c.EndedAt != 0:
			if now-c.EndedAt >= kept {
				delete(s.calls, id)
			}
			continue
		case c.State == wire.CallAnswered && now-c.At >= wire.CallLifeMS+grace:
			c.State = wire.CallOver
		case c.State != wire.CallAnswered && now-c.At >= wire.RingMS+grace:
			c.State = wire.CallMissed
			s.Config.Tell(o.agent, wire.TypeStand, o.stand())
		default:
			continue
		}
		c.EndedAt = now
		o.reply = nil
		s.note(o)
		s.spread(o)
	}
}
