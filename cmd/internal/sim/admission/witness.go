package admission

import (
	"encoding/json"
	"slices"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// witness sees every event as soon as it is on a disk, with the true time, and
// every barrier that opens.
type witness struct {
	w          *world
	scans      map[string]*presentation
	written    []written
	known      map[wire.EventID]bool
	upTo       map[uint16]uint64 // up to where the present journal of a gate was read
	admissions map[signing.PassID][]*admission
	byEvent    map[wire.EventID]*admission
	byScan     map[string]*admission
	histories  map[signing.PassID]*history
	told       map[uint32][]told           // by agent
	heard      map[string]map[uint16]int64 // by claim and gate: when its answer came in time last
	released   []*release                  // by the server, that it has yet to hear of
}

// written is an event on a disk.
type written struct {
	id   wire.EventID
	hash wire.Hash
}

// admission is an event that opened a lane.
type admission struct {
	event     wire.EventID
	pass      signing.PassID
	gate      uint16
	scan      string
	claim     string
	counts    bool
	presented int64
	link      uint64 // the gate's with the server, from then until now; 0 = it was not all that time
	walked    bool
	at        int64
	opened    bool
	withdrawn bool
}

func newWitness(w *world) *witness {
	return &witness{
		w: w, scans: map[string]*presentation{}, known: map[wire.EventID]bool{}, upTo: map[uint16]uint64{},
		admissions: map[signing.PassID][]*admission{}, byEvent: map[wire.EventID]*admission{}, byScan: map[string]*admission{},
		histories: map[signing.PassID]*history{},
		told:      map[uint32][]told{}, heard: map[string]map[uint16]int64{},
	}
}

// read looks at what has come to a gate's journal.
func (t *witness) read(g *gate) error {
	for {
		list, err := g.journal.After(t.upTo[g.number], 500)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			var e wire.Event
			if err := json.Unmarshal(list[i].Body, &e); err != nil {
				return err
			}
			t.written = append(t.written, written{e.ID, list[i].Hash})
			t.known[e.ID] = true
			t.upTo[g.number] = list[i].Seq
			t.see(g, &e)
		}
	}
}

// forget begins anew with a gate whose journal is gone.
func (t *witness) forget(g *gate) { delete(t.upTo, g.number) }

func (t *witness) see(g *gate, e *wire.Event) {
	t.w.result.Events++
	switch {
	case e.Type == wire.EventScan && e.Case != nil && e.Verdict.Admits(e.Case.Lane.Direction):
		t.admit(g, e)
	case e.Type == wire.EventAnnul:
		if e.Annuls == nil {
			t.w.result.GivenBack++
		} else if a := t.byEvent[*e.Annuls]; a != nil {
			if a.withdrawn {
				t.w.broken("%v takes %v back, which was taken back before", e.ID, a.event)
			}
			a.withdrawn = true
			t.w.result.Annulled++
		}
		t.annulled(g, e)
	}
}

// overdue is how long after its end a pass may still be admitted, by clocks that
// were set back or run slow: the mark they may not fall below is a minute old at most.
const overdue = 120_000

// admit holds an admission against those before.
func (t *witness) admit(g *gate, e *wire.Event) {
	w := t.w
	a := &admission{
		event: e.ID, pass: e.Pass, gate: g.number, scan: e.Scan, claim: e.Claim, counts: e.Counts, at: w.now, presented: w.now,
	}
	if p := t.scans[e.Scan]; p != nil {
		a.presented, a.walked = p.at, p.holder.walked > 0
		if p.link == g.session() {
			a.link = p.link
		}
	} else {
		w.broken("%v admits by scan %q, which nobody made", e.ID, e.Scan)
	}
	if over := w.now - e.Case.Code.Expires*1000; over > overdue {
		w.broken("%v admits pass %s, which ended %d s ago", e.ID, e.Pass, over/1000)
	}
	for _, b := range t.admissions[e.Pass] {
		if !b.withdrawn {
			t.double(b, a)
		}
	}
	w.result.Admissions++
	t.admissions[e.Pass] = append(t.admissions[e.Pass], a)
	t.byEvent[e.ID], t.byScan[e.Scan] = a, a
	if e.Counts {
		t.history(e.Pass).decided(e.ID.String(), t.tick())
	}
}

