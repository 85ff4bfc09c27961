package lane_test

import (
	"slices"
	"strconv"
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// rules is a guideline in small.
var rules = &verdict.Guideline{
	Documents: []verdict.DocumentKind{
		{ID: "work_permit"},
		{ID: "id_card", Address: true},
		{ID: "lease"},
		{ID: "landlord", Copy: true},
		{ID: "id_elsewhere", Beside: true},
		{ID: "consent_form"},
		{ID: "campus_card", Never: true},
	},
	Rules: []verdict.DocumentRule{
		{ID: "staff", Passes: []signing.Kind{signing.Work, signing.ResidentSingle}, Documents: [][]string{{"work_permit"}}},
		{ID: "resident", Passes: []signing.Kind{signing.ResidentSingle}, Documents: [][]string{{"id_card"}}},
		{ID: "tenant", Passes: []signing.Kind{signing.ResidentSingle}, Documents: [][]string{{"lease", "landlord", "id_elsewhere"}}},
		{ID: "student", Documents: [][]string{{"consent_form"}}, Register: verdict.RegisterStudent, Collect: true},
		{ID: "relative", Register: verdict.RegisterRelative, Relations: []verdict.Relation{{ID: "spouse"}, {ID: "child"}}},
		{ID: "visitor", Passes: []signing.Kind{signing.Visitor}, Refuse: true},
	},
}

// guided is a gate that asks for documents and knows the guideline.
func guided(tb testing.TB) *bench {
	tb.Helper()
	b := newBench(tb, withDocuments)
	b.apply(wire.Delta{Items: []wire.Item{item(tb, wire.ItemDocuments, "", rules)}})
	return b
}

// rejudged wants every decision of the journal to be what the judge says of its
// case, as the server will see it.
func (b *bench) rejudged() {
	b.tb.Helper()
	for _, e := range b.events() {
		if !e.Type.Judged() {
			continue
		}
		if v := verdict.Judge(e.Case); v.Reason != e.Verdict.Reason || v.Rule != e.Verdict.Rule {
			b.tb.Errorf("event %v says %+v, judged again %+v", e.ID, e.Verdict, v)
		}
	}
}

func TestDocument_CQ005_CQ009_TheGuidelineDecides(t *testing.T) {
	for name, c := range map[string]struct {
		shown   []string
		want    verdict.Reason
		rule    string
		missing []string
	}{
		"work permit":    {[]string{"work_permit"}, verdict.Granted, "staff", nil},
		"campus card":    {[]string{"campus_card"}, verdict.DocumentNotAccepted, "", nil},
		"other address":  {[]string{"id_elsewhere"}, verdict.DocumentNotAccepted, "", nil},
		"lease alone":    {[]string{"lease"}, verdict.DocumentIncomplete, "", []string{"landlord", "id_elsewhere"}},
		"tenant's three": {[]string{"lease", "id_elsewhere", "landlord"}, verdict.Granted, "tenant", nil},
		"nothing":        {nil, verdict.DocumentRequired, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := guided(t)
			asked := b.wait("a", b.c.static(t, single(1)))
			effects := b.answer(asked.ID, c.shown...)
			r := shown(t, effects)
			if r.Reason != c.want || r.Rule != c.rule || !slices.Equal(r.Missing, c.missing) || !slices.Equal(r.Documents, c.shown) {
				t.Fatalf("result %+v", r)
			}
			if (opened(effects) == 1) != r.Opens || r.Opens != (c.want == verdict.Granted) {
				t.Fatalf("opens %v, %d pulses", r.Opens, opened(effects))
			}
			e := b.events()[0]
			if !slices.Equal(e.Documents, c.shown) || e.Verdict.Rule != c.rule {
				t.Fatalf("event %+v", e)
			}
			b.rejudged()
		})
	}
}

func TestDocument_CQ035_AVisitorsPassIsRefusedAtOnce(t *testing.T) {
	b := guided(t)
	p := single(1)
	p.Kind = signing.Visitor
	if r := b.refuse("a", b.c.static(t, p), verdict.DocumentNotAccepted); !r.Barred {
		t.Fatalf("result %+v", r)
	}
	b.rejudged()
	// Where no documents are asked for the guideline is not in force.
	open := newBench(t, nil)
	open.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemDocuments, "", rules)}})
	open.admit("a", open.c.static(t, p))
}

