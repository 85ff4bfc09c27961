package lane_test

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// govern gives the gate a policy.
func (b *bench) govern(p wire.Policy) {
	b.tb.Helper()
	check(b.tb, p.Check())
	b.apply(wire.Delta{Items: []wire.Item{item(b.tb, wire.ItemPolicy, strconv.Itoa(home), p)}})
}

// told is the server's word on who is inside.
func (b *bench) told(p pass.Pass, in bool, at int64) {
	b.tb.Helper()
	w := wire.Inside{In: in, Gate: other, At: at, Expires: p.Expires}
	if in {
		w.Since = at
	}
	b.apply(wire.Delta{Items: []wire.Item{item(b.tb, wire.ItemInside, wire.InsideKey("zone:1", p.ID), w)}})
}

// governed is a bench in Shanghai with a policy.
func governed(tb testing.TB, p wire.Policy) *bench {
	tb.Helper()
	b := newBench(tb, nil)
	b.cfg.Zone = must[*time.Location](tb)(time.LoadLocation("Asia/Shanghai"))
	b.restart()
	b.govern(p)
	return b
}

func enforced() wire.Policy {
	return wire.Policy{Area: verdict.Area{Passback: verdict.PassbackEnforce, ForgetHours: 6}}
}

func TestPolicy_ALaneTakesItsKindsAndLetsEverybodyOut(t *testing.T) {
	b := governed(t, wire.Policy{Lanes: map[string]signing.KindSet{
		"a": signing.KindsOf(signing.Vehicle), "out": signing.KindsOf(signing.Vehicle),
	}})
	text := b.c.static(t, open(1))
	if r := b.refuse("a", text, verdict.WrongKind); r.Mark != verdict.MarkLane {
		t.Errorf("mark %q", r.Mark)
	}
	b.admit("b", text)
	b.admit("out", text)
}

func TestPolicy_HoursAreThoseOfTheCampus(t *testing.T) {
	// Noon of a Tuesday in Shanghai; nights from 22:00 to 02:00.
	p := wire.Policy{Hours: []verdict.Hours{{Kinds: signing.KindsOf(signing.ResidentMulti)}}}
	for day := 1; day <= 7; day++ {
		p.Hours[0].Week = append(p.Hours[0].Week, verdict.WeekSpan{Day: day, Span: verdict.Span{From: 22 * 60, Until: 2 * 60}})
	}
	b := governed(t, p)
	long := open(1)
	long.Expires = noon + 30*86400
	text := b.c.static(t, long)
	b.refuse("a", text, verdict.OutsideHours)
	b.admit("out", text)
	b.admit("b", b.c.static(t, single(9))) // a kind without hours
	b.pass(10 * 3600_000)
	b.admit("a", text) // 22:00
	b.pass(4*3600_000 - 1)
	b.admit("a", text) // 01:59:59.999
	b.pass(1)
	b.pass(verdict.RepeatMS)
	b.refuse("a", text, verdict.OutsideHours)
}

func TestPolicy_NobodyComesInTwiceWithoutLeaving(t *testing.T) {
	b := governed(t, enforced())
	text := b.c.static(t, open(1))
	b.admit("a", text)
	if again := shown(t, b.scan("b", text)); !again.Repeat {
		t.Fatalf("a moment later %+v", again)
	}
	b.pass(verdict.RepeatMS)
	r := b.refuse("b", text, verdict.Antipassback)
	if r.FirstUse == nil || r.FirstUse.At != noonMS || r.FirstUse.Gate != home {
		t.Errorf("inside since %+v", r.FirstUse)
	}
	b.reopen()
	b.restart()
	b.refuse("a", text, verdict.Antipassback)
	b.admit("out", text)
	b.admit("a", text)
	b.pass(6*3600_000 + 1)
	b.admit("a", text) // forgotten
	b.refuseAfterRepeat(text)
}

func (b *bench) refuseAfterRepeat(text string) {
	b.tb.Helper()
	b.pass(verdict.RepeatMS)
	b.refuse("a", text, verdict.Antipassback)
}

func TestPolicy_AtTheEndOfTheDayEverybodyHasLeft(t *testing.T) {
	end := 13 * 60
	b := governed(t, wire.Policy{Area: verdict.Area{Passback: verdict.PassbackEnforce, DayEnd: &end}})
	text := b.c.static(t, open(1))
	b.admit("a", text)
	b.pass(3600_000 - 1)
	b.refuse("a", text, verdict.Antipassback)
	b.pass(1) // 13:00
	b.admit("a", text)
}

