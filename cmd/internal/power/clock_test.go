//go:build linux

package power_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
)

// hands are those of a clock that somebody sets.
type hands struct{ off atomic.Int64 }

func (h *hands) now() time.Time { return time.Now().Add(time.Duration(h.off.Load())) }

func (h *hands) leap(d time.Duration) { h.off.Store(int64(d)) }

// gatePC is a real agent in this process, with a clock of its own.
type gatePC struct {
	*campus.Gate
	hands    hands
	settings agent.Settings
	log      *slog.Logger
	end      func()
}

// newGatePC adds a gate to a campus. Its agent reaches the server by the campus's
// network.
func newGatePC(t *testing.T, c *campus.Campus, name string) *gatePC {
	t.Helper()
	dir := t.TempDir()
	var made struct {
		ID uint16 `json:"id"`
	}
	check(t, c.Client.Do(t.Context(), http.MethodPost, "/api/v1/gates", map[string]any{"name": name, "zone": 1, "policy": "owner"}, &made))
	var ticket struct {
		Code string `json:"code"`
	}
	check(t, c.Client.Do(t.Context(), http.MethodPost, fmt.Sprintf("/api/v1/gates/%d/enrolments", made.ID), map[string]any{}, &ticket))
	g := &gatePC{Gate: &campus.Gate{ID: made.ID, Name: name, Data: filepath.Join(dir, "agent")}, log: slog.New(slog.DiscardHandler)}
	text := fmt.Sprintf("server: http://%s\ndata: %s\nlisten: 127.0.0.1:0\nmode: gate\nlanes:\n  - name: 主通道\n", c.Network.Addr(), g.Data)
	var err error
	g.settings, err = agent.ParseConfig("gate.yaml", []byte(text))
	check(t, err)
	_, err = agent.Enrol(t.Context(), g.settings, "http://"+c.Network.Addr(), ticket.Code, g.deps())
	check(t, err)
	g.start(t)
	t.Cleanup(func() { g.end() })
	return g
}

func (g *gatePC) deps() agent.Deps {
	return agent.Deps{Now: g.hands.now, Rand: rand.Reader, Log: g.log}
}

func (g *gatePC) start(t *testing.T) {
	t.Helper()
	var a *agent.Agent
	// A program that another test starts has what this process has open, and so the
	// lock of an agent that ended, until it is what it was started as.
	wait, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	check(t, campus.Until(wait, func() (ready bool, err error) {
		a, err = agent.New(g.settings, g.deps())
		if errors.Is(err, agent.ErrInUse) {
			return false, nil
		}
		return err == nil, err
	}))
	g.URL = "http://" + a.Addr() + "/"
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	g.end = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		g.end = func() {}
	}
}

// shows presents a pass and checks the reason.
func (g *gatePC) shows(t *testing.T, what string, p campus.Pass, want verdict.Reason) {
	t.Helper()
	reason, _, err := scan(t.Context(), g.Gate, p)
	check(t, err)
	if reason != want.String() {
		t.Errorf("%s: %s, want %v", what, reason, want)
	}
}

// follows waits until the agent adds to its clock what the server's is ahead, give or
// take what a busy machine makes of it.
func (g *gatePC) follows(t *testing.T, ahead time.Duration) {
	t.Helper()
	until(t, g.Gate, fmt.Sprintf("it has a snapshot, and the clock is corrected by %v", ahead), func(s console.Status) bool {
		off := time.Duration(s.Clock.OffsetMS)*time.Millisecond - ahead
		return s.Online && s.Snapshot.At > 0 && s.Clock.Trusted && off.Abs() < 5*time.Second
	})
}

// dated is a pass for many uses, so that no verdict is a matter of an earlier one.
func dated(t *testing.T, c *campus.Campus, g *gatePC, from, until time.Duration) campus.Pass {
	t.Helper()
	p, err := c.Client.Issue(t.Context(), campus.PassRequest{
		Kind: "visitor", Name: "江望舒", Doc4: "118X", Zones: []int{1}, OwnerGate: g.ID,
		From: time.Now().Add(from).Format(time.RFC3339), Until: time.Now().Add(until).Format(time.RFC3339),
	})
	check(t, err)
	return p
}

// clockCampus is a server whose clock can be set too, and no gates.
func clockCampus(t *testing.T) (*campus.Campus, *hands) {
	t.Helper()
	server := &hands{}
	c := campustest.Start(t, campus.Options{Bin: os.TempDir(), Gates: []string{}, Now: server.now})
	return c, server
}

