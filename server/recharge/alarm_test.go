package recharge_test

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"campusgate/server/recharge/internal/counterpart"
	"campusgate/server/recharge/wechat"
	"campusgate/server/store"
)

// alarm keeps what is told; a change may be made twice.
func (w *world) alarm(_ *store.Tx, id, about, kind string, body map[string]any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told == nil {
		w.told = map[string]string{}
	}
	w.told[id] = fmt.Sprint(about, " ", kind, " ", body["issue"], body["what"], body["missing_here"], body["differs"], body["difference_fen"])
	return nil
}

func TestAlarm_AFindingIsToldOnceAndCounted(t *testing.T) {
	w := newWorld(t)
	w.wechat.Put(counterpart.Order{ID: "STRANGER1", Fen: 777, PaidAt: w.clock(), Trade: "5"})
	h, body := w.wechat.Notice("STRANGER1", nil)
	for range 2 {
		if w.hand(wechat.ID, h, body) {
			t.Error("taken")
		}
	}
	found, _, err := w.Issues(t.Context(), false, 10, 0)
	ok(t, err)
	id := fmt.Sprintf("recharge/%d", found[0].ID)
	if want := map[string]string{id: id + " recharge mismatchno such order<nil> <nil> <nil>"}; !maps.Equal(w.told, want) {
		t.Fatalf("told %q, want %q", w.told, want)
	}
	for range 2 { // until somebody has looked into it
		w.figures(t, `
			campusgate_recharge_issues_open{kind="mismatch"} 1
			campusgate_recharge_issues_open{kind="paid_twice"} 0
			campusgate_recharge_issues_total{kind="mismatch"} 1`)
	}
	_, err = w.Resolve(t.Context(), "clerk", found[0].ID, "", "不是我校订单")
	ok(t, err)
	w.figures(t, `
		campusgate_recharge_issues_open{kind="mismatch"} 0
		campusgate_recharge_issues_total{kind="mismatch"} 1`)
}

func TestAlarm_ABillThatDiffersIsToldOnceAndAgainWhenItDiffersOtherwise(t *testing.T) {
	w := newWorld(t)
	differs := w.place(t, "key-00000003", 1000)
	w.wechat.Put(counterpart.Order{ID: differs.ID, Fen: 999, PaidAt: w.clock(), Trade: "4"})
	w.wechat.Put(counterpart.Order{ID: "STRANGER1", Fen: 777, PaidAt: w.clock(), Trade: "5"})
	w.pass(24 * time.Hour)
	bills := func() (list []string) {
		for id, what := range w.told {
			if strings.HasPrefix(id, "bill/wechat/"+day+"/") {
				list = append(list, what)
			}
		}
		return list
	}
	for range 2 {
		_, err := w.FetchBill(t.Context(), "test", wechat.ID, day)
		ok(t, err)
		if got := bills(); len(got) != 1 || got[0] != "bill/wechat/"+day+" bill <nil> <nil> 1 1 778" {
			t.Fatalf("told %q", got)
		}
	}
	w.figures(t, `
		campusgate_recharge_bill_differences{kind="differs"} 1
		campusgate_recharge_bill_differences{kind="missing_here"} 1
		campusgate_recharge_bill_differences{kind="missing_there"} 0`)
	w.wechat.Put(counterpart.Order{ID: "STRANGER2", Fen: 5, PaidAt: w.clock().Add(-24 * time.Hour), Trade: "6"})
	_, err := w.FetchBill(t.Context(), "test", wechat.ID, day)
	ok(t, err)
	if got := bills(); len(got) != 2 {
		t.Fatalf("told %q", got)
	}
}

// figures wants lines among the metrics.
func (w *world) figures(t *testing.T, lines string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	ok(t, registry.Register(w.Service))
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	text := rec.Body.String()
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}