func TestDocument_CQ001_ExitsAreNotAskedForAny(t *testing.T) {
	b := guided(t)
	b.admit("out", b.c.static(t, single(1)))
	if e := b.events()[0]; e.Case.Document.Required || len(e.Case.Document.Sets) > 0 {
		t.Fatalf("case %+v", e.Case.Document)
	}
}

// The guideline of the moment of the answer counts: it may have come while the
// guard looked.
func TestDocument_GuidelineComesMeanwhile(t *testing.T) {
	b := newBench(t, withDocuments)
	r := b.wait("a", b.c.static(t, single(1)))
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemDocuments, "", rules)}})
	if done := shown(t, b.answer(r.ID, "campus_card")); done.Reason != verdict.DocumentNotAccepted {
		t.Fatalf("result %+v", done)
	}
}

// enter steps an entry; the lane is a, the direction in, unless it says more.
func (b *bench) enter(in lane.Entry) []desk.Effect {
	b.n++
	in.Stamp, in.ID, in.Guideline = b.stamp(), "g"+string(rune('a'+b.n)), b.snap.Guideline()
	if in.Lane == "" {
		in.Lane = "a"
	}
	if in.Direction == "" {
		in.Direction = verdict.Entry
	}
	return b.step(in)
}

func TestEntry_CQ021_CQ035_TheRuleAdmitsOrRefuses(t *testing.T) {
	b := guided(t)
	effects := b.enter(lane.Entry{Rule: "staff", Documents: []string{"work_permit"}, Note: "手机没电"})
	r := shown(t, effects)
	if opened(effects) != 1 || r.Reason != verdict.Granted || r.Rule != "staff" || !r.Vouched || r.Event == nil {
		t.Fatalf("result %+v", r)
	}
	for rule, want := range map[string]verdict.Reason{
		"visitor": verdict.DocumentNotAccepted, "staff": verdict.DocumentRequired, "tenant": verdict.DocumentRequired,
	} {
		if effects := b.enter(lane.Entry{Rule: rule}); opened(effects) != 0 || shown(t, effects).Reason != want {
			t.Errorf("%s: %+v, want %v", rule, effects, want)
		}
	}
	e := b.events()[0]
	if e.Type != wire.EventEntry || e.Note != "手机没电" || e.Counts || e.Source != lane.SourceGuard || e.Documents[0] != "work_permit" {
		t.Fatalf("event %+v", e)
	}
	if n := len(b.events()); n != 4 {
		t.Fatalf("%d events, want the refusals too", n)
	}
	b.rejudged()
}

// A pass that was looked up is named, and neither used nor shown again.
func TestEntry_DoesNotUseAPassThatWasLookedUp(t *testing.T) {
	b := guided(t)
	p := single(1)
	b.enter(lane.Entry{Rule: "resident", Documents: []string{"id_card"}, Pass: p.ID})
	if e := b.events()[0]; e.Pass != p.ID || e.Counts {
		t.Fatalf("event %+v", e)
	}
	asked := b.wait("a", b.c.static(t, p))
	if opened(b.answer(asked.ID, "id_card")) != 1 {
		t.Fatal("the pass itself is not good any more")
	}
}

