package call_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/call"
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// side is the agent around a Book: a link that hands everything to a peer, a
// guard on duty, and a lane that settles scans.
type side struct {
	*call.Book

	mu       sync.Mutex
	linked   bool
	sent     []string
	settled  []string
	guard    desk.Shift
	attended bool
	result   desk.Result
	fail     error
	stuck    chan struct{}
	peer     *side
}

// newSide makes the agent of a gate. Gate 3 is the kiosk's.
func newSide(t *testing.T, gate uint16) *side {
	t.Helper()
	s := &side{linked: true, attended: true, result: desk.Result{Reason: verdict.Granted, Opens: true}}
	start := time.Now()
	s.Book = call.New(call.Deps{
		Agent: uint32(gate), Epoch: 1, Gate: gate, GateName: func(id uint16) string { return fmt.Sprintf("gate %d", id) },
		Tell: s.tell, Settle: s.settle,
		OnDuty: func() desk.Shift {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.guard
		},
		Attended: func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.attended
		},
		Now:     func() int64 { return time.Now().UnixMilli() },
		Elapsed: func() time.Duration { return time.Since(start) },
	})
	t.Cleanup(s.Close)
	return s
}

func (s *side) set(change func(*side)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// tell passes a message on, as the server does, in a goroutine of its own.
func (s *side) tell(_ string, body any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.linked {
		return false
	}
	s.sent = append(s.sent, words(body))
	if p := s.peer; p != nil {
		go p.hear(body)
	}
	return true
}

func (s *side) hear(body any) {
	s.mu.Lock()
	linked := s.linked
	s.mu.Unlock()
	if !linked {
		return
	}
	switch m := body.(type) {
	case wire.Ring:
		s.Rung(m)
	case wire.Reply:
		s.Replied(m)
	case wire.Stand:
		s.Stands(m)
	}
}

func words(body any) string {
	switch m := body.(type) {
	case wire.Ring:
		return "ring " + string(m.Reason)
	case wire.Reply:
		return strings.TrimSpace("reply " + string(m.Answer) + " " + m.Guard)
	case wire.Stand:
		return strings.TrimSpace("stand " + string(m.State) + " " + m.Guard)
	}
	return "?"
}

func (s *side) settle(_ context.Context, scan, guard string, documents []string, refuse bool) (desk.Result, error) {
	s.mu.Lock()
	stuck := s.stuck
	s.settled = append(s.settled, fmt.Sprintf("%s by %q %v refuse %v", scan, guard, documents, refuse))
	r, err := s.result, s.fail
	s.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	if refuse && err == nil {
		r = desk.Result{Reason: verdict.DocumentRequired}
	}
	return r, err
}

func (s *side) outcomes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.settled)
}

// pair is a kiosk without a guard, and a gate with one.
func pair(t *testing.T) (kiosk, gate *side) {
	kiosk, gate = newSide(t, 3), newSide(t, 5)
	kiosk.attended = false
	kiosk.peer, gate.peer = gate, kiosk
	gate.guard = desk.Shift{Number: "G0021", Name: "秦砚书"}
	kiosk.Online(true)
	gate.Online(true)
	return kiosk, gate
}

// is wants the last call to stand so.
func (s *side) is(t *testing.T, state wire.CallState) call.View {
	t.Helper()
	synctest.Wait()
	list := s.List()
	if len(list) == 0 {
		if state != "" {
			t.Fatalf("no call is listed, want %s", state)
		}
		return call.View{}
	}
	v := list[len(list)-1]
	if v.State != state {
		t.Fatalf("stands at %q, want %q: %+v", v.State, state, v)
	}
	return v
}

func ring(t *testing.T, s *side, reason wire.CallReason, scan string) call.View {
	t.Helper()
	v, err := s.Ring("入口", reason, scan, &wire.Subject{Name: "苏念安"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCall_AGuardElsewhereAdmitsAfterTheDocumentCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		v := ring(t, kiosk, wire.CallDocument, "s1")
		if v.State != wire.CallCalling {
			t.Errorf("at first: %+v", v)
		}
		kiosk.is(t, wire.CallRinging)
		if got := gate.is(t, wire.CallRinging); got.Subject.Name != "苏念安" || got.Mine {
			t.Errorf("at the gate: %+v", got)
		}
		if err := gate.Answer(v.ID, wire.CallAdmit, []string{"work_permit"}); err != nil {
			t.Fatal(err)
		}
		kiosk.is(t, wire.CallAdmitted)
		if got := gate.is(t, wire.CallAdmitted); got.Guard != "G0021" || got.Verdict != "granted" || got.Sent != "" {
			t.Errorf("the guard sees %+v", got)
		}
		if got := kiosk.outcomes(); len(got) != 1 || got[0] != `s1 by "G0021" [work_permit] refuse false` {
			t.Errorf("settled %q", got)
		}
		if err := gate.Answer(v.ID, wire.CallAdmit, []string{"work_permit"}); !errors.Is(err, call.ErrOver) {
			t.Errorf("once more: %v", err)
		}
		time.Sleep(11 * time.Second)
		kiosk.is(t, "")
		gate.is(t, "")
	})
}

