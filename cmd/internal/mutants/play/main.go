// Command play is what the tests of package mutants build from mutated sources: it
// plays a simulation from one seed on, and ends with 1 at the first seed at which
// something was broken, saying what.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"campusgate/cmd/internal/sim"
	"campusgate/cmd/internal/sim/admission"
	"campusgate/signing/verdict"
)

func main() {
	what := flag.String("what", "lunch", "lunch, owner, online, first, leases, mixed, clocks or amnesia")
	first := flag.Uint64("first", 0, "the first seed")
	seeds := flag.Uint64("seeds", 10, "how many, at most")
	dir := flag.String("dir", "", "for the databases")
	flag.Parse()
	play, known := plays[*what]
	if !known {
		fmt.Fprintln(os.Stderr, "no such simulation:", *what)
		os.Exit(2)
	}
	for seed := *first; seed < *first+*seeds; seed++ {
		broken, err := play(seed, *dir)
		if err != nil {
			broken = append(broken, "it does not come to an end: "+err.Error())
		}
		if len(broken) > 0 {
			line, _ := json.Marshal(map[string]any{"seed": seed, "broken": broken})
			fmt.Println(string(line))
			os.Exit(1)
		}
	}
}

// plays are the simulations: each gives what was broken.
var plays = map[string]func(seed uint64, dir string) ([]string, error){
	"lunch":   lunch,
	"owner":   admissions(admission.Run{Policy: verdict.Owner, Trouble: 4}),
	"online":  admissions(admission.Run{Policy: verdict.Online, Trouble: 4}),
	"first":   admissions(admission.Run{Policy: verdict.FirstSeen, Flicker: true, Trouble: 2, Passes: 200}),
	"leases":  leases,
	"mixed":   admissions(admission.Run{Policy: verdict.Owner, Mixed: true}),
	"clocks":  admissions(admission.Run{Policy: verdict.Owner, Ending: true, Trouble: 6}),
	"amnesia": admissions(admission.Run{Policy: verdict.Owner, Amnesia: true, Trouble: 4}),
}

// admissions is a small run: fewer gates and passes than usual.
func admissions(r admission.Run) func(seed uint64, dir string) ([]string, error) {
	return func(seed uint64, dir string) ([]string, error) {
		r.Seed, r.Dir, r.Gates, r.Passes = seed, dir, 4, cmp.Or(r.Passes, 60)
		result, err := r.Run()
		if result == nil {
			return nil, err
		}
		return result.Failures, err
	}
}

// lunch is a small one. By turns it has many guests, or few who soon have spent
// what they have.
func lunch(seed uint64, dir string) ([]string, error) {
	guests := 30
	if seed%2 == 1 {
		guests = 6
	}
	r, err := sim.Lunch{Seed: seed, Tills: 3, Holders: guests, Charges: 300, Trouble: 5, Dir: dir}.Run()
	if r == nil {
		return nil, err
	}
	return r.Failures, err
}
