package cards_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing/verdict"
)

// tables are those that cards write to.
var tables = []string{
	"cards", "card_phones", "card_nonces", "card_losses", "feed", "trail", "keys", "subsidy_batches", "subsidy_grants", "transfers", "postings",
}

// dump is all that is in them.
func (w *world) dump(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, table := range tables {
		rows, err := store.List(t.Context(), w.db.Reader(), func(rows *sql.Rows) (string, error) {
			columns, err := rows.Columns()
			if err != nil {
				return "", err
			}
			cells, to := make([]any, len(columns)), make([]any, len(columns))
			for i := range cells {
				to[i] = &cells[i]
			}
			err = rows.Scan(to...)
			return fmt.Sprint(cells), err
		}, "SELECT * FROM "+table)
		ok(t, err)
		fmt.Fprintln(&all, table, rows)
	}
	return all.String()
}

// failing makes every write of one sort to a table fail: before it is done, or
// after.
func (w *world) failing(t testing.TB, when, what, table string, do func()) {
	t.Helper()
	exec := func(query string) {
		ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error { return tx.Exec(query) }))
	}
	exec("CREATE TRIGGER broken " + when + " " + what + " ON " + table + " BEGIN SELECT RAISE(ABORT, 'broken'); END")
	do()
	exec("DROP TRIGGER broken")
}

// Each write that an operation makes fails once, in both forms: then nothing of
// it has happened, and asked again it is done.
func TestFaults_AllOfItOrNothing(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	first, other := newPhone(t), newPhone(t)
	first.enrol(t, w, c.Account)
	for name, do := range map[string]func() error{
		"enrol": func() error {
			id, nonce, err := w.Nonce(t.Context(), c.Account)
			if err != nil {
				return nil // its own write
			}
			p := first
			if w.find(t, c.Account).Epoch%2 == 1 {
				p = other
			}
			before := w.dump(t)
			_, err = w.EnrolPhone(t.Context(), "x", c.Account, p.public(t), p.proof(t, id, nonce))
			if err != nil && w.dump(t) != before {
				t.Error("enrol: half of it was done")
			}
			return err
		},
		"reissue": func() error {
			before := w.dump(t)
			_, err := w.Reissue(t.Context(), "x", c.Account, "x")
			if err != nil && w.dump(t) != before {
				t.Error("reissue: half of it was done")
			}
			return err
		},
		"loss": func() error {
			before := w.dump(t)
			_, err := w.ReportLoss(t.Context(), "x", c.Account, "x")
			if err != nil && w.dump(t) != before {
				t.Error("loss: half of it was done")
			}
			if err == nil {
				_, err = w.Lift(t.Context(), "x", c.Account, "x")
			}
			return err
		},
	} {
		failed := 0
		for _, table := range tables {
			for _, what := range []string{"INSERT", "UPDATE", "DELETE"} {
				for _, when := range []string{"BEFORE", "AFTER"} {
					w.failing(t, when, what, table, func() {
						if do() != nil {
							failed++
						}
					})
				}
			}
		}
		if got := w.find(t, c.Account); got.LostAt != 0 {
			_, err := w.Lift(t.Context(), "x", c.Account, "x")
			ok(t, err)
		}
		ok(t, do())
		if failed < 4 {
			t.Errorf("%s: only %d writes failed", name, failed)
		}
	}
	if v := till(t, w, shown(t, w, newPhone(t), c), 100, false); v.Reason != verdict.Granted {
		t.Errorf("in the end: %s", v.Reason)
	}
}

func shown(t testing.TB, w *world, p *phone, c cards.Account) string {
	t.Helper()
	p.enrol(t, w, c.Account)
	return p.shows(t, w)
}

// Who has not heard the answer asks again: with the same proof, which is spent,
// then with another. The card has one phone and one epoch more than before.
func TestFaults_AnswersThatGotLost(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	newPhone(t).enrol(t, w, c.Account)
	p := newPhone(t)
	id, nonce, err := w.Nonce(t.Context(), c.Account)
	ok(t, err)
	proof := p.proof(t, id, nonce)
	_, err = w.EnrolPhone(t.Context(), "x", c.Account, p.public(t), proof) // lost
	ok(t, err)
	_, err = w.EnrolPhone(t.Context(), "x", c.Account, p.public(t), proof)
	wants(t, err, issue.ErrProof)
	if g := p.enrol(t, w, c.Account); g.Epoch != 2 {
		t.Errorf("epoch %d", g.Epoch)
	}
	for range 2 { // the first answer is lost
		_, err := w.Reissue(t.Context(), "x", c.Account, "x")
		ok(t, err)
	}
	if v := till(t, w, p.shows(t, w), 100, false); v.Reason != verdict.Revoked {
		t.Errorf("the credential of before: %s", v.Reason)
	}
	if v := till(t, w, shown(t, w, p, c), 100, false); v.Reason != verdict.Granted {
		t.Errorf("a new one: %s", v.Reason)
	}
}

// A batch that is interrupted anywhere is finished by the schedule; every card
// has it once.
func TestFaults_SubsidiesInterruptedAnywhere(t *testing.T) {
	const holders = 230
	for _, after := range []bool{false, true} {
		for _, at := range []int{1, 150} {
			t.Run(fmt.Sprintf("%v %d", after, at), func(t *testing.T) {
				w := newWorld(t)
				ok(t, w.People.Change(t.Context(), func(tx *store.Tx) error {
					for i := range holders {
						if _, err := w.People.AddPerson(tx, "x", people.Person{ID: fmt.Sprintf("W%03d", i), Name: "工勤", Kind: people.Worker}); err != nil {
							return err
						}
					}
					return nil
				}))
				_, err := w.OpenAll(t.Context(), "x", people.Worker, "")
				ok(t, err)
				r := cards.SubsidyRequest{ID: "batch-0001", Name: "高温补助", ExpiresOn: "2026-11-21", Fen: 500, Kind: people.Worker}
				_, _, err = w.Plan(t.Context(), "x", r)
				ok(t, err)
				w.fault.at, w.fault.after = at, after
				if _, err := w.Confirm(t.Context(), "x", r.ID, false); err == nil {
					t.Fatal("nothing failed")
				}
				if err := w.Tick(t.Context()); err == nil {
					t.Fatal("the fault is over already")
				}
				w.fault.at = 0
				ok(t, w.Tick(t.Context()))
				w.granted(t, holders, 500)
				w.now.Add(24 * 3600 * 1000)
				w.fault.at, w.fault.after = at, after
				if err := w.Expire(t.Context()); err == nil {
					t.Fatal("nothing failed")
				}
				w.fault.at = 0
				ok(t, w.Expire(t.Context()))
				w.granted(t, holders, 0)
			})
		}
	}
}

func (w *world) granted(t testing.TB, holders int, each int64) {
	t.Helper()
	all, err := w.List(t.Context(), w.db.Reader(), cards.Query{Limit: 1000})
	ok(t, err)
	for _, c := range all {
		if b := w.balance(t, c.Account); b.SubsidyFen != each {
			t.Fatalf("%s has %d", c.Person, b.SubsidyFen)
		}
	}
	b, err := w.Batch(t.Context(), "batch-0001")
	ok(t, err)
	if len(all) != holders || b.Granted != holders || b.DoneAt == 0 || b.RemainingFen != int64(holders)*each {
		t.Fatalf("%d cards, %+v", len(all), b)
	}
}
