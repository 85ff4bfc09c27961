package verdict_test

import (
	"math"
	"testing"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// wraps, times a thousand, is 384 more than 2^64: arithmetic that wraps takes
// such a time for one that is 0.384 s away.
const wraps = 18_446_744_073_709_552

func TestJudge_BoundariesToTheMillisecond(t *testing.T) {
	const second = now / 1000
	for _, tc := range []struct {
		name   string
		change func(*verdict.Case)
		want   verdict.Reason
	}{
		{"a millisecond before nbf", func(c *verdict.Case) { c.Code.NotBefore, c.At = second, second*1000-1 }, verdict.NotYetValid},
		{"at nbf", func(c *verdict.Case) { c.Code.NotBefore, c.At = second, second*1000 }, verdict.Granted},
		{"a millisecond before exp", func(c *verdict.Case) { c.Code.Expires, c.At = second, second*1000-1 }, verdict.Granted},
		{"at exp", func(c *verdict.Case) { c.Code.Expires, c.At = second, second*1000 }, verdict.Expired},
		{"no exp", func(c *verdict.Case) { c.Code.Expires = 0 }, verdict.Expired},
		{"exp that wraps", func(c *verdict.Case) { c.Code.Expires = second - wraps + 3600 }, verdict.Expired},
		{"nbf that wraps", func(c *verdict.Case) { c.Code.NotBefore = second + wraps - 1 }, verdict.NotYetValid},
		{"no nbf, at the beginning of 1970", func(c *verdict.Case) { c.At, c.Code.Proof.T, c.Code.NotBefore, c.Clock.HighWater = 0, 0, 0, 0 }, verdict.Granted},
		{"no nbf, before 1970", func(c *verdict.Case) { c.At, c.Code.Proof.T, c.Code.NotBefore, c.Clock.HighWater = -1, 0, 0, 0 }, verdict.NotYetValid},

		{"proof 30 s old", func(c *verdict.Case) { c.Code.Proof.T, c.At = second, second*1000+30_000 }, verdict.Granted},
		{"proof 30.001 s old", func(c *verdict.Case) { c.Code.Proof.T, c.At = second, second*1000+30_001 }, verdict.ProofStale},
		{"proof 15 s ahead", func(c *verdict.Case) { c.Code.Proof.T, c.At = second+15, second*1000 }, verdict.Granted},
		{"proof 15.001 s ahead", func(c *verdict.Case) { c.Code.Proof.T, c.At = second+15, second*1000-1 }, verdict.ProofStale},
		{"proof time that wraps", func(c *verdict.Case) { c.Code.Proof.T = second + wraps }, verdict.ProofStale},
		{"proof at the beginning of time", func(c *verdict.Case) { c.Code.Proof.T = math.MinInt64 }, verdict.ProofStale},
		{"proof and clock at opposite ends of time", func(c *verdict.Case) {
			c.At, c.Clock, c.Policy.MaxAgeMS, c.Code.Proof.T = math.MaxInt64, verdict.Clock{}, 0, math.MinInt64
		}, verdict.ProofStale},
		{"a bearer pass needs no proof", func(c *verdict.Case) { c.Code.Bound, c.Code.Proof = false, nil }, verdict.Granted},

		{"clock 5 s below its mark", func(c *verdict.Case) { c.Clock.HighWater = c.At + 5_000 }, verdict.Granted},
		{"clock 5.001 s below its mark", func(c *verdict.Case) { c.Clock.HighWater = c.At + 5_001 }, verdict.ClockUntrusted},
		{"mark at the end of time, clock before 1970", func(c *verdict.Case) { c.At, c.Clock.HighWater = -10, math.MaxInt64 }, verdict.ClockUntrusted},
		{"clock compared just long enough ago", func(c *verdict.Case) { c.Clock.Synced = c.At - c.Clock.MaxAgeMS }, verdict.Granted},
		{"clock compared a millisecond too long ago", func(c *verdict.Case) { c.Clock.Synced = c.At - c.Clock.MaxAgeMS - 1 }, verdict.ClockUntrusted},
		{"clock never compared", func(c *verdict.Case) { c.Clock.Synced = 0 }, verdict.ClockUntrusted},
		{"clock never compared, no limit", func(c *verdict.Case) { c.Clock.Synced, c.Clock.MaxAgeMS = 0, 0 }, verdict.Granted},
		{"clock never compared, in 1970", func(c *verdict.Case) {
			c.At, c.Clock.HighWater, c.Clock.Synced = 3_600_000, 0, 0
			c.Code.NotBefore, c.Code.Proof.T = 0, 3_600
		}, verdict.ClockUntrusted},

		{"snapshot just fresh enough", func(c *verdict.Case) { c.Policy.Fresh = c.At - c.Policy.MaxAgeMS }, verdict.Granted},
		{"snapshot a millisecond too old", func(c *verdict.Case) { c.Policy.Fresh = c.At - c.Policy.MaxAgeMS - 1 }, verdict.PolicyStale},
		{"no snapshot ever", func(c *verdict.Case) { c.Policy.Fresh = 0 }, verdict.PolicyStale},
		{"no snapshot ever, no limit", func(c *verdict.Case) { c.Policy.Fresh, c.Policy.MaxAgeMS = 0, 0 }, verdict.Granted},
		{"a limit below zero fits nothing", func(c *verdict.Case) { c.Policy.MaxAgeMS = -1 }, verdict.PolicyStale},

		{"counter above the highest", func(c *verdict.Case) { c.Record.Counter = counter(16) }, verdict.Granted},
		{"counter equal to the highest", func(c *verdict.Case) { c.Record.Counter = counter(17) }, verdict.Replayed},
		{"counter below the highest", func(c *verdict.Case) { c.Record.Counter = counter(18) }, verdict.Replayed},
		{"counter of zero, none seen", func(c *verdict.Case) { c.Code.Proof.Counter = 0 }, verdict.Granted},

		{"zone served", func(c *verdict.Case) { c.Lane.Zone = 3 }, verdict.Granted},
		{"zone not served", func(c *verdict.Case) { c.Lane.Zone = 2 }, verdict.WrongGate},
		{"zone not checked", func(c *verdict.Case) { c.Lane.Zone = 0 }, verdict.Granted},
		{"zone that cannot be", func(c *verdict.Case) { c.Lane.Zone = 33 }, verdict.WrongGate},
		{"pass for all zones", func(c *verdict.Case) { c.Lane.Zone, c.Code.Zones = 2, 0 }, verdict.Granted},

		{"one use left", func(c *verdict.Case) { c.Record.Uses = 1 }, verdict.Granted},
		{"no use left", func(c *verdict.Case) { c.Record.Uses = 2 }, verdict.AlreadyUsed},
		{"uses not counted", func(c *verdict.Case) { c.Code.Uses, c.Record.Uses = 0, 900 }, verdict.Granted},

		{"proof made to pay", func(c *verdict.Case) { c.Code.Proof.Context = 2 }, verdict.WrongKind},
		{"proof of no context", func(c *verdict.Case) { c.Code.Proof.Context = 0 }, verdict.WrongKind},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gateCase()
			tc.change(c)
			wantReason(t, c, tc.want)
		})
	}
}