func TestEntry_WhatIsWrongChangesNothing(t *testing.T) {
	b := guided(t)
	student := &wire.Register{Person: "沈未央"}
	long := string(make([]byte, 300))
	for name, c := range map[string]struct {
		in   lane.Entry
		want error
	}{
		"no lane":             {lane.Entry{Lane: "z", Rule: "staff"}, desk.ErrNoLane},
		"no rule":             {lane.Entry{Rule: "nobody"}, lane.ErrNoRule},
		"no direction":        {lane.Entry{Rule: "staff", Direction: "up"}, lane.ErrBadEntry},
		"leaving":             {lane.Entry{Rule: "staff", Direction: verdict.Exit, Documents: []string{"work_permit"}}, lane.ErrBadEntry},
		"a document twice":    {lane.Entry{Rule: "staff", Documents: []string{"work_permit", "work_permit"}}, lane.ErrBadEntry},
		"hostile note":        {lane.Entry{Rule: "staff", Note: "a\u202eb"}, lane.ErrBadEntry},
		"endless note":        {lane.Entry{Rule: "staff", Note: long}, lane.ErrBadEntry},
		"no register kept":    {lane.Entry{Rule: "staff", Register: student}, lane.ErrBadEntry},
		"register missing":    {lane.Entry{Rule: "student", Documents: []string{"consent_form"}}, lane.ErrBadEntry},
		"nobody":              {lane.Entry{Rule: "student", Register: &wire.Register{}}, lane.ErrBadEntry},
		"relation of student": {lane.Entry{Rule: "student", Register: &wire.Register{Person: "沈未央", Relation: "child"}}, lane.ErrBadEntry},
		"relative of nobody":  {lane.Entry{Rule: "relative", Register: &wire.Register{Person: "顾长青", Relation: "spouse"}}, lane.ErrBadEntry},
		"another relation":    {lane.Entry{Rule: "relative", Register: &wire.Register{Person: "顾长青", Relation: "cousin", Staff: "陆知行"}}, lane.ErrBadEntry},
		"ends nothing":        {lane.Entry{Rule: "student", Register: &wire.Register{Ends: &wire.EventID{Agent: 13, Epoch: 1, Seq: 7}}}, lane.ErrNoRegister},
		"begins by ending":    {lane.Entry{Rule: "student", Direction: verdict.Exit, Register: &wire.Register{Ends: &wire.EventID{Seq: 7}}}, lane.ErrBadEntry},
	} {
		t.Run(name, func(t *testing.T) {
			effects := b.enter(c.in)
			if rej := find[desk.Reject](t, effects); !errorIs(rej.Err, c.want) || len(effects) != 1 {
				t.Fatalf("got %+v, want %v", effects, c.want)
			}
		})
	}
	if n := len(b.events()); n != 0 {
		t.Fatalf("%d events", n)
	}
}

func (b *bench) registers() []lane.Registered {
	b.tb.Helper()
	return must[[]lane.Registered](b.tb)(b.j.Registers(b.tb.Context()))
}

func TestRegister_CQ031_StudentLeavesAndComesBackWithTheForm(t *testing.T) {
	b := guided(t)
	form := []string{"consent_form"}
	who := &wire.Register{Person: "沈未央", Number: "2019114"}
	if effects := b.enter(lane.Entry{Rule: "student", Direction: verdict.Exit, Lane: "out", Register: who}); shown(t, effects).Reason != verdict.DocumentRequired {
		t.Fatalf("without the form: %+v", effects)
	}
	effects := b.enter(lane.Entry{Rule: "student", Direction: verdict.Exit, Lane: "out", Documents: form, Register: who})
	left := shown(t, effects)
	if find[lane.Open](t, effects).Lane != "out" || left.Name != "沈未央" || left.Direction != verdict.Exit {
		t.Fatalf("left: %+v", effects)
	}
	list := b.registers()
	if len(list) != 1 || list[0].EndedAt != 0 || list[0].Event != *left.Event || list[0].Register.Number != "2019114" || list[0].Rule != "student" {
		t.Fatalf("register %+v", list)
	}
	b.pass(3_600_000)
	b.reopen()
	b.restart()
	back := &wire.Register{Ends: left.Event}
	if effects := b.enter(lane.Entry{Rule: "student", Register: back}); shown(t, effects).Reason != verdict.DocumentRequired {
		t.Fatalf("back without the form: %+v", effects)
	}
	if opened(b.enter(lane.Entry{Rule: "student", Documents: form, Register: back})) != 1 {
		t.Fatal("not let in again")
	}
	if list := b.registers(); len(list) != 1 || list[0].EndedAt != noonMS+3_600_000 {
		t.Fatalf("register %+v", list)
	}
	events := b.events()
	e := events[len(events)-1]
	if e.Type != wire.EventRegister || !e.Register.Collected || e.Register.Person != "沈未央" || *e.Register.Ends != *left.Event {
		t.Fatalf("event %+v %+v", e, e.Register)
	}
	if events[1].Register.Collected {
		t.Error("collected when they left")
	}
	if rej := find[desk.Reject](t, b.enter(lane.Entry{Rule: "student", Documents: form, Register: back})); rej.Err != lane.ErrNoRegister {
		t.Errorf("back twice: %v", rej.Err)
	}
	b.rejudged()
}

