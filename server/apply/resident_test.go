package apply_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
)

// verify makes the household of somebody a verified one.
func (w *world) verify(t testing.TB, person string, verified bool) int64 {
	t.Helper()
	homes, err := w.people.HouseholdsOf(t.Context(), w.db.Reader(), person)
	ok(t, err)
	if len(homes) != 1 {
		t.Fatalf("%s lives in %d households", person, len(homes))
	}
	w.change(t, func(tx *store.Tx) error {
		if verified {
			_, err := w.people.VerifyHousehold(tx, "test", homes[0].ID)
			return err
		}
		return tx.Exec("UPDATE households SET verified_at = NULL, verified_by = NULL WHERE id = $1", homes[0].ID)
	})
	return homes[0].ID
}

func TestResident_CQ006_CQ057_CQ058_OneUseOnItsDayAtTheGateOfTheCampus(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, w.lin, residentFlow, atHome("2026-05-02"))
	if in.State != approval.Completed {
		t.Fatalf("the system did not agree at once: %s", in.State)
	}
	p := w.only(t, w.lin)
	day := time.Date(2026, 5, 2, 0, 0, 0, 0, campusTime(t))
	if p.Kind != signing.ResidentSingle || p.Uses != 1 || p.From != day.Unix() || p.Until != day.AddDate(0, 0, 1).Unix() {
		t.Errorf("pass %+v", p.Pass)
	}
	if p.Name != "林国栋" || p.Doc4 != "" || p.Bound || p.Owner != w.gates["A东门"] && p.Owner != w.gates["A西门"] {
		t.Errorf("pass %+v", p.Pass)
	}
	if !slices.Equal(p.Zones.List(), []int{1}) {
		t.Errorf("zones %v, want those of campus A", p.Zones.List())
	}
	read, err := code.Read(w.ring(t), p.Code)
	ok(t, err)
	if read.Pass.ID != p.ID || read.Pass.Name != "林国栋" {
		t.Errorf("code says %+v", read.Pass)
	}
	if other := w.only(t, w.xu); other.ID != p.ID {
		t.Error("the code is not the household's")
	}
	if held := w.passes(t, w.yang); len(held) != 0 {
		t.Errorf("somebody of another household holds it")
	}
}

func TestResident_CQ006_TheGateThatWasAskedForDecides(t *testing.T) {
	w := newWorld(t)
	w.submit(t, w.lin, residentFlow, atHome("2026-05-01").with(form{"gate": "A西门"}))
	if p := w.only(t, w.lin); p.Owner != w.gates["A西门"] {
		t.Errorf("owner %d", p.Owner)
	}
	r := w.refused(t, w.lin, residentFlow, atHome("2026-05-03").with(form{"gate": "B正门"}), approval.FieldInvalid)
	if r.Field != "gate" {
		t.Errorf("field %q", r.Field)
	}
	w.submit(t, w.yang, residentFlow, atYangs("2026-05-01"))
	if p := w.only(t, w.yang); p.Owner != w.gates["B正门"] || !slices.Equal(p.Zones.List(), []int{2}) {
		t.Errorf("B: owner %d, zones %v", p.Owner, p.Zones.List())
	}
}

func TestSubmit_CQ003_SecondCodeOfAHouseholdIsRefused(t *testing.T) {
	w := newWorld(t)
	w.submit(t, w.lin, residentFlow, atHome("2026-05-02"))
	for _, date := range []string{"2026-05-01", "2026-05-02", "2026-05-03"} {
		r := w.refused(t, w.xu, residentFlow, atHome(date), "HOUSEHOLD_QUOTA_2D")
		if r.Details["next_date"] != "2026-05-04" {
			t.Errorf("%s: details %v, want 4 May next", date, r.Details)
		}
	}
	w.submit(t, w.yang, residentFlow, atYangs("2026-05-02"))
	w.at(t, "2026-05-02 09:00")
	w.submit(t, w.xu, residentFlow, atHome("2026-05-04"))
	if n := len(w.passes(t, w.xu)); n != 2 {
		t.Errorf("%d codes, want 2", n)
	}
}

