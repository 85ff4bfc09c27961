package api_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/retention"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What is planted wherever the API takes it. The number is of nobody.
const (
	markName   = "欧阳标记甲"
	markPhone  = "13800139876"
	markNumber = "11010519491231002X"
	markText   = markName + " " + markPhone + " " + markNumber
)

// marksIn names the files that hold a mark: the database, its log, attachments.
func (w *world) marksIn(t testing.TB) (found []string) {
	t.Helper()
	ok(t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, mark := range []string{markName, markPhone, markNumber} {
			if bytes.Contains(data, []byte(mark)) {
				found = append(found, filepath.Base(path)+": "+mark)
			}
		}
		return err
	}))
	return found
}

// planted has somebody use everything that takes a text.
func (w *world) planted(t testing.TB) (session, application string) {
	t.Helper()
	enter := w.settle(t)
	w.want(t, 201, "POST", "/api/v1/people", map[string]any{
		"number": "Z9001", "name": markName, "kind": "staff", "unit": "", "phone": markPhone, "id_number": markNumber, "mail": "z9001@example.edu",
	}, nil)
	w.byPassword(t, "Z9001", w.initial(t, "Z9001"))
	session = enter("Z9001")
	a := w.workPass(t, session, markText, true)
	w.workPass(t, session, markText, false)
	w.attach(t, session, markName+".txt", []byte(markText))
	w.want(t, 201, "POST", "/api/v1/tokens", map[string]any{"name": "other", "scopes": []string{"stats"}}, nil)
	var made struct{ ID string }
	w.want(t, 201, "POST", "/api/v1/passes", map[string]any{
		"kind": "resident_single", "name": "欧阳标记甲", "doc4": "002X", "from": "2026-11-21", "until": "2026-11-22", "uses": 1, "zones": []int{1}, "owner_gate": 1,
	}, &made)
	w.want(t, 200, "POST", "/api/v1/passes/"+made.ID+"/revoke", map[string]any{"reason": markText}, nil)
	w.upload(t, w.token, "persons", "people.csv", []byte("学工号,姓名\nZ9001,"+markName+"\n"))
	_, err := w.db.RecordOwn(t.Context(), wire.Event{
		Type: wire.EventRegister, At: w.now.Load(), Gate: 1, Case: &verdict.Case{},
		Register: &wire.Register{Kind: verdict.RegisterStudent, Person: markName, Number: markNumber}, Verdict: verdict.Verdict{Reason: verdict.Granted},
	})
	ok(t, err)
	return session, a.ID
}

// TestErase_AfterItAndTheDaysNobodyCanBeFoundInTheFile plants marks, erases the
// person, lets the days pass, and looks for the marks in the bytes of every file.
func TestErase_AfterItAndTheDaysNobodyCanBeFoundInTheFile(t *testing.T) {
	w := newWorld(t)
	session, matter := w.planted(t)
	ok(t, w.db.EmptyLog(t.Context()))
	if got := w.marksIn(t); len(got) < 3 {
		t.Fatalf("the marks were not planted: %q", got)
	}
	erase := func(number string) reply {
		return w.call(t, w.token, "POST", "/api/v1/people/"+number+"/erase", map[string]any{"reason": "本人申请 2026-11-21"})
	}
	w.refused(t, erase("nobody"), 404, "not_found")
	p := w.refused(t, erase("Z9001"), 409, "person_open")
	if !strings.Contains(p.Details.What, "applications") {
		t.Errorf("what is open: %+v", p.Details)
	}
	var person api.Person
	if w.want(t, 200, "GET", "/api/v1/people/Z9001", nil, &person); person.Name != markName {
		t.Errorf("a refused erasure left %+v", person)
	}
	w.act(t, session, matter, map[string]any{"verb": "withdraw"})
	if r := erase("Z9001"); r.status != 204 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if w.want(t, 200, "GET", "/api/v1/people/Z9001", nil, &person); person.Name != "" || person.Phone != "" || person.IDNumber != "" || person.State != "left" {
		t.Errorf("after the erasure: %+v", person)
	}
	if r := w.call(t, session, "GET", "/api/v1/me", nil); r.status != 401 {
		t.Errorf("an erased person's session: %d", r.status)
	}
	w.refused(t, erase("Z9001"), 409, "used")

	// What the person's number does not lead to goes with its days.
	w.pass(500 * 24 * time.Hour)
	w.later(t)
	if got := w.marksIn(t); len(got) != 0 {
		t.Errorf("found again: %q", got)
	}
	if n, err := w.db.VerifyTrail(t.Context()); err != nil || n == 0 {
		t.Errorf("the trail: %d, %v", n, err)
	}
}

// later does what a running server does by its schedule.
func (w *world) later(t testing.TB) {
	t.Helper()
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error { // as the auditor has
		return tx.Exec("UPDATE counters SET value = (SELECT c.value FROM counters c WHERE c.name = 'position') WHERE name IN ('judged', 'charges_followed')")
	}))
	ok(t, w.apply.Tick(t.Context()))
	ok(t, w.db.PruneFeed(t.Context(), w.now.Load()-30*24*3600*1000))
	ok(t, w.doors.Prune(t.Context()))
	keep := retention.New(retention.Config{Store: w.db, Apply: w.apply, Policy: retention.Default, Now: w.Now, Location: time.UTC})
	ok(t, keep.Tick(t.Context()))
	ok(t, w.db.EmptyLog(t.Context()))
}

// TestRetention_EachClassHasItsDays: nothing goes before its day, and 0 keeps.
func TestRetention_EachClassHasItsDays(t *testing.T) {
	w := newWorld(t)
	session, matter := w.planted(t)
	w.act(t, session, matter, map[string]any{"verb": "withdraw"})
	count := func(query string) (n int) {
		t.Helper()
		ok(t, w.db.Reader().QueryRowContext(context.Background(), query).Scan(&n))
		return n
	}
	const (
		named    = "SELECT count(*) FROM passes WHERE name <> ''"
		matters  = "SELECT count(*) FROM applications WHERE title <> '" + apply.Forgotten + "' AND state <> 'draft'"
		logins   = "SELECT count(*) FROM logins WHERE person = 'Z9001'"
		register = "SELECT count(*) FROM events WHERE type = 'register'"
	)
	at := func(days int, want map[string]int) {
		t.Helper()
		for query, n := range want {
			if got := count(query); got != n {
				t.Errorf("after %d days: %s: %d, want %d", days, query, got, n)
			}
		}
	}
	first := map[string]int{named: 1, matters: 1, logins: count(logins), register: 1}
	if first[logins] == 0 {
		t.Fatal("no login was noted")
	}
	w.later(t)
	at(0, first)
	w.pass(29 * 24 * time.Hour)
	w.later(t)
	at(29, first)
	w.pass(5 * 24 * time.Hour)
	w.later(t)
	at(34, map[string]int{named: 0, matters: 1, logins: first[logins], register: 1})
	w.pass(150 * 24 * time.Hour)
	w.later(t)
	at(184, map[string]int{named: 0, matters: 0, logins: 0, register: 1})
	w.pass(250 * 24 * time.Hour)
	w.later(t)
	at(434, map[string]int{register: 0})
	var a apply.Application
	w.as(t, w.enter(t, "Z9001"), 200, "GET", "/api/v1/applications/"+matter, nil, &a)
	if a.Title != apply.Forgotten {
		t.Errorf("what is left of a matter: %+v", a.Row)
	}
}
