package verdict_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// number draws what a code, a clock or a store could hold: near the fixture's
// moment in either unit, small, or at the ends of the range.
func number() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64Range(now-40_000, now+20_000),
		rapid.Int64Range(now/1000-40, now/1000+20),
		rapid.Int64Range(-2, 6_000),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64, wraps, -wraps}),
		rapid.Int64(),
	)
}

func maybe[T any](t *rapid.T, name string, draw func() T) *T {
	if !rapid.Bool().Draw(t, name) {
		return nil
	}
	v := draw()
	return &v
}

// anyCase draws a case of which nothing is sure. Tidy ones hold only values that
// have a name, so that they can be stored.
func anyCase(t *rapid.T, tidy bool) *verdict.Case {
	n := func(name string) int64 { return number().Draw(t, name) }
	yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
	gate := func(name string) uint16 { return rapid.Uint16Range(0, 3).Draw(t, name) }
	count := func(name string) uint32 {
		return rapid.OneOf(rapid.Uint32Range(0, 3), rapid.Uint32()).Draw(t, name)
	}
	site := func(name string) string { return rapid.SampledFrom([]string{"east", "west", ""}).Draw(t, name) }
	reason := func(name string) verdict.Reason {
		list := append([]verdict.Reason{0, 0, 0}, verdict.Reasons()...)
		if !tidy {
			list = append(list, 39, math.MaxUint16)
		}
		return rapid.SampledFrom(list).Draw(t, name)
	}
	kinds := []signing.Kind{signing.ResidentSingle, signing.Work, signing.Pay, 0}
	if !tidy {
		kinds = append(kinds, 6, 255)
	}
	use := func(name string) *verdict.Use {
		return maybe(t, name, func() verdict.Use { return verdict.Use{At: n(name + " at"), Gate: gate(name + " gate")} })
	}
	return &verdict.Case{
		At:   n("at"),
		Read: reason("read"),
		Code: verdict.Code{
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Site: site("code site"), Compromised: yes("compromised"),
			NotBefore: n("nbf"), Expires: n("exp"), IssuedAt: n("iat"),
			Uses: count("uses"), Zones: signing.Zones(count("zones")), Owner: gate("owner"), Bound: yes("bound"),
			Proof: maybe(t, "proof", func() verdict.Proof {
				return verdict.Proof{T: n("t"), Counter: rapid.Uint64().Draw(t, "ctr"), Context: rapid.Uint8Range(0, 4).Draw(t, "ctx")}
			}),
			Pay: maybe(t, "pay", func() verdict.Pay {
				return verdict.Pay{PerTxFen: n("per tx"), PerDayOfflineFen: n("per day"), MaxOfflineTx: count("max tx")}
			}),
		},
		Lane: verdict.Lane{
			Gate: gate("gate"), Site: site("lane site"), Zone: int(rapid.OneOf(rapid.Int64Range(-1, 33), rapid.Int64()).Draw(t, "zone")),
			Direction: verdict.Direction(rapid.SampledFrom([]string{"", "in", "out", "up"}).Draw(t, "direction")),
			Kinds:     rapid.SampledFrom([]signing.KindSet{signing.GateKinds, signing.PayKinds, 0}).Draw(t, "kinds"),
			OwnsFrom:  n("owns from"),
		},
		Clock: verdict.Clock{HighWater: n("high water"), Synced: n("synced"), MaxAgeMS: n("clock age")},
		Policy: verdict.Policy{
			Revision: rapid.Uint64().Draw(t, "revision"),
			Mode:     verdict.Mode(rapid.SampledFrom([]string{"", "owner", "online", "first_seen", "?"}).Draw(t, "mode")),
			Fresh:    n("fresh"), MaxAgeMS: n("policy age"), OutsideHours: yes("hours"), Lockdown: yes("lockdown"),
			Full: yes("full"), Passback: yes("passback"), Alert: yes("alert"), Inside: use("inside"),
			Emergency: rapid.IntRange(0, 9).Draw(t, "emergency") == 0,
		},
		Record: verdict.Record{
			Revoked: yes("revoked"), Replaced: yes("replaced"), Blocked: yes("blocked"), Owner: gate("moved"), Uses: count("used"), First: use("first"),
			Recent: maybe(t, "recent", func() verdict.Recent {
				return verdict.Recent{At: n("recent at"), Reason: reason("recent reason")}
			}),
			Counter: maybe(t, "counter", func() uint64 { return rapid.Uint64().Draw(t, "highest") }),
		},
		Vouched: rapid.IntRange(0, 9).Draw(t, "vouched") == 0,
		Document: verdict.Documents{
			Required: yes("required"), Shown: papers(t, "shown"), Refused: yes("refused"), Barred: yes("barred"),
			Rule: rapid.SampledFrom([]string{"", "staff"}).Draw(t, "rule"), Sets: sets(t),
		},
		Claim: verdict.Claim{
			State: verdict.ClaimState(rapid.SampledFrom([]string{"", "granted", "used", "silent", "?"}).Draw(t, "claim")),
			First: use("claim first"),
		},
		Card: verdict.Card{
			Lost: yes("lost"), Frozen: yes("frozen"), Closed: yes("closed"), Offline: yes("offline"),
			AmountFen: n("amount"), PerTxFen: n("till per tx"), PerDayFen: n("till per day"), DayFen: n("day"),
			OfflineFen: n("offline fen"), OfflineTx: count("offline tx"), PinAboveFen: n("pin above"),
			BalanceFen: maybe(t, "balance", func() int64 { return n("balance fen") }),
		},
	}
}

