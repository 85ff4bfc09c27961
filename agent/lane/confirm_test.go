package lane_test

import (
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// cutOff presents a pass while nobody answers, and gives what comes of it.
func (b *bench) cutOff(t *testing.T, text string) []desk.Effect {
	t.Helper()
	q := b.question("a", text)
	q = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	return b.says(q, verdict.ClaimSilent)
}

// silence answers the questions that are asked once more when a guard has
// agreed.
func (b *bench) silence(t *testing.T, effects []desk.Effect) []desk.Effect {
	t.Helper()
	q := find[desk.Ask](t, effects).Claim
	q = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	return b.says(q, verdict.ClaimSilent)
}

func confirming() wire.Offline { return wire.Offline{Max: 9, MaxAgeMS: 60_000, Confirm: true} }

func TestConfirm_OpensOnlyWhenAGuardAgrees(t *testing.T) {
	b := newShared(t, confirming())
	effects := b.cutOff(t, b.c.static(t, single(1)))
	r := shown(t, effects)
	if opened(effects) != 0 || r.Need != verdict.NeedConfirm || r.Mark != verdict.MarkUnconfirmed {
		t.Fatalf("effects %+v", effects)
	}
	if rej := find[desk.Reject](t, b.step(lane.Answer{Stamp: b.stamp(), ID: r.ID, Documents: []string{"work_permit"}})); rej.Err != lane.ErrBadAnswer {
		t.Fatalf("documents for an answer: %v", rej.Err)
	}
	effects = b.silence(t, b.step(lane.Answer{Stamp: b.stamp(), ID: r.ID, Confirm: true}))
	r = shown(t, effects)
	if opened(effects) != 1 || r.Reason != verdict.Granted || r.Mark != verdict.MarkUnconfirmed {
		t.Fatalf("effects %+v", effects)
	}
	list := b.events() // the first question was given back
	if e := list[len(list)-1]; len(list) != 2 || list[0].Type != wire.EventAnnul || !e.Counts || !e.Case.Offline.Confirmed {
		t.Fatalf("events %+v", list)
	}
	b.rejudged()
}

func TestConfirm_WhoWasReachedMeanwhileIsHeard(t *testing.T) {
	b := newShared(t, confirming())
	r := shown(t, b.cutOff(t, b.c.static(t, single(1))))
	q := find[desk.Ask](t, b.step(lane.Answer{Stamp: b.stamp(), ID: r.ID, Confirm: true})).Claim
	effects := b.says(q, verdict.ClaimUsed)
	if r := shown(t, effects); opened(effects) != 0 || r.Reason != verdict.AlreadyUsed {
		t.Fatalf("effects %+v", effects)
	}
}

func TestConfirm_NobodyAgrees(t *testing.T) {
	t.Run("Refused", func(t *testing.T) {
		b := newShared(t, confirming())
		r := shown(t, b.cutOff(t, b.c.static(t, single(1))))
		effects := b.step(lane.Answer{Stamp: b.stamp(), ID: r.ID, Refuse: true})
		if r := shown(t, effects); opened(effects) != 0 || r.Reason != verdict.OfflineNotAllowed {
			t.Fatalf("effects %+v", effects)
		}
		b.rejudged()
	})
	t.Run("TooLate", func(t *testing.T) {
		b := newShared(t, confirming())
		b.cutOff(t, b.c.static(t, single(1)))
		b.pass(lane.DocumentMS)
		if r := shown(t, b.step(desk.Tick{Stamp: b.stamp()})); r.Reason != verdict.OfflineNotAllowed {
			t.Fatalf("a minute later: %v", r.Reason)
		}
	})
	t.Run("NobodyThere", func(t *testing.T) {
		b := newShared(t, confirming())
		b.cfg.Unstaffed = true
		b.restart()
		b.step(desk.Tick{Stamp: b.stamp()})
		b.pass(wire.ReserveMS)
		effects := b.cutOff(t, b.c.static(t, single(1)))
		if r := shown(t, effects); opened(effects) != 0 || r.Reason != verdict.OfflineNotAllowed {
			t.Fatalf("effects %+v", effects)
		}
		b.begin("G21")
		effects = b.cutOff(t, b.c.static(t, single(2)))
		if r := shown(t, effects); r.Need != verdict.NeedConfirm {
			t.Fatalf("somebody is on duty: %+v", effects)
		}
		b.rejudged()
	})
	t.Run("NoShift", func(t *testing.T) {
		b := newShared(t, confirming())
		b.cfg.Shift = true
		b.restart()
		b.step(desk.Tick{Stamp: b.stamp()})
		b.pass(wire.ReserveMS)
		r := shown(t, b.cutOff(t, b.c.static(t, single(1))))
		if rej := find[desk.Reject](t, b.step(lane.Answer{Stamp: b.stamp(), ID: r.ID, Confirm: true})); rej.Err != desk.ErrNoShift {
			t.Fatalf("nobody is on duty: %v", rej.Err)
		}
	})
}
