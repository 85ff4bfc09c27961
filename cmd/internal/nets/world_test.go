//go:build linux

package nets_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"campusgate/agent"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/wire"
)

var times = flag.Int("nets-times", 1, "how often each scenario in namespaces is played")

// world is a server and two gates, each on a machine of its own on one LAN.
type world struct {
	*testing.T
	c          *campus.Campus
	lan        *lan
	server     *machine
	east, west *gate
	relays     []*campustest.Relay
	last       []func(kept) // looks at what is left
}

// gate is a gate and its machine.
type gate struct {
	*campus.Gate
	at *machine
}

// scenario plays a scenario as often as was asked for, beside the others. In the
// end it puts everything in order, and looks whether all promises were kept.
func scenario(t *testing.T, play func(*world)) { among(t, campus.Options{}, play) }

func among(t *testing.T, o campus.Options, play func(*world)) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("iproute2 is not installed: no network namespaces")
	}
	t.Parallel()
	for n := range *times {
		t.Run(strconv.Itoa(n+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			play(w)
			k := settle(t, w.c, w.relays)
			for _, look := range w.last {
				look(k)
			}
		})
	}
}

func newWorld(t *testing.T, o campus.Options) *world {
	t.Helper()
	w := &world{T: t, lan: newLAN(t, 3)}
	places := map[string]*machine{"server": w.lan.all[0], "gate 1": w.lan.all[1], "gate 2": w.lan.all[2]}
	o.Place = func(name string) campus.Place { return places[name].place() }
	w.c = start(t, o)
	w.server = w.lan.all[0]
	w.east, w.west = &gate{w.c.Gates[0], w.lan.all[1]}, &gate{w.c.Gates[1], w.lan.all[2]}
	for _, g := range w.c.Gates {
		w.relays = append(w.relays, campustest.Watch(t, g))
	}
	for _, g := range []*gate{w.east, w.west} {
		w.says(g, true)
	}
	return w
}

func (w *world) issue(g *gate, n int) []campus.Pass { return campustest.Issue(w.T, w.c, g.Gate, n) }

func (w *world) says(g *gate, online bool) {
	w.Helper()
	says(w.T, g.Gate, online)
}

// liveState is what the server knows of a gate's agent.
type liveState struct {
	Connected bool   `json:"connected"`
	Revision  uint64 `json:"revision"`
}

func (w *world) live(ctx context.Context, g *gate) (live liveState, err error) {
	var list struct {
		Agents []struct {
			Gate uint16    `json:"gate"`
			Live liveState `json:"live"`
		} `json:"agents"`
	}
	err = w.c.Client.Do(ctx, http.MethodGet, "/api/v1/agents", nil, &list)
	for _, a := range list.Agents {
		if a.Gate == g.ID {
			live = a.Live
		}
	}
	return live, err
}

// hears waits until the server says that the gate is connected, or is not.
func (w *world) hears(g *gate, connected bool) {
	w.Helper()
	eventually(w.T, fmt.Sprintf("the server says connected=%v of %s", connected, g.Name), func(ctx context.Context) (bool, error) {
		live, err := w.live(ctx, g)
		return err == nil && live.Connected == connected, err
	})
}

// knows waits until the gate has been told where to ask the other directly.
func (w *world) knows(g, other *gate) {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(g.Data, agent.StoreName)+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	eventually(w.T, g.Name+" knows where to ask "+other.Name, func(ctx context.Context) (bool, error) {
		var body []byte
		var p wire.Peer
		err := db.QueryRowContext(ctx, "SELECT body FROM peers WHERE gate = $1", int64(other.ID)).Scan(&body)
		if err == nil {
			err = json.Unmarshal(body, &p)
		}
		return err == nil && len(p.Addresses) > 0, err
	})
}

// scan presents a pass.
func (w *world) scan(g *gate, p campus.Pass) result {
	w.Helper()
	r, err := scan(w.Context(), g.Gate, p.Code)
	if err != nil {
		w.Fatalf("%s: %v", g.Name, err)
	}
	return r
}

