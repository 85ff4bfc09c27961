package apply_test

import (
	"slices"
	"testing"
	"time"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Who works at the community office and lives on the campus is decided upon by
// somebody else.
func TestResident_NobodyReviewsTheirOwnPass(t *testing.T) {
	w := newWorld(t)
	home := w.verify(t, w.lin, true)
	w.change(t, func(tx *store.Tx) error {
		_, err := w.people.AddMember(tx, "test", home, people.NewMember{Person: community, Relation: "子女"})
		return err
	})
	in, refusal, err := w.Create(t.Context(), by(community), apply.Request{Flow: residentFlow, Form: several("2026-05-02", "2026-05-08"), Submit: true})
	ok(t, err)
	if refusal != nil {
		t.Fatal(refusal)
	}
	view, err := w.View(t.Context(), by(community), in.ID)
	ok(t, err)
	if view.Mine == nil {
		return
	}
	done, refusal, err := w.Act(t.Context(), by(community), in.ID, approval.Act{Verb: approval.Decide, Task: view.Mine.Task, Outcome: "agree"})
	ok(t, err)
	if refusal == nil {
		t.Errorf("the applicant agreed to their own pass: %s, %d passes", done.State, len(w.passes(t, community)))
	}
}

// CQ-008: the head of the unit decides, and that is whoever is it now.
func TestHandOver_CQ008_ANewHeadTakesOver(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave bool
	}{{"changed", false}, {"left", true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			in := w.submit(t, teacher, workFlow, work("2026-05-02", "2026-05-08"))
			task := in.Tasks[0].ID
			if c.leave {
				w.leaves(t, head)
			}
			w.change(t, func(tx *store.Tx) error {
				all, err := w.people.Units(t.Context(), tx)
				for i := range all {
					if err == nil && all[i].Head == head {
						all[i].Head = "T1003"
						_, err = w.people.UpdateUnit(tx, "test", all[i])
					}
				}
				return err
			})
			w.now.Add((2 * time.Hour).Milliseconds())
			ok(t, w.Tick(t.Context()))
			view, err := w.View(t.Context(), admin(), in.ID)
			ok(t, err)
			if !slices.Contains(view.Waiting, nameOf(t, w, "T1003")) {
				t.Errorf("waits for %q", view.Waiting)
			}
			if _, _, err := w.Act(t.Context(), by("T1003"), in.ID, approval.Act{Verb: approval.Decide, Task: task, Outcome: "agree"}); err != nil {
				t.Errorf("the new head: %v", err)
			}
			if !c.leave {
				got, refusal, err := w.Act(t.Context(), by(head), in.ID, approval.Act{Verb: approval.Decide, Task: task, Outcome: "agree"})
				ok(t, err)
				if refusal == nil {
					t.Errorf("who is head no longer agreed: %s, %d passes", got.State, len(w.passes(t, teacher)))
				}
			}
		})
	}
}
