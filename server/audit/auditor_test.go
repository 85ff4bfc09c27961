package audit_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"campusgate/server/audit"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// twice uploads n admissions of each of two gates, of the same passes, and
// gives the opinions they must come to.
func twice(t *testing.T, w *world, n int) opinions {
	t.Helper()
	a, b := w.gate(t), w.gate(t)
	want := opinions{}
	for range n {
		p := w.pass(t, 1)
		want[a.admit(t, p, noon)] = verdict.Granted
		want[b.admit(t, p, noon+minute)] = verdict.Conflict
	}
	a.send(t)
	b.send(t)
	return want
}

// Every call of the store fails once, before it was carried out and after.
func TestCatchUp_GoesOnAfterAnyFault(t *testing.T) {
	for _, do := range []bool{false, true} {
		for failing := 1; ; failing++ {
			w := newWorld(t)
			want := twice(t, w, 3)
			calls, failed := 0, ""
			s := &flaky{Store: w.store, fault: func(call string) (bool, error) {
				if calls++; calls == failing {
					failed = call
					return do, errFault
				}
				return true, nil
			}}
			err := audit.New(s, nil).CatchUp(t.Context())
			if failed == "" {
				ok(t, err)
				if failing < 5 {
					t.Fatalf("only %d calls of the store", failing-1)
				}
				break
			}
			if !errors.Is(err, errFault) {
				t.Fatalf("%s failed: got %v", failed, err)
			}
			judged, err := w.store.Judged(t.Context())
			ok(t, err)
			if kept := do && failed == "SaveOpinions"; kept != (judged == 6) || !kept && judged != 0 {
				t.Fatalf("%s failed, carried out: %t: judged up to %d", failed, do, judged)
			}
			// A new process.
			w.auditor = audit.New(w.store, nil)
			w.wants(t, want)
		}
	}
}

// counting counts what reaches the database.
type counting struct {
	audit.Store
	saved map[int64]int
	most  int
}

func (c *counting) SaveOpinions(ctx context.Context, o []store.Opinion, upTo int64) error {
	c.most = max(c.most, len(o))
	for i := range o {
		c.saved[o[i].Position]++
	}
	return c.Store.SaveOpinions(ctx, o, upTo)
}

func TestCatchUp_WritesNothingASecondTime(t *testing.T) {
	w := newWorld(t)
	want := twice(t, w, 3)
	done := errors.New("done, but nobody heard")
	s := &counting{Store: w.store, saved: map[int64]int{}}
	fault := done
	f := &flaky{Store: s, fault: func(call string) (bool, error) {
		if call == "SaveOpinions" {
			return true, fault
		}
		return true, nil
	}}
	if err := audit.New(f, nil).CatchUp(t.Context()); !errors.Is(err, done) {
		t.Fatal(err)
	}
	fault = nil
	ok(t, audit.New(f, nil).CatchUp(t.Context()))
	ok(t, audit.New(f, nil).CatchUp(t.Context()))
	w.wants(t, want)
	for position, n := range s.saved {
		if n != 1 {
			t.Errorf("opinion on event %d written %d times", position, n)
		}
	}
	if len(s.saved) != len(want) {
		t.Errorf("%d opinions written, want %d", len(s.saved), len(want))
	}
}

// A pass that was refused a thousand times before its use came to light.
func TestCatchUp_BatchesStayBounded(t *testing.T) {
	w := newWorld(t)
	a, b := w.gate(t), w.gate(t)
	p := w.pass(t, 1)
	want := opinions{}
	for i := range 1000 {
		want[b.refuse(t, p, noon+minute+int64(i)*1000, verdict.Use{At: noon, Gate: a.id()})] = verdict.Granted
	}
	b.send(t)
	w.wants(t, want)
	for id := range want {
		want[id] = verdict.AlreadyUsed
	}
	want[a.admit(t, p, noon)] = verdict.Granted
	a.send(t)
	s := &counting{Store: w.store, saved: map[int64]int{}}
	w.auditor = audit.New(s, nil)
	w.wants(t, want)
	if len(s.saved) != 1001 || s.most > 400 {
		t.Fatalf("%d opinions, at most %d in a transaction", len(s.saved), s.most)
	}
}