// papers draws some of a few documents; none is nil, as after JSON.
func papers(t *rapid.T, name string) (list []string) {
	return append(list, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"work_permit", "lease", "id_card"}), 0, 3, rapid.ID).Draw(t, name)...)
}

func sets(t *rapid.T) (list []verdict.DocumentSet) {
	for range rapid.IntRange(0, 2).Draw(t, "sets") {
		list = append(list, verdict.DocumentSet{Rule: "r", All: papers(t, "all"), Beside: papers(t, "beside")})
	}
	return list
}

// nearlyGood draws a fixture with a few things changed, since a case of which
// nothing is sure is nearly always refused for its first fault.
func nearlyGood(t *rapid.T) *verdict.Case {
	c := gateCase()
	if rapid.Bool().Draw(t, "till") {
		c = tillCase()
	}
	wild := anyCase(t, false)
	from, to := reflect.ValueOf(wild).Elem(), reflect.ValueOf(c).Elem()
	for i := range to.NumField() {
		part, wildPart := to.Field(i), from.Field(i)
		if part.Kind() != reflect.Struct {
			continue
		}
		for j := range part.NumField() {
			if rapid.IntRange(0, 9).Draw(t, "change") == 0 {
				part.Field(j).Set(wildPart.Field(j))
			}
		}
	}
	return c
}

func drawCase(t *rapid.T) *verdict.Case {
	if rapid.Bool().Draw(t, "wild") {
		return anyCase(t, false)
	}
	return nearlyGood(t)
}

// sound is what holds for every answer.
func sound(t interface{ Fatalf(string, ...any) }, c *verdict.Case, v verdict.Verdict) {
	switch {
	case !v.Reason.Valid():
		t.Fatalf("no reason: %+v", v)
	case v.Reason > verdict.NeedsInput:
		t.Fatalf("%v is for after the fact", v.Reason)
	case v.Opens() && v.Reason != verdict.Granted && v.Reason != verdict.Attention:
		t.Fatalf("opens on %v", v.Reason)
	case v.Repeat && v.Opens():
		t.Fatalf("a repeat opens")
	case v.Repeat && !v.Reason.Opens():
		t.Fatalf("repeats %v", v.Reason)
	case (v.Reason == verdict.NeedsInput) != (v.Need != verdict.NeedNothing):
		t.Fatalf("%v needs %q", v.Reason, v.Need)
	case v.First != nil && v.Reason != verdict.AlreadyUsed && v.Reason != verdict.Antipassback && v.Mark != verdict.MarkPassback:
		t.Fatalf("%v with a first use", v.Reason)
	case v.Mark != verdict.MarkNone && verdict.TextOfVerdict(v, "zh") == verdict.TextOf(v.Reason, "zh"):
		t.Fatalf("%v with mark %q", v.Reason, v.Mark)
	case v.Mark == verdict.MarkEmergency && (v.Admits(c.Lane.Direction) || !c.Policy.Emergency):
		t.Fatalf("an emergency admits, or is none")
	case v.Opens() && c.Code.Compromised:
		t.Fatalf("opens for a compromised key")
	case v.Opens() && c.Read != 0:
		t.Fatalf("opens for a code that is %v", c.Read)
	}
}

func TestJudge_AnyCaseHasOneSoundAnswerAndStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		before := clone(c)
		v := verdict.Judge(c)
		sound(t, c, v)
		if !reflect.DeepEqual(c, before) {
			t.Fatalf("the case was changed: %+v, before %+v", c, before)
		}
		if again := verdict.Judge(before); !reflect.DeepEqual(v, again) {
			t.Fatalf("the same case, two answers: %+v and %+v", v, again)
		}
	})
}

// An entry with one more thing against it never opens. At an exit it opens only
// if it did before.
func TestJudge_OneMoreFaultNeverAdmits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		r := rapid.SampledFrom(refusals()).Draw(t, "fault")
		before := verdict.Judge(c)
		wasPay := c.Code.Kind == signing.Pay
		triggers[r](c)
		after := verdict.Judge(c)
		switch exit := c.Lane.Direction == verdict.Exit && !wasPay; {
		case exit && after.Opens() && !before.Opens():
			t.Fatalf("exit: %v turned %+v into %+v", r, before, after)
		case c.Policy.Emergency && c.Code.Kind.OpensGates():
			// The barriers stand open whatever is wrong.
		case exit || r == verdict.LimitOffline && !wasPay || r == verdict.Internal:
			// An exit may open, a pass has no offline money, and Internal's
			// trigger can mend a case that was already broken.
		case after.Opens():
			t.Fatalf("with %v: %+v, before %+v", r, after, before)
		}
	})
}

// The server judges the case that came in an event: it must be the same case.
func TestCase_SurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(t, true)
		body, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back verdict.Case
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if !reflect.DeepEqual(c, &back) {
			t.Fatalf("%s\nread back as %+v", body, back)
		}
	})
}

func FuzzJudge(f *testing.F) {
	vectors := readVectors(f)
	if len(vectors) == 0 {
		f.Fatal("no seeds")
	}
	for _, v := range vectors {
		body, err := json.Marshal(v.Case)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var c verdict.Case
		if json.Unmarshal(body, &c) != nil {
			return
		}
		sound(t, &c, verdict.Judge(&c))
	})
}