func TestSubmit_CQ003_OfAHundredTogetherOneIsTaken(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	taken, refused := map[string]int{}, 0
	send := func(household, person string, f form) {
		group.Go(func() {
			in, refusal, err := w.Create(t.Context(), by(person), apply.Request{Flow: residentFlow, Form: f, Submit: true})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case refusal == nil:
				taken[household]++
				if in.State != approval.Completed {
					t.Errorf("state %s", in.State)
				}
			case refusal.Code != "HOUSEHOLD_QUOTA_2D":
				t.Errorf("refused with %s", refusal)
			default:
				refused++
			}
		})
	}
	for i := range 100 {
		person, date := w.lin, "2026-05-02"
		if i%2 == 1 {
			person, date = w.xu, "2026-05-03"
		}
		send("lin", person, atHome(date))
	}
	send("yang", w.yang, atYangs("2026-05-02"))
	group.Wait()
	if taken["lin"] != 1 || taken["yang"] != 1 || refused != 99 {
		t.Fatalf("taken %v, refused %d", taken, refused)
	}
	if n := len(w.passes(t, w.lin)); n != 1 {
		t.Errorf("%d codes", n)
	}
}

// Half of them are not reviewed yet: what is under way counts too.
func TestSubmit_CQ003_WhatIsUnderReviewCounts(t *testing.T) {
	w := newWorld(t)
	w.verify(t, w.lin, false)
	in := w.submit(t, w.lin, residentFlow, atHome("2026-05-02"))
	if in.State != approval.Running {
		t.Fatalf("an unverified household's application is %s", in.State)
	}
	w.refused(t, w.xu, residentFlow, atHome("2026-05-02"), "HOUSEHOLD_QUOTA_2D")
	w.decide(t, community, in.ID, "reject")
	again := w.submit(t, w.xu, residentFlow, atHome("2026-05-02"))
	w.act(t, by(w.xu), again.ID, approval.Act{Verb: approval.Withdraw})
	third := w.submit(t, w.lin, residentFlow, atHome("2026-05-02"))
	w.refused(t, w.xu, residentFlow, atHome("2026-05-03"), "HOUSEHOLD_QUOTA_2D")
	if done := w.decide(t, community, third.ID, "agree"); done.State != approval.Completed {
		t.Fatalf("state %s", done.State)
	}
	w.denied(t, by(w.xu), again.ID, approval.Act{Verb: approval.Submit}, "HOUSEHOLD_QUOTA_2D")
}

func TestSubmit_CQ003_RevokingBeforeTheDayFreesItAndOnTheDayDoesNot(t *testing.T) {
	w := newWorld(t)
	w.submit(t, w.lin, residentFlow, atHome("2026-05-02"))
	ok(t, w.Revoke(t.Context(), "desk", w.only(t, w.lin).ID, "改期"))
	in := w.submit(t, w.xu, residentFlow, atHome("2026-05-02"))
	w.at(t, "2026-05-02 07:00")
	w.act(t, by(w.xu), in.ID, approval.Act{Verb: approval.Terminate})
	for _, p := range w.passes(t, w.xu) {
		if issue.State(p.PassStatus, w.Now()) != "revoked" {
			t.Errorf("pass %s holds", p.ID)
		}
	}
	w.refused(t, w.lin, residentFlow, atHome("2026-05-02"), "HOUSEHOLD_QUOTA_2D")
	w.refused(t, w.lin, residentFlow, atHome("2026-05-03"), "HOUSEHOLD_QUOTA_2D")
	w.submit(t, w.lin, residentFlow, atHome("2026-05-04"))
}