// A PC's clock that is set while the agent works: with the server nobody notices at
// the gate, and the pages say so; without it nobody is let in by a time that was, and
// of those whose pass is over nobody ever.
func TestClock_OfAGateIsSet(t *testing.T) {
	t.Parallel()
	c, _ := clockCampus(t)
	to := func(year int) time.Duration { return time.Until(time.Date(year, 1, 2, 0, 0, 0, 0, time.UTC)) }
	for name, leap := range map[string]struct {
		by    time.Duration
		alone verdict.Reason // of a good pass without the server
	}{
		"an hour ahead": {time.Hour, verdict.Granted},
		"an hour back":  {-time.Hour, verdict.ClockUntrusted},
		"a day ahead":   {24 * time.Hour, verdict.Granted},
		"a day back":    {-24 * time.Hour, verdict.ClockUntrusted},
		"to 1970":       {to(1970), verdict.ClockUntrusted},
		"to 2039":       {to(2039), verdict.ClockUntrusted},
	} {
		g := newGatePC(t, c, name)
		good, over := dated(t, c, g, -time.Hour, 72*time.Hour), dated(t, c, g, -72*time.Hour, -30*time.Minute)
		early := dated(t, c, g, 30*time.Minute, 72*time.Hour)
		away := newGatePC(t, c, name+", alone")
		goodAway, overAway := dated(t, c, away, -time.Hour, 72*time.Hour), dated(t, c, away, -72*time.Hour, -30*time.Minute)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g.follows(t, 0)
			for round, at := range []time.Duration{leap.by, 0} { // there and back
				g.hands.leap(at)
				// Before the next comparison, and after.
				for _, when := range []string{"at once", "compared"} {
					what := fmt.Sprintf("round %d, %s, ", round, when)
					g.shows(t, what+"a good pass", good, verdict.Granted)
					g.shows(t, what+"one that is over", over, verdict.Expired)
					g.shows(t, what+"one for later", early, verdict.NotYetValid)
					if when == "at once" {
						g.follows(t, -at)
					}
				}
			}
		})
		t.Run(name+" alone", func(t *testing.T) {
			t.Parallel()
			away.follows(t, 0)
			away.shows(t, "before", goodAway, verdict.Granted)
			away.end()
			away.settings.Server.Host = "127.0.0.1:9" // nobody is there
			for _, restarted := range []bool{false, true} {
				if !restarted {
					away.hands.leap(0)
					away.start(t)
					until(t, away.Gate, "alone", func(s console.Status) bool { return !s.Online && s.LastError != "" })
				}
				away.hands.leap(leap.by)
				what := fmt.Sprintf("restarted %t: ", restarted)
				away.shows(t, what+"a good pass", goodAway, leap.alone)
				reason, _, err := scan(t.Context(), away.Gate, overAway)
				check(t, err)
				if reason == verdict.Granted.String() {
					t.Error(what + "a pass that is over was admitted")
				}
				s := until(t, away.Gate, "status", func(console.Status) bool { return true })
				if trusted := leap.alone != verdict.ClockUntrusted; s.Clock.Trusted != trusted || trusted != (s.Clock.Reason == "") {
					t.Errorf("%sthe page says %+v", what, s.Clock)
				}
				away.end()
				if !restarted {
					away.start(t) // the clock that is wrong is all that it wakes up with
				}
			}
			// The server puts it right whatever it shows.
			away.settings.Server.Host = c.Network.Addr()
			away.start(t)
			away.follows(t, -leap.by)
			away.shows(t, "with the server again", goodAway, verdict.Granted)
			away.shows(t, "with the server again", overAway, verdict.Expired)
			drained(t, away.Gate)
		})
	}
}

// The server's clock is set, there and back: the gates follow, since nobody else tells
// them the time, and nothing that they decided is lost or judged twice.
func TestClock_OfTheServerIsSet(t *testing.T) {
	t.Parallel()
	for name, leap := range map[string]time.Duration{"a day ahead": 24 * time.Hour, "a day back": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, server := clockCampus(t)
			g := newGatePC(t, c, "东门")
			good, early := dated(t, c, g, -time.Hour, 72*time.Hour), dated(t, c, g, 23*time.Hour, 72*time.Hour)
			g.follows(t, 0)
			for _, at := range []time.Duration{leap, 0} {
				server.leap(at)
				g.follows(t, at)
				want := verdict.Granted
				if at < 0 {
					want = verdict.NotYetValid
				}
				g.shows(t, fmt.Sprint("good at ", at), good, want)
				want = verdict.NotYetValid
				if at > 0 {
					want = verdict.Granted
				}
				g.shows(t, fmt.Sprint("early at ", at), early, want)
			}
			drained(t, g.Gate)
			g.end()
			account(t, c, campustest.Journal(t, g.Data), nil)
		})
	}
}
