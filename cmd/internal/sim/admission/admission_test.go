package admission_test

import (
	"encoding/json"
	"flag"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"campusgate/cmd/internal/sim/admission"
	"campusgate/server/store/storetest"
	"campusgate/signing/verdict"
)

var (
	seeds  = flag.Int("seeds", 12, "runs of each policy")
	first  = flag.Uint64("first", 0, "the first seed")
	passes = flag.Int("passes", 200, "passes of each run")
	gates  = flag.Int("gates", 5, "gates of each run")
)

// shm is a folder in memory, where there is one: nothing here is about what a
// power cut leaves on a disk.
func shm() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// play plays seeds, as many at once as there are processors, in their order.
func play(t *testing.T, run admission.Run, seeds int) (results []*admission.Result) {
	t.Helper()
	if storetest.Raced { // make sweeps plays them all without the detector
		seeds, run.Passes, run.Gates = 1, 25, 3
	}
	run.Dir = shm()
	results = make([]*admission.Result, seeds)
	errs := make([]error, seeds)
	slots := make(chan struct{}, runtime.NumCPU())
	var all sync.WaitGroup
	for n := range seeds {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			run := run
			run.Seed = *first + uint64(n)
			results[n], errs[n] = run.Run()
		})
	}
	all.Wait()
	for n, r := range results {
		if errs[n] != nil {
			t.Fatal(errs[n])
		}
		for _, f := range r.Failures {
			t.Errorf("seed %d: %s", r.Seed, f)
		}
		if len(r.Failures) > 0 {
			t.Errorf("again: %s -seed %d", run.Again(), r.Seed)
		}
		if testing.Verbose() {
			line, _ := json.Marshal(r)
			t.Logf("%s", line)
		}
	}
	return results
}

// promised wants the sums that no run may spoil.
func promised(t *testing.T, results []*admission.Result) (admitted, of int) {
	t.Helper()
	for _, r := range results {
		if r.DoubleAdmitted+r.DoubleWithPath+r.Undetected+r.LostEvents != 0 {
			t.Errorf("seed %d: %d doubles, %d with a path, %d undetected, %d events lost", r.Seed, r.DoubleAdmitted, r.DoubleWithPath, r.Undetected, r.LostEvents)
		}
		admitted, of = admitted+r.PassesAdmitted, of+r.Passes
	}
	return admitted, of
}

// happened wants everything to have gone wrong that can: a run in which nothing
// does shows nothing.
func happened(t *testing.T, results []*admission.Result, more map[string]func(*admission.Result) int) {
	t.Helper()
	if storetest.Raced || len(results) < 8 {
		return
	}
	want := map[string]func(*admission.Result) int{
		"walks":           func(r *admission.Result) int { return r.Walks },
		"annuls":          func(r *admission.Result) int { return r.Annulled },
		"silent claims":   func(r *admission.Result) int { return r.Silent },
		"claims returned": func(r *admission.Result) int { return r.GivenBack },
		"lost frames":     func(r *admission.Result) int { return r.FramesLost },
		"disk faults":     func(r *admission.Result) int { return r.Faults },
		"power cuts":      func(r *admission.Result) int { return r.PowerCuts },
		"server restarts": func(r *admission.Result) int { return r.Restarts },
		"set clocks":      func(r *admission.Result) int { return r.ClockSteps },
	}
	for what, count := range more {
		want[what] = count
	}
	for what, count := range want {
		if !slices.ContainsFunc(results, func(r *admission.Result) bool { return count(r) > 0 }) {
			t.Errorf("no %s in %d runs", what, len(results))
		}
	}
}

func TestOwner_AdmitsNobodyTwice_AndAlmostEverybodyOnce(t *testing.T) {
	results := play(t, admission.Run{Policy: verdict.Owner, Passes: *passes, Gates: *gates}, *seeds)
	admitted, of := promised(t, results)
	happened(t, results, nil)
	if !storetest.Raced && admitted*100 < of*98 {
		t.Errorf("%d of %d passes were admitted, want 98 %%", admitted, of)
	}
}