func TestResident_CQ044_CQ050_SeveralEntriesNeedAReasonAndReview(t *testing.T) {
	w := newWorld(t)
	r := w.refused(t, w.lin, residentFlow, several("2026-05-01", "2026-05-03").with(form{"reason": ""}), approval.FieldRequired)
	if r.Field != "reason" {
		t.Errorf("field %q", r.Field)
	}
	w.refused(t, w.lin, residentFlow, several("2026-05-02", "2026-05-01"), apply.DateOrder)
	w.refused(t, w.lin, residentFlow, several("2026-05-01", "2026-05-08"), "MULTI_TOO_LONG")
	in := w.submit(t, w.lin, residentFlow, several("2026-05-01", "2026-05-07"))
	if in.State != approval.Running {
		t.Fatalf("state %s: nobody looked at it", in.State)
	}
	w.decide(t, community, in.ID, "agree")
	p := w.only(t, w.lin)
	if p.Kind != signing.ResidentMulti || !p.Bound || p.Code != "" || p.Uses != 0 ||
		p.Until-p.From != 7*24*3600 || !slices.Equal(p.Zones.List(), []int{1}) {
		t.Errorf("pass %+v", p.Pass)
	}
	if held := w.passes(t, w.xu); len(held) != 0 {
		t.Error("a bound pass is on the phone of one person")
	}
	// It counts on each of its days.
	w.at(t, "2026-05-06 08:00")
	r = w.refused(t, w.xu, residentFlow, atHome("2026-05-08"), "HOUSEHOLD_QUOTA_2D")
	if r.Details["next_date"] != "2026-05-09" {
		t.Errorf("details %v", r.Details)
	}
	// Revoked on its sixth day, the seventh is free again.
	ok(t, w.Revoke(t.Context(), "desk", p.ID, ""))
	w.submit(t, w.xu, residentFlow, atHome("2026-05-08"))
}

func TestResident_CQ003_ARangeOverATakenDayIsRefused(t *testing.T) {
	w := newWorld(t)
	w.submit(t, w.lin, residentFlow, atHome("2026-05-03"))
	w.refused(t, w.xu, residentFlow, several("2026-05-01", "2026-05-05"), "HOUSEHOLD_QUOTA_2D")
	w.refused(t, w.xu, residentFlow, several("2026-05-01", "2026-05-02"), "HOUSEHOLD_QUOTA_2D")
	w.submit(t, w.xu, residentFlow, atHome("2026-05-01"))
}

func TestResident_CQ045_CQ046_CQ047_CQ048_OnlyForOnesOwnHousehold(t *testing.T) {
	w := newWorld(t)
	for name, f := range map[string]form{
		"another head":          atHome("2026-05-01").with(form{"head": "林国梁"}),
		"another room":          atHome("2026-05-01").with(form{"room": "101"}),
		"another building":      atHome("2026-05-01").with(form{"building": "10栋"}),
		"somebody else's house": atYangs("2026-05-01"),
	} {
		t.Run(name, func(t *testing.T) { w.refused(t, w.lin, residentFlow, f, apply.HouseholdUnknown) })
	}
	r := w.refused(t, w.lin, residentFlow, atHome("2026-05-01").with(form{"compound": "桃花源"}), approval.FieldInvalid)
	if r.Field != "compound" {
		t.Errorf("field %q", r.Field)
	}
	for _, field := range []string{"type", "head", "compound", "building", "room", "date"} {
		f := atHome("2026-05-01")
		delete(f, field)
		if r := w.refused(t, w.lin, residentFlow, f, approval.FieldRequired); r.Field != field {
			t.Errorf("without %s the refusal names %s", field, r.Field)
		}
	}
}

func TestResident_CQ016_APaperPassExcludesCodes(t *testing.T) {
	w := newWorld(t)
	w.papers.household = w.verify(t, w.lin, true)
	w.refused(t, w.lin, residentFlow, atHome("2026-05-01"), apply.PaperPassHeld)
	w.submit(t, w.yang, residentFlow, atYangs("2026-05-01"))
	w.papers.household = 0
	w.verify(t, w.lin, false)
	in := w.submit(t, w.lin, residentFlow, atHome("2026-05-01"))
	// Handed out while the application was under review.
	w.papers.household = w.verify(t, w.lin, false)
	a := approval.Act{Verb: approval.Decide, Task: w.task(t, community, in.ID), Outcome: "agree"}
	w.denied(t, by(community), in.ID, a, apply.PaperPassHeld)
	w.papers.household = 0
	w.act(t, by(community), in.ID, a)
}

