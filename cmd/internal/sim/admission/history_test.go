package admission

import (
	"os"
	"slices"
	"strings"
	"testing"

	"campusgate/signing"
)

// What the product must never do, put in by hand: whoever looks for it finds it.

func TestHistory_IsOfOneRegister(t *testing.T) {
	yes := func(id string, call, done int64) *take { return &take{id, call, done, granted} }
	no := func(id string, call, done int64) *take { return &take{id, call, done, refused} }
	open := func(id string, call int64) *take { return &take{id, call, never, unknown} }
	back := func(id string, call, end int64) *release { return &release{id: id, call: call, end: end} }
	for name, c := range map[string]struct {
		takes    []*take
		releases []*release
		want     bool
	}{
		"one":                               {[]*take{yes("a", 1, 2)}, nil, true},
		"one and a refusal":                 {[]*take{yes("a", 1, 2), no("b", 3, 4)}, nil, true},
		"a refusal beside":                  {[]*take{no("b", 1, 4), yes("a", 2, 3)}, nil, true},
		"a refusal before anything":         {[]*take{no("b", 1, 2), yes("a", 3, 4)}, nil, false},
		"two":                               {[]*take{yes("a", 1, 2), yes("b", 3, 4)}, nil, false},
		"two at once":                       {[]*take{yes("a", 1, 4), yes("b", 2, 3)}, nil, false},
		"two, given back between":           {[]*take{yes("a", 1, 2), yes("b", 5, 6)}, []*release{back("a", 3, 4)}, true},
		"two, given back too late":          {[]*take{yes("a", 1, 2), yes("b", 3, 4)}, []*release{back("a", 5, 6)}, false},
		"two, another given back":           {[]*take{yes("a", 1, 2), yes("b", 5, 6)}, []*release{back("c", 3, 4)}, false},
		"refused for what nobody heard":     {[]*take{open("a", 1), no("b", 2, 3)}, nil, true},
		"granted beside what nobody heard":  {[]*take{open("a", 1), yes("b", 2, 3)}, nil, true},
		"granted after that was given back": {[]*take{open("a", 1), no("b", 2, 3), yes("c", 6, 7)}, []*release{back("a", 4, never)}, true},
		"granted, and that was not":         {[]*take{open("a", 1), no("b", 2, 3), yes("c", 6, 7)}, nil, false},
	} {
		if h := (&history{takes: c.takes, releases: c.releases}); h.linearizable() != c.want {
			t.Errorf("%s: linearizable %v, want %v", name, !c.want, c.want)
		}
	}
}

// played is a small run that has come to its end, before the checks.
func played(t *testing.T) *world {
	t.Helper()
	dir := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		dir = "/dev/shm"
	}
	w, err := newWorld(Run{Seed: 3, Gates: 3, Passes: 20, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []func() error{w.found, w.play, w.drain} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// someone is an admission that stands.
func (w *world) someone(t *testing.T, fits func(*admission) bool) *admission {
	t.Helper()
	for _, h := range w.holders {
		for _, a := range w.witness.admissions[h.pass.ID] {
			if !a.withdrawn && fits(a) {
				return a
			}
		}
	}
	t.Fatal("nobody was admitted")
	return nil
}

func (w *world) wantBroken(t *testing.T, words ...string) {
	t.Helper()
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	for _, word := range words {
		if !slices.ContainsFunc(w.result.Failures, func(f string) bool { return strings.Contains(f, word) }) {
			t.Errorf("%q is not found: %q", word, w.result.Failures)
		}
	}
	if len(words) == 0 && len(w.result.Failures) > 0 {
		t.Errorf("%q", w.result.Failures)
	}
}

func TestCheck_FindsNothingWhereNothingIs(t *testing.T) { played(t).wantBroken(t) }

func TestCheck_FindsAnInjectedDouble(t *testing.T) {
	w := played(t)
	a := w.someone(t, func(a *admission) bool { return a.counts })
	forged := *a
	forged.gate, forged.event.Agent, forged.presented = a.gate%3+1, a.event.Agent%3+1, w.now
	w.witness.double(a, &forged)
	w.witness.admissions[a.pass] = append(w.witness.admissions[a.pass], &forged)
	w.witness.history(a.pass).decided(forged.event.String(), w.witness.tick())
	w.wantBroken(t, "is admitted twice", "no use of it is counted", "is no conflict", "no register that is taken once")
	if r := w.result; r.DoubleAdmitted != 1 || r.DoubleWithPath != 1 || r.Undetected != 1 {
		t.Errorf("%+v", r)
	}
}

func TestCheck_FindsAnInjectedLoss(t *testing.T) {
	w := played(t)
	e := w.witness.written[5]
	e.id.Seq += 1_000
	w.witness.written = append(w.witness.written, e)
	w.witness.written[4].hash[0]++
	w.wantBroken(t, "the server does not hold it", "another hash")
	if w.result.LostEvents != 2 {
		t.Errorf("%+v", w.result)
	}
}

func TestCheck_FindsWhatAGateDoesNotKnow(t *testing.T) {
	w := played(t)
	a := w.someone(t, func(*admission) bool { return true })
	pass, err := signing.ParsePassID(a.pass.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.gates[0].db.Read().Exec("UPDATE elsewhere SET count = count + 1 WHERE pass = $1", pass[:]); err != nil {
		t.Fatal(err)
	}
	w.wantBroken(t, "gate 1 knows")
}

func TestWitness_FindsABarrierThatOpensForNothing(t *testing.T) {
	w := played(t)
	w.witness.opened(w.gates[0], "unheard of")
	a := w.someone(t, func(a *admission) bool { return a.opened })
	w.witness.opened(w.gates[a.gate-1], a.scan)
	w.wantBroken(t, "no event on its disk says so", "opens twice")
}
