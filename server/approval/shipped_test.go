package approval_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/approval"
)

// cast is a directory in which every role of a flow is held by one person, whose
// id is the role's; p0 may start it.
func cast(f *approval.Flow) *approval.Roster {
	r := &approval.Roster{
		Units: []approval.RosterUnit{{ID: "u", Name: "单位", Head: "chief"}, {ID: "lab", Name: "实验室"}},
		People: []approval.Person{
			{ID: "chief", Name: "首长", Unit: "v", Kind: "staff"},
			{ID: "clerk", Name: "科员", Unit: "u", Kind: "staff"},
			{ID: "boss", Name: "管理员", Kind: "staff"},
			{ID: "r1a", Name: "甲一", Kind: "staff"},
		},
		Boss: []string{"boss"},
	}
	starter := approval.Person{ID: "p0", Name: "申请人", Unit: "v", Kind: "staff", Phone: "13800138000"}
	for _, s := range f.Starters {
		if s.Role != "" {
			r.Posts = append(r.Posts, approval.RosterPost{Role: s.Role, Person: "p0"})
		}
	}
	r.Units = append(r.Units, approval.RosterUnit{ID: "v", Name: "部门", Head: "chief"})
	r.People = append(r.People, starter)
	for _, role := range slices.Sorted(maps.Keys(f.Roles)) {
		if !slices.ContainsFunc(r.Posts, func(p approval.RosterPost) bool { return p.Role == role }) {
			r.People = append(r.People, approval.Person{ID: role, Name: f.Roles[role], Kind: "staff"})
			r.Posts = append(r.Posts, approval.RosterPost{Role: role, Person: role})
		}
	}
	return r
}

// choose gives a form people whom its fields allow.
func choose(form map[string]any, r *approval.Roster, fields ...*approval.Field) map[string]any {
	for _, f := range fields {
		if f.Type == approval.User && f.From != "" {
			among, _ := r.Holders(f.From[len("role:"):])
			form[f.ID] = among[0].ID
		}
	}
	return form
}

// TestFlows_EveryShippedFlowRunsFromSubmitToItsEnd walks each of the
// shipped flows, saying yes wherever it can.
func TestFlows_EveryShippedFlowRunsFromSubmitToItsEnd(t *testing.T) {
	for id, f := range shipped(t) {
		t.Run(id, func(t *testing.T) {
			s := newStage(t, f, cast(f), "p0")
			s.w.Household = approval.Household{ID: "h", Verified: true}
			form := choose(filled(f.Form...), s.roster, f.Form...)
			if f.ID == "zz.purchase.regular" || f.ID == "zz.purchase.urgent" {
				form["type"] = map[string]string{"zz.purchase.regular": "常规项目", "zz.purchase.urgent": "紧急项目"}[f.ID]
			}
			if f.ID == "zz.purchase.regular" {
				form["amount"] = 500000.0
			}
			s.submit(form)
			walks := 0
			rapid.Check(t, func(rt *rapid.T) {
				if walks++; walks > 8 {
					return // enough for each of ninety
				}
				walk := *s
				for n := 0; walk.in.State == approval.Running; n++ {
					if n > 40 {
						rt.Fatalf("no end in sight at %s", walk.in.Step)
					}
					walk.forward(rt)
				}
				if walk.in.State != approval.Completed {
					rt.Fatalf("ended as %s", walk.in.State)
				}
			})
		})
	}
}

// forward decides one pending task with an outcome that goes on.
func (s *stage) forward(rt *rapid.T) {
	who := rapid.SampledFrom(waiting(s.in)).Draw(rt, "who")
	offer, err := s.flow.Offers(s.in, s.person(who), false, s.w)
	if err != nil {
		rt.Fatal(err)
	}
	ways := slices.DeleteFunc(slices.Clone(offer.Task.Outcomes), func(o approval.OutcomeOffer) bool {
		return o.To == approval.ToRejected || o.To == approval.ToStart || o.ID == "redo"
	})
	a := approval.Act{Verb: approval.Decide, Actor: s.person(who), Opinion: "好"}
	o := rapid.SampledFrom(ways).Draw(rt, "way")
	if o.To == approval.ToStay && len(s.in.Records) > 3 {
		o = ways[slices.IndexFunc(ways, func(o approval.OutcomeOffer) bool { return o.ID == "complete" })]
	}
	s.fill(rt, &a, offer.Task, o)
	a.Form = choose(a.Form, s.roster, slices.Concat(offer.Task.Form, o.Form)...)
	for _, f := range slices.Concat(offer.Task.Form, o.Form) {
		if f.Type == approval.Unit && o.StepForm {
			a.Form[f.ID] = "u"
		} else if !o.StepForm {
			delete(a.Form, f.ID)
		}
	}
	s.w.Now = s.w.Now.Add(time.Minute)
	s.once(rt, a)
}
