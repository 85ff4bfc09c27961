package cards_test

import (
	"errors"
	"testing"

	"campusgate/server/cards"
	"campusgate/server/people"
	"campusgate/signing/verdict"
)

func fen(n int64) *int64 { return &n }

func yes(v bool) *bool { return &v }

func TestLimits_HolderOnlyLowers(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	if c.Limits != cards.Defaults.Limits || c.Offline.Enabled {
		t.Fatalf("%+v %+v", c.Limits, c.Offline)
	}
	_, err := w.SetLimits(t.Context(), "x", c.Account, 20_001, 0)
	wants(t, err, cards.ErrLimit)
	var r *cards.Refusal
	if !errors.As(err, &r) || r.Details["field"] != "per_tx_fen" || r.Details["most"] != int64(20_000) {
		t.Errorf("details %+v", r)
	}
	_, err = w.SetLimits(t.Context(), "x", c.Account, -1, 0)
	wants(t, err, people.ErrInvalid)
	c, err = w.SetLimits(t.Context(), "x", c.Account, 1_500, 3_000)
	ok(t, err)
	if c.Limits != (cards.Caps{PerTxFen: 1_500, PerDayFen: 3_000}) || c.Ceiling.Limits != cards.Defaults.Limits {
		t.Fatalf("%+v", c.Limits)
	}
	// The office gives more or less; the holder's own stays below it.
	c, err = w.Override(t.Context(), "x", c.Account, cards.Overrides{PerTxFen: fen(1_000), PerDayFen: fen(0), PerMealFen: fen(4_000)}, false)
	ok(t, err)
	if c.Limits != (cards.Caps{PerTxFen: 1_000, PerMealFen: 4_000, PerDayFen: 3_000}) {
		t.Fatalf("%+v", c.Limits)
	}
	c, err = w.SetLimits(t.Context(), "x", c.Account, 0, 0)
	ok(t, err)
	if c.Limits != (cards.Caps{PerTxFen: 1_000, PerMealFen: 4_000}) {
		t.Fatalf("%+v", c.Limits)
	}
	c, err = w.Override(t.Context(), "x", c.Account, cards.Overrides{PerTxFen: fen(-1), PerDayFen: fen(-1), PerMealFen: fen(-1)}, false)
	ok(t, err)
	if c.Limits != cards.Defaults.Limits {
		t.Fatalf("as the campus: %+v", c.Limits)
	}
	wants(t, w.PutTerms(t.Context(), "x", cards.Terms{Limits: cards.Caps{PerTxFen: -1}}), people.ErrInvalid)
	wants(t, w.PutTerms(t.Context(), "x", cards.Terms{Offline: cards.Offline{MaxTx: 1 << 31}}), people.ErrInvalid)
}

func TestOffline_SwitchedOffCountsAtOnce(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	_, err := w.SetOffline(t.Context(), "x", c.Account, true, 0, 0)
	wants(t, err, cards.ErrLimit) // the campus has none
	w.offline(t)
	p := newPhone(t)
	p.enrol(t, w, c.Account)
	_, err = w.SetOffline(t.Context(), "x", c.Account, true, 2_001, 0)
	wants(t, err, cards.ErrLimit)
	c, err = w.SetOffline(t.Context(), "x", c.Account, true, 1_000, 0)
	ok(t, err)
	if c.Offline != (cards.Offline{Enabled: true, PerTxFen: 1_000, PerDayFen: 5_000, MaxTx: 3}) || c.Epoch != 1 {
		t.Fatalf("lowered: %+v", c)
	}
	if v := till(t, w, p.shows(t, w), 1_500, true); v.Reason != verdict.Granted {
		t.Errorf("the credential of before: %s", v.Reason)
	}
	p.enrol(t, w, c.Account)
	if v := till(t, w, p.shows(t, w), 1_500, true); v.Reason != verdict.LimitSingle {
		t.Errorf("the next: %s", v.Reason)
	}
	c, err = w.SetOffline(t.Context(), "x", c.Account, false, 0, 0)
	ok(t, err)
	if c.Epoch != 2 || c.Offline.Enabled {
		t.Fatalf("off: %+v", c)
	}
	if v := till(t, w, p.shows(t, w), 100, true); v.Reason != verdict.Revoked {
		t.Errorf("a till that has heard: %s", v.Reason)
	}
	p.enrol(t, w, c.Account) // the same phone: no other epoch
	if c = w.find(t, c.Account); c.Epoch != 2 {
		t.Errorf("epoch %d", c.Epoch)
	}
	if v := till(t, w, p.shows(t, w), 100, true); v.Reason != verdict.LimitOffline {
		t.Errorf("a credential of now: %s", v.Reason)
	}
	// The office can switch it off as well, or back to what the campus has.
	c, err = w.SetOffline(t.Context(), "x", c.Account, true, 0, 0)
	ok(t, err)
	c, err = w.Override(t.Context(), "x", c.Account, cards.Overrides{Offline: yes(false)}, false)
	ok(t, err)
	if c.Epoch != 3 {
		t.Errorf("epoch %d", c.Epoch)
	}
	c, err = w.Override(t.Context(), "x", c.Account, cards.Overrides{}, true)
	ok(t, err)
	if !c.Offline.Enabled || c.Epoch != 3 {
		t.Errorf("%+v", c)
	}
}
