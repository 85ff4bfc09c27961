package verdict_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// guideline is a small one; the one that is shipped is tested where it is read.
var guideline = &verdict.Guideline{
	Documents: []verdict.DocumentKind{
		{ID: "work_permit"}, {ID: "deed"}, {ID: "lease"}, {ID: "landlord"}, {ID: "id_card", Beside: true}, {ID: "campus_card", Never: true},
	},
	Rules: []verdict.DocumentRule{
		{ID: "staff", Passes: []signing.Kind{signing.Work, signing.ResidentSingle}, Documents: [][]string{{"work_permit"}}},
		{ID: "owner", Passes: []signing.Kind{signing.ResidentSingle}, Documents: [][]string{{"deed"}}},
		{ID: "tenant", Passes: []signing.Kind{signing.ResidentSingle}, Documents: [][]string{{"lease", "landlord", "id_card"}}},
		{ID: "relative", Register: verdict.RegisterRelative},
		{ID: "visitor", Passes: []signing.Kind{signing.Visitor}, Refuse: true},
	},
}

func TestJudge_DocumentsBesideAPass(t *testing.T) {
	for _, tc := range []struct {
		name    string
		pass    signing.Kind
		shown   []string
		want    verdict.Verdict
		missing []string
	}{
		{"nothing yet", signing.Work, nil, verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedDocument}, nil},
		{"the one", signing.Work, []string{"work_permit"}, verdict.Verdict{Reason: verdict.Granted, Rule: "staff"}, nil},
		{"more than needed", signing.Work, []string{"campus_card", "work_permit"}, verdict.Verdict{Reason: verdict.Granted, Rule: "staff"}, nil},
		{"never valid", signing.Work, []string{"campus_card"}, verdict.Verdict{Reason: verdict.DocumentNotAccepted}, nil},
		{"of another kind of pass", signing.Work, []string{"deed"}, verdict.Verdict{Reason: verdict.DocumentNotAccepted}, nil},
		{"no such document", signing.Work, []string{"ticket"}, verdict.Verdict{Reason: verdict.DocumentNotAccepted}, nil},
		{"one of three", signing.ResidentSingle, []string{"lease"}, verdict.Verdict{Reason: verdict.DocumentIncomplete}, []string{"landlord", "id_card"}},
		{"two of three", signing.ResidentSingle, []string{"id_card", "landlord"}, verdict.Verdict{Reason: verdict.DocumentIncomplete}, []string{"lease"}},
		{"one that proves nothing alone", signing.ResidentSingle, []string{"id_card"}, verdict.Verdict{Reason: verdict.DocumentNotAccepted}, nil},
		{"all three", signing.ResidentSingle, []string{"id_card", "lease", "landlord"}, verdict.Verdict{Reason: verdict.Granted, Rule: "tenant"}, nil},
		{"half of one, all of another", signing.ResidentSingle, []string{"lease", "deed"}, verdict.Verdict{Reason: verdict.Granted, Rule: "owner"}, nil},
		{"a sort that is not let in is not asked", signing.Visitor, nil, verdict.Verdict{Reason: verdict.DocumentNotAccepted, Rule: "visitor"}, nil},
		{"a sort that is not let in", signing.Visitor, []string{"work_permit"}, verdict.Verdict{Reason: verdict.DocumentNotAccepted, Rule: "visitor"}, nil},
		{"a kind of pass that no rule names", signing.Vehicle, []string{"work_permit"}, verdict.Verdict{Reason: verdict.DocumentNotAccepted}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gateCase()
			c.Code.Kind = tc.pass
			c.Document = guideline.Beside(tc.pass, tc.shown)
			if got := verdict.Judge(c); got != tc.want {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
			if got := c.Document.Missing(); !slices.Equal(got, tc.missing) {
				t.Errorf("missing %q, want %q", got, tc.missing)
			}
		})
	}
}

func TestJudge_WithoutAGuidelineAnyDocumentCounts(t *testing.T) {
	var none *verdict.Guideline
	c := gateCase()
	c.Document = none.Beside(signing.Work, []string{"whatever"})
	wantReason(t, c, verdict.Granted)
	c.Document = none.Beside(signing.Work, nil)
	wantReason(t, c, verdict.NeedsInput)
	if _, ok := none.Under("staff", nil); ok {
		t.Error("an entry under a rule that is not known")
	}
}

