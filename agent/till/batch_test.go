package till_test

import (
	"errors"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/journal"
	"campusgate/agent/till"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func (b *bench) void(id wire.EventID) []desk.Effect {
	b.tb.Helper()
	return b.step(till.Void{Stamp: b.stamp(), Event: id, By: "S01"})
}

func (b *bench) move(m wire.BatchMove) []desk.Effect {
	b.tb.Helper()
	return b.step(till.MoveBatch{Stamp: b.stamp(), Move: m, By: "C01"})
}

func TestVoid_OnceAndOnlyInItsBatch(t *testing.T) {
	b := newBench(t, nil)
	h := b.c.holder(t, 1, nil)
	kept, gone := b.charge(h, 100, verdict.Granted), b.charge(h, 250, verdict.Granted)
	r := find[desk.Done](t, b.void(*gone.Event)).Result
	if !r.Charge.Voided || !r.Annulled || r.ID != gone.ID || r.Reason != verdict.Granted {
		t.Fatalf("%+v", r)
	}
	events := b.events()
	e := events[len(events)-1]
	if e.Type != wire.EventVoid || *e.Annuls != *gone.Event || e.Guard != "S01" || !e.Offline || e.Charge.AmountFen != 250 ||
		e.Charge.Flow != 3 || e.Charge.SumFen != 100 || e.Charge.Batch != 1 {
		t.Fatalf("%+v %+v", e, e.Charge)
	}
	if got := b.batch(); got.Charges != 2 || got.Voids != 1 || got.TotalFen != 100 || got.Flow != 3 || got.SumFen != 100 {
		t.Fatalf("%+v", got)
	}
	for name, id := range map[string]wire.EventID{
		"voided": *gone.Event, "another journal's": {Agent: 18, Epoch: 1, Seq: gone.Event.Seq}, "a void": e.ID,
		"not there": {Agent: 17, Epoch: 1, Seq: 999}, "huge": {Agent: 17, Epoch: 1, Seq: 1 << 63},
	} {
		want := till.ErrNoCharge
		if name == "voided" {
			want = till.ErrNotVoidable
		}
		if got := find[desk.Reject](t, b.void(id)); !errors.Is(got.Err, want) {
			t.Errorf("%s: %v, want %v", name, got.Err, want)
		}
	}
	// What was voided counts against nothing, but its code stays used.
	b.amount(10)
	b.move(wire.BatchCloses)
	if got := find[desk.Reject](t, b.void(*kept.Event)); !errors.Is(got.Err, till.ErrNotVoidable) {
		t.Fatalf("after closing: %v", got.Err)
	}
	b.move(wire.BatchOpens)
	if got := find[desk.Reject](t, b.void(*kept.Event)); !errors.Is(got.Err, till.ErrNotVoidable) {
		t.Fatalf("in the next batch: %v", got.Err)
	}
	b.events()
}

func TestVoid_FreesLimitsButNotTheCode(t *testing.T) {
	b := newBench(t, func(r *wire.Till) { r.PerDayFen = 300 })
	h := b.c.holder(t, 1, nil)
	b.amount(300)
	text := h.show(t, b.wall)
	r := b.scan(text)
	b.charge(h, 1, verdict.LimitDay)
	b.void(*r.Event)
	b.amount(300)
	if r := b.scan(text); r.Reason != verdict.Replayed || r.Repeat {
		t.Fatalf("the code of a voided charge %+v", r)
	}
	b.charge(h, 300, verdict.Granted)
}

func TestBatch_TotalsAndNumbers(t *testing.T) {
	b := newBench(t, nil)
	h := b.c.holder(t, 1, nil)
	b.charge(h, 100, verdict.Granted)
	b.void(*b.charge(h, 70, verdict.Granted).Event)
	if r := find[desk.Reject](t, b.move(wire.BatchOpens)); !errors.Is(r.Err, till.ErrBatch) {
		t.Fatal(r.Err)
	}
	b.amount(50)
	if s := find[till.Armed](t, b.move(wire.BatchCloses)); s.Sale != nil {
		t.Fatalf("a sale stays armed: %+v", s)
	}
	events := b.events()
	if got := *events[len(events)-1].Batch; got != (wire.Batch{Number: 1, Move: wire.BatchCloses, Charges: 2, Voids: 1, TotalFen: 100, Flow: 3, SumFen: 100}) {
		t.Fatalf("%+v", got)
	}
	if r := find[desk.Reject](t, b.move(wire.BatchCloses)); !errors.Is(r.Err, till.ErrBatch) {
		t.Fatal(r.Err)
	}
	b.reopen()
	b.restart()
	// A shift opens the next.
	find[till.Moved](t, b.step(desk.BeginShift{Stamp: b.stamp(), Number: "C02", Name: "何收银"}))
	if got := b.batch(); got.Number != 2 || !got.Open || got.OpenedBy != "C02" || got.Charges != 0 || got.Flow != 3 || got.SumFen != 100 {
		t.Fatalf("%+v", got)
	}
	for _, e := range b.step(desk.BeginShift{Stamp: b.stamp(), Number: "C03", Name: "吕收银"}) {
		if _, opened := e.(till.Moved); opened {
			t.Fatal("an open batch was opened again")
		}
	}
	b.step(desk.EndShift{Stamp: b.stamp()})
	nobody := till.MoveBatch{Stamp: b.stamp(), Move: wire.BatchCloses}
	if r := find[desk.Reject](t, b.step(nobody)); !errors.Is(r.Err, desk.ErrNoShift) {
		t.Fatal(r.Err)
	}
	if got := must[[]till.Batch](t)(b.book().Batches(t.Context(), 9)); len(got) != 2 || got[1].ClosedBy != "C01" {
		t.Fatalf("%+v", got)
	}
}

func TestDay_AMealAfterMidnightBelongsToTheDayBefore(t *testing.T) {
	b := newBench(t, nil)
	b.pass(12*3600_000 + 30*60_000) // half past midnight
	if c := b.charge(b.c.holder(t, 1, nil), 1, verdict.Granted).Charge; c.Day != "2026-09-01" || c.Period != "night" {
		t.Fatalf("%+v", c)
	}
	b.pass(4 * 3600_000)
	if c := b.charge(b.c.holder(t, 2, nil), 1, verdict.Granted).Charge; c.Day != "2026-09-02" || c.Period != "" {
		t.Fatalf("%+v", c)
	}
}

func TestPrune_KeepsWhatIsNotSentAndWhatABatchNeeds(t *testing.T) {
	b := newBench(t, nil)
	h := b.c.holder(t, 1, nil)
	b.charge(h, 10, verdict.Granted)
	b.move(wire.BatchCloses)
	b.move(wire.BatchOpens)
	inBatch := b.charge(h, 20, verdict.Granted)
	unsent := b.charge(h, 30, verdict.Granted)
	later := time.UnixMilli(b.wall).AddDate(1, 0, 0)
	b.wall, b.mono = later.UnixMilli(), b.mono+1
	b.step(desk.Synced{Stamp: b.stamp()})
	prune := func() {
		t.Helper()
		must[uint64](t)(b.j.Prune(later, journal.Keep{}))
	}
	prune()
	if n := len(b.events()); n != 6 {
		t.Fatalf("%d events, want all 6: none was acknowledged", n)
	}
	check(t, b.j.Ack(unsent.Event.Seq-1))
	before := must[till.Backlog](t)(b.book().Backlog(t.Context()))
	prune()
	if got := must[till.Backlog](t)(b.book().Backlog(t.Context())); got != before || got.Records != 1 || got.Fen != 30 || got.OldestAt != unsent.At {
		t.Fatalf("backlog %+v, before %+v", got, before)
	}
	list := must[[]desk.Past](t)(b.book().Charges(t.Context(), 10))
	if len(list) != 2 {
		t.Fatalf("%d charges of the open batch", len(list))
	}
	if r := find[desk.Done](t, b.void(*inBatch.Event)).Result; !r.Charge.Voided {
		t.Fatalf("%+v", r)
	}
	if _, err := b.j.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, b.j.Ack(b.j.Last()))
	if got := must[till.Backlog](t)(b.book().Backlog(t.Context())); got != (till.Backlog{}) {
		t.Fatalf("all was sent, and %+v is left", got)
	}
}
