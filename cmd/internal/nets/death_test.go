//go:build linux

package nets_test

import (
	"context"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
)

// claimBytes is less than what a claim takes on the wire, and more than an answer
// to a heartbeat.
const claimBytes = 150

// asked has the west gate ask for a pass of the east gate, whose agent is frozen,
// and returns when the question has arrived there. The verdict follows.
func (w *world) asked(p campus.Pass) (verdict func() (result, error)) {
	w.Helper()
	w.current(w.east)
	w.east.Agent.Freeze()
	before := w.east.at.waiting()
	type outcome struct {
		result result
		err    error
	}
	var came chan outcome
	eventually(w.T, "the question arrives", func(ctx context.Context) (bool, error) {
		answer := make(chan outcome, 1)
		came = answer
		go func() {
			r, err := scan(w.Context(), w.west.Gate, p.Code)
			answer <- outcome{r, err}
		}()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for w.east.at.waiting() < before+claimBytes {
			if len(answer) > 0 { // given up, on a loaded machine before the server passed it on
				return false, nil
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
		return true, nil
	})
	return func() (result, error) {
		o := <-came
		return o.result, o.err
	}
}

// The server dies with a question in its hands, and with half of a gate's
// journal.
func TestNets_ServerKilledInTheMiddleOfAClaimAndOfAnUpload(t *testing.T) {
	scenario(t, func(w *world) {
		theirs := w.issue(w.east, 1)
		verdict := w.asked(theirs[0])
		w.c.Server.Kill()
		w.east.Agent.Thaw()
		if r, err := verdict(); err != nil || r.Opens || r.Owner == nil || r.Owner.Gate != w.east.ID {
			w.Errorf("%+v, %v: want a refusal that names %s", r, err, w.east.Name)
		}
		w.says(w.west, false)
		w.says(w.east, false)

		const backlog = 400
		for range backlog {
			if _, err := scan(w.Context(), w.west.Gate, "二维码 no code of any campus"); err != nil {
				w.Fatal(err)
			}
		}
		w.west.at.narrow(200)
		if err := w.c.StartServer(w.Context()); err != nil {
			w.Fatal(err)
		}
		half := 0
		eventually(w.T, "the upload begins", func(ctx context.Context) (bool, error) {
			all, _, err := w.c.Client.Events(ctx, 0)
			half = 0
			for _, e := range all {
				if e.Gate == w.west.ID && e.Reason == "malformed" {
					half++
				}
			}
			return half > 0, err
		})
		w.c.Server.Kill()
		if half >= backlog {
			w.Errorf("all %d events were there when the server was killed", half)
		}
		if err := w.c.StartServer(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.west.at.narrow(0)
		w.says(w.west, true)
		w.says(w.east, true)
		w.letsIn(w.west, theirs[0])
		w.used(w.east, theirs[0], w.west)
		w.once(theirs[0])
	})
}

// The gate dies after the pass's owner has granted it the pass, and before it
// has heard so.
func TestNets_AgentKilledBetweenClaimAndOpening(t *testing.T) {
	scenario(t, func(w *world) {
		theirs := w.issue(w.east, 1)
		verdict := w.asked(theirs[0])
		w.west.Agent.Freeze()
		w.east.Agent.Thaw()
		eventually(w.T, "the owner grants", func(ctx context.Context) (bool, error) { return w.granted(ctx, theirs[0]) })
		w.west.Agent.Kill()
		if r, err := verdict(); err == nil && r.Opens {
			w.Errorf("%+v although no answer came", r)
		}
		w.used(w.east, theirs[0], w.west)
		if err := w.west.Start(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.says(w.west, true)
		w.letsIn(w.west, theirs[0])
		w.used(w.east, theirs[0], w.west)
		w.once(theirs[0])
	})
}

// The server hangs, and then goes on as if nothing had been.
func TestNets_ServerFrozenAndThawed(t *testing.T) {
	scenario(t, func(w *world) {
		own, theirs := w.issue(w.west, 2), w.issue(w.east, 1)
		w.c.Server.Freeze()
		defer w.c.Server.Thaw()
		w.refuses(w.west, theirs[0], w.east)
		w.says(w.west, false)
		w.says(w.east, false)
		if r := w.admits(w.west, own[0]); !r.Offline {
			w.Errorf("%+v is not marked as decided offline", r)
		}
		w.refuses(w.east, own[1], w.west)

		w.c.Server.Thaw()
		for _, g := range []*gate{w.west, w.east} {
			w.says(g, true)
			w.hears(g, true)
		}
		w.used(w.east, own[0], w.west)
		w.letsIn(w.east, own[1])
		w.letsIn(w.west, theirs[0])
	})
}

// A gate PC loses its power: no connection is ended, so the server has to find
// out, and a PC that is back at once takes the place of what it left.
func TestNets_GateVanishesFromItsConnection(t *testing.T) {
	scenario(t, func(w *world) {
		own := w.issue(w.west, 2)
		vanish := func() {
			w.west.at.plug(false)
			w.west.Agent.Kill()
		}
		back := func() {
			w.west.at.plug(true)
			if err := w.west.Start(w.Context()); err != nil {
				w.Fatal(err)
			}
			w.says(w.west, true)
			w.hears(w.west, true)
		}
		w.admits(w.west, own[0])
		vanish()
		back()
		w.used(w.east, own[0], w.west)
		vanish()
		gone := time.Now()
		w.hears(w.west, false)
		w.Logf("the server noticed after %v", time.Since(gone).Round(100*time.Millisecond))
		w.refuses(w.east, own[1], w.west)
		back()
		w.letsIn(w.east, own[1])
		w.once(own[1])
	})
}

// The server's machine loses its power: the gates have to find out, and to find
// the new one.
func TestNets_ServerVanishesFromItsConnections(t *testing.T) {
	scenario(t, func(w *world) {
		own := w.issue(w.west, 1)
		w.server.plug(false)
		w.c.Server.Kill()
		gone := time.Now()
		w.says(w.west, false)
		w.Logf("a gate noticed after %v", time.Since(gone).Round(100*time.Millisecond))
		w.says(w.east, false)
		w.admits(w.west, own[0])
		if err := w.c.StartServer(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.server.plug(true)
		w.says(w.west, true)
		w.says(w.east, true)
		w.used(w.east, own[0], w.west)
	})
}