func TestOnline_AdmitsNobodyTwice(t *testing.T) {
	results := play(t, admission.Run{Policy: verdict.Online, Passes: *passes, Gates: *gates}, *seeds)
	promised(t, results)
	happened(t, results, nil)
}

// Two gates that could not hear of each other may both admit: each such case is a
// conflict, and seldom is anybody turned away everywhere.
func TestFirstSeen_AdmitsNobodyTwiceWhoCouldBeHeardOf_AndRefusesFew(t *testing.T) {
	results := play(t, admission.Run{Policy: verdict.FirstSeen, Passes: *passes, Gates: *gates}, *seeds*2/3)
	var refused, of int
	for _, r := range results {
		if r.DoubleWithPath+r.Undetected+r.LostEvents != 0 {
			t.Errorf("seed %d: %d doubles with a path, %d undetected, %d events lost", r.Seed, r.DoubleWithPath, r.Undetected, r.LostEvents)
		}
		refused, of = refused+r.RefusedEverywhere, of+r.Passes
	}
	happened(t, results, map[string]func(*admission.Result) int{
		"doubles": func(r *admission.Result) int { return r.DoubleAdmitted },
	})
	if !storetest.Raced && refused*100 > of {
		t.Errorf("%d of %d passes were refused everywhere, want 1 %% at most", refused, of)
	}
}

// A gate that lost its disk has forgotten whom it admitted: it decides nothing that
// was issued before it was enrolled again.
func TestAmnesia_AdmitsNobodyTwice(t *testing.T) {
	for _, policy := range []verdict.Mode{verdict.Owner, verdict.Online} {
		t.Run(string(policy), func(t *testing.T) {
			results := play(t, admission.Run{Policy: policy, Amnesia: true, Passes: *passes, Gates: *gates}, (*seeds+1)/2)
			promised(t, results)
			happened(t, results, map[string]func(*admission.Result) int{
				"wipes":            func(r *admission.Result) int { return r.Wipes },
				"forgotten events": func(r *admission.Result) int { return r.Forgotten },
			})
		})
	}
}

// Passes end while clocks are set to and fro: the run fails where one is admitted
// that has ended for longer than is promised.
func TestClocks_AdmitNobodyWhosePassHasEnded(t *testing.T) {
	results := play(t, admission.Run{Policy: verdict.Owner, Ending: true, Trouble: 6, Passes: min(*passes, 60), Gates: min(*gates, 4)}, *seeds*2/3)
	promised(t, results)
}

// Gates that decide themselves stand beside gates for which the server does.
func TestMixed_AdmitsNobodyTwice(t *testing.T) {
	results := play(t, admission.Run{Policy: verdict.Owner, Mixed: true, Passes: min(*passes, 60), Gates: min(*gates, 4)}, *seeds*2/3)
	promised(t, results)
}

func TestRun_CalmAdmitsEverybodyWhoComes(t *testing.T) {
	for _, policy := range []verdict.Mode{verdict.Owner, verdict.Online} {
		r, err := admission.Run{Seed: 1, Policy: policy, Calm: true, Passes: 40, Gates: 3, Dir: shm()}.Run()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Failures {
			t.Errorf("%s: %s", policy, f)
		}
		if r.PassesAdmitted != r.Passes || r.Walks > r.Annulled || r.FramesLost != 0 || r.Silent != 0 {
			t.Errorf("%s: %+v", policy, r)
		}
	}
}

// The same seed gives the same run.
func TestRun_ReplaysFromItsSeed(t *testing.T) {
	play := func() string {
		r, err := admission.Run{Seed: 7, Passes: 40, Amnesia: true, Dir: shm()}.Run()
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(line)
	}
	if a, b := play(), play(); a != b {
		t.Errorf("two runs of one seed:\n%s\n%s", a, b)
	}
}