func counter(n uint64) *uint64 { return &n }

func fen(n int64) *int64 { return &n }

func TestJudge_MoneyToTheFen(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*verdict.Case)
		want   verdict.Reason
	}{
		{"single limit of the till reached", func(c *verdict.Case) { c.Card.PerTxFen = 1_850 }, verdict.Granted},
		{"single limit of the till passed", func(c *verdict.Case) { c.Card.PerTxFen = 1_849 }, verdict.LimitSingle},
		{"single limit of the code reached", func(c *verdict.Case) { c.Card.Offline, c.Code.Pay.PerTxFen = true, 1_850 }, verdict.Granted},
		{"single limit of the code passed", func(c *verdict.Case) { c.Card.Offline, c.Code.Pay.PerTxFen = true, 1_849 }, verdict.LimitSingle},
		{"single limit of the code passed, but online", func(c *verdict.Case) { c.Code.Pay.PerTxFen = 1_849 }, verdict.Granted},
		{"day's limit reached", func(c *verdict.Case) { c.Card.DayFen = 6_150 }, verdict.Granted},
		{"day's limit passed", func(c *verdict.Case) { c.Card.DayFen = 6_151 }, verdict.LimitDay},
		{"no limits at the till", func(c *verdict.Case) { c.Card.PerTxFen, c.Card.PerDayFen = 0, 0 }, verdict.Granted},
		{"a day's sum at the end of the range", func(c *verdict.Case) { c.Card.DayFen = math.MaxInt64 }, verdict.LimitDay},
		{"a day's sum at the other end", func(c *verdict.Case) { c.Card.DayFen = math.MinInt64 }, verdict.Granted},
		{"an offline sum at the other end", func(c *verdict.Case) { c.Card.Offline, c.Card.OfflineFen = true, math.MinInt64 }, verdict.Granted},
		{"offline, under every limit", func(c *verdict.Case) { c.Card.Offline, c.Card.OfflineTx, c.Card.OfflineFen = true, 4, 4_150 }, verdict.Granted},
		{"offline sum passed", func(c *verdict.Case) { c.Card.Offline, c.Card.OfflineFen = true, 4_151 }, verdict.LimitOffline},
		{"offline payments used up", func(c *verdict.Case) { c.Card.Offline, c.Card.OfflineTx = true, 5 }, verdict.LimitOffline},
		{"offline sum past, but online now", func(c *verdict.Case) { c.Card.OfflineFen, c.Card.OfflineTx = 9_999, 99 }, verdict.Granted},
		{"at the PIN's threshold", func(c *verdict.Case) { c.Card.PinAboveFen = 1_850 }, verdict.Granted},
		{"above the PIN's threshold", func(c *verdict.Case) { c.Card.PinAboveFen = 1_849 }, verdict.PinRequired},
		{"above it, and confirmed", func(c *verdict.Case) { c.Card.PinAboveFen, c.Code.Proof.Context = 1_849, 3 }, verdict.Granted},
		{"balance just enough", func(c *verdict.Case) { c.Card.BalanceFen = fen(1_850) }, verdict.Granted},
		{"balance a fen short", func(c *verdict.Case) { c.Card.BalanceFen = fen(1_849) }, verdict.InsufficientBalance},
		{"balance not known", func(c *verdict.Case) { c.Card.BalanceFen = nil }, verdict.Granted},
		{"nothing to pay", func(c *verdict.Case) { c.Card.AmountFen = 0 }, verdict.Granted},
		{"an amount below zero", func(c *verdict.Case) { c.Card.AmountFen = -1 }, verdict.Internal},
		{"a proof for the gate", func(c *verdict.Case) { c.Code.Proof.Context = 1 }, verdict.WrongKind},
		{"a proof of no context", func(c *verdict.Case) { c.Code.Proof.Context = 4 }, verdict.WrongKind},
		{"a till whose lane is called an exit still charges", func(c *verdict.Case) {
			c.Lane.Direction, c.Card.BalanceFen = verdict.Exit, fen(0)
		}, verdict.InsufficientBalance},
		{"paid here a second ago: charged again, never shown again", func(c *verdict.Case) {
			c.Record.Recent, c.Card.BalanceFen = &verdict.Recent{At: now - 1_000, Reason: verdict.Granted}, fen(0)
		}, verdict.InsufficientBalance},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := tillCase()
			tc.change(c)
			wantReason(t, c, tc.want)
		})
	}
}

