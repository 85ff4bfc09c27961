//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/call"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/cmd/internal/campus"
	"campusgate/signing/verdict"
)

// more adds lines to the gate's file.
func (g *gate) more(lines string) {
	g.t.Helper()
	text, err := os.ReadFile(g.config)
	check(g.t, err)
	check(g.t, os.WriteFile(g.config, []byte(lines+"\n"+string(text)), 0o600))
}

// hired makes a guard with a PIN.
func (s *site) hired(number, pin string) {
	s.t.Helper()
	for _, c := range []struct {
		method, path string
		body         map[string]any
	}{
		{http.MethodPost, "/api/v1/people", map[string]any{"number": number, "name": "秦砚书", "kind": "worker"}},
		{http.MethodPost, "/api/v1/posts", map[string]any{"role": "guard", "person": number}},
		{http.MethodPut, "/api/v1/people/" + number + "/pin", map[string]any{"pin": pin}},
	} {
		check(s.t, s.client.Do(s.t.Context(), c.method, c.path, c.body, nil))
	}
}

// watched opens the feed as a guard's page does.
func (g *gate) watched() {
	g.t.Helper()
	address := "ws" + strings.TrimPrefix(g.client.Base, "http") + "/api/v1/feed?page=guard"
	ws, _, err := websocket.DefaultDialer.DialContext(g.t.Context(), address, nil)
	check(g.t, err)
	g.t.Cleanup(func() { _ = ws.Close() })
	go func() {
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
}

// heard waits until a call at the guard's agent is as wanted.
func (g *gate) heard(what string, wanted func(call.View) bool) (found call.View) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	var last struct{ Calls []call.View }
	err := campus.Until(ctx, func() (bool, error) {
		err := g.client.Do(ctx, http.MethodGet, "/api/v1/calls", nil, &last)
		for _, v := range last.Calls {
			if wanted(v) {
				found = v
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		g.t.Fatalf("no call ever was %s: %v\n%+v", what, err, last)
	}
	return found
}

// begun wants the guard on duty as soon as the agent knows the guard.
func (g *gate) begun(number, pin string) (key string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	var on struct{ Key string }
	check(g.t, campus.Until(ctx, func() (bool, error) {
		err := g.client.Do(ctx, http.MethodPost, "/api/v1/shift", map[string]any{"number": number, "pin": pin}, &on)
		return err == nil, nil
	}))
	return on.Key
}

// Somebody with a good code stands at a gate without a guard, where a document
// is asked for. The guard of another gate of the zone answers; the barrier opens
// at the kiosk, and the server holds who answered.
func TestKiosk_AGuardElsewhereAdmitsOverTheLink(t *testing.T) {
	s := newSite(t, "云岭大学")
	staffed, kiosk, apart := s.newGate("东门"), s.newGate("后门"), s.newGate("西门")
	check(t, s.client.Do(t.Context(), http.MethodPatch, fmt.Sprintf("/api/v1/gates/%d", apart.id), map[string]any{"zone": 2}, nil))
	kiosk.more("mode: kiosk\ndocuments: required\nkiosk: {documents: call, phone: \"110\", other_gate: 东门}")
	s.hired("G0021", "470318")
	for _, g := range []*gate{staffed, kiosk, apart} {
		g.enrol()
		g.start()
		g.untilOnline()
	}
	if st := kiosk.until("a kiosk", func(console.Status) bool { return true }); st.Mode != "kiosk" || !st.Shift.Required {
		t.Errorf("status %+v", st)
	}
	staffed.begun("G0021", "470318")
	staffed.watched()
	apart.watched()

	asked := kiosk.present(kiosk.issue().Code)
	if asked.Reason != verdict.NeedsInput {
		t.Fatalf("presented: %+v", asked)
	}
	ring := staffed.heard("ringing", func(v call.View) bool { return v.State == "ringing" && v.Reason == "document" })
	if ring.GateName != "后门" || ring.Subject == nil || ring.Subject.Name != "林晓岚" || ring.Mine {
		t.Errorf("it rings as %+v", ring)
	}
	answer := "/api/v1/calls/" + ring.ID + "/answer"
	admit := map[string]any{"answer": "admit", "documents": []string{"id_card"}}
	check(t, staffed.client.Do(t.Context(), http.MethodPost, answer, admit, nil))
	done := staffed.heard("admitted", func(v call.View) bool { return v.ID == ring.ID && v.State == "admitted" })
	if done.Guard != "G0021" || done.Verdict != "granted" {
		t.Errorf("it stands as %+v", done)
	}
	if err := staffed.client.Do(t.Context(), http.MethodPost, answer, admit, nil); err == nil || !strings.Contains(err.Error(), "call_over") {
		t.Errorf("admitted twice: %v", err)
	}
	var list struct{ Calls []call.View }
	check(t, apart.client.Do(t.Context(), http.MethodGet, "/api/v1/calls", nil, &list))
	if len(list.Calls) != 0 {
		t.Errorf("a gate of another zone rings: %+v", list.Calls)
	}
	for _, e := range s.arrived(2) {
		if e.Gate == kiosk.id && e.Reason != "granted" {
			t.Errorf("event %+v", e)
		}
	}

	// What a kiosk's own page may not do.
	for _, path := range []string{"/api/v1/scans", "/api/v1/passes?q=%E6%9E%97", "/api/v1/registers", "/api/v1/calls", "/api/v1/feed"} {
		if err := kiosk.client.Do(t.Context(), http.MethodGet, path, nil, nil); err == nil || !strings.Contains(err.Error(), "no_shift") {
			t.Errorf("GET %s without a login: %v", path, err)
		}
	}

	// Another call, which the guard's connection does not live to answer; then the
	// server is gone, and the kiosk says so at once.
	var help struct {
		ID, State string
		Cut       bool
	}
	check(t, kiosk.client.Do(t.Context(), http.MethodPost, "/api/v1/kiosk/calls", map[string]any{}, &help))
	staffed.heard("ringing", func(v call.View) bool { return v.ID == help.ID && v.State == "ringing" })
	s.stop()
	kiosk.until("offline", func(st console.Status) bool { return !st.Online })
	check(t, kiosk.client.Do(t.Context(), http.MethodPost, "/api/v1/kiosk/calls", map[string]any{}, &help))
	if !help.Cut {
		t.Errorf("without a server: %+v", help)
	}
	coming := map[string]any{"answer": "coming"}
	check(t, staffed.client.Do(t.Context(), http.MethodPost, "/api/v1/calls/"+help.ID+"/answer", coming, nil))
	staffed.heard("on its way", func(v call.View) bool { return v.ID == help.ID && v.Sent == "coming" && v.Cut })
	s.start()
	staffed.heard("answered", func(v call.View) bool { return v.ID == help.ID && v.State == "coming" && v.Sent == "" })

	var record struct {
		Calls []struct {
			ID, State, Guard, Verdict string
			GateName                  string `json:"gate_name"`
			AnsweredAt                int64  `json:"answered_at"`
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check(t, campus.Until(ctx, func() (bool, error) {
		err := s.client.Do(ctx, http.MethodGet, "/api/v1/calls", nil, &record)
		return len(record.Calls) == 2 && record.Calls[0].State == "coming", err
	}))
	if c := record.Calls[1]; c.ID != ring.ID || c.State != "admitted" || c.Guard != "G0021" || c.GateName != "后门" || c.AnsweredAt == 0 || c.Verdict != "granted" {
		t.Errorf("the record is %+v", c)
	}
}

// Without anybody to ask, whoever needs a document is refused at once.
func TestKiosk_RefusesWhoeverNeedsADocument(t *testing.T) {
	s := newSite(t, "云岭大学")
	kiosk := s.newGate("后门")
	kiosk.more("mode: kiosk\ndocuments: required\nkiosk: {documents: refuse}")
	s.hired("G0021", "470318")
	kiosk.enrol()
	kiosk.start()
	kiosk.untilOnline()
	start := time.Now()
	var got desk.Result
	if got = kiosk.present(kiosk.issue().Code); got.Reason != verdict.DocumentRequired || got.Opens || got.Event == nil {
		t.Errorf("presented: %+v after %v", got, time.Since(start))
	}
	// A guard who logs in there has a key that opens the guard's part.
	key := kiosk.begun("G0021", "470318")
	if len(key) != 32 {
		t.Fatalf("key %q", key)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, kiosk.client.Base+"/api/v1/scans", nil)
	check(t, err)
	req.Header.Set("X-Guard-Key", key)
	res, err := http.DefaultClient.Do(req)
	check(t, err)
	check(t, res.Body.Close())
	if res.StatusCode != http.StatusOK {
		t.Errorf("with the key: %s", res.Status)
	}
}
