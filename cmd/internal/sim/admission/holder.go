package admission

import (
	"fmt"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

// within is how long after its first presentation a pass is shown again.
const within = 600_000

// most is how often a pass is shown.
const most = 3

// holder is somebody with a pass, or two people with copies of it: it is shown once
// to three times at any gates, also at two within 300 ms. Whoever is refused because
// nobody answered, and has shown it less than three times, goes to the gate that the
// guard's page names.
type holder struct {
	w     *world
	n     int
	pass  pass.Pass
	text  string
	first int64 // when it is shown first, from the beginning
	left  int   // presentations that are planned
	shown int
}

// presentation is a scan of a pass.
type presentation struct {
	holder *holder
	gate   *gate
	at     int64
}

func (h *holder) plan(length int64) {
	w := h.w
	h.left = 1 + w.rng.IntN(most)
	at := h.first % length
	for n := range h.left {
		switch {
		case n > 0 && w.chance(0.2):
			at += w.between(0, 300)
		case n > 0:
			at += w.between(1_000, within/most)
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
	h.shown++
	h.w.result.Presentations++
	if !g.on {
		h.again(0)
		return nil
	}
	g.scans++
	id := fmt.Sprintf("%d.%d-%d", g.number, g.boot, g.scans)
	h.w.witness.scans[id] = &presentation{h, g, h.w.now}
	c, err := code.Read(g.snap.Keyring(), h.text)
	g.put(input{in: &desk.Scan{
		Stamp: g.stamp(), ID: id, Lane: laneName, Source: "serial", Code: c, Err: err, Guideline: g.snap.Guideline(),
	}})
	return nil
}

// again has somebody who was refused try once more: where the pass is decided,
// anywhere else if that is not known.
func (h *holder) again(owner uint16) {
	if h.left > 0 || h.shown >= most {
		return
	}
	g := h.w.anyGate()
	if owner != 0 {
		g = h.w.gates[owner-1]
	}
	h.left++
	h.w.after(h.w.between(10_000, 120_000), func() error {
		h.left--
		return h.present(g)
	})
}

// shown is what the guard's page shows of an attempt, and what comes of it.
func (w *world) shown(g *gate, r desk.Result) error {
	p := w.witness.scans[r.ID]
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
		p.holder.again(0)
	case r.Opens:
		if w.chance(0.03) {
			g.during(w.between(500, 60_000), func() error {
				g.put(input{in: lane.Annul{Stamp: g.stamp(), ID: r.ID, Sensor: w.chance(0.5)}})
				return nil
			})
		}
	case r.Reason == verdict.OfflineNotAllowed && r.Owner != nil:
		p.holder.again(r.Owner.Gate)
	case r.Reason != verdict.AlreadyUsed && !r.Repeat:
		p.holder.again(0)
	}
	return nil
}
