package hub_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/signing/wire"
)

func slip(id string) wire.Print {
	return wire.Print{ID: id, Rows: []wire.PrintRow{{Text: "纸质通行证", Large: true}, {QR: "HTTPS://GATE.EXAMPLE.EDU/V/ABC"}}}
}

func TestPrint_ReachesTheGateAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1)
		g.print = func(_ context.Context, p wire.Print) wire.Printed {
			time.Sleep(10 * time.Second) // paper is slow, and nothing else waits for it
			if p.ID == "0190bbbb" {
				return wire.Printed{ID: p.ID, State: wire.PrintFailed, Reason: wire.PrintPaperOut, Detail: "out of paper"}
			}
			return wire.Printed{ID: p.ID, State: wire.PrintDone}
		}
		g.start()
		synctest.Wait()
		var both sync.WaitGroup
		both.Go(func() {
			if got := w.hub.Print(t.Context(), 1, slip("0190aaaa")); got != (wire.Printed{ID: "0190aaaa", State: wire.PrintDone}) {
				t.Errorf("%+v", got)
			}
		})
		both.Go(func() {
			if got := w.hub.Print(t.Context(), 1, slip("0190bbbb")); got.Reason != wire.PrintPaperOut || got.Detail != "out of paper" {
				t.Errorf("%+v", got)
			}
		})
		synctest.Wait()
		g.happen(10)
		if a := g.link.Ask(t.Context(), g.claim(1, 1, 0)); a.State != "granted" {
			t.Errorf("while it prints: %+v", a)
		}
		synctest.Wait()
		g.drained()
		both.Wait()
		if got := w.hub.Print(t.Context(), 9, slip("0190cccc")); got.State != wire.PrintFailed || got.Reason != wire.PrintOffline {
			t.Errorf("at a gate that is not connected: %+v", got)
		}
	})
}

func TestPrint_SilenceSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1)
		g.print = func(ctx context.Context, p wire.Print) wire.Printed {
			<-ctx.Done()
			return wire.Printed{ID: p.ID, State: wire.PrintUnknown, Reason: wire.PrintInterrupted}
		}
		g.start()
		synctest.Wait()
		silent := wire.Printed{ID: "0190bbbb", State: wire.PrintUnknown, Reason: wire.PrintSilent}
		began := time.Now()
		if got := w.hub.Print(t.Context(), 1, slip("0190aaaa")); got.State != wire.PrintUnknown {
			t.Errorf("%+v", got)
		}
		if took := time.Since(began); took > wire.PrintWaitMS*time.Millisecond+time.Second {
			t.Errorf("waited %v", took)
		}
		var lost sync.WaitGroup
		lost.Go(func() {
			if got := w.hub.Print(t.Context(), 1, slip("0190bbbb")); got != silent {
				t.Errorf("cut off: %+v", got)
			}
		})
		synctest.Wait()
		g.cable.Set(memnet.Cut)
		lost.Wait()
	})
}

func TestPrint_NoMoreThanAFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1)
		hold := make(chan struct{})
		g.print = func(_ context.Context, p wire.Print) wire.Printed {
			<-hold
			return wire.Printed{ID: p.ID, State: wire.PrintDone}
		}
		g.start()
		synctest.Wait()
		var all sync.WaitGroup
		for i := range wire.MaxPrints {
			all.Go(func() {
				if got := w.hub.Print(t.Context(), 1, slip("0190aaa"+string(rune('a'+i)))); got.State != wire.PrintDone {
					t.Errorf("%+v", got)
				}
			})
		}
		synctest.Wait()
		if got := w.hub.Print(t.Context(), 1, slip("0190zzzz")); got.State != wire.PrintFailed || got.Reason != wire.PrintBusy {
			t.Errorf("one too many: %+v", got)
		}
		close(hold)
		all.Wait()
	})
}

func TestPrint_AGateWithoutAPrinterSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.gate(1).start()
		synctest.Wait()
		if got := w.hub.Print(t.Context(), 1, slip("0190aaaa")); got.State != wire.PrintFailed || got.Reason != wire.PrintNoPrinter {
			t.Errorf("%+v", got)
		}
	})
}
