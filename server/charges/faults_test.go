package charges_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var errFault = errors.New("the disk is at fault")

// flaky is a store whose changes fail: fault says whether a change is carried
// out, and what is reported.
type flaky struct {
	*store.Store
	fault func() (do bool, err error)
}

func (f *flaky) Change(ctx context.Context, fn func(*store.Tx) error) error {
	return f.run(func() error { return f.Store.Change(ctx, fn) })
}

func (f *flaky) Urgent(ctx context.Context, fn func(*store.Tx) error) error {
	return f.run(func() error { return f.Store.Urgent(ctx, fn) })
}

func (f *flaky) run(change func() error) error {
	do, fault := f.fault()
	if do {
		if err := change(); err != nil {
			return err
		}
	}
	return fault
}

// A change fails once, before it was carried out or after, wherever that is: in
// the end each sale was posted once, by the same or by a new process.
func TestCharges_I3_I5_GoOnAfterAnyFault(t *testing.T) {
	for _, done := range []bool{false, true} {
		for failing := 1; ; failing++ {
			w := newWorld(t)
			a := w.account(t, 10_000, 0)
			k := w.till(t)
			for i := range 450 { // three batches
				k.charge(t, sale{account: a, ctr: uint64(i + 1), fen: 10})
			}
			k.upload(t, 0, 0)
			calls := 0
			s := w.again(&flaky{Store: w.db, fault: func() (bool, error) {
				if calls++; calls == failing {
					return done, errFault
				}
				return true, nil
			}})
			err := s.CatchUp(t.Context())
			if calls < failing {
				ok(t, err)
				if failing < 4 {
					t.Fatalf("only %d changes", calls)
				}
				break
			}
			if err != nil && !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			if failing%2 == 0 {
				s = w.again(nil)
			}
			ok(t, s.CatchUp(t.Context()))
			wantHas(t, w, fmt.Sprintf("merchant, change %d, done %t", failing, done), w.has(t, ledger.Merchant(k.merchant)), 4_500)
			if got := w.list(t, "SELECT count(*) FROM charges"); got[0] != "450" || len(w.problems(t)) != 0 {
				t.Errorf("%s rows, problems %q", got[0], w.problems(t))
			}
		}
	}
}

// The till hears nothing of a question whose change failed, and asks once more.
func TestAuthorise_TheSameAnswerAfterAFault(t *testing.T) {
	for _, done := range []bool{false, true} {
		w := newWorld(t)
		a := w.account(t, 1_000, 0)
		k := w.till(t)
		claim := k.ask(sale{account: a, ctr: 1, fen: 700})
		calls := 0
		s := w.again(&flaky{Store: w.db, fault: func() (bool, error) {
			if calls++; calls == 1 {
				return done, errFault
			}
			return true, nil
		}})
		if _, err := s.Authorise(t.Context(), claim); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		if got, err := s.Authorise(t.Context(), claim); err != nil || got.State != verdict.ClaimGranted || *got.Charge.BalanceFen != 300 {
			t.Fatalf("%+v %v", got, err)
		}
		if b := w.balance(t, a); b.HeldFen != 700 {
			t.Errorf("%+v", b)
		}
	}
}

