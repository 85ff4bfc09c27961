package admission

import (
	"fmt"
	"slices"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

// within is how long after its first presentation a pass is shown again.
const within = 600_000

const (
	planned = 3 // a pass is shown so often at most, wherever its holder likes
	walks   = 3 // and so often where its holder is sent, after that
)

// holder is somebody with a pass, or two people with copies of it: it is shown once
// to three times at any gates, also at two at once. Whoever was not let in
// then, or heard nothing because the power went, goes where the guard's page sends
// them, up to three times: to the gate that decides, where it did not answer, and
// anywhere else otherwise.
type holder struct {
	w      *world
	n      int
	pass   pass.Pass
	text   string
	first  int64 // when it is shown first, from the beginning
	left   int   // presentations that are to come
	walked int
	heard  string // what was said of it last
}

// presentation is a scan of a pass.
type presentation struct {
	holder *holder
	gate   *gate
	at     int64
	link   uint64 // the session that the gate had with the server, and the server with it; 0 = none
}

func (h *holder) plan(length int64) {
	w := h.w
	h.left = 1 + w.rng.IntN(planned)
	at := h.first % length
	for n := range h.left {
		switch {
		case n > 0 && w.chance(w.pace.often):
			at += w.between(0, w.pace.soon)
		case n > 0:
			at += w.between(1_000, within/planned)
		}
		g := w.anyGate()
		w.after(at, func() error {
			h.left--
			return h.present(g)
		})
	}
}

func (w *world) anyGate() *gate { return w.gates[w.rng.IntN(len(w.gates))] }

// present shows the code to a gate's scanner.
func (h *holder) present(g *gate) error {
	h.w.result.Presentations++
	if h.heard = "no_power"; !g.on {
		h.again(h.pass.Owner)
		return nil
	}
	g.scans++
	id := fmt.Sprintf("%d.%d-%d", g.number, g.boot, g.scans)
	p := &presentation{h, g, h.w.now, g.session()}
	h.w.witness.scans[id] = p
	g.await = append(g.await, p)
	c, err := code.Read(g.snap.Keyring(), h.text)
	g.put(input{in: &desk.Scan{
		Stamp: g.stamp(), ID: id, Lane: laneName, Source: "serial", Code: c, Err: err, Guideline: g.snap.Guideline(),
	}})
	return nil
}

// again has somebody who was not let in try once more: at a gate, or anywhere.
func (h *holder) again(at uint16) {
	if h.left > 0 || h.walked == walks || h.w.witness.admitted(h.pass.ID) {
		return
	}
	g := h.w.anyGate()
	if at != 0 {
		g = h.w.gates[at-1]
	}
	h.left++
	h.walked++
	h.w.after(h.w.between(30_000, 120_000), func() error {
		h.left--
		h.w.result.Walks++
		return h.present(g)
	})
}

// shown is what the guard's page shows of an attempt, and what comes of it.
func (w *world) shown(g *gate, r desk.Result) error {
	p := w.witness.scans[r.ID]
	if p != nil {
		p.holder.heard = r.Reason.String()
		if r.Need == verdict.NeedNothing {
			g.await = slices.DeleteFunc(g.await, func(o *presentation) bool { return o == p })
		}
	}
	switch {
	case p == nil:
		w.broken("gate %d shows scan %q, which nobody made", g.number, r.ID)
	case r.Need == verdict.NeedDocument:
		answer := lane.Answer{ID: r.ID, Documents: []string{"id_card"}}
		if w.chance(0.1) {
			answer = lane.Answer{ID: r.ID, Refuse: true}
		}
		g.during(w.between(2_000, 15_000), func() error {
			answer.Stamp = g.stamp()
			g.put(input{in: answer})
			return nil
		})
	case r.Annulled:
		p.holder.again(g.number)
	case r.Repeat:
		w.witness.repeated(g, p.holder.pass.ID)
	case r.Opens:
		if w.chance(0.03) { // and sometimes the guard and the sensor both say so
			for range 1 + w.rng.IntN(2) {
				g.during(w.between(500, 60_000), func() error {
					g.put(input{in: lane.Annul{Stamp: g.stamp(), ID: r.ID, Sensor: w.chance(0.5)}})
					return nil
				})
			}
		}
	case r.Reason == verdict.OfflineNotAllowed && r.Owner != nil:
		p.holder.again(r.Owner.Gate)
	default:
		p.holder.again(p.holder.pass.Owner)
	}
	return nil
}
