//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/signing/verdict"
)

// within is how long a connected gate may take to do what the console says.
const within = 2 * time.Second

// order raises or ends an alarm at the server, and waits until the gate's page
// tells of it.
func (g *gate) order(scope, state string) {
	g.t.Helper()
	ask := map[string]any{"scope": scope, "state": state, "reason": "演练"}
	began := time.Now()
	check(g.t, g.site.client.Do(g.t.Context(), http.MethodPost, "/api/v1/emergency", ask, nil))
	g.until("alarms after "+state, func(st console.Status) bool { return (len(st.Alarms) > 0) == (state != "normal") })
	if took := time.Since(began); took > within {
		g.t.Errorf("%s of %s held after %v, want %v", state, scope, took, within)
	}
}

// wants presents a code until its reason is as wanted, for as long as the gate may
// take.
func (g *gate) wants(code string, want verdict.Reason) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), within)
	defer cancel()
	var got verdict.Reason
	err := campus.Until(ctx, func() (bool, error) {
		got = g.present(code).Reason
		return got == want, nil
	})
	if err != nil {
		g.t.Fatalf("the gate said %s for %v, want %s", got, within, want)
	}
}

func TestPolicy_AConnectedGateDoesWhatTheConsoleSays(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	g.enrol()
	g.start()
	g.untilOnline()

	g.order("campus", "lockdown")
	code := g.issue().Code
	g.wants(code, verdict.Lockdown)

	// Neither a restart nor a lost server ends it.
	s.stop()
	g.stop()
	g.start()
	g.until("locked down after a restart", func(st console.Status) bool { return len(st.Alarms) == 1 && st.Alarms[0].Reason == "演练" })
	g.wants(code, verdict.Lockdown)
	s.start()
	g.untilOnline()
	g.order("campus", "normal")

	g.order(fmt.Sprintf("gate:%d", g.id), "open")
	relay, err := os.OpenFile(g.relay.Device, os.O_RDWR, 0)
	check(t, err)
	defer func() { check(t, relay.Close()) }()
	on := stands(t, relay)
	if r := g.present(code); r.Mark != verdict.MarkEmergency || !r.Opens {
		t.Errorf("in an emergency %+v", r)
	}
	on.still()
	// The hours get there before the end of the emergency does, during which nothing
	// is used up: never is the code good in between.
	closed := map[string]any{"area": map[string]any{"passback": "enforce"}, "hours": []any{map[string]any{"kinds": []string{"resident_single"}, "week": []any{}}}}
	path := fmt.Sprintf("/api/v1/gates/%d/policy", g.id)
	check(t, s.client.Do(t.Context(), http.MethodPut, path, closed, nil))
	g.order(fmt.Sprintf("gate:%d", g.id), "normal")
	on.rests()
	g.wants(code, verdict.OutsideHours)
	closed["hours"] = []any{}
	check(t, s.client.Do(t.Context(), http.MethodPut, path, closed, nil))
	g.wants(code, verdict.Granted)

	// The server knows who is inside, judged the same, and has every change.
	var inside struct {
		Areas  []struct{ Inside int }
		Inside []struct{ Name string }
	}
	check(t, campus.Until(t.Context(), func() (bool, error) {
		err := s.client.Do(t.Context(), http.MethodGet, "/api/v1/occupancy?area=zone:1", nil, &inside)
		return len(inside.Inside) == 1 && inside.Areas[0].Inside == 1 && inside.Inside[0].Name == "林晓岚", err
	}))
	s.agrees()
}

// agrees waits until the server has judged everything, and wants it to think as
// the gates did.
func (s *site) agrees() {
	s.t.Helper()
	var events []campus.Event
	check(s.t, campus.Until(s.t.Context(), func() (_ bool, err error) {
		events, _, err = s.client.Events(s.t.Context(), 0)
		return !slices.ContainsFunc(events, func(e campus.Event) bool { return e.Type == "scan" && e.Opinion == "" }), err
	}))
	alarms := 0
	for _, e := range events {
		if e.Type == "alarm" {
			alarms++
		} else if e.Type == "scan" && e.Reason != e.Opinion {
			s.t.Errorf("event %s: the gate said %s, the server %s", e.ID, e.Reason, e.Opinion)
		}
	}
	if alarms != 4 {
		s.t.Errorf("%d changes of alarms at the server, want 4", alarms)
	}
}

// line is what comes over the relay's cable.
type line struct {
	t      *testing.T
	frames chan byte // 1 on, 0 off
}

// stands reads the relay until it is switched on.
func stands(t *testing.T, relay io.Reader) *line {
	t.Helper()
	l := &line{t: t, frames: make(chan byte, 1024)}
	go func() {
		for frame := make([]byte, 4); ; {
			if _, err := io.ReadFull(relay, frame); err != nil {
				close(l.frames)
				return
			}
			if bytes.HasPrefix(frame, []byte{0xA0, 1}) {
				l.frames <- frame[2]
			}
		}
	}()
	for l.next() == 0 { // it may have been brought to rest before
	}
	return l
}

func (l *line) next() byte {
	l.t.Helper()
	select {
	case b, more := <-l.frames:
		if more {
			return b
		}
	case <-time.After(within):
	}
	l.t.Fatal("nothing came over the relay's cable")
	return 0
}

// still wants the relay to be as it was.
func (l *line) still() {
	l.t.Helper()
	select {
	case b := <-l.frames:
		l.t.Errorf("the barrier moved in an emergency: %d", b)
	default:
	}
}

// rests wants the last word to be off.
func (l *line) rests() {
	l.t.Helper()
	for l.next() == 1 {
	}
}