func TestCall_NobodyAnswersForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		ring(t, kiosk, wire.CallDocument, "s1")
		time.Sleep(wire.RingMS*time.Millisecond - time.Second)
		kiosk.is(t, wire.CallRinging)
		time.Sleep(time.Second)
		kiosk.is(t, wire.CallMissed)
		gate.is(t, wire.CallMissed)
		if got := kiosk.outcomes(); len(got) != 1 || got[0] != `s1 by "" [] refuse true` {
			t.Errorf("the scan: %q", got)
		}
	})
}

func TestCall_AGuardWhoComesHasThreeMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		v := ring(t, kiosk, wire.CallDocument, "s1")
		synctest.Wait()
		if err := gate.Answer(v.ID, wire.CallComing, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		kiosk.is(t, wire.CallAnswered)
		gate.is(t, wire.CallAnswered)
		if err := gate.Answer(v.ID, wire.CallAdmit, []string{"id_card"}); err != nil {
			t.Fatal(err)
		}
		kiosk.is(t, wire.CallAdmitted)

		time.Sleep(time.Minute)
		ring(t, kiosk, wire.CallDocument, "s2")
		if err := gate.Answer(gate.is(t, wire.CallRinging).ID, wire.CallComing, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(wire.CallLifeMS * time.Millisecond)
		kiosk.is(t, wire.CallOver)
		if got := kiosk.outcomes(); got[len(got)-1] != `s2 by "" [] refuse true` {
			t.Errorf("the scan: %q", got)
		}
	})
}

func TestCall_TwoGuardsAndRepeatedAnswersSettleOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		kiosk.stuck = make(chan struct{})
		v := ring(t, kiosk, wire.CallDocument, "s1")
		synctest.Wait()
		admit := wire.Reply{ID: v.ID, Answer: wire.CallAdmit, Gate: 5, Guard: "G0021", Documents: []string{"id_card"}}
		refuse := wire.Reply{ID: v.ID, Answer: wire.CallRefuse, Gate: 6, Guard: "G0030"}
		kiosk.Replied(admit)
		kiosk.Replied(refuse) // while the first is being carried out
		kiosk.Replied(admit)
		synctest.Wait()
		close(kiosk.stuck)
		kiosk.is(t, wire.CallAdmitted)
		kiosk.Replied(refuse) // too late: it is told how the call stands
		if got := kiosk.is(t, wire.CallAdmitted); got.Guard != "G0021" {
			t.Errorf("%+v", got)
		}
		if got := kiosk.outcomes(); len(got) != 1 {
			t.Errorf("settled %q", got)
		}
		gate.is(t, wire.CallAdmitted)
		kiosk.mu.Lock()
		defer kiosk.mu.Unlock()
		if got := strings.Join(kiosk.sent, ", "); got != "ring document, stand admitted G0021, stand admitted G0021" {
			t.Errorf("told %s", got)
		}
	})
}

func TestCall_TheConnectionIsLostInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		v := ring(t, kiosk, wire.CallDocument, "s1")
		gate.is(t, wire.CallRinging)
		gate.set(func(s *side) { s.linked = false })
		gate.Online(false)
		if err := gate.Answer(v.ID, wire.CallAdmit, []string{"id_card"}); err != nil {
			t.Fatal(err)
		}
		if got := gate.is(t, wire.CallRinging); !got.Cut || got.Sent != wire.CallAdmit {
			t.Errorf("the guard sees %+v", got)
		}
		kiosk.is(t, wire.CallRinging)
		gate.set(func(s *side) { s.linked = true })
		gate.Online(true)
		gate.Rung(v.Ring) // the server says what rings
		kiosk.is(t, wire.CallAdmitted)
		if got := gate.is(t, wire.CallAdmitted); got.Cut || got.Sent != "" {
			t.Errorf("the guard sees %+v", got)
		}
	})
}

func TestCall_WithoutTheServerItSaysSoAtOnceAndRingsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		kiosk.set(func(s *side) { s.linked = false })
		kiosk.Online(false)
		if v := ring(t, kiosk, wire.CallHelp, ""); !v.Cut || v.State != wire.CallCalling {
			t.Errorf("without a connection: %+v", v)
		}
		gate.is(t, "")
		time.Sleep(10 * time.Second)
		kiosk.set(func(s *side) { s.linked = true })
		kiosk.Online(true)
		if v := kiosk.is(t, wire.CallRinging); v.Cut {
			t.Errorf("with a connection: %+v", v)
		}
		if err := gate.Answer(gate.is(t, wire.CallRinging).ID, wire.CallRefuse, nil); err != nil {
			t.Fatal(err)
		}
		kiosk.is(t, wire.CallRefused)
	})
}

