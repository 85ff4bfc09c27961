package admission

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"campusgate/signing/verdict"
)

// The usual size of a run.
const (
	gates  = 5
	passes = 200
)

// Run says what is played. The zero value of a field is the usual one.
type Run struct {
	Seed    uint64
	Gates   int          // 5
	Passes  int          // 200
	Policy  verdict.Mode // of all gates; owner
	Mixed   bool         // but every second gate leaves its decisions to the server
	Amnesia bool         // gates lose their disks
	Calm    bool         // nothing fails
	Flicker bool         // links go down and come back every few seconds, and many come at once
	Trouble int          // 1: disks, frames and clocks fail so many times as often
	Ending  bool         // most passes end while it runs
	Dir     string       // for the databases; they are removed. "" = the system's folder
}

// Result is what became of a run. A promise that was broken is in Failures.
type Result struct {
	Seed              uint64 `json:"seed"`
	Presentations     int    `json:"presentations"`
	Walks             int    `json:"walks"`      // of them, to where the page said
	Admissions        int    `json:"admissions"` // that stand, or stood until they were taken back
	Annulled          int    `json:"annulled"`
	Passes            int    `json:"passes"`
	PassesAdmitted    int    `json:"passes_admitted"`
	AsPlanned         int    `json:"passes_admitted_as_planned"` // without going anywhere else
	DoubleAdmitted    int    `json:"double_admitted"`            // passes
	DoubleWithPath    int    `json:"double_with_path"`           // of them, where the gates could have asked each other
	RefusedEverywhere int    `json:"refused_everywhere"`
	Undetected        int    `json:"undetected"` // doubles without a conflict
	LostEvents        int    `json:"lost_events"`
	Forgotten         int    `json:"forgotten_events"` // that went with a disk before they were sent
	Events            int    `json:"events"`
	Claims            int    `json:"claims"`
	Silent            int    `json:"claims_silent"`
	GivenBack         int    `json:"claims_given_back"`
	Frames            int    `json:"frames"`
	FramesLost        int    `json:"frames_lost"`
	Faults            int    `json:"disk_faults"`
	PowerCuts         int    `json:"power_cuts"`
	Restarts          int    `json:"server_restarts"`
	ClockSteps        int    `json:"clock_steps"`
	Wipes             int    `json:"wipes"`
	MoneyDelta        int64  `json:"money_delta"`
	// Refused is what those who were refused everywhere heard last.
	Refused  map[string]int `json:"refused"`
	Failures []string       `json:"failures"`
}

// opening is when the run begins: 07:00 on the campus.
const opening = "2026-11-20T07:00:00+08:00"

// mostFailures are listed of one run.
const mostFailures = 50

// Run plays it. An error is a fault of the simulation itself; what the product
// did wrong is in the result.
func (r Run) Run() (result *Result, err error) {
	w, err := newWorld(r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, step := range []func() error{w.found, w.play, w.drain, w.check} {
		if err := step(); err != nil {
			at := time.UnixMilli(w.now).In(w.zone).Format(time.TimeOnly)
			return w.result, fmt.Errorf("seed %d at %s: %w", r.Seed, at, err)
		}
	}
	return w.result, nil
}

// Again is the command that plays it again, but for the seed.
func (r Run) Again() string {
	text := fmt.Sprintf("gatectl simulate -what admission -policy %s -gates %d -passes %d", or(r.Policy, verdict.Owner), or(r.Gates, gates), or(r.Passes, passes))
	if r.Amnesia {
		text += " -amnesia"
	}
	return text
}

func newWorld(r Run) (*world, error) {
	r.Gates, r.Passes = or(r.Gates, gates), or(r.Passes, passes)
	r.Policy, r.Trouble = or(r.Policy, verdict.Owner), or(r.Trouble, 1)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, err
	}
	start, err := time.Parse(time.RFC3339, opening)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(r.Dir, "admission")
	if err != nil {
		return nil, err
	}
	w := &world{
		cfg: r, dir: dir, zone: zone, now: start.UnixMilli(), rng: rand.New(rand.NewPCG(r.Seed, 1)),
		result: &Result{Seed: r.Seed, Passes: r.Passes, Failures: []string{}, Refused: map[string]int{}},
	}
	w.weather, w.pace = w.forecast(), r.pace()
	w.net = newNetwork(w)
	w.witness = newWitness(w)
	return w, nil
}

func or[T comparable](v, usual T) T {
	var zero T
	if v == zero {
		return usual
	}
	return v
}

// broken notes a promise that was broken.
func (w *world) broken(format string, args ...any) {
	if len(w.result.Failures) < mostFailures {
		w.result.Failures = append(w.result.Failures, fmt.Sprintf(format, args...))
	}
}