func TestPolicy_AlertLetsInAndWantsALook(t *testing.T) {
	p := enforced()
	p.Area.Passback = verdict.PassbackAlert
	b := governed(t, p)
	twice := single(1)
	twice.Uses = 2
	text := b.c.static(t, twice)
	b.admit("a", text)
	b.pass(verdict.RepeatMS)
	if r := b.admit("a", text); r.Reason != verdict.Attention || r.Mark != verdict.MarkPassback || r.FirstUse == nil || r.FirstUse.At != noonMS {
		t.Fatalf("result %+v", r)
	}
	b.pass(verdict.RepeatMS)
	b.refuse("a", text, verdict.AlreadyUsed) // both uses are gone
}

func TestPolicy_AnAnnulPutsBackWhatWasBefore(t *testing.T) {
	b := governed(t, enforced())
	text := b.c.static(t, open(1))
	in := b.admit("a", text)
	b.step(lane.Annul{Stamp: b.stamp(), ID: in.ID})
	b.pass(verdict.RepeatMS)
	in = b.admit("a", text) // nobody went through the first time
	b.pass(verdict.RepeatMS)
	out := b.admit("out", text)
	b.pass(1000)
	b.step(lane.Annul{Stamp: b.stamp(), ID: out.ID})
	b.pass(verdict.RepeatMS)
	r := b.refuse("a", text, verdict.Antipassback) // nobody left
	if r.FirstUse.At != in.At {
		t.Errorf("inside since %d, want %d", r.FirstUse.At, in.At)
	}
	b.admit("out", text)
	b.step(lane.Annul{Stamp: b.stamp(), ID: in.ID}) // after the exit it says nothing any more
	b.pass(verdict.RepeatMS)
	b.admit("a", text)
}

func TestPolicy_WordsFromElsewhere(t *testing.T) {
	b := governed(t, enforced())
	p := open(1)
	text := b.c.static(t, p)
	b.told(p, true, b.wall-5_000)
	if r := b.refuse("a", text, verdict.Antipassback); r.FirstUse.Gate != other {
		t.Errorf("by gate %d", r.FirstUse.Gate)
	}
	b.told(p, false, b.wall-1_000) // left by the other gate
	b.admit("a", text)
	b.told(p, false, b.wall-1_000) // the same, late: it was before
	b.refuseAfterRepeat(text)
	b.told(p, false, b.wall) // a clerk's correction
	b.admit("a", text)

	// A new snapshot brings what the server knows; what happened here stays.
	q := open(2)
	b.told(q, true, b.wall)
	b.refuse("a", b.c.static(t, q), verdict.Antipassback)
	b.apply(wire.Delta{Reset: true, Items: []wire.Item{
		item(t, wire.ItemGate, strconv.Itoa(home), wire.Gate{ID: home, Zone: 1, Mode: verdict.Owner}),
		item(t, wire.ItemPolicy, strconv.Itoa(home), enforced()),
	}})
	b.admit("a", b.c.static(t, q))
	b.refuseAfterRepeat(text)
}

// Of another area, or of a gate that keeps nothing, nobody is told.
func TestPolicy_AreasAreCountedByThemselves(t *testing.T) {
	p := enforced()
	p.Group = "图书馆"
	b := governed(t, p)
	q := open(1)
	b.told(q, true, b.wall) // in the zone
	text := b.c.static(t, q)
	b.admit("a", text)
	b.refuseAfterRepeat(text)
	b.govern(wire.Policy{})
	b.admit("a", text)
}

func TestPolicy_FullUntilSomebodyLeaves(t *testing.T) {
	b := governed(t, wire.Policy{Area: verdict.Area{Limit: 2}})
	one, two, three := b.c.static(t, open(1)), b.c.static(t, open(2)), b.c.static(t, open(3))
	b.admit("a", one)
	b.told(open(2), true, b.wall)
	b.refuse("a", three, verdict.OccupancyFull)
	b.pass(verdict.RepeatMS)
	b.admit("a", one) // who is inside takes no room
	b.admit("out", two)
	b.admit("a", three)
	b.pass(verdict.RepeatMS)
	b.refuse("a", two, verdict.OccupancyFull)
}