func TestJudge_Repeat(t *testing.T) {
	admitted := func(age int64, r verdict.Reason) func(*verdict.Case) {
		return func(c *verdict.Case) {
			c.Record.Recent, c.Record.Uses = &verdict.Recent{At: c.At - age, Reason: r}, 2
			c.Record.Counter = counter(17)
		}
	}
	for _, tc := range []struct {
		name   string
		age    int64
		before verdict.Reason
		change func(*verdict.Case)
		want   verdict.Verdict
	}{
		{name: "at once", age: 0, want: verdict.Verdict{Reason: verdict.Granted, Repeat: true}},
		{name: "in the last millisecond", age: 9_999, want: verdict.Verdict{Reason: verdict.Granted, Repeat: true}},
		{name: "too late", age: 10_000, want: verdict.Verdict{Reason: verdict.Replayed}},
		{name: "the clock was stepped back since", age: -5_000, want: verdict.Verdict{Reason: verdict.Granted, Repeat: true}},
		{name: "the clock was set back since", age: -5_001, want: verdict.Verdict{Reason: verdict.Replayed}},
		{name: "the previous verdict is the one shown", before: verdict.Attention, want: verdict.Verdict{Reason: verdict.Attention, Repeat: true}},
		{name: "a refusal is not repeated", before: verdict.OccupancyFull, want: verdict.Verdict{Reason: verdict.Replayed}},
		{
			name: "before lockdown", change: triggers[verdict.Lockdown],
			want: verdict.Verdict{Reason: verdict.Granted, Repeat: true},
		},
		{name: "after revoked", change: triggers[verdict.Revoked], want: verdict.Verdict{Reason: verdict.Revoked}},
		{name: "after proof_stale", change: triggers[verdict.ProofStale], want: verdict.Verdict{Reason: verdict.ProofStale}},
		{name: "after expired", change: triggers[verdict.Expired], want: verdict.Verdict{Reason: verdict.Expired}},
		{
			name: "without asking the guard again", change: func(c *verdict.Case) { c.Document.Required = true },
			want: verdict.Verdict{Reason: verdict.Granted, Repeat: true},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gateCase()
			before := tc.before
			if before == 0 {
				before = verdict.Granted
			}
			admitted(tc.age, before)(c)
			if tc.change != nil {
				tc.change(c)
			}
			got := verdict.Judge(c)
			if got != tc.want {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
			if got.Opens() {
				t.Error("a second pulse for one admission")
			}
		})
	}
}