// vouched is somebody without a code.
func vouched(rule string, shown ...string) *verdict.Case {
	d, _ := guideline.Under(rule, shown)
	return &verdict.Case{At: now, Vouched: true, Lane: verdict.Lane{Gate: 3, Site: "east", Direction: verdict.Entry}, Document: d}
}

func TestJudge_EntriesWithoutACode(t *testing.T) {
	refused := vouched("staff")
	refused.Document.Refused = true
	locked, leaving := vouched("staff", "work_permit"), vouched("staff", "work_permit")
	locked.Policy.Lockdown, leaving.Policy.Lockdown = true, true
	leaving.Lane.Direction = verdict.Exit
	coded := vouched("staff", "work_permit")
	coded.Code = gateCase().Code
	unread := vouched("staff", "work_permit")
	unread.Read = verdict.Malformed
	for name, tc := range map[string]struct {
		c    *verdict.Case
		want verdict.Verdict
	}{
		"by the document":             {vouched("staff", "work_permit"), verdict.Verdict{Reason: verdict.Granted, Rule: "staff"}},
		"nothing shown":               {vouched("staff"), verdict.Verdict{Reason: verdict.DocumentRequired, Rule: "staff"}},
		"nothing to show":             {refused, verdict.Verdict{Reason: verdict.DocumentRequired, Rule: "staff"}},
		"by a document of no use":     {vouched("staff", "deed"), verdict.Verdict{Reason: verdict.DocumentNotAccepted, Rule: "staff"}},
		"by a part":                   {vouched("tenant", "lease"), verdict.Verdict{Reason: verdict.DocumentIncomplete, Rule: "tenant"}},
		"a rule without documents":    {vouched("relative"), verdict.Verdict{Reason: verdict.Granted, Rule: "relative"}},
		"a sort that is not let in":   {vouched("visitor"), verdict.Verdict{Reason: verdict.DocumentNotAccepted, Rule: "visitor"}},
		"not let in, whatever":        {vouched("visitor", "id_card", "deed"), verdict.Verdict{Reason: verdict.DocumentNotAccepted, Rule: "visitor"}},
		"the gate is closed":          {locked, verdict.Verdict{Reason: verdict.Lockdown, Rule: "staff"}},
		"a closed gate keeps nobody":  {leaving, verdict.Verdict{Reason: verdict.Granted, Rule: "staff"}},
		"with a code: makes no sense": {coded, verdict.Verdict{Reason: verdict.Internal}},
		"unreadable: makes no sense":  {unread, verdict.Verdict{Reason: verdict.Internal}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict.Judge(tc.c); got != tc.want {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
		})
	}
}

// Whatever is shown more never takes back what was shown, and what admits is
// always a whole set.
func TestJudge_ShowingMoreNeverHarms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"work_permit", "deed", "lease", "landlord", "id_card", "campus_card", "ticket"}
		draw := func(name string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 4, rapid.ID).Draw(t, name)
		}
		kind := rapid.SampledFrom(signing.GateKinds.Kinds()).Draw(t, "kind")
		few := draw("few")
		more := append(slices.Clone(few), draw("more")...)
		c := gateCase()
		c.Code.Kind, c.Document = kind, guideline.Beside(kind, few)
		before := verdict.Judge(c)
		c.Document = guideline.Beside(kind, more)
		after := verdict.Judge(c)
		if before.Opens() && !after.Opens() {
			t.Fatalf("%q admits by %+v, %q does not: %+v", few, before, more, after)
		}
		if after.Opens() {
			set := c.Document.Complete()
			for _, id := range set.All {
				if !slices.Contains(more, id) {
					t.Fatalf("admitted by %+v with %q", set, more)
				}
			}
		}
	})
}

func TestGuideline_LooksChangeNothing(t *testing.T) {
	shown := []string{"lease", "id_card"}
	d := guideline.Beside(signing.ResidentSingle, shown)
	d.Missing()
	d.Complete()
	if !slices.Equal(shown, []string{"lease", "id_card"}) || !reflect.DeepEqual(guideline.Rule("tenant").Documents, [][]string{{"lease", "landlord", "id_card"}}) {
		t.Fatal("the look left a mark")
	}
	if guideline.Rule("nobody") != nil || guideline.Document("nothing") != nil {
		t.Fatal("found what is not there")
	}
}
