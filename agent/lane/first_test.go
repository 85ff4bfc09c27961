package lane_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// fellows are gates of first_seen that share one pass, and the network between
// them, which loses, delays and doubles what it is given. No server can be
// reached: they have nothing but each other.
type fellows struct {
	*rapid.T
	gates map[uint16]*fellow
	text  string // of the pass
	now   int64  // of everybody's monotonic clock

	asked []*exchange
	freed []wire.Claim // word that a pass is free again, on its way
	later []wait
	let   []admission
}

type fellow struct {
	*bench
	claim string          // its latest
	open  map[string]bool // scans that are not settled
}

// exchange is a question of one gate to another, or to the server, and what
// becomes of it.
type exchange struct {
	claim wire.Claim // Gate asks Owner
	due   int64      // when the asking gate takes silence for an answer
	over  bool       // it was answered, or took silence
	heard bool       // it was answered
	said  *wire.Answer
	at    int64 // when that was said
}

// wait is a gate's wish to be told that time has passed.
type wait struct {
	gate  uint16
	claim string
	due   int64
}

// admission is a barrier that opened, and who had answered its claim in time.
type admission struct {
	gate  uint16
	heard map[uint16]int64 // when they said so
}

// fellowship makes n gates, with a store each.
func fellowship(t *testing.T, n int) (all []*bench) {
	c := newCampus(t)
	items := make([]wire.Item, n)
	for i := range n {
		g := wire.Gate{ID: uint16(i + 1), Name: "门", Zone: 1, Mode: verdict.FirstSeen}
		g.Offline = &wire.Offline{Max: 1 << 30, MaxAgeMS: 3_600_000}
		items[i] = item(t, wire.ItemGate, strconv.Itoa(i+1), g)
	}
	for i := range n {
		b := &bench{station: newStation(t, c, uint16(i+1), nil), cfg: gateConfig(), wall: noonMS}
		b.apply(wire.Delta{Items: items})
		b.cfg.Gate = b.gate
		b.restart()
		b.step(desk.Synced{Stamp: b.stamp()})
		all = append(all, b)
	}
	return all
}

// meet has all gates started anew, a while ago, and a pass that nobody has seen.
func meet(rt *rapid.T, all []*bench, pass uint64) *fellows {
	p := single(pass)
	p.Owner = uint16(rapid.IntRange(0, len(all)).Draw(rt, "owner"))
	p.IssuedAt, p.NotBefore, p.Expires = all[0].wall/1000-60, all[0].wall/1000-60, all[0].wall/1000+86_400
	f := &fellows{T: rt, gates: map[uint16]*fellow{}, text: all[0].c.static(all[0].tb, p)}
	for _, b := range all {
		b.mono = 0
		check(b.tb, b.snap.Current(b.time()))
		f.gates[b.gate] = &fellow{bench: b}
		f.restart(b.gate)
	}
	f.elapse(wire.ReserveMS)
	return f
}

// restart is a gate whose program ended and began again: whoever waited there is
// gone, and what it had asked comes to nothing.
func (f *fellows) restart(gate uint16) {
	g := f.gates[gate]
	g.bench.restart()
	g.open = map[string]bool{}
	for _, x := range f.asked {
		x.over = x.over || x.claim.Gate == gate
	}
	f.later = slices.DeleteFunc(f.later, func(w wait) bool { return w.gate == gate })
	f.do(gate, desk.Tick{Stamp: g.stamp()})
}

// do gives a gate something, and takes what leaves it.
func (f *fellows) do(gate uint16, in desk.Input) {
	f.took(gate, f.gates[gate].step(in))
}

// took follows what left a gate.
func (f *fellows) took(gate uint16, effects []desk.Effect) {
	g := f.gates[gate]
	for _, e := range effects {
		switch e := e.(type) {
		case desk.Ask:
			if g.claim = e.Claim.ID; e.Claim.Owner == 0 && e.Claim.Try == 0 {
				// Everybody is asked anew. What was answered to the same claim before a
				// restart bound nobody for longer than wire.ReserveMS.
				for _, x := range f.asked {
					x.heard = x.heard && x.claim.ID != e.Claim.ID
				}
			}
			f.asked = append(f.asked, &exchange{claim: e.Claim, due: f.now + wire.AskTimeoutMS})
		case desk.Tell:
			f.freed = append(f.freed, e.Claim)
		case desk.Later:
			f.later = append(f.later, wait{gate, e.Claim, f.now + e.MS})
		case lane.Open:
			f.admitted(gate)
		case desk.Show:
			if e.Result.Need == verdict.NeedNothing {
				delete(g.open, e.Result.ID)
			}
		}
	}
}

