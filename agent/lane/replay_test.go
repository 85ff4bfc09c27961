package lane_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// play drives a core from a seed and gives everything that left it.
func play(t *testing.T, seed uint64) (trace []string, records []wire.Record) {
	t.Helper()
	b := newBench(t, nil)
	texts := []string{
		b.c.static(t, single(1)), b.c.static(t, single(2)), b.c.static(t, open(3)),
		b.c.static(t, elsewhere(4)), "nothing",
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var open []string
	var ids []string
	for range 120 {
		var in desk.Input
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			s := b.input([]string{"a", "b", "out"}[r.IntN(3)], texts[r.IntN(len(texts))])
			ids = append(ids, s.ID)
			in = s
		case 4:
			in = lane.ClaimAsked{Stamp: b.stamp(), Claim: claimOf(single(1+r.Uint64N(2)), fmt.Sprintf("15-1-%d", 1+r.IntN(4)))}
		case 5:
			if len(ids) == 0 {
				continue
			}
			in = lane.Annul{Stamp: b.stamp(), ID: ids[r.IntN(len(ids))]}
		case 6:
			if len(open) == 0 {
				continue
			}
			state := []verdict.ClaimState{verdict.ClaimGranted, verdict.ClaimUsed, verdict.ClaimSilent}[r.IntN(3)]
			in = desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: open[len(open)-1], State: state}}
			open = open[:len(open)-1]
		case 7:
			in = lane.Entry{
				Stamp: b.stamp(), ID: fmt.Sprintf("e%d", r.Uint32()), Lane: "a", Direction: verdict.Entry, Rule: "staff",
				Documents: [][]string{nil, {"work_permit"}, {"lease"}}[r.IntN(3)], Guideline: rules,
			}
		case 8:
			in = []desk.Input{desk.BeginShift{Stamp: b.stamp(), Number: "G21"}, desk.EndShift{Stamp: b.stamp()}}[r.IntN(2)]
		default:
			b.pass(r.Int64N(20_000))
			in = desk.Tick{Stamp: b.stamp()}
		}
		for _, e := range b.step(in) {
			if ask, ok := e.(desk.Ask); ok {
				open = append(open, ask.Claim.ID)
			}
			if reject, ok := e.(desk.Reject); ok {
				trace = append(trace, reject.ID+": "+reject.Err.Error())
				continue
			}
			trace = append(trace, fmt.Sprintf("%T %s", e, must[[]byte](t)(json.Marshal(e))))
		}
	}
	return trace, must[[]wire.Record](t)(b.j.After(0, 1<<20))
}

func TestReplay_SameSeedSameJournal(t *testing.T) {
	for seed := range uint64(3) {
		trace1, records1 := play(t, seed)
		trace2, records2 := play(t, seed)
		if !slices.Equal(trace1, trace2) {
			t.Fatalf("seed %d: effects differ", seed)
		}
		if len(records1) < 40 || len(records1) != len(records2) {
			t.Fatalf("seed %d: %d and %d events", seed, len(records1), len(records2))
		}
		for i := range records1 {
			if records1[i].Hash != records2[i].Hash {
				t.Fatalf("seed %d: event %d differs", seed, i+1)
			}
		}
	}
}
