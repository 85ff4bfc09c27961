package apply_test

import (
	"database/sql"
	"strings"
	"testing"

	"campusgate/server/approval"
	"campusgate/server/people"
	"campusgate/server/retention"
	"campusgate/server/store"
)

func (w *world) keeper(t testing.TB) *retention.Service {
	return retention.New(retention.Config{Store: w.db, Apply: w.Service, Policy: retention.Default, Now: w.Now, Location: campusTime(t)})
}

func (w *world) leaves(t testing.TB, person string) {
	t.Helper()
	left := people.Left
	w.change(t, func(tx *store.Tx) error {
		_, err := w.people.UpdatePerson(tx, "test", person, people.PersonChange{State: &left})
		return err
	})
}

func nameOf(t testing.TB, w *world, person string) string {
	t.Helper()
	p, err := w.people.Find(t.Context(), w.db.Reader(), person)
	ok(t, err)
	return p.Name
}

// Who handed their task on is named nowhere after the erasure.
func TestErase_WhoHandedATaskOnIsForgotten(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-02", "2026-05-08"))
	w.act(t, by(head), in.ID, approval.Act{Verb: approval.Transfer, Task: w.task(t, head, in.ID), To: []string{above}})
	w.leaves(t, head)
	ok(t, w.keeper(t).Erase(t.Context(), "test", head, "本人申请"))
	view, err := w.View(t.Context(), admin(), in.ID)
	ok(t, err)
	for _, l := range view.Trail {
		if l.Actor.Number == head && l.Actor.Name != "" {
			t.Errorf("%s is still named %q at %s", head, l.Actor.Name, l.Verb)
		}
	}
}

// Nobody is erased while a task waits to come back to them.
func TestErase_WaitsForATaskThatComesBack(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-02", "2026-05-08"))
	w.act(t, by(head), in.ID, approval.Act{Verb: approval.AddSign, Task: w.task(t, head, in.ID), To: []string{community}})
	w.leaves(t, head)
	if err := w.keeper(t).Erase(t.Context(), "test", head, "本人申请"); err == nil {
		after := w.decide(t, community, in.ID, "complete", func(a *approval.Act) { a.Opinion = "同意" })
		t.Errorf("erased; the matter is %s and waits for the erased %q", after.State, after.Tasks[0].Candidates)
	}
}

// What was sent to others about a person's matters does not name them.
func TestErase_MessagesToOthersDoNotNameWhoBegan(t *testing.T) {
	w := newWorld(t)
	const who = "T1003"
	name := nameOf(t, w, who)
	in := w.submit(t, who, workFlow, work("2026-05-02", "2026-05-08"))
	w.act(t, by(who), in.ID, approval.Act{Verb: approval.Terminate})
	w.leaves(t, who)
	ok(t, w.keeper(t).Erase(t.Context(), "test", who, "本人申请"))
	texts, err := store.List(t.Context(), w.db.Reader(), func(rows *sql.Rows) (s string, err error) {
		err = rows.Scan(&s)
		return s, err
	}, "SELECT person || ' ' || link || ' ' || text FROM messages")
	ok(t, err)
	for _, s := range texts {
		if strings.Contains(s, name) {
			t.Errorf("erased %s %s: %s", who, name, s)
		}
	}
}

// Nor what was sent about their decisions.
func TestErase_MessagesToOthersDoNotNameWhoDecided(t *testing.T) {
	w := newWorld(t)
	name := nameOf(t, w, head)
	in := w.submit(t, teacher, workFlow, work("2026-05-02", "2026-05-08"))
	w.decide(t, head, in.ID, "agree")
	w.leaves(t, head)
	ok(t, w.keeper(t).Erase(t.Context(), "test", head, "本人申请"))
	var n int
	ok(t, w.db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM messages WHERE instr(text, $1) > 0", name).Scan(&n))
	if n != 0 {
		t.Errorf("%d messages of others still name %s", n, name)
	}
}