func TestCharges_I4_PoisonIsPutAsideAndStopsNothing(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 10_000, 0)
	k := w.till(t)
	spoils := map[string]func(e *wire.Event){
		"no charge":            func(e *wire.Event) { e.Charge = nil },
		"nothing":              func(e *wire.Event) { e.Charge.AmountFen = 0 },
		"less than nothing":    func(e *wire.Event) { e.Charge.AmountFen = -5 },
		"more than there is":   func(e *wire.Event) { e.Charge.AmountFen = 1 << 60 },
		"no day":               func(e *wire.Event) { e.Charge.Day = "yesterday" },
		"no such day":          func(e *wire.Event) { e.Charge.Day = "2026-02-30" },
		"no case":              func(e *wire.Event) { e.Case = nil },
		"nobody's account":     func(e *wire.Event) { e.Case.Code.Pay.Account = 0 },
		"an endless account":   func(e *wire.Event) { e.Case.Code.Pay.Account = 1<<64 - 1 },
		"a void of nothing":    func(e *wire.Event) { e.Type = wire.EventVoid },
		"a batch without body": func(e *wire.Event) { e.Type = wire.EventBatch },
	}
	for _, spoil := range spoils {
		k.spoil = spoil
		k.charge(t, sale{account: a, ctr: 1, fen: 10})
		k.spoil = nil
	}
	k.flow, k.sum = 0, 0
	k.charge(t, sale{account: a, ctr: 2, fen: 30})
	// Somebody's card cannot be read at all.
	broken := w.account(t, 0, 0)
	k.charge(t, sale{account: broken, ctr: 3, fen: 40})
	k.charge(t, sale{account: a, ctr: 4, fen: 50})
	w.cards.fault = func(account uint64) error {
		if account == broken {
			panic("a fault of ours")
		}
		return nil
	}
	k.upload(t, 0, 0)
	for range 4 {
		if err := w.CatchUp(t.Context()); err == nil {
			t.Fatal("the fault did not show")
		}
	}
	ok(t, w.CatchUp(t.Context()))
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 80)
	put := w.list(t, "SELECT detail FROM charge_problems WHERE kind = 'quarantined'")
	if len(put) != len(spoils)+1 {
		t.Errorf("%d put aside of %d: %q", len(put), len(spoils)+1, put)
	}
	if n := w.list(t, "SELECT count(*) FROM trail WHERE action = 'charge.quarantined'"); n[0] != fmt.Sprint(len(put)) {
		t.Errorf("%s lines of the trail", n[0])
	}
	// The running numbers name it: the one put aside is missing before the last.
	if p := slices.DeleteFunc(w.problems(t), func(p string) bool { return p == "quarantined" }); !slices.Equal(p, []string{"flow 2 3", "sum 80 120"}) {
		t.Errorf("problems %q", p)
	}
	figures(t, w, map[string]float64{"campusgate_charges_quarantined_total": float64(len(put)), "campusgate_charges_posted_total charge": 2})

	// Played again before the mend: all is as it was, for every one of them.
	all := func() []string {
		return append(w.list(t, "SELECT concat_ws(' ', event, kind, settled_at, detail) FROM charge_problems ORDER BY id"),
			w.list(t, "SELECT concat_ws(' ', action, target) FROM trail ORDER BY id")...)
	}
	before := all()
	aside, err := w.PutAside(t.Context())
	ok(t, err)
	for _, one := range aside {
		if done, err := w.Replay(t.Context(), "command", one.Event); done || !errors.Is(err, charges.ErrAgain) {
			t.Fatalf("%s: %v, %v", one.Event, done, err)
		}
	}
	if after := all(); len(aside) != len(put) || !slices.Equal(after, before) {
		t.Errorf("%d put aside; it left %q of %q", len(aside), after, before)
	}
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 80)
	// After it: the one that can be read now is posted, once, and nothing else.
	w.cards.fault = nil
	mended := 0
	for range 2 {
		for _, one := range aside {
			done, err := w.Replay(t.Context(), "command", one.Event)
			if err != nil && !errors.Is(err, charges.ErrAgain) {
				t.Fatal(err)
			}
			if done {
				mended++
			}
		}
	}
	if done, err := w.Replay(t.Context(), "command", "77-1-1"); done || err != nil {
		t.Errorf("an event that is not there: %v, %v", done, err)
	}
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 120)
	left, err := w.PutAside(t.Context())
	ok(t, err)
	if n := w.list(t, "SELECT count(*) FROM trail WHERE action = 'charge.replayed' AND actor = 'command'"); mended != 1 || n[0] != "1" || len(left) != len(spoils) {
		t.Errorf("%d mended, %s lines of the trail, %d left", mended, n[0], len(left))
	}
	if p := slices.DeleteFunc(w.problems(t), func(p string) bool { return p == "quarantined" }); !slices.Equal(p, []string{"flow 2 3", "sum 80 120"}) {
		t.Errorf("problems %q", p)
	}
}

func figures(t *testing.T, w *world, want map[string]float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	ok(t, registry.Register(w.Service))
	families, err := registry.Gather()
	ok(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	for name, n := range want {
		if v, there := got[name]; !there || v != n {
			t.Errorf("%s is %v, want %v; of %v", name, v, n, got)
		}
	}
}

func TestMetrics_CountWhatWasPostedAndMarked(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 100, 0)
	w.cards.lose(a, noon-1)
	k := w.till(t)
	k.charge(t, sale{account: a, ctr: 1, fen: 150})
	k.charge(t, sale{account: a, ctr: 1, fen: 20, at: noon + 1})
	k.void(t, k.charge(t, sale{account: a, ctr: 2, fen: 10}), 10)
	k.upload(t, 0, 0)
	figures(t, w, map[string]float64{"campusgate_charges_pending_events": 4})
	ok(t, w.CatchUp(t.Context()))
	w.asks(t, k.ask(sale{account: a, ctr: 5, fen: 1}))
	figures(t, w, map[string]float64{
		"campusgate_charges_pending_events": 0, "campusgate_charges_posted_total charge": 3, "campusgate_charges_posted_total void": 1,
		"campusgate_charges_marked_total duplicate": 1, "campusgate_charges_marked_total debt": 2,
		"campusgate_charges_marked_total after_loss": 3, "campusgate_charges_marked_total late": 0,
		"campusgate_charges_answers_total refused": 1,
	})
}

func TestRun_PostsWhatComesAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account(t, 1_000, 0)
		k := w.till(t)
		faults := 2
		s := w.again(&flaky{Store: w.db, fault: func() (bool, error) {
			if faults--; faults >= 0 {
				return false, errFault
			}
			return true, nil
		}})
		k.charge(t, sale{account: a, ctr: 1, fen: 100})
		k.upload(t, 0, 0)
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(3 * time.Second) // of a clock that stands still otherwise
		synctest.Wait()
		wantHas(t, w, "after the faults", w.has(t, ledger.Merchant(k.merchant)), 100)
		k.charge(t, sale{account: a, ctr: 2, fen: 100})
		k.upload(t, 0, 0)
		s.Wake()
		s.Wake()
		synctest.Wait()
		wantHas(t, w, "when woken", w.has(t, ledger.Merchant(k.merchant)), 200)
		down := errors.New("going down")
		cancel(down)
		if err := <-ended; !errors.Is(err, down) {
			t.Fatalf("ended with %v", err)
		}
		ok(t, w.db.Close())
	})
}
