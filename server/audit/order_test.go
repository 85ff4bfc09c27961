package audit_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/audit"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// errFault is what a store reports that was made to fail.
var errFault = errors.New("the disk is gone")

// flaky is a store whose calls fail as fault says: do = it is carried out all
// the same.
type flaky struct {
	audit.Store
	fault func(call string) (do bool, err error)
}

func (f *flaky) Judged(ctx context.Context) (int64, error) {
	if _, err := f.fault("Judged"); err != nil {
		return 0, err
	}
	return f.Store.Judged(ctx)
}

func (f *flaky) KnownPasses(ctx context.Context, ids []passID) (map[passID]store.KnownPass, error) {
	if _, err := f.fault("KnownPasses"); err != nil {
		return nil, err
	}
	return f.Store.KnownPasses(ctx, ids)
}

func (f *flaky) DisputedOf(ctx context.Context, ids []passID, after int64, limit int) ([]store.Event, error) {
	if _, err := f.fault("DisputedOf"); err != nil {
		return nil, err
	}
	return f.Store.DisputedOf(ctx, ids, after, limit)
}

func (f *flaky) SaveOpinions(ctx context.Context, o []store.Opinion, upTo int64) error {
	do, fault := f.fault("SaveOpinions")
	if fault == nil || do {
		if err := f.Store.SaveOpinions(ctx, o, upTo); err != nil {
			return err
		}
	}
	return fault
}

// story is what happened on a campus, gate by gate. It is told to several
// worlds, in each of which it gets the same ids.
type story struct {
	uses   []uint32 // of each pass
	server []claim  // decided by the server before anything was uploaded
	deeds  []deed
}

type claim struct{ gate, pass, at int }

type deed struct {
	gate, pass, at int // at: minutes after noon
	what           string
	other          int // a gate, or an earlier deed
}

const storyGates = 3

// tell draws a story.
func tell(t *rapid.T) story {
	s := story{uses: rapid.SliceOfN(rapid.SampledFrom([]uint32{1, 1, 1, 2, 0}), 1, 3).Draw(t, "uses")}
	pass := rapid.IntRange(0, len(s.uses)-1)
	gate, at := rapid.IntRange(0, storyGates-1), rapid.IntRange(0, 6)
	for i := range rapid.IntRange(0, 2).Draw(t, "server decides") {
		s.server = append(s.server, claim{gate.Draw(t, "gate"), i % len(s.uses), at.Draw(t, "at")})
	}
	for range rapid.IntRange(1, 14).Draw(t, "deeds") {
		d := deed{
			gate: gate.Draw(t, "gate"), pass: pass.Draw(t, "pass"), at: at.Draw(t, "at"),
			what: rapid.SampledFrom([]string{"admit", "admit", "admit", "refuse", "refuse", "lend", "annul"}).Draw(t, "what"),
		}
		switch d.what {
		case "lend":
			d.other = (d.gate + 1 + rapid.IntRange(0, storyGates-2).Draw(t, "to")) % storyGates
		case "annul":
			d.other = rapid.IntRange(0, 13).Draw(t, "deed")
		}
		s.deeds = append(s.deeds, d)
	}
	return s
}

// truth is what the opinions must come to.
type truth struct {
	allowed map[passID]uint32
	uses    map[passID][]*fact
	scans   []*fact
}

// fact is a use of a pass, a scan, or both.
type fact struct {
	pass     passID
	at       int64
	gate     uint16
	ref      string
	scan     wire.EventID
	refused  bool
	use      *fact // which an admission stands for
	annulled bool
	counted  wire.EventID // what to name when taking it back; zero = claim
	claim    string
	by       *gate // who takes it back
}

// play writes the journals of a story in a world, with what must come of it.
func (s *story) play(t *rapid.T, base testing.TB, w *world) ([]*gate, *truth) {
	gates := make([]*gate, storyGates)
	for i := range gates {
		gates[i] = w.gateFor(t, base)
	}
	tr := &truth{allowed: map[passID]uint32{}, uses: map[passID][]*fact{}}
	codes := make([]verdict.Code, len(s.uses))
	for i, n := range s.uses {
		codes[i] = w.passFor(t, base, n)
		tr.allowed[codes[i].ID] = n
	}
	when := func(m int) int64 { return noon + int64(m)*minute }
	questions := 0
	ask := func(g *gate) string {
		questions++
		return fmt.Sprintf("%d-1-%d", g.agent.ID, questions)
	}
	for _, c := range s.server {
		g, code := gates[c.gate], codes[c.pass]
		id := ask(g)
		a, err := w.store.Decide(base.Context(), wire.Claim{
			ID: id, Pass: code.ID, Gate: g.id(), Uses: code.Uses, Expires: code.Expires, At: when(c.at),
		})
		ok(t, err)
		if a.State != verdict.ClaimGranted {
			continue
		}
		in := tr.scan(&fact{pass: code.ID, at: when(c.at), gate: g.id(), scan: g.admitUnder(t, code, when(c.at), 0, id)})
		in.use = tr.use(&fact{pass: code.ID, at: in.at, gate: g.id(), ref: "claim:" + id, claim: id, by: g})
	}
	done := make([]*fact, len(s.deeds))
	for i, d := range s.deeds {
		g, code, at := gates[d.gate], codes[d.pass], when(d.at)
		switch d.what {
		case "admit":
			id := g.admit(t, code, at)
			in := tr.scan(&fact{pass: code.ID, at: at, gate: g.id(), scan: id})
			in.use = tr.use(&fact{pass: code.ID, at: at, gate: g.id(), ref: id.String(), counted: id, by: g})
			done[i] = in.use
		case "refuse":
			if code.Uses == 0 {
				continue
			}
			// The gate names the first use that there is, or none that is real.
			var first verdict.Use
			if u := tr.uses[code.ID]; len(u) > 0 {
				first = verdict.Use{At: u[0].at, Gate: u[0].gate}
			}
			tr.scan(&fact{pass: code.ID, at: at, gate: g.id(), refused: true, scan: g.refuse(t, code, at, first)}).use = &fact{at: first.At, gate: first.Gate}
		case "lend": // this gate decides, the other one admits a moment later
			if code.Uses == 0 {
				continue
			}
			to := gates[d.other]
			id := ask(to)
			grant := g.grant(t, code, at, to.id(), id)
			in := tr.scan(&fact{pass: code.ID, at: at + 90, gate: to.id(), scan: to.admitUnder(t, code, at+90, g.id(), id)})
			in.use = tr.use(&fact{pass: code.ID, at: at, gate: to.id(), ref: grant.String(), counted: grant, by: g})
			done[i] = in.use
		case "annul":
			if d.other >= i || done[d.other] == nil || done[d.other].annulled {
				continue
			}
			u := done[d.other]
			u.annulled = true
			u.by.annul(t, verdict.Code{ID: u.pass}, u.at+minute, &u.counted, "")
		}
	}
	return gates, tr
}

