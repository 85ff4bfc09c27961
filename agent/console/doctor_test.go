package console_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/doctor"
)

// mechanic is a console.Service.
type mechanic struct {
	hold  chan struct{} // an examination waits for it; nil = it does not
	began chan struct{} // and says so here before

	mu     sync.Mutex
	pulsed []string
	wrong  error
}

func (m *mechanic) Examine(ctx context.Context) doctor.Report {
	if m.hold != nil {
		close(m.began)
		select {
		case <-m.hold:
		case <-ctx.Done():
		}
	}
	return doctor.Report{Checks: []doctor.Check{{Name: "时钟 clock", OK: true, Detail: "well"}, {Name: "硬盘 disk", Detail: "full", Advice: "清理 / make room"}}}
}

func (m *mechanic) Pulse(_ context.Context, lane string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pulsed = append(m.pulsed, lane)
	return m.wrong
}

func (m *mechanic) Support(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "PK")
	return err
}

func TestDoctor_TellsHowEverythingIs(t *testing.T) {
	m := &mechanic{}
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Service = m })
	var got struct {
		OK     *bool
		Checks []doctor.Check
	}
	r := send(t, "GET", srv.URL+"/api/v1/doctor", "")
	if r.json(t, &got); got.OK == nil || *got.OK || len(got.Checks) != 2 || got.Checks[1].Advice == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := send(t, "GET", srv.URL+"/api/v1/support", ""); r.body != "PK" || r.header.Get("Content-Type") != "application/zip" {
		t.Errorf("%d %q %v", r.status, r.body, r.header)
	}
	if len(m.pulsed) != 0 {
		t.Errorf("opened %q", m.pulsed)
	}
	none := served(t, newDesk(), newGauge(), nil)
	if r := send(t, "GET", none.URL+"/api/v1/doctor", ""); r.status != http.StatusNotFound {
		t.Errorf("without a service: %d %s", r.status, r.body)
	}
}

func TestDoctor_LooksOnceAtATime(t *testing.T) {
	m := &mechanic{hold: make(chan struct{}), began: make(chan struct{})}
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Service = m })
	first := make(chan reply, 1)
	go func() { first <- send(t, "GET", srv.URL+"/api/v1/doctor", "") }()
	<-m.began
	second := send(t, "GET", srv.URL+"/api/v1/support", "")
	if second.status != http.StatusServiceUnavailable || !strings.Contains(second.body, `"busy"`) {
		t.Errorf("%d %s", second.status, second.body)
	}
	close(m.hold)
	if r := <-first; r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestDoctor_ABarrierIsOpenedByAGuardOnDutyAndNotAgainAtOnce(t *testing.T) {
	m := &mechanic{}
	g := newGauge()
	g.set(func(s *console.Status) { s.Shift.Required = true })
	srv := served(t, newDesk(), g, func(c *console.Config) { c.Service = m })
	pulse := srv.URL + "/api/v1/doctor/pulse"
	refused := func(what string, status int, code string, r reply) {
		t.Helper()
		if r.status != status || !strings.Contains(r.body, `"`+code+`"`) {
			t.Errorf("%s: %d %s, want %d %s", what, r.status, r.body, status, code)
		}
	}
	refused("nobody on duty", http.StatusForbidden, "no_shift", send(t, "POST", pulse, `{"lane":"入口"}`))
	g.set(func(s *console.Status) { s.Shift.Guard = &onDuty })
	refused("another page", http.StatusForbidden, "cross_origin", send(t, "POST", pulse, `{}`, "Origin", "https://evil.example"))
	refused("another lane", http.StatusUnprocessableEntity, "unknown_lane", send(t, "POST", pulse, `{"lane":"=1+1"}`))
	refused("no JSON", http.StatusUnsupportedMediaType, "bad_content_type", send(t, "POST", pulse, `{}`, "Content-Type", "text/plain"))
	if len(m.pulsed) != 0 {
		t.Fatalf("opened %q", m.pulsed)
	}
	if r := send(t, "POST", pulse, `{}`); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	refused("again at once", http.StatusTooManyRequests, "too_soon", send(t, "POST", pulse, `{}`))
	if !slices.Equal(m.pulsed, []string{"入口"}) {
		t.Errorf("opened %q", m.pulsed)
	}
}

func TestDoctor_SaysWhyABarrierWasNotOpened(t *testing.T) {
	for code, c := range map[string]struct {
		wrong  error
		status int
	}{
		"no_barrier": {console.ErrNoBarrier, http.StatusConflict},
		"no_pulse":   {errors.New("no such file"), http.StatusServiceUnavailable},
	} {
		srv := served(t, newDesk(), newGauge(), func(cfg *console.Config) { cfg.Service = &mechanic{wrong: c.wrong} })
		if r := send(t, "POST", srv.URL+"/api/v1/doctor/pulse", `{}`); r.status != c.status || !strings.Contains(r.body, `"`+code+`"`) {
			t.Errorf("%s: %d %s", code, r.status, r.body)
		}
	}
}

func TestDoctor_ABarrierMayBeTestedAgainAfterARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mechanic{}
		c, err := console.New(console.Config{Lanes: newDesk(), Status: newGauge().get, Service: m})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			if status := answered(c.Handler(), "POST", "/api/v1/doctor/pulse", `{}`); status != http.StatusOK {
				t.Errorf("test %d: %d", n, status)
			}
			if status := answered(c.Handler(), "POST", "/api/v1/doctor/pulse", `{}`); status != http.StatusTooManyRequests {
				t.Errorf("test %d again: %d", n, status)
			}
			time.Sleep(6 * time.Second)
		}
		if len(m.pulsed) != 3 {
			t.Errorf("opened %q", m.pulsed)
		}
	})
}

// answered makes a request without a network.
func answered(h http.Handler, method, path, body string) int {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w.Code
}
