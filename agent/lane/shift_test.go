package lane_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func errorIs(err, want error) bool { return errors.Is(err, want) }

// attended is a gate where a guard has to be on duty.
func attended(tb testing.TB) *bench {
	tb.Helper()
	b := guided(tb)
	b.cfg.Shift = true
	b.restart()
	return b
}

func (b *bench) begin(number string) []desk.Effect {
	return b.step(desk.BeginShift{Stamp: b.stamp(), Number: number, Name: "秦砚书"})
}

func TestShift_CQ079_WithoutAGuardNothingIsAnsweredFor(t *testing.T) {
	b := attended(t)
	asked := b.wait("a", b.c.static(t, single(1)))
	refused := func(effects []desk.Effect) {
		t.Helper()
		if rej := find[desk.Reject](t, effects); rej.Err != desk.ErrNoShift || opened(effects) != 0 {
			t.Fatalf("effects %+v", effects)
		}
	}
	refused(b.answer(asked.ID, "id_card"))
	refused(b.enter(lane.Entry{Rule: "staff", Documents: []string{"work_permit"}}))
	refused(b.annul(asked.ID))
	if n := len(b.events()); n != 0 {
		t.Fatalf("%d events", n)
	}
	// To refuse lets nobody in, and the question still waits for that.
	b.begin("G21")
	if opened(b.answer(asked.ID, "id_card")) != 1 {
		t.Fatal("the question was lost while the guard logged in")
	}
	events := b.events()
	if e := events[0]; e.Type != wire.EventShift || e.Shift != wire.ShiftBegins || e.Guard != "G21" {
		t.Fatalf("event %+v", e)
	}
	if events[1].Guard != "G21" {
		t.Fatalf("event without its guard: %+v", events[1])
	}
}

// A turnstile needs no guard: a good code opens it where no document is asked
// for, and leaving never waits for anybody.
func TestShift_CQ079_ACodeOpensAllTheSame(t *testing.T) {
	b := newBench(t, nil)
	b.cfg.Shift = true
	b.restart()
	b.admit("a", b.c.static(t, single(1)))
	if e := b.events()[0]; e.Guard != "" {
		t.Fatalf("event %+v", e)
	}
	attended := attended(t)
	attended.admit("out", attended.c.static(t, single(1)))
	asked := attended.wait("a", attended.c.static(t, single(2)))
	if r := shown(t, attended.answer(asked.ID)); r.Reason != verdict.DocumentRequired {
		t.Fatalf("to refuse needs a guard: %+v", r)
	}
}

func TestShift_RelievesEndsAndSurvivesARestart(t *testing.T) {
	b := attended(t)
	if s := find[desk.Shifted](t, b.begin("G21")).Shift; s.Number != "G21" || s.Name != "秦砚书" || s.Since != noonMS {
		t.Fatalf("shift %+v", s)
	}
	b.pass(1000)
	if s := find[desk.Shifted](t, b.begin("G21")).Shift; s.Since != noonMS || len(b.events()) != 1 {
		t.Fatalf("again: %+v, %d events", s, len(b.events()))
	}
	b.begin("G22")
	b.reopen()
	b.restart()
	asked := b.wait("a", b.c.static(t, single(1)))
	if opened(b.answer(asked.ID, "id_card")) != 1 {
		t.Fatal("the shift did not survive")
	}
	if s := find[desk.Shifted](t, b.step(desk.EndShift{Stamp: b.stamp()})).Shift; s != (desk.Shift{}) {
		t.Fatalf("shift %+v", s)
	}
	if rej := find[desk.Reject](t, b.step(desk.EndShift{Stamp: b.stamp()})); rej.Err != desk.ErrNoShift {
		t.Fatalf("ended twice: %v", rej.Err)
	}
	type move struct {
		guard string
		move  wire.ShiftMove
	}
	var moves []move
	for _, e := range b.events() {
		if e.Type == wire.EventShift {
			moves = append(moves, move{e.Guard, e.Shift})
		}
	}
	want := []move{{"G21", wire.ShiftBegins}, {"G21", wire.ShiftEnds}, {"G22", wire.ShiftBegins}, {"G22", wire.ShiftEnds}}
	if len(moves) != len(want) {
		t.Fatalf("moves %v", moves)
	}
	for i := range want {
		if moves[i] != want[i] {
			t.Fatalf("moves %v, want %v", moves, want)
		}
	}
}