func (tr *truth) scan(f *fact) *fact {
	tr.scans = append(tr.scans, f)
	return f
}

func (tr *truth) use(f *fact) *fact {
	if tr.allowed[f.pass] > 0 {
		tr.uses[f.pass] = append(tr.uses[f.pass], f)
	}
	return f
}

// opinions follows from all uses at once.
func (tr *truth) opinions() opinions {
	want := opinions{}
	for _, s := range tr.scans {
		uses, allowed := tr.uses[s.pass], int(tr.allowed[s.pass])
		n := 0
		for _, u := range uses {
			switch {
			case s.refused:
				if u.at <= s.at+verdict.ClockSlackMS || u.at == s.use.at && u.gate == s.use.gate {
					n++
				}
			case !u.annulled && before(u, s.use):
				n++
			}
		}
		switch over := allowed > 0 && n >= allowed; {
		case s.refused && over, over && s.use.annulled:
			want[s.scan] = verdict.AlreadyUsed
		case over:
			want[s.scan] = verdict.Conflict
		default:
			want[s.scan] = verdict.Granted
		}
	}
	return want
}

func before(a, b *fact) bool {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.gate, b.gate), cmp.Compare(a.ref, b.ref)) < 0
}

// conflict has a name of its own where a store hides the package.
type conflict = store.Conflict

// Whatever the order, the portions and the faults in which events come, and
// wherever the auditor crashes, the opinions in the end are the same.
func TestOpinions_DoNotDependOnOrder(t *testing.T) {
	w := newWorld(t)
	conflicts, turned := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		s := tell(r)
		start, err := w.store.LastPosition(t.Context())
		ok(r, err)
		gates, tr := s.play(r, t, w)
		w.clock.Add(60 * minute)

		faults := rapid.SliceOfN(rapid.IntRange(0, 9), 30, 30)
		plan := faults.Draw(r, "faults")
		store := &flaky{Store: w.store, fault: func(string) (bool, error) {
			if len(plan) == 0 {
				return true, nil
			}
			f := plan[0]
			plan = plan[1:]
			if f > 1 {
				return true, nil
			}
			return f == 1, errFault
		}}
		auditor := audit.New(store, nil)
		seen := opinions{}
		for slices.ContainsFunc(gates, func(g *gate) bool { return g.sent < len(g.journal) }) {
			g := rapid.SampledFrom(gates).Draw(r, "uploads")
			if g.sent > 0 && rapid.IntRange(0, 4).Draw(r, "again") == 0 {
				g.sent = rapid.IntRange(0, g.sent-1).Draw(r, "from")
			}
			g.upload(r, t, rapid.IntRange(1, 4).Draw(r, "events"))
			switch rapid.IntRange(0, 5).Draw(r, "then") {
			case 0: // a new process
				auditor = audit.New(store, nil)
			case 1, 2, 3:
				if err := auditor.CatchUp(t.Context()); err != nil && !errors.Is(err, errFault) {
					r.Fatal(err)
				}
				for id, o := range w.opinions(r, t, start) {
					if was := seen[id]; was != 0 && was != o {
						turned++
					}
					seen[id] = o
				}
			}
		}
		for {
			err := auditor.CatchUp(t.Context())
			if err == nil {
				break
			}
			if !errors.Is(err, errFault) {
				r.Fatal(err)
			}
		}
		want, got := tr.opinions(), w.opinions(r, t, start)
		if len(want) != len(got) {
			r.Fatalf("%d opinions, want %d", len(got), len(want))
		}
		for id, reason := range want {
			if got[id] != reason {
				r.Fatalf("opinion on %v: %v, want %v", id, got[id], reason)
			}
			if reason == verdict.Conflict {
				conflicts++
			}
		}
		// There is one list of conflicts: what the auditor finds is on it.
		listed, err := w.store.Conflicts(t.Context(), 50)
		ok(r, err)
		events, err := w.store.Events(t.Context(), start, 1000)
		ok(r, err)
		for _, e := range events {
			if e.Opinion == verdict.Conflict && !slices.ContainsFunc(listed, func(c conflict) bool { return c.Pass == e.Pass }) {
				r.Fatalf("the conflict of %v is not on the list", e.ID)
			}
		}
	})
	// The stories must be worth telling.
	if !t.Failed() && (conflicts == 0 || turned == 0) {
		t.Fatalf("%d conflicts, %d opinions turned", conflicts, turned)
	}
	t.Logf("%d conflicts, %d opinions turned", conflicts, turned)
}