func TestCatchUp_QuarantinedEventsLeaveNothingPending(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	p := w.pass(t, 1)
	id := a.admit(t, p, noon)
	a.admit(t, p, noon+minute)
	a.journal[1].Body = []byte(`{"id":"7-7-7"}`)
	a.send(t)
	w.wants(t, opinions{id: verdict.Granted})
}

func TestRun_JudgesWhatComesAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		faults := 3
		w.auditor = audit.New(&flaky{Store: w.store, fault: func(call string) (bool, error) {
			if faults--; faults >= 0 {
				return false, fmt.Errorf("%s: %w", call, errFault)
			}
			return true, nil
		}}, nil)
		a := w.gate(t)
		want := opinions{a.admit(t, w.pass(t, 1), noon): verdict.Granted}
		a.send(t)

		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.auditor.Run(ctx) }()
		judged := func(n int64) bool {
			t.Helper()
			got, err := w.store.Judged(t.Context())
			ok(t, err)
			return got == n
		}
		synctest.Wait()
		if !judged(0) {
			t.Fatal("judged although the store failed")
		}
		time.Sleep(3 * time.Second) // no real one: see synctest
		synctest.Wait()
		if !judged(1) {
			t.Fatal("not judged after the faults")
		}

		want[a.admit(t, w.pass(t, 1), noon+minute)] = verdict.Granted
		a.send(t)
		w.auditor.Wake()
		w.auditor.Wake()
		synctest.Wait()
		if !judged(2) {
			t.Fatal("not judged when woken")
		}

		want[a.admit(t, w.pass(t, 1), noon+2*minute)] = verdict.Granted
		a.send(t)
		time.Sleep(time.Second)
		synctest.Wait()
		if !judged(3) {
			t.Fatal("not judged unless woken")
		}
		down := errors.New("going down")
		cancel(down)
		if err := <-ended; !errors.Is(err, down) {
			t.Fatalf("ended with %v", err)
		}
		w.wants(t, want)
		ok(t, w.store.Close())
	})
}

func TestMetrics_ShowPendingAndDisagreements(t *testing.T) {
	w := newWorld(t)
	registry := prometheus.NewPedanticRegistry()
	ok(t, registry.Register(w.auditor))
	twice(t, w, 2)
	wantMetrics(t, registry, map[string]float64{"campusgate_audit_pending_events": 4, "campusgate_audit_judged_total": 0})
	ok(t, w.auditor.CatchUp(t.Context()))
	wantMetrics(t, registry, map[string]float64{
		"campusgate_audit_pending_events": 0, "campusgate_audit_judged_total": 4,
		"campusgate_audit_disagreements granted conflict": 2,
	})
	ok(t, w.store.Close())
	if _, err := registry.Gather(); err == nil {
		t.Fatal("metrics of a closed store without an error")
	}
}

func wantMetrics(t *testing.T, from prometheus.Gatherer, want map[string]float64) {
	t.Helper()
	families, err := from.Gather()
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
	if !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}

// BenchmarkCatchUp judges a backlog. One pass in a hundred was admitted twice,
// which has earlier events judged again.
func BenchmarkCatchUp(b *testing.B) {
	w := newWorld(b)
	gates := []*gate{w.gate(b), w.gate(b), w.gate(b), w.gate(b)}
	for i := range b.N {
		g := gates[i%len(gates)]
		code := w.unissued(1)
		if i%100 != 99 {
			w.passes++
		}
		switch i % 4 {
		case 0, 1:
			g.admit(b, code, noon+int64(i))
		case 2:
			code.Uses = 0
			g.admit(b, code, noon+int64(i))
		case 3:
			code.Expires = noon/1000 - 1
			g.admit(b, code, noon+int64(i))
		}
	}
	for _, g := range gates {
		for g.sent < len(g.journal) {
			g.upload(b, b, wire.MaxBatch)
		}
	}
	b.ResetTimer()
	ok(b, w.auditor.CatchUp(b.Context()))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
