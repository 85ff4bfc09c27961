package verdict_test

import (
	"testing"

	"campusgate/signing/verdict"
)

var used = &verdict.Use{At: now - 40_000, Gate: 8}

func TestJudge_WhoDecides(t *testing.T) {
	ask := func(gate uint16) verdict.Verdict {
		return verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedClaim, Owner: gate}
	}
	granted := verdict.Verdict{Reason: verdict.Granted}
	for _, tc := range []struct {
		name   string
		change func(*verdict.Case)
		want   verdict.Verdict
	}{
		{"its own pass", func(*verdict.Case) {}, granted},
		{"a pass of gate 8", func(c *verdict.Case) { c.Code.Owner = 8 }, ask(8)},
		{"a pass without an owner", func(c *verdict.Case) { c.Code.Owner = 0 }, ask(0)},
		{"a pass that moved here", func(c *verdict.Case) { c.Code.Owner, c.Record.Owner = 8, 3 }, granted},
		{"a pass that moved away", func(c *verdict.Case) { c.Record.Owner = 8 }, ask(8)},
		{"online, its own pass", func(c *verdict.Case) { c.Policy.Mode = verdict.Online }, ask(0)},
		{"online, moved here", func(c *verdict.Case) { c.Policy.Mode, c.Record.Owner = verdict.Online, 3 }, ask(0)},
		{"online, at the server itself", func(c *verdict.Case) { c.Policy.Mode, c.Lane.Gate = verdict.Online, 0 }, granted},
		{"no mode set", func(c *verdict.Case) { c.Policy.Mode, c.Code.Owner = "", 8 }, ask(8)},
		{"first_seen", func(c *verdict.Case) { c.Policy.Mode, c.Code.Owner = verdict.FirstSeen, 8 }, ask(8)},
		{"issued in the second from which it owns", func(c *verdict.Case) { c.Lane.OwnsFrom = c.Code.IssuedAt }, granted},
		{"issued a second before it owns", func(c *verdict.Case) { c.Lane.OwnsFrom = c.Code.IssuedAt + 1 }, ask(3)},
		{"uses not counted", func(c *verdict.Case) { c.Code.Uses, c.Code.Owner = 0, 8 }, granted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gateCase()
			tc.change(c)
			if got := verdict.Judge(c); got != tc.want {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestJudge_PaymentsAskNobody(t *testing.T) {
	c := tillCase()
	c.Code.Uses, c.Code.Owner, c.Policy.Mode = 1, 8, verdict.Online
	wantReason(t, c, verdict.Granted)
}

func TestJudge_Claim(t *testing.T) {
	first := &verdict.Use{At: now - 90_000, Gate: 5}
	for _, tc := range []struct {
		name   string
		claim  verdict.Claim
		record verdict.Record
		want   verdict.Verdict
	}{
		{"granted", verdict.Claim{State: verdict.ClaimGranted}, verdict.Record{}, verdict.Verdict{Reason: verdict.Granted}},
		{
			"used",
			verdict.Claim{State: verdict.ClaimUsed, First: used},
			verdict.Record{First: first},
			verdict.Verdict{Reason: verdict.AlreadyUsed, First: used},
		},
		{
			"used, without saying when",
			verdict.Claim{State: verdict.ClaimUsed},
			verdict.Record{First: first},
			verdict.Verdict{Reason: verdict.AlreadyUsed, First: first},
		},
		{"silent", verdict.Claim{State: verdict.ClaimSilent}, verdict.Record{}, verdict.Verdict{Reason: verdict.OfflineNotAllowed, Owner: 8}},
		{"no such state", verdict.Claim{State: "maybe"}, verdict.Record{}, verdict.Verdict{Reason: verdict.Internal}},
		{
			"known here as used up: nobody is asked",
			verdict.Claim{},
			verdict.Record{Uses: 1, First: first},
			verdict.Verdict{Reason: verdict.AlreadyUsed, First: first},
		},
		{
			// The grant for this gate came back as news before the retry did.
			"granted, and the grant itself counted among the uses",
			verdict.Claim{State: verdict.ClaimGranted},
			verdict.Record{Uses: 1, First: &verdict.Use{At: now - 200, Gate: 3}},
			verdict.Verdict{Reason: verdict.Granted},
		},
		{
			"granted, but this gate let it in before",
			verdict.Claim{State: verdict.ClaimGranted},
			verdict.Record{Recent: &verdict.Recent{At: now - 60_000, Reason: verdict.Granted}},
			verdict.Verdict{Reason: verdict.AlreadyUsed, First: &verdict.Use{At: now - 60_000, Gate: 3}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gateCase()
			c.Code.Uses, c.Code.Owner = 1, 8
			c.Claim, c.Record = tc.claim, tc.record
			got := verdict.Judge(c)
			if (got.First == nil) != (tc.want.First == nil) || got.First != nil && *got.First != *tc.want.First {
				t.Errorf("first use %+v, want %+v", got.First, tc.want.First)
			}
			got.First, tc.want.First = nil, nil
			if got != tc.want {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestJudge_GrantDoesNotReviveAPassThatIsItsOwn(t *testing.T) {
	c := gateCase()
	c.Record.Uses, c.Claim.State = 2, verdict.ClaimGranted
	wantReason(t, c, verdict.AlreadyUsed)
}

func TestJudge_DocumentIsAskedBeforeTheDecider(t *testing.T) {
	c := gateCase()
	c.Code.Owner, c.Document.Required = 8, true
	steps := []struct {
		answer func()
		want   verdict.Verdict
	}{
		{func() {}, verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedDocument}},
		{func() { c.Document = workPermit() }, verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedClaim, Owner: 8}},
		{func() { c.Claim.State = verdict.ClaimGranted }, verdict.Verdict{Reason: verdict.Granted, Rule: "staff"}},
	}
	for i, step := range steps {
		step.answer()
		got := verdict.Judge(c)
		if got != step.want {
			t.Fatalf("step %d: verdict %+v, want %+v", i, got, step.want)
		}
		if got.Opens() != (i == len(steps)-1) {
			t.Fatalf("step %d: opens %v", i, got.Opens())
		}
	}
}

func TestJudge_DocumentsMatterOnlyWhereRequired(t *testing.T) {
	c := gateCase()
	c.Document = verdict.Documents{Refused: true, Barred: true, Shown: []string{"lease"}}
	if v := wantReason(t, c, verdict.Granted); v.Rule != "" {
		t.Errorf("granted by rule %q, and nobody asked for documents", v.Rule)
	}
	c.Document = workPermit()
	wantReason(t, c, verdict.Granted)
}

// workPermit is the answer of a guard who saw one.
func workPermit() verdict.Documents {
	return verdict.Documents{
		Required: true, Shown: []string{"work_permit"},
		Sets: []verdict.DocumentSet{{Rule: "staff", All: []string{"work_permit"}}},
	}
}
