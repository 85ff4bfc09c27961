package verdict_test

import (
	"reflect"
	"slices"
	"testing"

	"campusgate/signing/verdict"
)

type pair struct{ first, second verdict.Reason }

// exclusive are the pairs that one presentation cannot bring about: a text is
// unreadable in one way, and a proof that is missing is neither old nor seen
// before.
var exclusive = []pair{
	{verdict.Malformed, verdict.UnknownKey},
	{verdict.Malformed, verdict.BadSignature},
	{verdict.UnknownKey, verdict.BadSignature},
	{verdict.ProofMissing, verdict.ProofStale},
	{verdict.ProofMissing, verdict.Replayed},
}

// notAtGates need a payment credential.
var notAtGates = []verdict.Reason{verdict.LimitOffline}

func TestJudge_GoodCasesAreGranted(t *testing.T) {
	for name, c := range map[string]*verdict.Case{"gate": gateCase(), "till": tillCase()} {
		t.Run(name, func(t *testing.T) {
			got := wantReason(t, c, verdict.Granted)
			if want := (verdict.Verdict{Reason: verdict.Granted}); got != want {
				t.Errorf("verdict %+v, want %+v", got, want)
			}
			if !got.Opens() {
				t.Error("granted, and the barrier stays closed")
			}
		})
	}
}

func TestJudge_EveryRefusalHasATrigger(t *testing.T) {
	for _, r := range refusals() {
		trigger := triggers[r]
		if trigger == nil {
			t.Errorf("no trigger for %v: add one to the table", r)
			continue
		}
		for name, c := range map[string]*verdict.Case{"gate": gateCase(), "till": tillCase()} {
			want := r
			if name == "gate" && slices.Contains(notAtGates, r) {
				want = verdict.Granted
			}
			trigger(c)
			if got := verdict.Judge(c); got.Reason != want {
				t.Errorf("%s with %v: judged %v, want %v", name, r, got.Reason, want)
			}
		}
	}
	if len(triggers) != len(refusals()) {
		t.Errorf("%d triggers for %d refusals", len(triggers), len(refusals()))
	}
}

func TestJudge_FirstOfTwoRefusalsWins(t *testing.T) {
	var excluded []pair
	for i, a := range refusals() {
		for _, b := range refusals()[i+1:] {
			p := pair{a, b}
			if !coexist(p) {
				excluded = append(excluded, p)
				continue
			}
			for name, c := range map[string]*verdict.Case{"gate": gateCase(), "till": tillCase()} {
				want := winner(p)
				if name == "gate" && slices.Contains(notAtGates, a) {
					want = b
				}
				triggers[a](c)
				triggers[b](c)
				if got := verdict.Judge(c); got.Reason != want {
					t.Errorf("%s with %v and %v: judged %v, want %v", name, a, b, got.Reason, want)
				}
			}
		}
	}
	if !slices.Equal(excluded, exclusive) {
		t.Errorf("pairs that exclude each other: %v, want %v", excluded, exclusive)
	}
}

// winner is the reason that comes first, save that a case which makes no sense
// is not judged beyond whether the text could be read.
func winner(p pair) verdict.Reason {
	if p.second == verdict.Internal && p.first > verdict.BadSignature {
		return verdict.Internal
	}
	return p.first
}

// coexist: two triggers that change the same fact make different cases in
// different order.
func coexist(p pair) bool {
	for _, good := range []func() *verdict.Case{gateCase, tillCase} {
		ab, ba := good(), good()
		triggers[p.first](ab)
		triggers[p.second](ab)
		triggers[p.second](ba)
		triggers[p.first](ba)
		if !reflect.DeepEqual(ab, ba) {
			return false
		}
	}
	return true
}

func TestJudge_NeedsInputComesAfterEveryRefusal(t *testing.T) {
	for _, r := range refusals() {
		c := gateCase()
		if slices.Contains(notAtGates, r) {
			c = tillCase()
		}
		c.Document.Required = true
		c.Code.Owner = 8
		triggers[r](c)
		if got := verdict.Judge(c); got.Reason != r {
			t.Errorf("with %v and input missing: judged %v", r, got.Reason)
		}
	}
}