func (f *fellows) present(gate uint16) {
	g := f.gates[gate]
	s := g.input("a", f.text)
	g.open[s.ID] = true
	f.do(gate, s)
}

// admitted is the promise. Nobody comes in by a gate that one who has let them in
// answered during the claim; nor by one that has called the pass free, as long as
// that may be counted on.
func (f *fellows) admitted(gate uint16) {
	a := admission{gate: gate, heard: map[uint16]int64{}}
	for _, x := range f.asked {
		if x.heard && x.claim.ID == f.gates[gate].claim {
			a.heard[x.claim.Owner] = x.at
		}
	}
	for _, b := range f.let {
		switch said, asked := b.heard[gate]; {
		case b.gate == gate:
			f.Fatalf("gate %d admitted twice", gate)
		case a.heard[b.gate] != 0:
			f.Fatalf("gate %d admitted after gate %d, which answered its question", gate, b.gate)
		case asked && f.now < said+wire.ReserveMS:
			f.Fatalf("gate %d admitted %d ms after it called the pass free to gate %d, which admitted too", gate, f.now-said, b.gate)
		}
	}
	f.let = append(f.let, a)
}

// arrive brings a question to the gate that it is for.
func (f *fellows) arrive(x *exchange) {
	to := f.gates[x.claim.Owner]
	effects := to.step(lane.ClaimAsked{Stamp: to.stamp(), Claim: x.claim})
	a := find[desk.Reply](to.tb, effects).Answer
	x.said, x.at = &a, f.now
	f.took(x.claim.Owner, effects)
}

// answer brings the answer back.
func (f *fellows) answer(x *exchange) {
	x.over, x.heard = true, true
	f.reply(x, *x.said)
}

// silence is an asking gate that waits no longer.
func (f *fellows) silence(x *exchange) {
	x.over = true
	f.reply(x, x.claim.Answer(verdict.ClaimSilent))
}

func (f *fellows) reply(x *exchange, a wire.Answer) {
	g := f.gates[x.claim.Gate]
	f.do(x.claim.Gate, desk.ClaimReply{Stamp: g.stamp(), From: x.claim.Owner, Answer: a})
}

// free brings word that a pass is free again.
func (f *fellows) free(i int) {
	q := f.freed[i]
	f.freed = slices.Delete(f.freed, i, i+1)
	f.do(q.Owner, lane.ClaimAsked{Stamp: f.gates[q.Owner].stamp(), Claim: q})
}

// elapse lets time pass, and everybody notice.
func (f *fellows) elapse(ms int64) {
	f.now += ms
	for _, id := range f.ids() {
		f.gates[id].pass(ms)
	}
	for _, x := range f.open(func(x *exchange) bool { return x.due <= f.now }) {
		if !x.over {
			f.silence(x)
		}
	}
	for _, w := range slices.Clone(f.later) {
		if w.due <= f.now {
			f.later = slices.DeleteFunc(f.later, func(o wait) bool { return o == w })
			f.do(w.gate, desk.Waited{Stamp: f.gates[w.gate].stamp(), Claim: w.claim})
		}
	}
	for _, id := range f.ids() {
		f.do(id, desk.Tick{Stamp: f.gates[id].stamp()})
	}
}

func (f *fellows) ids() []uint16 { return slices.Sorted(maps.Keys(f.gates)) }

// open are the questions that still wait, and more.
func (f *fellows) open(more func(*exchange) bool) (list []*exchange) {
	for _, x := range f.asked {
		if !x.over && more(x) {
			list = append(list, x)
		}
	}
	return list
}

// some draws one of a list, where there is one.
func some[T any](rt *rapid.T, what string, list []T) (one T) {
	if len(list) == 0 {
		rt.Skip("no " + what)
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(rt, what)]
}