// admits wants the pass let in by the gate alone.
func (w *world) admits(g *gate, p campus.Pass) result {
	w.Helper()
	r := w.scan(g, p)
	if r.Reason != "granted" || !r.Opens {
		w.Errorf("%s: %+v, want granted", g.Name, r)
	}
	return r
}

// refuses wants the pass refused because its owner does not answer, who is named.
func (w *world) refuses(g *gate, p campus.Pass, owner *gate) {
	w.Helper()
	r := w.scan(g, p)
	if r.Reason != "offline_not_allowed" || r.Opens || r.Owner == nil || r.Owner.Gate != owner.ID || r.Owner.Name != owner.Name {
		w.Errorf("%s: %+v (owner %+v), want a refusal that names %s", g.Name, r, r.Owner, owner.Name)
	}
}

// answered presents a pass until its decider has answered: on a loaded machine
// an answer may come later than a gate waits for it.
func (w *world) answered(g *gate, p campus.Pass) (r result) {
	w.Helper()
	eventually(w.T, g.Name+" has an answer", func(ctx context.Context) (bool, error) {
		var err error
		r, err = scan(ctx, g.Gate, p.Code)
		return err == nil && r.Reason != "offline_not_allowed", err
	})
	return r
}

// letsIn presents a pass until it is let in by its decider's answer: where an
// earlier answer was lost the same question is asked again, and one that was given
// back after a minute is a new one.
func (w *world) letsIn(g *gate, p campus.Pass) {
	w.Helper()
	eventually(w.T, g.Name+" lets in", func(ctx context.Context) (bool, error) {
		r, err := scan(ctx, g.Gate, p.Code)
		if err == nil && !r.Opens {
			err = fmt.Errorf("%+v (first %+v)", r, r.FirstUse)
		}
		return err == nil, err
	})
}

// used wants the pass refused as used at a gate.
func (w *world) used(g *gate, p campus.Pass, at *gate) {
	w.Helper()
	if r := w.answered(g, p); r.Reason != "already_used" || r.Opens || r.FirstUse == nil || r.FirstUse.Gate != at.ID {
		w.Errorf("%s: %+v (first %+v), want already used at %s", g.Name, r, r.FirstUse, at.Name)
	}
}

// granted reports whether the server has the owner's event that let another gate
// admit.
func (w *world) granted(ctx context.Context, p campus.Pass) (bool, error) {
	all, _, err := w.c.Client.Events(ctx, 0)
	return slices.ContainsFunc(all, func(e campus.Event) bool {
		return e.Type == string(wire.EventGrant) && e.PassID == p.ID
	}), err
}

// current waits until the gate has everything that the server wants it to know.
func (w *world) current(g *gate) {
	w.Helper()
	eventually(w.T, g.Name+" is up to date", func(ctx context.Context) (bool, error) {
		var text []byte
		if err := w.c.Client.Do(ctx, http.MethodGet, "/metrics", nil, &text); err != nil {
			return false, err
		}
		live, err := w.live(ctx, g)
		return float64(live.Revision) == figures(text)["campusgate_feed_revision"], err
	})
}

// once wants a pass let in once, under one claim that was asked again and again:
// its owner granted it once. Only a machine so slow that the claim was given back
// in between may have come to a second.
func (w *world) once(passes ...campus.Pass) {
	w.last = append(w.last, func(k kept) {
		for _, p := range passes {
			grants, annuls, claims := 0, 0, map[string]bool{}
			for _, e := range k.events {
				if e.Pass.String() != p.ID || e.Claim == "" {
					continue
				}
				claims[e.Claim] = true
				switch {
				case e.Type == wire.EventGrant:
					grants++
				case e.Type == wire.EventAnnul && e.Annuls != nil:
					annuls++
				}
			}
			first, in := k.asked[p.ID], k.in[p.ID]
			slow := in-first > 50_000
			if k.admitted[p.ID] != 1 || grants-annuls != 1 || !slow && (annuls > 0 || len(claims) != 1) {
				w.Errorf("pass %s: let in %d times, granted %d times, taken back %d times, claims %v within %d ms; want one",
					p.ID, k.admitted[p.ID], grants, annuls, claims, in-first)
			}
		}
	})
}