func TestResident_CQ049_OnlyNearDates(t *testing.T) {
	w := newWorld(t)
	w.refused(t, w.lin, residentFlow, atHome("2026-04-30"), "DATE_PAST")
	r := w.refused(t, w.lin, residentFlow, atHome("2026-05-04"), "DATE_TOO_FAR")
	if r.Details["latest_date"] != "2026-05-03" {
		t.Errorf("details %v", r.Details)
	}
	for _, date := range []string{"2026-02-30", "tomorrow", "", "2026-5-1"} {
		w.refused(t, w.lin, residentFlow, atHome(date), map[bool]string{true: approval.FieldRequired, false: approval.FieldInvalid}[date == ""])
	}
	v, err := w.Settings(t.Context())
	ok(t, err)
	v.AheadDays = 10
	ok(t, w.PutSettings(t.Context(), "test", v))
	w.submit(t, w.lin, residentFlow, atHome("2026-05-11"))
}

func TestResident_CQ058_TheCampusMayReviewEverything(t *testing.T) {
	w := newWorld(t)
	v := apply.Defaults
	v.AutoSingle = false
	ok(t, w.PutSettings(t.Context(), "test", v))
	in := w.submit(t, w.lin, residentFlow, atHome("2026-05-01"))
	if in.State != approval.Running {
		t.Fatalf("state %s", in.State)
	}
	view, err := w.View(t.Context(), by(w.lin), in.ID)
	ok(t, err)
	if !slices.Equal(view.Waiting, []string{"吴静"}) {
		t.Errorf("waiting for %v", view.Waiting)
	}
	w.decide(t, community, in.ID, "agree", func(a *approval.Act) { a.Opinion = "情况属实" })
	if view, err = w.View(t.Context(), by(w.lin), in.ID); err != nil || view.StateName != "已审核" {
		t.Fatalf("state %q, %v", view.StateName, err)
	}
	last := view.Trail[len(view.Trail)-1]
	if last.Actor.Number != community || last.Actor.Name != "吴静" || last.Opinion != "情况属实" || last.Name != "同意" {
		t.Errorf("reviewer %+v", last)
	}
}

func TestResident_ACampusWithoutGatesHasNoCodes(t *testing.T) {
	w := newWorld(t)
	w.change(t, func(tx *store.Tx) error {
		_, err := w.people.UpdateCampus(tx, "test", people.Campus{ID: "A", Name: "A校区"})
		return err
	})
	w.refused(t, w.lin, residentFlow, atHome("2026-05-01"), apply.NoGate)
}

func TestSettings_MoreCodesWithinTheDays(t *testing.T) {
	w := newWorld(t)
	v := apply.Defaults
	v.AheadDays, v.QuotaDays, v.QuotaCodes = 9, 3, 2
	ok(t, w.PutSettings(t.Context(), "test", v))
	w.submit(t, w.lin, residentFlow, atHome("2026-05-02"))
	w.submit(t, w.xu, residentFlow, atHome("2026-05-02"))
	r := w.refused(t, w.lin, residentFlow, atHome("2026-05-04"), "HOUSEHOLD_QUOTA_2D")
	if r.Details["next_date"] != "2026-05-05" {
		t.Errorf("details %v", r.Details)
	}
	w.submit(t, w.lin, residentFlow, atHome("2026-05-05"))
	w.submit(t, w.lin, residentFlow, atHome("2026-05-06"))
	w.refused(t, w.lin, residentFlow, atHome("2026-05-07"), "HOUSEHOLD_QUOTA_2D")
	v.QuotaDays = 0
	ok(t, w.PutSettings(t.Context(), "test", v))
	w.submit(t, w.lin, residentFlow, atHome("2026-05-07"))
}