func TestShared_FellowsNeverAdmitTwiceWhereTheyCouldAsk(t *testing.T) {
	for n := 2; n <= 4; n++ {
		t.Run(fmt.Sprintf("%dGates", n), func(t *testing.T) {
			all, passes := fellowship(t, n), uint64(0)
			rapid.Check(t, func(rt *rapid.T) {
				passes++
				f := meet(rt, all, passes)
				rt.Repeat(map[string]func(*rapid.T){
					"present": func(rt *rapid.T) { f.present(some(rt, "gate", f.ids())) },
					"arrive": func(rt *rapid.T) { // also again, and too late
						f.arrive(some(rt, "question", f.toGates(func(x *exchange) bool { return f.now < x.due+wire.AttemptMS })))
					},
					"answer": func(rt *rapid.T) {
						f.answer(some(rt, "answer", f.open(func(x *exchange) bool { return x.said != nil })))
					},
					"promptly": func(*rapid.T) { f.deliver() },
					"silence":  func(rt *rapid.T) { f.silence(some(rt, "question", f.open(everyone))) },
					"free": func(rt *rapid.T) {
						if len(f.freed) > 0 {
							f.free(rapid.IntRange(0, len(f.freed)-1).Draw(rt, "word"))
						}
					},
					"lose":    func(*rapid.T) { f.freed = nil },
					"elapse":  func(rt *rapid.T) { f.elapse(rapid.SampledFrom([]int64{20, 150, 300, 1050, 2500}).Draw(rt, "ms")) },
					"restart": func(rt *rapid.T) { f.restart(some(rt, "gate", f.ids())) },
				})
				f.healed()
			})
		})
	}
}

func everyone(*exchange) bool { return true }

// toGates are questions that a gate could answer.
func (f *fellows) toGates(more func(*exchange) bool) (list []*exchange) {
	for _, x := range f.asked {
		if x.claim.Owner != 0 && more(x) {
			list = append(list, x)
		}
	}
	return list
}

// deliver brings everything to where it should, at once; the server is silent.
func (f *fellows) deliver() {
	for {
		list := f.open(everyone)
		if len(list) == 0 {
			break
		}
		for _, x := range list {
			switch {
			case x.over:
			case x.claim.Owner == 0:
				f.silence(x)
			default:
				if f.arrive(x); !x.over { // it may have given up for a question of the other
					f.answer(x)
				}
			}
		}
	}
	for len(f.freed) > 0 {
		f.free(0)
	}
}

// healed is the end: every attempt comes to one, and nothing that was reserved
// keeps anybody out once all of them can be asked.
func (f *fellows) healed() {
	for range (wire.AttemptMS + 2*wire.AskTimeoutMS) / wire.AskTimeoutMS {
		f.elapse(wire.AskTimeoutMS)
	}
	for _, id := range f.ids() {
		if open := f.gates[id].open; len(open) > 0 {
			f.Fatalf("gate %d: nothing came of %v", id, slices.Collect(maps.Keys(open)))
		}
	}
	f.elapse(verdict.RepeatMS) // and reservations are over
	before := len(f.let)
	for _, id := range f.ids() {
		f.present(id)
		f.deliver()
	}
	if len(f.let) != max(before, 1) {
		f.Fatalf("%d admissions before and %d after everybody could be asked", before, len(f.let))
	}
	f.elapse(wire.AskTimeoutMS)
	for _, id := range f.ids() {
		if open := f.gates[id].open; len(open) > 0 {
			f.Fatalf("gate %d: in the end nothing came of %v", id, slices.Collect(maps.Keys(open)))
		}
	}
}

// Whoever gives way says so, and a pass that is free again is nobody's.
func TestShared_WhoGivesWayFreesThePass(t *testing.T) {
	b := newShared(t, wire.Offline{Max: 9, MaxAgeMS: 60_000})
	p := single(1)
	q := b.question("a", b.c.static(t, p))
	to := find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	lower := q
	lower.ID, lower.Gate, lower.Owner = "12-1-1", home-1, home
	effects := b.step(lane.ClaimAsked{Stamp: b.stamp(), Claim: lower})
	if a := find[desk.Reply](t, effects).Answer; a.State != verdict.ClaimGranted || shown(t, effects).Reason != verdict.OfflineNotAllowed {
		t.Fatalf("a lower gate asks for the same: %+v", effects)
	}
	if free := find[desk.Tell](t, effects).Claim; free.ID != to.ID || free.Owner != other || free.Reserve != wire.ReserveFree {
		t.Fatalf("told %+v, want that gate %d keeps it no longer", free, other)
	}
	lower.Reserve = wire.ReserveFree // the lower gate did not open either
	b.step(lane.ClaimAsked{Stamp: b.stamp(), Claim: lower})
	q = b.question("a", b.c.static(t, p))
	to = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	if effects := b.says(to, verdict.ClaimGranted); opened(effects) != 1 {
		t.Fatalf("a pass that is free again: %+v", effects)
	}
}
