package lane_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// machine runs a core through random inputs, restarts and failing commits, next
// to a model that knows only what left the agent: pulses and answers.
type machine struct {
	*bench
	rt     *rapid.T
	passes []pass.Pass
	texts  []string
	// admitted are the pulses that were not annulled, by scan id; granted the
	// answers that were not released, by claim id.
	admitted map[string]signing.PassID
	granted  map[string]signing.PassID
	answers  map[string]verdict.ClaimState // the first answer to each claim
	asked    []wire.Claim                  // questions that left and have no reply
	waiting  []string
	claims   int
	fault    int // 0 none, 1 failed, 2 failed but done
}

func newMachine(tb testing.TB, rt *rapid.T, policy func(*wire.Gate)) *machine {
	m := &machine{
		rt: rt, bench: newBench(tb, policy), admitted: map[string]signing.PassID{},
		granted: map[string]signing.PassID{}, answers: map[string]verdict.ClaimState{},
	}
	twice, server := single(2), single(5)
	twice.Uses, server.Owner = 2, 0
	m.passes = []pass.Pass{single(1), twice, open(3), elsewhere(4), server}
	for _, p := range m.passes {
		m.texts = append(m.texts, m.c.static(tb, p))
	}
	return m
}

// do steps one input under the present fault, and lets the model see what left.
func (m *machine) do(in desk.Input) {
	var effects []desk.Effect
	err := m.j.Update(func(book lane.Book) (err error) {
		if effects, err = m.core.Step(book, in); err == nil && m.fault == 1 {
			err = errDisk
		}
		return err
	})
	if err == nil && m.fault == 2 {
		err = errDisk
	}
	switch {
	case err == nil:
		m.core.Commit()
	case errors.Is(err, errDisk):
		m.core.Rollback()
		effects = m.core.Failed(in, err)
		m.core.Commit()
	default:
		m.rt.Fatal(err)
	}
	for _, e := range effects {
		m.see(in, e)
	}
}

func (m *machine) see(in desk.Input, e desk.Effect) {
	switch e := e.(type) {
	case lane.Open:
		if m.fault != 0 {
			m.rt.Fatal("a pulse after a failed commit")
		}
	case desk.Ask:
		if m.fault != 0 {
			m.rt.Fatal("a question left after a failed commit")
		}
		m.asked = append(m.asked, e.Claim)
	case desk.Show:
		r := e.Result
		m.waiting = slices.DeleteFunc(m.waiting, func(id string) bool { return id == r.ID })
		switch {
		case r.Need == verdict.NeedDocument:
			m.waiting = append(m.waiting, r.ID)
		case r.Annulled:
			delete(m.admitted, r.ID)
		case r.Opens:
			if _, twice := m.admitted[r.ID]; twice {
				m.rt.Fatalf("scan %s opened twice", r.ID)
			}
			m.admitted[r.ID] = r.Pass
		}
	case desk.Reply:
		if ask, ok := in.(lane.ClaimAsked); ok {
			m.replied(ask.Claim, e.Answer)
		} else if e.Moved.State == wire.MoveReleased && m.fault != 0 {
			m.rt.Fatal("a pass was given up by a failed commit")
		}
	case desk.Reject:
	}
}

func (m *machine) replied(q wire.Claim, a wire.Answer) {
	if a.State == verdict.ClaimSilent {
		return
	}
	if before, ok := m.answers[q.ID]; ok && before != a.State {
		m.rt.Fatalf("claim %s was answered %s, then %s", q.ID, before, a.State)
	}
	m.answers[q.ID] = a.State
	if a.State == verdict.ClaimGranted {
		m.granted[q.ID] = q.Pass
	}
}

func (m *machine) annulled(scan string) (yes bool) {
	check(m.tb, m.j.Update(func(book lane.Book) error {
		a, _, err := book.Admission(scan)
		yes = a.Annulled
		return err
	}))
	return yes
}

// check is what must hold after every step.
func (m *machine) check(*rapid.T) {
	used := map[signing.PassID]uint32{}
	for _, p := range m.admitted {
		used[p]++
	}
	for _, p := range m.granted {
		used[p]++
	}
	for _, p := range m.passes {
		if p.Uses > 0 && used[p.ID] > p.Uses {
			m.rt.Fatalf("pass %v for %d uses was let in %d times", p.ID, p.Uses, used[p.ID])
		}
	}
	if len(m.waiting) > 16 {
		m.rt.Fatalf("%d attempts wait", len(m.waiting))
	}
}

