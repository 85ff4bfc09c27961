package verdict_test

import (
	"slices"
	"testing"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// now is the moment of every fixture, not on a whole second: 2026-09-01
// 12:00:00.250 in Shanghai.
const now = 1788235200250

// gateCase is a live work pass at the entry of gate 3: nothing is wrong with it.
// The pass is good for two uses and the gate decides them itself.
func gateCase() *verdict.Case {
	return &verdict.Case{
		At: now,
		Code: verdict.Code{
			Kind: signing.Work, ID: signing.PassID{1, 2, 3, 4, 5, 6, 7, 8}, Key: signing.KeyID{9, 9, 9, 9},
			Site: "east", NotBefore: now/1000 - 3600, Expires: now/1000 + 3600, IssuedAt: now/1000 - 7200,
			Uses: 2, Zones: 0b101, Owner: 3, Bound: true,
			Proof: &verdict.Proof{T: now/1000 - 4, Counter: 17, Phone: signing.PhoneID{5}, Context: 1},
		},
		Lane:   verdict.Lane{Gate: 3, Site: "east", Zone: 1, Direction: verdict.Entry, Kinds: signing.GateKinds},
		Clock:  verdict.Clock{HighWater: now - 1, Synced: now - 60_000, MaxAgeMS: 7 * 86_400_000},
		Policy: verdict.Policy{Revision: 40, Mode: verdict.Owner, Fresh: now - 5_000, MaxAgeMS: 86_400_000},
	}
}

// tillCase is a lunch of 18.50 yuan at a canteen that is online.
func tillCase() *verdict.Case {
	balance := int64(10_000)
	c := gateCase()
	c.Code.Kind, c.Code.Uses, c.Code.Owner, c.Code.Zones, c.Code.NotBefore = signing.Pay, 0, 0, 0, 0
	c.Code.Proof.Context = 2
	c.Code.Pay = &verdict.Pay{Account: 1 << 63, Epoch: 4, PerTxFen: 3_000, PerDayOfflineFen: 6_000, MaxOfflineTx: 5}
	c.Lane.Kinds, c.Lane.Zone = signing.PayKinds, 0
	c.Card = verdict.Card{AmountFen: 1_850, PerTxFen: 5_000, PerDayFen: 8_000, DayFen: 2_000, BalanceFen: &balance}
	return c
}

// clone copies a case with everything it points to.
func clone(c *verdict.Case) *verdict.Case {
	d := *c
	d.Code.Proof = copied(c.Code.Proof)
	d.Code.Pay = copied(c.Code.Pay)
	d.Policy.Inside = copied(c.Policy.Inside)
	d.Record.First = copied(c.Record.First)
	d.Record.Recent = copied(c.Record.Recent)
	d.Record.Counter = copied(c.Record.Counter)
	d.Document.Shown = slices.Clone(c.Document.Shown)
	d.Document.Sets = slices.Clone(c.Document.Sets)
	for i, set := range d.Document.Sets {
		d.Document.Sets[i].All, d.Document.Sets[i].Beside = slices.Clone(set.All), slices.Clone(set.Beside)
	}
	d.Claim.First = copied(c.Claim.First)
	d.Card.BalanceFen = copied(c.Card.BalanceFen)
	return &d
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// triggers makes each refusal apply to any case, whatever else applies to it.
var triggers = map[verdict.Reason]func(*verdict.Case){
	verdict.Malformed:      func(c *verdict.Case) { c.Read = verdict.Malformed },
	verdict.UnknownKey:     func(c *verdict.Case) { c.Read = verdict.UnknownKey },
	verdict.BadSignature:   func(c *verdict.Case) { c.Read = verdict.BadSignature },
	verdict.WrongKind:      func(c *verdict.Case) { c.Lane.Kinds = 0 },
	verdict.WrongSite:      func(c *verdict.Case) { c.Lane.Site, c.Code.Site = "east", "west" },
	verdict.Revoked:        func(c *verdict.Case) { c.Record.Revoked = true },
	verdict.Blocked:        func(c *verdict.Case) { c.Record.Blocked = true },
	verdict.ClockUntrusted: func(c *verdict.Case) { c.Clock = verdict.Clock{MaxAgeMS: 1} },
	verdict.PolicyStale:    func(c *verdict.Case) { c.Policy.Fresh, c.Policy.MaxAgeMS = 0, 1 },
	verdict.ProofMissing:   func(c *verdict.Case) { c.Code.Bound, c.Code.Proof = true, nil },
	verdict.ProofStale:     func(c *verdict.Case) { onProof(c).T = c.At/1000 - 31 },
	verdict.NotYetValid:    func(c *verdict.Case) { c.Code.NotBefore = max(1, c.At/1000+1) },
	verdict.Expired:        func(c *verdict.Case) { c.Code.Expires = c.At/1000 - 1 },
	verdict.Replayed: func(c *verdict.Case) {
		highest := uint64(1<<64 - 1)
		onProof(c).Counter, c.Record.Counter = 17, &highest
	},
	verdict.WrongGate:           func(c *verdict.Case) { c.Lane.Zone, c.Code.Zones = 2, 0b101 },
	verdict.OutsideHours:        func(c *verdict.Case) { c.Policy.OutsideHours = true },
	verdict.Lockdown:            func(c *verdict.Case) { c.Policy.Lockdown = true },
	verdict.DocumentRequired:    func(c *verdict.Case) { c.Document.Required, c.Document.Refused = true, true },
	verdict.DocumentNotAccepted: func(c *verdict.Case) { c.Document.Required, c.Document.Barred = true, true },
	verdict.DocumentIncomplete: func(c *verdict.Case) {
		c.Document.Required, c.Document.Shown = true, []string{"lease"}
		c.Document.Sets = []verdict.DocumentSet{{Rule: "tenant", All: []string{"lease", "id_card"}}}
	},
	verdict.OfflineNotAllowed: func(c *verdict.Case) { c.Claim.State = verdict.ClaimSilent },
	verdict.OccupancyFull:     func(c *verdict.Case) { c.Policy.Full = true },
	verdict.Antipassback:      func(c *verdict.Case) { c.Policy.Passback = true },
	verdict.AlreadyUsed: func(c *verdict.Case) {
		c.Code.Uses, c.Record.Recent = 1, &verdict.Recent{At: c.At - 60_000, Reason: verdict.Granted}
	},
	verdict.CardLost:            func(c *verdict.Case) { c.Card.Lost = true },
	verdict.CardFrozen:          func(c *verdict.Case) { c.Card.Frozen = true },
	verdict.LimitSingle:         func(c *verdict.Case) { c.Card.AmountFen, c.Card.PerTxFen = 1_850, 1_849 },
	verdict.LimitDay:            func(c *verdict.Case) { c.Card.AmountFen, c.Card.DayFen, c.Card.PerDayFen = 1_850, 1, 1_850 },
	verdict.LimitOffline:        func(c *verdict.Case) { c.Card.Offline, c.Card.OfflineTx = true, 1<<32-1 },
	verdict.PinRequired:         func(c *verdict.Case) { c.Card.AmountFen, c.Card.PinAboveFen = 1_850, 1_849 },
	verdict.InsufficientBalance: func(c *verdict.Case) { c.Card.AmountFen, c.Card.BalanceFen = 1_850, new(int64) },
	verdict.TerminalClosed:      func(c *verdict.Case) { c.Card.Closed = true },
	verdict.Internal:            func(c *verdict.Case) { togglePay(c) },
}

// onProof gives the proof to change; a case without one gets one.
func onProof(c *verdict.Case) *verdict.Proof {
	if c.Code.Proof == nil {
		c.Code.Proof = &verdict.Proof{T: c.At / 1000, Counter: 17, Context: 1}
		if c.Code.Kind == signing.Pay {
			c.Code.Proof.Context = 2
		}
	}
	return c.Code.Proof
}

// togglePay makes a pass that holds a payment credential, or a payment without.
func togglePay(c *verdict.Case) {
	if c.Code.Kind == signing.Pay {
		c.Code.Pay = nil
	} else {
		c.Code.Pay = &verdict.Pay{}
	}
}

// refusals are the reasons for which Judge refuses, in order of precedence.
func refusals() (list []verdict.Reason) {
	for _, r := range verdict.Reasons() {
		if r > verdict.Granted && r <= verdict.Internal {
			list = append(list, r)
		}
	}
	return list
}

func wantReason(t *testing.T, c *verdict.Case, want verdict.Reason) verdict.Verdict {
	t.Helper()
	got := verdict.Judge(c)
	if got.Reason != want {
		t.Errorf("judged %v, want %v", got.Reason, want)
	}
	return got
}
