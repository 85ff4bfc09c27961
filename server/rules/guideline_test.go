package rules_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/rules"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

func sample(t testing.TB) string {
	t.Helper()
	text, err := configs.Samples.ReadFile(rules.Sample)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func shipped(t testing.TB) *verdict.Guideline {
	t.Helper()
	g, err := rules.Parse(rules.Sample, []byte(sample(t)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

const now = 1788235200250

// beside judges a good pass of a kind with these documents shown.
func beside(g *verdict.Guideline, kind signing.Kind, shown ...string) (verdict.Verdict, []string) {
	c := &verdict.Case{
		At:       now,
		Code:     verdict.Code{Kind: kind, ID: signing.PassID{1}, Site: "east", Expires: now/1000 + 3600},
		Lane:     verdict.Lane{Gate: 3, Site: "east", Direction: verdict.Entry, Kinds: signing.GateKinds},
		Document: g.Beside(kind, shown),
	}
	return verdict.Judge(c), c.Document.Missing()
}

// under judges somebody without a code.
func under(t *testing.T, g *verdict.Guideline, rule string, shown ...string) (verdict.Verdict, []string) {
	t.Helper()
	d, ok := g.Under(rule, shown)
	if !ok {
		t.Fatalf("no rule %q", rule)
	}
	c := &verdict.Case{At: now, Vouched: true, Lane: verdict.Lane{Gate: 3, Site: "east", Direction: verdict.Entry}, Document: d}
	return verdict.Judge(c), c.Document.Missing()
}

// row is one line of the 2020 guideline: what is shown, and what comes of it.
type row struct {
	id, name string
	pass     signing.Kind // 0 = no code: the rule holds by itself
	rule     string       // that admits, or under which somebody without a code is judged
	shown    string
	want     verdict.Reason
	missing  string
}

const (
	home     = signing.ResidentSingle
	work     = signing.Work
	none     = signing.Kind(0)
	in       = verdict.Granted
	asks     = verdict.NeedsInput
	nothing  = verdict.DocumentRequired
	rejected = verdict.DocumentNotAccepted
	part     = verdict.DocumentIncomplete
)

var rows = []row{
	{"CQ-005", "a code alone is not enough", home, "", "", asks, ""},
	{"CQ-005", "nor is it for staff", work, "", "", asks, ""},
	{"CQ-005", "code and document", home, "resident", "id_card", in, ""},
	{"CQ-009", "work pass and work permit", work, "staff", "work_permit", in, ""},
	{"CQ-009", "work pass and address paper", work, "", "residence_permit", rejected, ""},
	{"CQ-009", "work pass and somebody's ID card", work, "", "id_card_elsewhere", rejected, ""},
	{"CQ-010", "resumed work and address", none, "returning", "resumption_certificate id_card", in, ""},
	{"CQ-010", "resumed work and flat", none, "returning", "resumption_certificate property_certificate", in, ""},
	{"CQ-010", "resumed work alone", none, "returning", "resumption_certificate", part, "id_card"},
	{"CQ-010", "address alone", none, "returning", "residence_permit", part, "resumption_certificate"},
	{"CQ-010", "no code is named, but one does no harm", home, "resident", "resumption_certificate id_card", in, ""},
	{"CQ-022", "staff at home", home, "staff", "work_permit", in, ""},
	{"CQ-022", "staff without a code", none, "staff", "work_permit", in, ""},
	{"CQ-023", "certificate of a unit", home, "staff", "work_certificate", in, ""},
	{"CQ-023", "that of another employer is another paper", none, "staff", "employer_certificate", rejected, ""},
	{"CQ-024", "retired", home, "retired", "retirement_card", in, ""},
	{"CQ-024", "retired, with a work pass", work, "", "retirement_card", rejected, ""},
	{"CQ-025", "ID card", home, "resident", "id_card", in, ""},
	{"CQ-025", "residence permit", home, "resident", "residence_permit", in, ""},
	{"CQ-025", "temporary paper", signing.ResidentMulti, "resident", "temporary_permit", in, ""},
	{"CQ-025", "ID card with another address", home, "", "id_card_elsewhere", rejected, ""},
	{"CQ-025", "without a code", none, "resident", "temporary_permit", in, ""},
	{"CQ-028", "property certificate", home, "owner", "property_certificate", in, ""},
	{"CQ-028", "proof of the housing office", home, "owner", "property_proof", in, ""},
	{"CQ-028", "with the ID card that shows no campus address", home, "owner", "id_card_elsewhere property_certificate", in, ""},
	{"CQ-029", "all three", home, "tenant", "lease landlord_certificate id_card_elsewhere", in, ""},
	{"CQ-029", "all three, in any order", home, "tenant", "id_card_elsewhere landlord_certificate lease", in, ""},
	{"CQ-029", "without the lease", home, "", "landlord_certificate id_card_elsewhere", part, "lease"},
	{"CQ-029", "without the landlord's", home, "", "lease id_card_elsewhere", part, "landlord_certificate"},
	{"CQ-029", "without the ID card", home, "", "lease landlord_certificate", part, "id_card_elsewhere"},
	{"CQ-029", "lease alone", home, "", "lease", part, "landlord_certificate id_card_elsewhere"},
	{"CQ-030", "both", work, "contract", "employer_certificate id_card_elsewhere", in, ""},
	{"CQ-030", "without the ID card", work, "", "employer_certificate", part, "id_card_elsewhere"},
	{"CQ-030", "without the certificate", none, "contract", "id_card_elsewhere", rejected, ""},
	{"CQ-031", "consent form", none, "winter_student", "consent_form", in, ""},
	{"CQ-031", "no consent form", none, "winter_student", "", nothing, ""},
	{"CQ-031", "a campus card instead", none, "winter_student", "campus_card", rejected, ""},
	{"CQ-032", "letter", none, "government", "introduction_letter", in, ""},
	{"CQ-032", "certificate", none, "government", "government_certificate", in, ""},
	{"CQ-032", "nothing", none, "government", "", nothing, ""},
	{"CQ-033", "needs no paper, only the register", none, "relative", "", in, ""},
	{"CQ-034", "campus card", work, "", "campus_card", rejected, ""},
	{"CQ-034", "senior citizen card", home, "", "elder_card", rejected, ""},
	{"CQ-034", "anything else", home, "", "other", rejected, ""},
	{"CQ-034", "not even without a code", none, "staff", "campus_card", rejected, ""},
	{"CQ-034", "does not spoil what counts", home, "retired", "elder_card retirement_card", in, ""},
	{"CQ-035", "a visitor", none, "visitor", "", rejected, ""},
	{"CQ-035", "whatever is shown", none, "visitor", "id_card work_permit", rejected, ""},
	{"CQ-035", "with a visitor's pass", signing.Visitor, "", "", rejected, ""},
}

func TestJudge_Guideline2020(t *testing.T) {
	g := shipped(t)
	for _, r := range rows {
		t.Run(r.id+" "+r.name, func(t *testing.T) {
			shown := strings.Fields(r.shown)
			judge := func() (verdict.Verdict, []string) { return beside(g, r.pass, shown...) }
			if r.pass == none {
				judge = func() (verdict.Verdict, []string) { return under(t, g, r.rule, shown...) }
			}
			v, missing := judge()
			if v.Reason != r.want || !slices.Equal(missing, strings.Fields(r.missing)) {
				t.Fatalf("%v and %q are missing, want %v and %q", v.Reason, missing, r.want, r.missing)
			}
			if (v.Opens() || r.pass == none) && v.Rule != r.rule {
				t.Errorf("judged by %q, want %q", v.Rule, r.rule)
			}
		})
	}
}

// the campus address binds the ID card, the residence permit and the
// temporary paper, and nothing else.
func TestSample_CQ022_CQ023_CQ024_CQ025_OnlyAddressPapersNeedAnAddress(t *testing.T) {
	var address []string
	for _, k := range shipped(t).Documents {
		if k.Address {
			address = append(address, k.ID)
		}
	}
	if want := []string{"id_card", "residence_permit", "temporary_permit"}; !slices.Equal(address, want) {
		t.Errorf("%q need a campus address, want %q", address, want)
	}
}

func TestSample_SaysWhatTheGuardMustKnow(t *testing.T) {
	g := shipped(t)
	t.Run("CQ-026", func(t *testing.T) {
		if issuer := g.Document("temporary_permit").Issuer.ZH; !strings.Contains(issuer, "沙坪坝派出所") || !strings.Contains(issuer, "渝碚路派出所") {
			t.Errorf("issuer %q", issuer)
		}
	})
	t.Run("CQ-027", func(t *testing.T) {
		want := []verdict.Addresses{
			{Campus: "A", Places: []string{"新华村", "松林坡", "东林村", "柏树林", "重大花园"}},
			{Campus: "B", Places: []string{"建工东村", "建工新村"}},
			{Campus: "C", Places: []string{"渝碚路131号"}},
		}
		if !slices.EqualFunc(g.Addresses, want, func(a, b verdict.Addresses) bool {
			return a.Campus == b.Campus && slices.Equal(a.Places, b.Places)
		}) {
			t.Errorf("addresses %+v", g.Addresses)
		}
	})
	t.Run("CQ-029", func(t *testing.T) {
		if k := g.Document("landlord_certificate"); !k.Copy || k.Issuer.ZH != "重庆大学" {
			t.Errorf("landlord's certificate %+v", k)
		}
	})
	t.Run("CQ-031", func(t *testing.T) {
		if r := g.Rule("winter_student"); r.Register != verdict.RegisterStudent || !r.Collect {
			t.Errorf("rule %+v", r)
		}
	})
	t.Run("CQ-033", func(t *testing.T) {
		var names []string
		for _, rel := range g.Rule("relative").Relations {
			names = append(names, rel.Name.ZH)
		}
		if !slices.Equal(names, []string{"配偶", "父母", "岳父母", "子女"}) || g.Rule("relative").Register != verdict.RegisterRelative {
			t.Errorf("relations %q", names)
		}
	})
}

func TestParse_NamesLineAndKeyOfTheFault(t *testing.T) {
	const head = `documents:
  - {id: permit, zh: 工作证, en: Permit}
  - {id: card, zh: 身份证, en: Card, beside: true}
  - {id: never, zh: 一卡通, en: Never, never: true}
rules:
`
	const all = "  - {id: all, zh: 全部, en: All, passes: [resident_single, resident_multi, work, visitor, vehicle], documents: [[permit]]}\n"
	if _, err := rules.Parse("x.yaml", []byte(head+all)); err != nil {
		t.Fatal(err)
	}
	rule := func(rest string) string { return head + all + "  - {id: one, zh: 一, en: One, " + rest + "}\n" }
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", "x.yaml: documents: missing"},
		"no rules":             {head, "x.yaml:5: rules: missing"},
		"unknown key":          {strings.Replace(head, "beside", "besides", 1) + all, "x.yaml:3:"},
		"bad id":               {strings.Replace(head, "id: permit", "id: Permit!", 1) + all, "x.yaml:2: documents[0].id"},
		"id twice":             {strings.Replace(head, "id: card", "id: permit", 1) + all, "x.yaml:3: documents[1].id"},
		"no English":           {strings.Replace(head, ", en: Card", "", 1) + all, "x.yaml:3: documents[1].en: missing"},
		"control character":    {strings.Replace(head, "en: Card", `en: "a\tb"`, 1) + all, "U+0009"},
		"bidirectional":        {strings.Replace(head, "en: Card", `en: "a\u202Eb"`, 1) + all, "U+202E"},
		"endless name":         {strings.Replace(head, "en: Card", "en: "+strings.Repeat("x", 10_000), 1) + all, "at most 120"},
		"bad form":             {strings.Replace(head, "beside: true", "form: fax", 1) + all, "documents[1].form"},
		"never, beside":        {strings.Replace(head, "never: true", "never: true, beside: true", 1) + all, "documents[2].never"},
		"kind of pass missing": {head + strings.Replace(all, ", visitor", "", 1), "x.yaml:6: rules: no rule names passes: [visitor]"},
		"no such pass":         {rule("passes: [pay], documents: [[permit]]"), "x.yaml:7: rules[1].passes[0]"},
		"no such document":     {rule("documents: [[permit, passport]]"), "x.yaml:7: rules[1].documents[0][1]: \"passport\""},
		"never valid":          {rule("documents: [[never]]"), "never admits anybody"},
		"proves nothing":       {rule("documents: [[card]]"), "rules[1].documents[0]: proves nothing"},
		"empty set":            {rule("documents: [[]]"), "want 1 to 5"},
		"twice in a set":       {rule("documents: [[permit, permit]]"), "in the set already"},
		"everybody":            {rule("note: {zh: 好, en: ok}"), "lets everybody in"},
		"refuses with papers":  {rule("effect: refuse, documents: [[permit]]"), "rules[1].documents: a rule that refuses"},
		"bad effect":           {rule("effect: maybe, documents: [[permit]]"), "rules[1].effect"},
		"bad register":         {rule("register: cars, documents: [[permit]]"), "rules[1].register"},
		"register and code":    {rule("register: student, passes: [work], documents: [[permit]]"), "rules[1].passes"},
		"relative of nobody":   {rule("register: relative"), "rules[1].relations"},
		"collects nothing":     {rule("register: student, collect: true"), "rules[1].collect"},
		"too long":             {strings.Repeat("#", rules.MaxYAML+1), "at most"},
		"second document":      {head + all + "---\na: 1\n", "more than one document"},
		"broken text":          {head + all + "\xff\xfe", "x.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := rules.Parse("x.yaml", []byte(c.text))
			if g != nil || !errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want a fault with %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample(f))
	f.Add("documents: [{id: a, zh: 一, en: one}]\nrules: [{id: r, zh: 一, en: one, effect: refuse}]\n")
	f.Add("documents: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := rules.Parse("x.yaml", []byte(text))
		if (g == nil) == (err == nil) || err != nil && !errors.Is(err, configs.ErrConfig) {
			t.Fatalf("%v %v", g, err)
		}
	})
}