func TestJudge_RepeatStandsBetweenDatesAndUse(t *testing.T) {
	for _, r := range refusals() {
		if r == verdict.AlreadyUsed || r == verdict.LimitOffline {
			continue // its trigger sets Recent itself; needs a payment
		}
		c := gateCase()
		c.Record.Recent = &verdict.Recent{At: now - 2_000, Reason: verdict.Granted}
		triggers[r](c)
		repeat := r >= verdict.Replayed && r != verdict.Internal
		if got := verdict.Judge(c); got.Repeat != repeat {
			t.Errorf("with %v: %+v, want repeat %v", r, got, repeat)
		}
	}
}

func TestJudge_Exit(t *testing.T) {
	opensWithAttention := map[verdict.Reason]bool{
		verdict.Revoked: true, verdict.Blocked: true, verdict.ClockUntrusted: true, verdict.PolicyStale: true,
		verdict.ProofMissing: true, verdict.ProofStale: true, verdict.NotYetValid: true, verdict.Expired: true,
		verdict.Lockdown: true,
	}
	refused := map[verdict.Reason]bool{
		verdict.Malformed: true, verdict.UnknownKey: true, verdict.BadSignature: true,
		verdict.WrongKind: true, verdict.WrongSite: true, verdict.Internal: true,
	}
	for _, r := range refusals() {
		c := gateCase()
		c.Lane.Direction = verdict.Exit
		triggers[r](c)
		want := verdict.Granted
		switch {
		case opensWithAttention[r]:
			want = verdict.Attention
		case refused[r]:
			want = r
		}
		got := verdict.Judge(c)
		if got.Reason != want || got.Repeat || got.Need != verdict.NeedNothing {
			t.Errorf("exit with %v: %+v, want %v", r, got, want)
		}
	}
	for name, tc := range map[string]struct {
		change func(*verdict.Case)
		want   verdict.Reason
	}{
		"nothing wrong":                {func(*verdict.Case) {}, verdict.Granted},
		"just let in":                  {func(c *verdict.Case) { c.Record.Recent = &verdict.Recent{At: now - 1_000, Reason: verdict.Granted} }, verdict.Granted},
		"a document is never asked":    {func(c *verdict.Case) { c.Document.Required = true }, verdict.Granted},
		"another gate is never asked":  {func(c *verdict.Case) { c.Code.Owner = 8 }, verdict.Granted},
		"a compromised key is no code": {func(c *verdict.Case) { c.Code.Compromised = true }, verdict.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			c := gateCase()
			c.Lane.Direction = verdict.Exit
			tc.change(c)
			if got := wantReason(t, c, tc.want); got.Repeat {
				t.Error("a repeat keeps somebody in")
			}
		})
	}
}

func TestJudge_OtherDirectionsAreEntries(t *testing.T) {
	for _, d := range []verdict.Direction{"", "both", "OUT"} {
		c := gateCase()
		c.Lane.Direction = d
		c.Policy.Lockdown = true
		wantReason(t, c, verdict.Lockdown)
	}
}

func TestJudge_CompromisedKeyIsRevoked(t *testing.T) {
	c := gateCase()
	c.Code.Compromised = true
	wantReason(t, c, verdict.Revoked)
}

func TestJudge_NoCaseIsInternal(t *testing.T) {
	wantReason(t, nil, verdict.Internal)
	wantReason(t, &verdict.Case{}, verdict.Internal)
	for _, r := range verdict.Reasons() {
		if r == verdict.Malformed || r == verdict.UnknownKey || r == verdict.BadSignature {
			continue
		}
		c := gateCase()
		c.Read = r // no reason why a code cannot be read
		wantReason(t, c, verdict.Internal)
	}
	c := gateCase()
	c.Code.Kind = signing.Kind(6)
	wantReason(t, c, verdict.Internal)
}
