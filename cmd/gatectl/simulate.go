package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"syscall"

	"campusgate/cmd/internal/sim"
)

// simulation is what gatectl simulate prints: the sums over all runs.
type simulation struct {
	What         string   `json:"what"`
	Runs         int      `json:"runs"`
	Scans        int      `json:"scans"`
	Accepted     int      `json:"accepted"`
	Offline      int      `json:"accepted_offline"`
	Voids        int      `json:"voids"`
	Declined     int      `json:"declined"`
	Suspended    int      `json:"suspended"`
	AfterLoss    int      `json:"after_loss"`
	DebtFen      int64    `json:"debt_fen"`
	BoundFen     int64    `json:"debt_bound_fen"`
	Faults       int      `json:"disk_faults"`
	TillCrash    int      `json:"till_crashes"`
	Restarts     int      `json:"server_restarts"`
	Gaps         int      `json:"gaps_found"`
	LostEvents   int      `json:"lost_events"`
	MoneyDelta   int64    `json:"money_delta"`
	FailingSeeds []uint64 `json:"failing_seeds"`
}

func runSimulate(ctx context.Context, env Env, args []string) int {
	o := newOptions(env, "simulate", "-what lunch [-seed N] [-runs N] [-gates N] [-passes N]",
		"按种子在一个进程里演练整个食堂：断网、丢包、重传、断电、坏盘，最后账必须平。同一种子结果相同。\n"+
			"Plays a whole lunch in one process from a seed: links, uploads, disks and power fail, and at the\n"+
			"end the money must come out even. A line of JSON; what was broken goes to standard error. The same\n"+
			"seed gives the same run.")
	what := o.choice("what", "", "`lunch` 演练什么 / what to play", "lunch")
	seed := o.Uint64("seed", 0, "首个种子 / the first seed")
	runs := o.Int("runs", 1, "次数，种子逐次加一 / runs, each with the next seed")
	tills := o.Int("gates", 8, "终端数 / tills")
	charges := o.Int("passes", 20_000, "付款次数 / charges of a lunch")
	holders := o.Int("holders", 2_000, "持卡人数 / holders")
	dir := o.String("dir", "", "临时文件所在目录 / folder for the databases")
	if _, exit, ok := o.parse(args, 0, 0, "what"); !ok {
		return exit
	}
	if *runs < 1 || *tills < 1 || *charges < 1 || *holders < 1 {
		return o.usage("-runs, -gates, -passes, -holders: at least 1")
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	sum := simulation{What: what.word, FailingSeeds: []uint64{}}
	for n := range *runs {
		if ctx.Err() != nil {
			break
		}
		r, err := sim.Lunch{Seed: *seed + uint64(n), Tills: *tills, Holders: *holders, Charges: *charges, Dir: *dir}.Run()
		if err != nil {
			return o.fail(err)
		}
		sum.add(r)
		for _, f := range r.Failures {
			o.warn("seed %d: %s", r.Seed, f)
		}
	}
	line, err := json.Marshal(sum)
	if err != nil {
		return o.fail(err)
	}
	if exit := o.print(fmt.Sprintf("%s\n", line)); exit != exitOK {
		return exit
	}
	if len(sum.FailingSeeds) > 0 {
		return exitFailed
	}
	return exitOK
}

func (s *simulation) add(r *sim.Result) {
	s.Runs++
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
	if len(r.Failures) > 0 {
		s.FailingSeeds = append(s.FailingSeeds, r.Seed)
	}
}
