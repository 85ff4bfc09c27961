package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"runtime"
	"syscall"

	"campusgate/cmd/internal/sim"
	"campusgate/cmd/internal/sim/admission"
	"campusgate/signing/verdict"
)

// What can be played.
const (
	playLunch     = "lunch"
	playAdmission = "admission"
)

// simulation is what both plays print: the sums over all runs.
type simulation struct {
	What         string   `json:"what"`
	Runs         int      `json:"runs"`
	Faults       int      `json:"disk_faults"`
	Restarts     int      `json:"server_restarts"`
	LostEvents   int      `json:"lost_events"`
	MoneyDelta   int64    `json:"money_delta"`
	FailingSeeds []uint64 `json:"failing_seeds"`
}

// lunches are what a canteen has besides.
type lunches struct {
	simulation
	Scans     int   `json:"scans"`
	Accepted  int   `json:"accepted"`
	Offline   int   `json:"accepted_offline"`
	Voids     int   `json:"voids"`
	Declined  int   `json:"declined"`
	Suspended int   `json:"suspended"`
	AfterLoss int   `json:"after_loss"`
	DebtFen   int64 `json:"debt_fen"`
	BoundFen  int64 `json:"debt_bound_fen"`
	TillCrash int   `json:"till_crashes"`
	Gaps      int   `json:"gaps_found"`
}

// admissions are what gates have besides.
type admissions struct {
	simulation
	Policy            string         `json:"policy"`
	Amnesia           bool           `json:"amnesia"`
	Passes            int            `json:"passes"`
	Presentations     int            `json:"presentations"`
	Walks             int            `json:"walks"`
	Admissions        int            `json:"admissions"`
	PassesAdmitted    int            `json:"passes_admitted"`
	AsPlanned         int            `json:"passes_admitted_as_planned"`
	DoubleAdmitted    int            `json:"double_admitted"`
	DoubleWithPath    int            `json:"double_with_path"`
	RefusedEverywhere int            `json:"refused_everywhere"`
	Refused           map[string]int `json:"refused"`
	Undetected        int            `json:"undetected"`
	Forgotten         int            `json:"forgotten_events"`
	Events            int            `json:"events"`
	Annulled          int            `json:"annulled"`
	Claims            int            `json:"claims"`
	Silent            int            `json:"claims_silent"`
	GivenBack         int            `json:"claims_given_back"`
	Frames            int            `json:"frames"`
	FramesLost        int            `json:"frames_lost"`
	PowerCuts         int            `json:"power_cuts"`
	ClockSteps        int            `json:"clock_steps"`
	Wipes             int            `json:"wipes"`
}

