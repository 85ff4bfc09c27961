package audit_test

import (
	"testing"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Entries without a code, and scans with documents, are judged again from what
// the gate wrote of the guideline: no guideline of that day is needed.
func TestOpinion_CQ005_CQ035_RepeatsWhatDocumentsDecided(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	g := &verdict.Guideline{
		Documents: []verdict.DocumentKind{{ID: "work_permit"}, {ID: "lease"}, {ID: "id_card", Beside: true}},
		Rules: []verdict.DocumentRule{
			{ID: "staff", Passes: []signing.Kind{signing.ResidentMulti}, Documents: [][]string{{"work_permit"}}},
			{ID: "tenant", Passes: []signing.Kind{signing.ResidentMulti}, Documents: [][]string{{"lease", "id_card"}}},
			{ID: "visitor", Refuse: true},
			{ID: "relative", Register: verdict.RegisterRelative},
		},
	}
	p := w.pass(t, 0)
	want := opinions{}
	scan := func(reason verdict.Reason, shown ...string) {
		t.Helper()
		c := a.kase(p, noon+int64(len(want))*minute)
		c.Document = g.Beside(p.Kind, shown)
		want[a.scan(t, c, "")] = reason
	}
	scan(verdict.Granted, "work_permit")
	scan(verdict.DocumentIncomplete, "lease")
	scan(verdict.DocumentNotAccepted, "id_card")
	enter := func(typ wire.EventType, rule string, reason verdict.Reason, shown ...string) {
		t.Helper()
		c := &verdict.Case{At: noon + int64(len(want))*minute, Vouched: true, Lane: verdict.Lane{Gate: a.id(), Site: site, Direction: verdict.Entry}}
		c.Document, _ = g.Under(rule, shown)
		e := wire.Event{Type: typ, At: c.At, Case: c, Documents: shown, Verdict: verdict.Judge(c), Guard: "G1"}
		if typ == wire.EventRegister {
			e.Register = &wire.Register{Kind: verdict.RegisterRelative, Person: "顾长青", Relation: "spouse", Staff: "陆知行"}
		}
		want[a.write(t, e)] = reason
	}
	enter(wire.EventEntry, "staff", verdict.Granted, "work_permit")
	enter(wire.EventEntry, "visitor", verdict.DocumentNotAccepted)
	enter(wire.EventRegister, "relative", verdict.Granted)
	a.write(t, wire.Event{Type: wire.EventShift, At: noon, Guard: "G1", Shift: wire.ShiftBegins})
	a.send(t)
	w.wants(t, want)
	if f, err := w.auditor.Figures(t.Context()); err != nil || f.Disagreements != 0 {
		t.Fatalf("figures %+v, %v", f, err)
	}

	// A gate that let somebody in whom its own case refuses is found out.
	c := &verdict.Case{At: noon, Vouched: true, Lane: verdict.Lane{Gate: a.id(), Site: site, Direction: verdict.Entry}}
	c.Document, _ = g.Under("visitor", nil)
	want[a.write(t, wire.Event{Type: wire.EventEntry, At: noon, Case: c, Verdict: verdict.Verdict{Reason: verdict.Granted}})] = verdict.DocumentNotAccepted
	a.send(t)
	w.wants(t, want)
	if f, err := w.auditor.Figures(t.Context()); err != nil || f.Disagreements != 1 {
		t.Fatalf("figures %+v, %v", f, err)
	}
}