func TestShift_OneThatWasForgottenEnds(t *testing.T) {
	b := attended(t)
	b.begin("G21")
	b.pass(desk.ShiftMS - 1)
	if effects := b.tick(); len(effects) != 0 {
		t.Fatalf("too early: %+v", effects)
	}
	b.pass(1)
	if s := find[desk.Shifted](t, b.tick()).Shift; s != (desk.Shift{}) {
		t.Fatalf("shift %+v", s)
	}
}

// A transaction that fails leaves the shift as it was, also where the commit was
// carried out after all: a restart tells.
func TestShift_AFailedCommitPutsNobodyOnDuty(t *testing.T) {
	b := attended(t)
	err := b.j.Update(func(book lane.Book) error {
		if _, err := b.core.Step(book, desk.BeginShift{Stamp: b.stamp(), Number: "G21"}); err != nil {
			return err
		}
		return errors.New("the disk is full")
	})
	if err == nil {
		t.Fatal("no error")
	}
	b.core.Rollback()
	cause := errors.New("cause")
	if rej := find[desk.Reject](t, b.core.Failed(desk.BeginShift{Stamp: b.stamp()}, cause)); rej.Err != cause {
		t.Fatalf("told %v", rej.Err)
	}
	asked := b.wait("a", b.c.static(t, single(1)))
	if rej := find[desk.Reject](t, b.answer(asked.ID, "id_card")); rej.Err != desk.ErrNoShift {
		t.Fatalf("somebody is on duty: %v", rej.Err)
	}
}

func knowing(d *lane.Deps) { d.Guideline = func() *verdict.Guideline { return rules } }

func TestDesk_EntersAndKeepsWhoIsOnDuty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, withDocuments, knowing)
		s := must[desk.Shift](t)(c.desk.Begin(t.Context(), "G21", "秦砚书"))
		if s.Number != "G21" || c.desk.Shift() != s {
			t.Fatalf("shift %+v, on duty %+v", s, c.desk.Shift())
		}
		in := lane.Entry{Lane: "a", Direction: verdict.Entry, Rule: "staff", Documents: []string{"work_permit"}}
		r := must[desk.Result](t)(c.desk.Enter(t.Context(), in))
		if !r.Opens || r.Guard != "G21" || r.ID == "" {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 1)
		in.Rule = "visitor"
		if must[desk.Result](t)(c.desk.Enter(t.Context(), in)).Opens {
			t.Fatal("a visitor")
		}
		c.wantPulses(t, 1)
		in.Rule = "nobody"
		if _, err := c.desk.Enter(t.Context(), in); !errors.Is(err, lane.ErrNoRule) {
			t.Fatal(err)
		}
		if got := c.desk.Recent(); len(got) != 2 || got[1].ID != r.ID {
			t.Fatalf("recent %+v", got)
		}
		check(t, c.desk.End(t.Context()))
		check(t, c.desk.End(t.Context())) // nobody on duty
		if c.desk.Shift() != (desk.Shift{}) {
			t.Fatalf("on duty %+v", c.desk.Shift())
		}
	})
}

func TestFault_NobodyEntersAndNobodyIsOnDuty(t *testing.T) {
	onFault(t, withDocuments, func(t *testing.T, c *counter, f *faulty) {
		in := lane.Entry{Lane: "a", Direction: verdict.Entry, Rule: "staff", Documents: []string{"work_permit"}}
		if _, err := c.desk.Enter(t.Context(), in); !errors.Is(err, lane.ErrNoRule) {
			t.Fatalf("no guideline is known: %v", err)
		}
		c.stop()
		c.run(t, func(d *lane.Deps) {
			knowing(d)
			f.Store, d.Store = d.Store, f
		})
		f.fail.Store(true)
		if _, err := c.desk.Enter(t.Context(), in); !errors.Is(err, desk.ErrStore) {
			t.Fatal(err)
		}
		if _, err := c.desk.Begin(t.Context(), "G21", "秦砚书"); !errors.Is(err, desk.ErrStore) {
			t.Fatal(err)
		}
		if c.desk.Shift() != (desk.Shift{}) {
			t.Fatalf("on duty %+v", c.desk.Shift())
		}
		c.wantPulses(t, 0)
		f.fail.Store(false)
		if r := must[desk.Result](t)(c.desk.Enter(t.Context(), in)); !r.Opens {
			t.Fatalf("afterwards %+v", r)
		}
		must[desk.Shift](t)(c.desk.Begin(t.Context(), "G21", "秦砚书"))
		c.wantPulses(t, 1)
		c.events() // the chain holds
	})
}