func runSimulate(ctx context.Context, env Env, args []string) int {
	o := newOptions(env, "simulate", "-what admission|lunch [-policy P] [-seed N] [-runs N] [-gates N] [-passes N]",
		"按种子在一个进程里演练几个校门（一码一次）或整个食堂（账必须平）：断网、丢包、重传、断电、坏盘、错钟。\n"+
			"同一种子结果相同。\n"+
			"Plays some gates, where every pass admits once, or a whole lunch, where the money must come out even,\n"+
			"in one process from a seed: links, uploads, disks, power and clocks fail. A line of JSON; what was\n"+
			"broken goes to standard error, with the command that plays it again. The same seed gives the same run.")
	what := o.choice("what", "", "`WHAT` 演练什么 / what to play: admission, lunch", playAdmission, playLunch)
	policy := o.choice("policy", string(verdict.Owner), "`P` 校门的策略 / of the gates: owner, online, first_seen", string(verdict.Owner), string(verdict.Online), string(verdict.FirstSeen))
	amnesia := o.Bool("amnesia", false, "校门丢失磁盘后重新登记 / gates lose their disks and enrol again")
	seed := o.Uint64("seed", 0, "首个种子 / the first seed")
	runs := o.Int("runs", 1, "次数，种子逐次加一 / runs, each with the next seed")
	gates := o.Int("gates", 0, "终端数 / gates (5), tills (8)")
	passes := o.Int("passes", 0, "通行码数或付款次数 / passes (200), charges of a lunch (20000)")
	holders := o.Int("holders", 2_000, "持卡人数 / holders at a lunch")
	dir := o.String("dir", "", "临时文件所在目录 / folder for the databases")
	if _, exit, ok := o.parse(args, 0, 0, "what"); !ok {
		return exit
	}
	for _, n := range []struct {
		name string
		at   int
	}{{"runs", *runs}, {"gates", *gates}, {"passes", *passes}, {"holders", *holders}} {
		if n.at < 1 && o.given(n.name) {
			return o.usage("-runs, -gates, -passes, -holders: at least 1")
		}
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if what.word == playLunch {
		sum := &lunches{simulation: simulation{What: playLunch, FailingSeeds: []uint64{}}}
		return o.play(ctx, *seed, *runs, 1, func(seed uint64) (func() []string, error) {
			r, err := sim.Lunch{Seed: seed, Tills: *gates, Holders: *holders, Charges: *passes, Dir: *dir}.Run()
			return func() []string { return sum.add(r) }, err
		}, sum, &sum.simulation, "")
	}
	sum := &admissions{
		simulation: simulation{What: playAdmission, FailingSeeds: []uint64{}}, Policy: policy.word, Amnesia: *amnesia, Refused: map[string]int{},
	}
	run := admission.Run{Gates: *gates, Passes: *passes, Policy: verdict.Mode(policy.word), Amnesia: *amnesia, Dir: *dir}
	return o.play(ctx, *seed, *runs, runtime.NumCPU(), func(seed uint64) (func() []string, error) {
		run := run
		run.Seed = seed
		r, err := run.Run()
		return func() []string { return sum.add(r) }, err
	}, sum, &sum.simulation, run.Again())
}

// play plays seeds, some at once, adds them up in their order and prints the sum.
// Again is how one of them is played again, without its seed.
func (o *options) play(ctx context.Context, first uint64, runs, atOnce int, one func(seed uint64) (add func() []string, err error),
	line any, sum *simulation, again string,
) int {
	type played struct {
		add func() []string
		err error
	}
	slots, results := make(chan struct{}, atOnce), make([]chan played, runs)
	for n := range results {
		results[n] = make(chan played, 1)
	}
	go func() {
		for n := range results {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				if ctx.Err() != nil {
					results[n] <- played{err: ctx.Err()}
					return
				}
				add, err := one(first + uint64(n))
				results[n] <- played{add, err}
			}()
		}
	}()
	for n := range results {
		p := <-results[n]
		if p.err != nil && ctx.Err() != nil {
			break
		}
		seed := first + uint64(n)
		sum.Runs++
		var broken []string
		if p.err != nil {
			broken = []string{p.err.Error()}
		} else {
			broken = p.add()
		}
		for _, f := range broken {
			o.warn("seed %d: %s", seed, f)
		}
		if len(broken) > 0 {
			sum.FailingSeeds = append(sum.FailingSeeds, seed)
			if again != "" {
				o.warn("重演 / again: %s -seed %d", again, seed)
			}
		}
	}
	text, err := json.Marshal(line)
	if err != nil {
		return o.fail(err)
	}
	if exit := o.print(fmt.Sprintf("%s\n", text)); exit != exitOK {
		return exit
	}
	if len(sum.FailingSeeds) > 0 {
		return exitFailed
	}
	return exitOK
}

func (s *lunches) add(r *sim.Result) []string {
	s.Scans += r.Scans
	s.Accepted += r.Accepted
	s.Offline += r.Offline
	s.Voids += r.Voids
	s.Declined += r.Declined
	s.Suspended += r.Suspended
	s.AfterLoss += r.AfterLoss
	s.DebtFen += r.DebtFen
	s.BoundFen += r.BoundFen
	s.Faults += r.Faults
	s.TillCrash += r.TillCrash
	s.Restarts += r.Restarts
	s.Gaps += r.Gaps
	s.LostEvents += r.LostEvents
	s.MoneyDelta += r.MoneyDelta
	return r.Failures
}

func (s *admissions) add(r *admission.Result) []string {
	s.Passes += r.Passes
	s.Presentations += r.Presentations
	s.Walks += r.Walks
	s.Admissions += r.Admissions
	s.PassesAdmitted += r.PassesAdmitted
	s.AsPlanned += r.AsPlanned
	s.DoubleAdmitted += r.DoubleAdmitted
	s.DoubleWithPath += r.DoubleWithPath
	s.RefusedEverywhere += r.RefusedEverywhere
	for reason, n := range r.Refused {
		s.Refused[reason] += n
	}
	s.Undetected += r.Undetected
	s.Forgotten += r.Forgotten
	s.Events += r.Events
	s.Annulled += r.Annulled
	s.Claims += r.Claims
	s.Silent += r.Silent
	s.GivenBack += r.GivenBack
	s.Frames += r.Frames
	s.FramesLost += r.FramesLost
	s.Faults += r.Faults
	s.PowerCuts += r.PowerCuts
	s.Restarts += r.Restarts
	s.ClockSteps += r.ClockSteps
	s.Wipes += r.Wipes
	s.LostEvents += r.LostEvents
	s.MoneyDelta += r.MoneyDelta
	return r.Failures
}
