package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/people"
	"campusgate/server/store"
)

// crowd makes n households of one member each, and gives a session and a form
// for each of them.
func (w *world) crowd(t testing.TB, n int) (sessions []string, bodies [][]byte) {
	t.Helper()
	w.settle(t)
	persons := make([]string, n)
	for i := range n {
		room := fmt.Sprintf("%d", 1000+i)
		ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
			h, err := w.staff.AddHousehold(tx, "bench", people.NewHousehold{
				Place: people.Place{Compound: "松林坡", Building: "20栋", Room: room}, Head: "林国栋",
				Members: []people.NewMember{{Name: "林国栋", Phone: fmt.Sprintf("1390013%04d", i)}},
			})
			if err != nil {
				return err
			}
			persons[i] = h.Members[0].Person
			_, err = w.staff.VerifyHousehold(tx, "bench", h.ID)
			return err
		}))
		body, err := json.Marshal(request("cqu.resident_pass", map[string]any{
			"type": "single", "head": "林国栋", "compound": "松林坡", "building": "20栋", "room": room, "date": "2026-11-22",
		}))
		ok(t, err)
		bodies = append(bodies, body)
	}
	for _, p := range persons {
		sessions = append(sessions, w.enter(t, p))
	}
	return sessions, bodies
}

// submitted sends one application through the whole handler and gives the time
// that it took.
func (w *world) submitted(t testing.TB, who string, body []byte) time.Duration {
	req := httptest.NewRequest("POST", "/api/v1/applications", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	as(req, who)
	rec := httptest.NewRecorder()
	began := time.Now()
	w.api.ServeHTTP(rec, req)
	took := time.Since(began)
	if rec.Code != http.StatusCreated || !strings.Contains(rec.Body.String(), `"completed"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	return took
}

// noDuplicates holds that everybody has one code.
func (w *world) noDuplicates(t testing.TB, n int) {
	t.Helper()
	for query, want := range map[string]int{
		"SELECT count(*) FROM application_passes":                                n,
		"SELECT count(DISTINCT household) FROM application_passes":               n,
		"SELECT count(*) FROM quota_entries WHERE released_at IS NULL":           n,
		"SELECT count(*) FROM applications WHERE state = 'completed'":            n,
		"SELECT count(*) FROM passes p JOIN application_passes a ON a.pass=p.id": n,
	} {
		var got int
		ok(t, w.db.Reader().QueryRowContext(t.Context(), query).Scan(&got))
		if got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// BenchmarkSubmit measures an application from the request to the answer with
// the signed pass in it: 500 at once, and 50 a second for ten seconds.
func BenchmarkSubmit(b *testing.B) {
	const n = 500
	b.Run("burst", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			w := newWorld(b)
			sessions, bodies := w.crowd(b, n)
			b.StartTimer()
			began := time.Now()
			var group sync.WaitGroup
			for i := range n {
				group.Go(func() { w.submitted(b, sessions[i], bodies[i]) })
			}
			group.Wait()
			b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/500")
			w.noDuplicates(b, n)
		}
	})
	b.Run("paced", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			w := newWorld(b)
			sessions, bodies := w.crowd(b, n)
			b.StartTimer()
			took := make([]time.Duration, n)
			tick := time.NewTicker(time.Second / 50)
			var group sync.WaitGroup
			for i := range n {
				<-tick.C
				group.Go(func() { took[i] = w.submitted(b, sessions[i], bodies[i]) })
			}
			group.Wait()
			tick.Stop()
			slices.Sort(took)
			b.ReportMetric(float64(took[n/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[n*99/100].Microseconds())/1000, "p99-ms")
			w.noDuplicates(b, n)
		}
	})
}
