package link

import (
	"time"

	"campusgate/signing/wire"
)

// Of how many exchanges the best is believed, and which difference between the
// PC's clock and the time that passed means that somebody set the clock.
const (
	clockWindow = 8
	clockStep   = 500 * time.Millisecond
)

// heartbeat sends a Clock at once and then every 5 s, with the agent's health,
// and learns from the answers what to add to the PC's clock.
func (s *session) heartbeat() {
	var t timing
	tick := time.NewTicker(wire.HeartbeatMS * time.Millisecond)
	defer tick.Stop()
	for {
		m := wire.Clock{Health: s.health(), Offset: s.l.State().OffsetMS}
		sent, wall := time.Now(), s.l.cfg.Now()
		m.T0 = wall.UnixMilli()
		frame, err := wire.EncodeFrame(wire.Link, wire.TypeClock, m)
		if err != nil {
			s.fail(err)
			return
		}
		s.out.Offer(wire.Link, frame) // a full queue will be cut as slow
		for waiting := true; waiting; {
			select {
			case <-s.ctx.Done():
				return
			case <-tick.C:
				waiting = false
			case reply := <-s.beats:
				if reply.T0 != m.T0 {
					continue // of an earlier beat: too late to tell anything
				}
				answer := sample{at: time.Now(), wall: s.l.cfg.Now(), rtt: time.Since(sent), t0: m.T0, t1: reply.T1}
				if answer.leapt(sample{at: sent, wall: wall}) {
					t.recent = nil // T0 was told by a clock that is not there any more
					continue
				}
				t.add(answer)
				s.synced(t.best(), answer.wall)
			}
		}
	}
}

func (s *session) health() *wire.Health {
	var h wire.Health
	if s.l.deps.Health != nil {
		h = s.l.deps.Health()
	}
	h.Queue = s.l.deps.Journal.Queue()
	return &h
}

// beat takes the answer to a heartbeat from the reader.
func (s *session) beat(m wire.Clock) error {
	s.l.offered(m.Offer)
	latest(s.beats, m)
	return nil
}

func (s *session) synced(best sample, at time.Time) {
	offset := best.offsetMS()
	s.l.deps.Clock.SetOffset(offset, at.Round(0))
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.state.OffsetMS, s.l.state.RTT = &offset, best.rtt
}

// sample is one exchange. Its length is measured by the monotonic clock, which
// nobody sets; t0 and t1 are the two sides' clocks, unix ms.
type sample struct {
	at, wall time.Time // of the answer: monotonic, and the PC's clock
	rtt      time.Duration
	t0, t1   int64
}

// offsetMS supposes that the server looked at its clock half-way.
func (s sample) offsetMS() int64 { return s.t1 - s.t0 - s.rtt.Milliseconds()/2 }

// leapt reports that the PC's clock was set between two looks at it.
func (s sample) leapt(last sample) bool {
	step := s.wall.Round(0).Sub(last.wall.Round(0)) - s.at.Sub(last.at)
	return step.Abs() > clockStep
}

// contradicts reports that two exchanges cannot both be right, however uneven the
// line: somebody set the server's clock between them.
func (s sample) contradicts(last sample) bool {
	apart := time.Duration(s.offsetMS()-last.offsetMS()) * time.Millisecond
	return apart.Abs() > (s.rtt+last.rtt)/2+clockStep
}

// timing keeps the last exchanges.
type timing struct{ recent []sample }

// add notes an exchange. Those before a step of the PC's clock, or of the server's,
// speak of another clock and are forgotten.
func (t *timing) add(s sample) {
	if n := len(t.recent); n > 0 {
		last := t.recent[n-1]
		if s.leapt(last) || s.contradicts(last) {
			t.recent = nil
		}
	}
	t.recent = append(t.recent, s)
	if len(t.recent) > clockWindow {
		t.recent = t.recent[1:]
	}
}

// best gives the shortest exchange, of equals the last: its error is at most
// half its length.
func (t *timing) best() sample {
	best := t.recent[0]
	for _, s := range t.recent[1:] {
		if s.rtt <= best.rtt {
			best = s
		}
	}
	return best
}
