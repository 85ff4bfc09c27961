package paper_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"campusgate/server/paper"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// press stands for the hub: what was asked, and what it says.
type press struct {
	mu    sync.Mutex
	asked []wire.Print
	gates []uint16
	says  wire.Printed
}

func (p *press) print(_ context.Context, gate uint16, m wire.Print) wire.Printed {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.gates = append(p.asked, m), append(p.gates, gate)
	p.says.ID = m.ID
	return p.says
}

// pressed gives a world with a press and a gate.
func pressed(t *testing.T) (*world, *press, uint16) {
	t.Helper()
	w := newWorld(t)
	p := &press{says: wire.Printed{State: wire.PrintDone}}
	w.Prints = p.print
	gate, err := w.Store.AddGate(t.Context(), "test", store.Gate{Name: "东门", Zone: 1, Mode: "owner"})
	ok(t, err)
	return w, p, gate.ID
}

func (w *world) trail(t *testing.T, what string) (n int) {
	t.Helper()
	ok(t, w.Store.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM trail WHERE action = $1", what).Scan(&n))
	return n
}

func TestPrint_CQ015_TheSlipIsTheSheet(t *testing.T) {
	w, press, gate := pressed(t)
	p := w.issue(t, w.request())
	got, refused, err := w.Print(t.Context(), w.clerk, p.Number, gate, "0190aaaa")
	ok(t, err)
	if refused != nil || got.State != wire.PrintDone || len(press.asked) != 1 || press.gates[0] != gate {
		t.Fatalf("%+v, %v", got, refused)
	}
	ok(t, press.asked[0].Check())
	pass, err := w.Store.Pass(t.Context(), p.Pass)
	ok(t, err)
	all, code := "", ""
	for _, r := range press.asked[0].Rows {
		all += r.Text + "|" + r.Right + "\n"
		code += r.QR
	}
	if code != pass.Code {
		t.Errorf("the code is %q", code)
	}
	for _, say := range []string{"纸质通行证|", p.Number + "|", "姓名 Name|林建国", "证件后四位 Document|123X", "|松林坡 3栋 502", "自 From|2026-11-23", "至 Until|2026-12-22", "窗口 Desk|社区办", "出入校门"} {
		if !strings.Contains(all, say) {
			t.Errorf("%q is not on the slip:\n%s", say, all)
		}
	}
	if w.trail(t, "paper.print") != 1 || w.trail(t, "paper.printed") != 1 {
		t.Error("the trail does not say so")
	}
}

func TestPrint_AnIdIsAskedForUntilSomethingIsKnown(t *testing.T) {
	w, press, gate := pressed(t)
	p := w.issue(t, w.request())
	ask := func(id string) wire.Printed {
		t.Helper()
		got, refused, err := w.Print(t.Context(), w.clerk, p.Number, gate, id)
		ok(t, err)
		if refused != nil {
			t.Fatal(refused)
		}
		return got
	}
	press.says = wire.Printed{State: wire.PrintUnknown, Reason: wire.PrintSilent}
	if got := ask("0190aaaa"); got.Reason != wire.PrintSilent {
		t.Errorf("%+v", got)
	}
	press.says = wire.Printed{State: wire.PrintFailed, Reason: wire.PrintPaperOut, Detail: "out of paper"}
	for range 3 { // the agent is asked once more, and then no more
		if got := ask("0190aaaa"); got.Reason != wire.PrintPaperOut || got.Detail != "out of paper" {
			t.Errorf("%+v", got)
		}
	}
	if len(press.asked) != 2 {
		t.Errorf("asked %d times", len(press.asked))
	}
	press.says = wire.Printed{State: wire.PrintDone}
	for range 2 {
		if got := ask("0190bbbb"); got.State != wire.PrintDone {
			t.Errorf("%+v", got)
		}
	}
	if len(press.asked) != 3 {
		t.Errorf("asked %d times", len(press.asked))
	}
}

func TestPrint_RefusesWhatMustNotBe(t *testing.T) {
	w, press, gate := pressed(t)
	p := w.issue(t, w.request())
	if _, _, err := w.Print(t.Context(), w.clerk, "P20261123-9999", gate, "0190aaaa"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such paper: %v", err)
	}
	for _, id := range []string{"", "short", "0190 aaaa", strings.Repeat("a", 65), "=cmd|' /C calc'!A0", "\u202eaaaaaaaa"} {
		if _, _, err := w.Print(t.Context(), w.clerk, p.Number, gate, id); !errors.Is(err, paper.ErrInvalid) {
			t.Errorf("id %q: %v", id, err)
		}
	}
	if _, _, err := w.Print(t.Context(), w.clerk, p.Number, 999, "0190aaaa"); !errors.Is(err, paper.ErrInvalid) {
		t.Errorf("no such gate: %v", err)
	}
	desks := paper.DefaultDesks()
	desks[0].Unit = "SQB"
	ok(t, w.SetDesks(t.Context(), "T9001", desks))
	stranger := paper.Clerk{Actor: "T3002", Units: []string{"LTX"}}
	if _, refused, err := w.Print(t.Context(), stranger, p.Number, gate, "0190aaaa"); err != nil || refused == nil || refused.Code != paper.NotYourDesk {
		t.Errorf("a clerk of another desk: %v, %v", refused, err)
	}
	if len(press.asked) != 0 || w.trail(t, "paper.print") != 0 {
		t.Error("something was printed")
	}
	_, _, err := w.Print(t.Context(), w.clerk, p.Number, gate, "0190aaaa")
	ok(t, err)
	second := w.request()
	second.Household, second.Person = 0, "L1002"
	other := w.issue(t, second)
	if _, _, err := w.Print(t.Context(), w.clerk, other.Number, gate, "0190aaaa"); !errors.Is(err, store.ErrTaken) {
		t.Errorf("the id of another pass: %v", err)
	}
	ok(t, w.Return(t.Context(), "T3001", p.Number))
	if _, refused, err := w.Print(t.Context(), w.clerk, p.Number, gate, "0190cccc"); err != nil || refused == nil || refused.Code != paper.Over || refused.En == "" {
		t.Errorf("handed back: %v, %v", refused, err)
	}
	ok(t, w.Store.Change(t.Context(), func(tx *store.Tx) error { return tx.RevokePass("T9001", other.Pass, "withdrawn") }))
	if _, refused, err := w.Print(t.Context(), w.clerk, other.Number, gate, "0190dddd"); err != nil || refused == nil || refused.Code != paper.Over {
		t.Errorf("revoked: %v, %v", refused, err)
	}
	if len(press.asked) != 1 {
		t.Errorf("asked %d times", len(press.asked))
	}
}

func TestPrint_ManyAtOnceWithOneIdEndAlike(t *testing.T) {
	w, _, gate := pressed(t)
	p := w.issue(t, w.request())
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			got, refused, err := w.Print(t.Context(), w.clerk, p.Number, gate, "0190aaaa")
			if err != nil || refused != nil || got != (wire.Printed{ID: "0190aaaa", State: wire.PrintDone}) {
				t.Error(fmt.Sprint(got, refused, err))
			}
		})
	}
	group.Wait()
	if n := w.trail(t, "paper.print"); n != 1 {
		t.Errorf("asked for %d times", n)
	}
}