// What ended without a connection is told when there is one.
func TestCall_AMissedCallIsToldLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, _ := pair(t)
		kiosk.peer = nil
		kiosk.set(func(s *side) { s.linked = false })
		kiosk.Online(false)
		ring(t, kiosk, wire.CallHelp, "")
		time.Sleep(10 * time.Minute)
		kiosk.is(t, "")
		kiosk.set(func(s *side) { s.linked = true })
		kiosk.Online(true)
		synctest.Wait()
		kiosk.mu.Lock()
		defer kiosk.mu.Unlock()
		if got := strings.Join(kiosk.sent, ", "); got != "ring help, stand missed" {
			t.Errorf("told %q", got)
		}
	})
}

func TestCall_TheKiosksOwnGuardPageAnswersWithoutTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, _ := pair(t)
		kiosk.set(func(s *side) { s.linked, s.attended, s.guard = false, true, desk.Shift{Number: "G1"} })
		kiosk.Online(false)
		v := ring(t, kiosk, wire.CallDocument, "s1")
		kiosk.is(t, wire.CallRinging)
		if err := kiosk.Answer(v.ID, wire.CallAdmit, []string{"id_card"}); err != nil {
			t.Fatal(err)
		}
		if got := kiosk.is(t, wire.CallAdmitted); got.By != 3 || got.Guard != "G1" {
			t.Errorf("%+v", got)
		}
	})
}

func TestCall_RefusesWhatItCannotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		v := ring(t, kiosk, wire.CallHelp, "")
		if again := ring(t, kiosk, wire.CallHelp, ""); again.ID != v.ID {
			t.Errorf("pressed twice: %s and %s", v.ID, again.ID)
		}
		synctest.Wait()
		for name, c := range map[string]struct {
			id     string
			answer wire.CallAnswer
			want   error
		}{
			"no such call":         {"9-9-9", wire.CallComing, call.ErrNoCall},
			"help is not admitted": {v.ID, wire.CallAdmit, call.ErrAnswer},
			"no answer":            {v.ID, "later", call.ErrAnswer},
		} {
			if err := gate.Answer(c.id, c.answer, []string{"x"}); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		d := ring(t, kiosk, wire.CallDocument, "s1")
		synctest.Wait()
		gate.set(func(s *side) { s.guard = desk.Shift{} })
		if err := gate.Answer(d.ID, wire.CallAdmit, []string{"x"}); !errors.Is(err, desk.ErrNoShift) {
			t.Errorf("nobody on duty: %v", err)
		}
		if err := gate.Cancel(d.ID); !errors.Is(err, call.ErrNoCall) {
			t.Errorf("another's call taken back: %v", err)
		}
		for i := range wire.MaxCalls {
			_, err := kiosk.Ring("入口", wire.CallDocument, fmt.Sprint("more", i), nil)
			if i >= wire.MaxCalls-2 != errors.Is(err, call.ErrMany) {
				t.Errorf("call %d: %v", i+3, err)
			}
		}
	})
}

func TestCall_EndsWithItsScanAndByCancelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kiosk, gate := pair(t)
		ring(t, kiosk, wire.CallDocument, "s1")
		kiosk.is(t, wire.CallRinging)
		kiosk.Settled("s1")
		kiosk.is(t, wire.CallOver)
		gate.is(t, wire.CallOver)
		v := ring(t, kiosk, wire.CallDocument, "s2")
		kiosk.is(t, wire.CallRinging)
		if err := kiosk.Cancel(v.ID); err != nil {
			t.Fatal(err)
		}
		gate.is(t, wire.CallCancelled)
		if err := kiosk.Cancel(v.ID); !errors.Is(err, call.ErrOver) {
			t.Errorf("cancelled twice: %v", err)
		}
		if got := kiosk.outcomes(); len(got) != 1 || got[0] != `s2 by "" [] refuse true` {
			t.Errorf("settled %q", got)
		}
		// A guard's page that opens later rings, too.
		gate.set(func(s *side) { s.attended = false })
		ring(t, kiosk, wire.CallHelp, "")
		kiosk.is(t, wire.CallCalling)
		gate.set(func(s *side) { s.attended = true })
		gate.Nudge()
		kiosk.is(t, wire.CallRinging)
	})
}

// A lane that could not settle a scan leaves the call open where it may be tried
// again, and ends it where nothing can come of it any more.
func TestCall_FaultsOfTheLane(t *testing.T) {
	for err, want := range map[error]wire.CallState{
		desk.ErrBusy: wire.CallRinging, desk.ErrNotWaiting: wire.CallOver, desk.ErrStore: wire.CallOver,
	} {
		synctest.Test(t, func(t *testing.T) {
			kiosk, gate := pair(t)
			kiosk.fail = err
			v := ring(t, kiosk, wire.CallDocument, "s1")
			synctest.Wait()
			if err := gate.Answer(v.ID, wire.CallAdmit, []string{"id_card"}); err != nil {
				t.Fatal(err)
			}
			kiosk.is(t, want)
			if got := gate.is(t, want); got.Sent != "" {
				t.Errorf("%v: the guard waits for ever: %+v", err, got)
			}
		})
	}
}
