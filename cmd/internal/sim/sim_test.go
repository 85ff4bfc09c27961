//go:build !race

// One goroutine plays a whole lunch: under the race detector it would take ten
// times as long. make sweeps plays it.

package sim_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"campusgate/cmd/internal/sim"
)

var (
	seeds   = flag.Int("seeds", 10, "lunches to play")
	charges = flag.Int("charges", 2_000, "charges of each")
)

// shm is a folder in memory, where there is one: nothing here is about what a
// power cut leaves on a disk.
func shm() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// Ten lunches of two thousand charges: money conserved to the fen, every accepted
// charge posted once, every debt within its bound, every gap found.
func TestLunch_I1_I3_I4_I5_I6_I9_I10_I12_ComesOutEven(t *testing.T) {
	var offline, crashes, restarts, faults, gaps, suspended, voids, debtors, lost int
	for seed := range *seeds {
		r, err := sim.Lunch{Seed: uint64(seed), Charges: *charges, Holders: max(50, *charges/10), Dir: shm()}.Run()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Failures {
			t.Errorf("seed %d: %s", seed, f)
		}
		offline, crashes, restarts, faults = offline+r.Offline, crashes+r.TillCrash, restarts+r.Restarts, faults+r.Faults
		gaps, suspended, voids, debtors, lost = gaps+r.Gaps, suspended+r.Suspended, voids+r.Voids, debtors+r.Debtors, lost+r.AfterLoss
		if testing.Verbose() {
			line, _ := json.Marshal(r)
			t.Logf("%s", line)
		}
	}
	// A lunch at which nothing goes wrong shows nothing.
	for what, n := range map[string]int{
		"offline charges": offline, "till crashes": crashes, "server restarts": restarts, "disk faults": faults, "gaps": gaps,
		"suspended charges": suspended, "voids": voids, "debtors": debtors, "charges after a loss": lost,
	} {
		if n == 0 {
			t.Errorf("no %s in %d lunches", what, *seeds)
		}
	}
}

// The same seed gives the same lunch.
func TestLunch_ReplaysFromItsSeed(t *testing.T) {
	play := func() string {
		r, err := sim.Lunch{Seed: 7, Charges: 200, Holders: 30, Dir: shm()}.Run()
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