// double is two admissions of one pass that stand.
func (t *witness) double(first, second *admission) {
	h := t.history(first.pass)
	path := first.gate == second.gate || t.w.net.exchange(int(first.gate), int(second.gate), second.presented)
	if t.w.cfg.Policy == verdict.FirstSeen {
		path = t.w.couldTell(first, second)
	}
	h.double, h.path = true, h.path || path
	if t.w.cfg.Policy == verdict.FirstSeen && !path {
		return // as promised; it has to be found out
	}
	t.w.broken("pass %s is admitted twice: %v at gate %d, and %v at gate %d %d ms later (they could ask each other: %v)",
		first.pass, first.event, first.gate, second.event, second.gate, second.at-first.at, path)
}

// opened is a barrier that moved.
func (t *witness) opened(g *gate, scan string) {
	a := t.byScan[scan]
	if a == nil || a.gate != g.number {
		t.w.broken("gate %d opens for scan %q, and no event on its disk says so", g.number, scan)
		return
	}
	if a.opened {
		t.w.broken("gate %d opens twice for %v", g.number, a.event)
	}
	a.opened = true
}

// repeated is an admission that is shown again: it has to be one of this gate.
func (t *witness) repeated(g *gate, pass signing.PassID) {
	if !slices.ContainsFunc(t.admissions[pass], func(a *admission) bool { return a.gate == g.number }) {
		t.w.broken("gate %d shows pass %s as just admitted, which it never did", g.number, pass)
	}
}

// admitted reports whether an admission of a pass stands.
func (t *witness) admitted(pass signing.PassID) bool {
	return slices.ContainsFunc(t.admissions[pass], func(a *admission) bool { return !a.withdrawn })
}

// tick is a moment of the histories: no two are the same.
func (t *witness) tick() int64 {
	t.w.order++
	return int64(t.w.order)
}

// asked is a claim that leaves its gate.
func (t *witness) asked(c *wire.Claim) { t.history(c.Pass).asked(c.ID, c.Owner == 0, t.tick()) }

// answered is an answer that reached who asked.
func (t *witness) answered(a *wire.Answer, pass signing.PassID) {
	t.history(pass).answered(a.ID, a.State == verdict.ClaimGranted, t.tick())
}

// hears is an answer of a gate that shares passes.
func (t *witness) hears(a *wire.Answer) {
	if a.From == 0 {
		return
	}
	if t.heard[a.ID] == nil {
		t.heard[a.ID] = map[uint16]int64{}
	}
	t.heard[a.ID][a.From] = t.w.now
}

// annulled is an event that gives back a claim, or a decision of this gate's own,
// or, of an owner, what it granted to a claim that was given back.
func (t *witness) annulled(g *gate, e *wire.Event) {
	h := t.history(e.Pass)
	switch {
	case e.Claim == "" && e.Annuls != nil && e.Counts:
		h.release(e.Annuls.String(), t.tick()).end = t.tick()
	case e.Claim != "" && e.Annuls != nil && e.Counts:
		h.took(e.Claim, t.tick())
	case e.Claim != "":
		r := h.release(e.Claim, t.tick())
		if h.byServer[e.Claim] {
			r.event = e.ID
			t.released = append(t.released, r)
		}
	}
}

// held is what the server has committed of a journal.
func (t *witness) held(agent store.Agent, acked uint64) {
	t.telling(agent, acked)
	kept := t.released[:0]
	for _, r := range t.released {
		if r.event.Agent == agent.ID && r.event.Epoch == agent.Epoch && r.event.Seq <= acked {
			r.end = t.tick()
		} else {
			kept = append(kept, r)
		}
	}
	t.released = kept
}

func (t *witness) history(pass signing.PassID) *history {
	h := t.histories[pass]
	if h == nil {
		h = &history{asks: map[string]*take{}, byServer: map[string]bool{}}
		t.histories[pass] = h
	}
	return h
}