// conserved compares the counts in the store with the journal's.
func (m *machine) conserved() {
	counts, given := map[signing.PassID]int{}, map[signing.PassID]bool{}
	for _, e := range m.events() {
		if e.Type == wire.EventRelease {
			if counts[e.Pass] != 0 || given[e.Pass] {
				m.rt.Fatalf("pass %v was given up with %d uses, or twice", e.Pass, counts[e.Pass])
			}
			given[e.Pass] = true
		} else if e.Counts && given[e.Pass] {
			m.rt.Fatalf("pass %v was decided by %s after it was given up", e.Pass, e.Type)
		}
		switch {
		case e.Counts && e.Type == wire.EventAnnul:
			counts[e.Pass]--
		case e.Counts:
			counts[e.Pass]++
		}
	}
	for _, p := range m.passes {
		var stored int
		err := m.db.Read().QueryRow("SELECT coalesce((SELECT count FROM uses WHERE pass = $1), 0)", p.ID[:]).Scan(&stored)
		check(m.tb, err)
		if stored != counts[p.ID] || p.Uses > 0 && stored > int(p.Uses) || stored < 0 {
			m.rt.Fatalf("pass %v: %d uses in the store, %d in the journal", p.ID, stored, counts[p.ID])
		}
	}
}

func (m *machine) actions() map[string]func(*rapid.T) {
	pick := func(t *rapid.T, n int) int { return rapid.IntRange(0, n-1).Draw(t, "which") }
	return map[string]func(*rapid.T){
		"": m.check,
		"scan": func(t *rapid.T) {
			at := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "lane")
			m.do(m.input(at, m.texts[pick(t, len(m.texts))]))
		},
		"answer": func(t *rapid.T) {
			if len(m.waiting) > 0 {
				refuse := rapid.Bool().Draw(t, "refuse")
				in := lane.Answer{Stamp: m.stamp(), ID: m.waiting[pick(t, len(m.waiting))], Refuse: refuse}
				if !refuse {
					in.Documents = []string{"id_card"}
				}
				m.do(in)
			}
		},
		"annul": func(t *rapid.T) {
			if ids := slices.Sorted(maps.Keys(m.admitted)); len(ids) > 0 {
				id := ids[pick(t, len(ids))]
				m.do(lane.Annul{Stamp: m.stamp(), ID: id})
				if m.annulled(id) {
					delete(m.admitted, id) // done, though the guard was told that it failed
				}
			}
		},
		"reply": func(t *rapid.T) {
			if len(m.asked) == 0 {
				return
			}
			i := pick(t, len(m.asked))
			q := m.asked[i]
			// A decider grants a pass to one claim at a time.
			state := rapid.SampledFrom([]verdict.ClaimState{verdict.ClaimGranted, verdict.ClaimUsed, verdict.ClaimSilent}).Draw(t, "state")
			for _, p := range m.admitted {
				if p == q.Pass && state == verdict.ClaimGranted {
					state = verdict.ClaimUsed
				}
			}
			if !rapid.Bool().Draw(t, "again") {
				m.asked = slices.Delete(m.asked, i, i+1)
			}
			m.do(desk.ClaimReply{Stamp: m.stamp(), Answer: wire.Answer{ID: q.ID, State: state}})
		},
		"claim": func(t *rapid.T) {
			p := m.passes[pick(t, 2)]
			if m.claims == 0 || rapid.Bool().Draw(t, "new") {
				m.claims++
			}
			m.do(lane.ClaimAsked{Stamp: m.stamp(), Claim: claimOf(p, fmt.Sprintf("15-%x-%d", p.ID[7], m.claims))})
		},
		"release": func(t *rapid.T) {
			ids := slices.Sorted(maps.Keys(m.granted))
			if len(ids) == 0 || m.fault != 0 {
				return
			}
			id := ids[pick(t, len(ids))]
			p := m.granted[id]
			m.apply(wire.Delta{Items: []wire.Item{item(m.tb, wire.ItemRelease, id, wire.Release{Owner: home, Pass: p})}})
			m.do(desk.Tick{Stamp: m.stamp()})
			delete(m.granted, id)
			delete(m.answers, id)
		},
		"move": func(t *rapid.T) {
			p := m.passes[pick(t, 2)]
			id := rapid.SampledFrom([]string{"move-0001", "move-0002"}).Draw(t, "id")
			m.do(lane.MoveAsked{Stamp: m.stamp(), Move: moveOf(p, id)})
		},
		"time": func(t *rapid.T) {
			m.pass(rapid.SampledFrom([]int64{1, 300, 5_000, 11_000, 61_000}).Draw(t, "ms"))
			m.do(desk.Tick{Stamp: m.stamp()})
		},
		"clock": func(t *rapid.T) {
			m.wall += rapid.SampledFrom([]int64{-3_600_000, -1_000, 1_000, 90_000}).Draw(t, "ms")
		},
		"sync": func(*rapid.T) {
			m.do(desk.Synced{Stamp: m.stamp(), OffsetMS: noonMS + m.mono - m.wall})
		},
		"restart": func(*rapid.T) {
			m.reopen()
			m.restart()
			m.waiting, m.asked, m.fault = nil, nil, 0
		},
		"fault": func(t *rapid.T) { m.fault = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "form") },
	}
}

func TestMachine_NeverLetsAPassInTooOften(t *testing.T) {
	for name, policy := range map[string]func(*wire.Gate){"no documents": nil, "documents": withDocuments} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				m := newMachine(t, rt, policy)
				defer m.close()
				rt.Repeat(m.actions())
				m.conserved()
			})
		})
	}
}