func TestRegister_CQ033_RelativesOfStaffComeAndLeave(t *testing.T) {
	b := guided(t)
	who := &wire.Register{Person: "顾长青", Relation: "spouse", Staff: "陆知行"}
	came := shown(t, b.enter(lane.Entry{Rule: "relative", Register: who}))
	if !came.Opens {
		t.Fatalf("not let in: %+v", came)
	}
	if opened(b.enter(lane.Entry{Rule: "relative", Direction: verdict.Exit, Lane: "out", Register: &wire.Register{Ends: came.Event}})) != 1 {
		t.Fatal("not let out")
	}
	if list := b.registers(); len(list) != 1 || list[0].EndedAt == 0 || list[0].Register.Staff != "陆知行" {
		t.Fatalf("register %+v", list)
	}
	b.rejudged()
}

// Nobody went through: then nobody is out, and whoever had come back still is.
func TestRegister_AnnulTakesTheLineBack(t *testing.T) {
	b := guided(t)
	form := []string{"consent_form"}
	leave := lane.Entry{Rule: "student", Direction: verdict.Exit, Lane: "out", Documents: form, Register: &wire.Register{Person: "沈未央"}}
	b.annul(shown(t, b.enter(leave)).ID)
	if list := b.registers(); len(list) != 0 {
		t.Fatalf("register %+v", list)
	}
	left := shown(t, b.enter(leave))
	back := shown(t, b.enter(lane.Entry{Rule: "student", Documents: form, Register: &wire.Register{Ends: left.Event}}))
	b.annul(back.ID)
	if list := b.registers(); len(list) != 1 || list[0].EndedAt != 0 {
		t.Fatalf("register %+v", list)
	}
}

// At a gate that does not know when the student left, the return is an event all
// the same; the server puts the two together.
func TestRegister_ReturnToAnotherGate(t *testing.T) {
	b := guided(t)
	effects := b.enter(lane.Entry{Rule: "student", Documents: []string{"consent_form"}, Register: &wire.Register{Person: "沈未央", Number: "2019114"}})
	if opened(effects) != 1 || len(b.registers()) != 0 {
		t.Fatalf("effects %+v, register %+v", effects, b.registers())
	}
	if r := b.events()[0].Register; !r.Collected || r.Ends != nil {
		t.Fatalf("register %+v", r)
	}
}

// A refusal stays one, whoever gave it and however: also where the gate has stopped
// asking for documents meanwhile.
func TestDocument_ARefusalNeverOpens(t *testing.T) {
	for name, refuse := range map[string]func(b *bench, id string) []desk.Effect{
		"the guard's": func(b *bench, id string) []desk.Effect {
			return b.step(lane.Answer{Stamp: b.stamp(), ID: id, Refuse: true, Guideline: b.snap.Guideline()})
		},
		"a minute's silence": func(b *bench, _ string) []desk.Effect {
			b.pass(lane.DocumentMS)
			return b.tick()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, withDocuments)
			b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemDocuments, "", rules)}})
			r := shown(t, b.scan("a", b.c.static(t, single(1))))
			if r.Need != verdict.NeedDocument {
				t.Fatalf("result %+v", r)
			}
			here := wire.Gate{ID: home, Name: "东门", Zone: 1, Mode: verdict.Owner} // without documents
			b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemGate, strconv.Itoa(home), here)}})
			b.pass(1000)
			effects := refuse(b, r.ID)
			if r := shown(t, effects); opened(effects) != 0 || r.Reason != verdict.DocumentRequired {
				t.Errorf("result %+v", r)
			}
		})
	}
}