// The server judges the same from the event alone.
func TestPolicy_TheEventHoldsWhatWasJudged(t *testing.T) {
	p := enforced()
	p.Area.Limit = 1
	p.Hours = []verdict.Hours{{Kinds: signing.KindsOf(signing.ResidentSingle)}}
	b := governed(t, p)
	b.admit("a", b.c.static(t, open(1)))
	b.refuse("a", b.c.static(t, open(2)), verdict.OccupancyFull)
	b.refuse("a", b.c.static(t, single(3)), verdict.OutsideHours)
	b.refuseAfterRepeat(b.c.static(t, open(1)))
	b.admit("out", b.c.static(t, open(1)))
	n := 0
	for _, e := range b.events() {
		if e.Case == nil {
			continue
		}
		n++
		if got := verdict.Judge(e.Case); got.Reason != e.Verdict.Reason || got.Mark != e.Verdict.Mark {
			t.Errorf("%s: judged again %+v, the gate said %+v", e.ID, got, e.Verdict)
		}
	}
	if n != 5 {
		t.Errorf("%d events with a case", n)
	}
}

// Whatever comes, in whatever order, with commits that fail and restarts:
// whoever is inside does not come in, and no more are inside than may be.
func TestPolicy_AnyOrderOfComingAndGoing(t *testing.T) {
	// One gate for all of them: each has people and an area of its own.
	m := newMachine(t, nil, nil)
	round := uint64(0)
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Uint32Range(0, 3).Draw(rt, "limit")
		round++
		p := enforced()
		p.Area.Limit, p.Group = limit, "round "+strconv.FormatUint(round, 10)
		m.govern(p)
		m.rt, m.texts = rt, nil
		for n := range uint64(4) {
			q := open(10*round + n)
			q.Expires = noon + 400*86400
			m.texts = append(m.texts, m.c.static(t, q))
		}
		inside := map[int]int64{} // since
		took := map[int]string{}  // the scan that came in
		m.repeatPolicy(inside, took, limit)
	})
}

func (m *machine) repeatPolicy(inside map[int]int64, took map[int]string, limit uint32) {
	forget := func() {
		for i, since := range inside {
			if since < m.wall-6*3600_000 {
				delete(inside, i)
			}
		}
	}
	// A commit for each action: few of them in a round, and many rounds.
	actions := map[string]func(*rapid.T){
		"in": func(rt *rapid.T) {
			i := rapid.IntRange(0, 3).Draw(rt, "pass")
			forget()
			_, was := inside[i]
			full := limit > 0 && len(inside) >= int(limit)
			r := m.present("a", i)
			switch {
			case r.Opens && was:
				rt.Fatalf("pass %d came in twice", i)
			case r.Opens && full:
				rt.Fatalf("%d inside, and another came in", len(inside))
			case r.Opens:
				inside[i], took[i] = m.wall, r.ID
			case !was && !full && !r.Repeat:
				rt.Fatalf("pass %d is outside, and was refused: %+v", i, r)
			}
		},
		"out": func(rt *rapid.T) {
			i := rapid.IntRange(0, 3).Draw(rt, "pass")
			if r := m.present("out", i); !r.Opens {
				rt.Fatalf("kept in: %+v", r)
			}
			delete(inside, i)
			delete(took, i)
		},
		"annul": func(rt *rapid.T) {
			i := rapid.IntRange(0, 3).Draw(rt, "pass")
			if took[i] == "" {
				return
			}
			m.step(lane.Annul{Stamp: m.stamp(), ID: took[i]})
			delete(inside, i)
			delete(took, i)
		},
		"fail": func(rt *rapid.T) {
			i := rapid.IntRange(0, 3).Draw(rt, "pass")
			m.fault = 1
			m.do(m.input("a", m.texts[i]))
			m.fault = 0
		},
		"wait": func(rt *rapid.T) {
			m.pass(rapid.SampledFrom([]int64{1_000, 20_000, 3600_000}).Draw(rt, "ms"))
			for i := range took { // too old to be annulled
				if m.wall-inside[i] > lane.AnnulMS {
					delete(took, i)
				}
			}
		},
		"restart": func(*rapid.T) { m.reopen(); m.restart() },
	}
	m.step(desk.Synced{Stamp: m.stamp()})
	names := []string{"in", "in", "in", "out", "annul", "fail", "wait", "restart"}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 3, 9).Draw(m.rt, "actions") {
		actions[name](m.rt)
	}
}

func (m *machine) present(at string, i int) desk.Result { return shown(m.tb, m.scan(at, m.texts[i])) }
