package link_test

import (
	"testing"
	"testing/synctest"
	"time"

	"campusgate/signing/wire"
)

// beat answers the next heartbeat: it needs `there` to the server, whose clock
// is ahead by `ahead` of the real time, and `back` to the agent.
func (p *peer) beat(there, back, ahead time.Duration) wire.Clock {
	p.t.Helper()
	var m wire.Clock
	p.expect(wire.TypeClock, &m)
	<-time.After(there)
	t1 := time.Now().Add(ahead).UnixMilli()
	<-time.After(back)
	p.send(wire.Link, wire.TypeClock, wire.Clock{T0: m.T0, T1: t1})
	synctest.Wait()
	return m
}

func (a *agent) lastOffset() (ms int64, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n = len(a.offsets); n > 0 {
		ms = a.offsets[n-1]
	}
	return ms, n
}

func TestClock_OffsetIsExactOnAnEvenLine(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.agent.skew = -90 * time.Minute // the PC is behind
		s.start()
		p := s.welcome(0)
		m := p.beat(20*time.Millisecond, 20*time.Millisecond, 3*time.Second)
		if m.T0 != time.Now().Add(s.agent.skew-40*time.Millisecond).UnixMilli() || m.Offset != nil {
			t.Fatalf("first beat %+v", m)
		}
		if m.Health == nil || m.Health.Queue != 3 || m.Health.Lanes["north"] != "ok" {
			t.Fatalf("health %+v", m.Health)
		}
		want := (90*time.Minute + 3*time.Second).Milliseconds()
		if ms, n := s.agent.lastOffset(); ms != want || n != 1 {
			t.Fatalf("offset %d after %d, want %d", ms, n, want)
		}
		m = p.beat(0, 0, 3*time.Second)
		if m.Offset == nil || *m.Offset != want {
			t.Fatalf("second beat %+v", m)
		}
		if st := s.link.State(); st.OffsetMS == nil || *st.OffsetMS != want || st.RTT != 0 {
			t.Fatalf("%+v", st)
		}
	})
}

func TestClock_BelievesTheShortestOfTheLastEight(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		p.beat(5*time.Millisecond, 5*time.Millisecond, 0) // true: 0
		for i := range 7 {
			p.beat(0, 400*time.Millisecond, 0) // uneven: seems to be −200
			if ms, _ := s.agent.lastOffset(); ms != 0 {
				t.Fatalf("exchange %d: %d", i+2, ms)
			}
		}
		p.beat(0, 400*time.Millisecond, 0)
		if ms, n := s.agent.lastOffset(); ms != -200 || n != 9 {
			t.Fatalf("the first is believed too long: %d after %d", ms, n)
		}
	})
}

func TestClock_ForgetsWhatWasMeasuredBeforeTheClockWasSet(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		p.beat(0, 0, 0)
		s.agent.set(func(a *agent) { a.skew = time.Hour })
		p.beat(50*time.Millisecond, 50*time.Millisecond, 0) // longer, but of the clock as it is
		if ms, _ := s.agent.lastOffset(); ms != -time.Hour.Milliseconds() {
			t.Fatalf("offset %d", ms)
		}
		// A small correction by a time service is no step.
		s.agent.set(func(a *agent) { a.skew += 100 * time.Millisecond })
		p.beat(500*time.Millisecond, 0, 0)
		if ms, _ := s.agent.lastOffset(); ms != -time.Hour.Milliseconds() {
			t.Fatalf("offset %d", ms)
		}
	})
}

// A clock that is set while a heartbeat is under way told T0, and is gone.
func TestClock_SetWhileABeatIsUnderWaySaysNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		p.beat(0, 0, 0)
		var m wire.Clock
		p.expect(wire.TypeClock, &m)
		s.agent.set(func(a *agent) { a.skew = -24 * time.Hour })
		p.send(wire.Link, wire.TypeClock, wire.Clock{T0: m.T0, T1: time.Now().UnixMilli()})
		synctest.Wait()
		if ms, n := s.agent.lastOffset(); ms != 0 || n != 1 {
			t.Fatalf("offset %d after %d comparisons", ms, n)
		}
		p.beat(0, 0, 0)
		if ms, n := s.agent.lastOffset(); ms != (24*time.Hour).Milliseconds() || n != 2 {
			t.Fatalf("offset %d after %d comparisons of the new clock", ms, n)
		}
	})
}

func TestClock_FollowsTheServerAtOnceWhenItsClockIsSet(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		p.beat(0, 0, 0)
		for _, ahead := range []time.Duration{24 * time.Hour, -24 * time.Hour, 2 * time.Second} {
			p.beat(50*time.Millisecond, 50*time.Millisecond, ahead) // longer than any before
			if ms, _ := s.agent.lastOffset(); ms != ahead.Milliseconds() {
				t.Fatalf("offset %d, want %v", ms, ahead)
			}
		}
		// A line that is slow one way only says nothing of the sort.
		p.beat(0, 0, 2*time.Second)
		p.beat(3*time.Second, 0, 2*time.Second)
		if ms, _ := s.agent.lastOffset(); ms != 2000 {
			t.Fatalf("offset %d", ms)
		}
	})
}

func TestClock_IgnoresAnswersToEarlierBeats(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		var first, second wire.Clock
		p.expect(wire.TypeClock, &first)
		start := time.Now()
		p.expect(wire.TypeClock, &second)
		if time.Since(start) != wire.HeartbeatMS*time.Millisecond {
			t.Fatalf("the next beat came after %v", time.Since(start))
		}
		p.send(wire.Link, wire.TypeClock, wire.Clock{T0: first.T0, T1: 1})
		synctest.Wait()
		if _, n := s.agent.lastOffset(); n != 0 {
			t.Fatal("it was believed")
		}
		p.send(wire.Link, wire.TypeClock, wire.Clock{T0: second.T0, T1: second.T0})
		synctest.Wait()
		if _, n := s.agent.lastOffset(); n != 1 {
			t.Fatal("the right one was not believed")
		}
	})
}
