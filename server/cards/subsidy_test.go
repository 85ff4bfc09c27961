package cards_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/people/sheet"
	"campusgate/server/store"
)

func forAll(id, until string, fen int64) cards.SubsidyRequest {
	return cards.SubsidyRequest{ID: id, Name: "困难补助", ExpiresOn: until, Fen: fen, Kind: people.Student}
}

// grantBatch plans and confirms.
func (w *world) grantBatch(t testing.TB, r cards.SubsidyRequest) cards.Batch {
	t.Helper()
	_, _, err := w.Plan(t.Context(), "person T1", r)
	ok(t, err)
	b, err := w.Confirm(t.Context(), "person T1", r.ID, true)
	ok(t, err)
	return b
}

func TestSubsidy_GrantedOnceAndTakenBackAfterTheLastDay(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	w.open(t, "S2")
	w.open(t, "T1") // no student
	b, faults, err := w.Plan(t.Context(), "person T1", forAll("batch-0001", "2026-11-22", 3_000))
	ok(t, err)
	if b.Cards != 2 || b.TotalFen != 6_000 || b.Granted != 0 || len(faults) != 0 || w.balance(t, c.Account).SubsidyFen != 0 {
		t.Fatalf("%+v", b)
	}
	for range 2 {
		b, err = w.Confirm(t.Context(), "person T1", "batch-0001", false)
		ok(t, err)
	}
	if b.Granted != 2 || b.DoneAt == 0 || w.balance(t, c.Account).SubsidyFen != 3_000 {
		t.Fatalf("%+v", b)
	}
	if again, _, err := w.Plan(t.Context(), "person T1", forAll("batch-0001", "2026-11-22", 3_000)); err != nil || again.Granted != 2 {
		t.Errorf("the same request: %+v, %v", again, err)
	}
	_, _, err = w.Plan(t.Context(), "person T1", forAll("batch-0001", "2026-11-22", 3_001))
	wants(t, err, cards.ErrBatch)
	_, err = w.Confirm(t.Context(), "x", "batch-none", false)
	wants(t, err, store.ErrNotFound)
	w.spend(t, c.Account, "charge/1-1-1", 1_000)
	w.add(35 * time.Hour) // 23:00 on the last day
	ok(t, w.Tick(t.Context()))
	if b := w.balance(t, c.Account); b.SubsidyFen != 2_000 {
		t.Fatalf("taken back early: %+v", b)
	}
	w.add(time.Hour)
	for range 2 {
		ok(t, w.Tick(t.Context()))
	}
	if b := w.balance(t, c.Account); b.SubsidyFen != 0 || b.Total() != 0 {
		t.Fatalf("%+v", b)
	}
	page, _, err := w.Entries(t.Context(), c.Account, 0, 10)
	ok(t, err)
	if len(page) != 3 || page[0].Title.ZH != "补助清零" || page[0].AmountFen != -2_000 || page[2].Title.ZH != "补助发放" {
		t.Fatalf("%+v", page)
	}
}

// The first to expire is spent first, also where it was granted last.
func TestSubsidy_TheFirstToExpireIsSpentFirst(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	w.grantBatch(t, forAll("batch-long", "2026-12-31", 10_000))
	w.spend(t, c.Account, "charge/1-1-1", 8_000)
	w.grantBatch(t, forAll("batch-soon", "2026-11-30", 5_000))
	w.spend(t, c.Account, "charge/1-1-2", 1_000)
	w.add(10 * 24 * time.Hour)
	ok(t, w.Expire(t.Context()))
	if b := w.balance(t, c.Account); b.SubsidyFen != 2_000 {
		t.Fatalf("%+v, want what is left of the long one", b)
	}
}

func TestSubsidy_WaitsWhileMoneyIsPromised(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	w.grantBatch(t, forAll("batch-0001", "2026-11-21", 5_000))
	w.add(12*time.Hour - time.Minute)
	hold := ledger.Hold{ID: "claim-1", Card: c.Account, Fen: 1_000, Expires: w.now.Load() + (2 * time.Hour).Milliseconds()}
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		_, _, err := w.money.Hold(tx, hold)
		return err
	}))
	w.add(2 * time.Minute)
	ok(t, w.Expire(t.Context()))
	if b := w.balance(t, c.Account); b.SubsidyFen != 5_000 {
		t.Fatalf("%+v", b)
	}
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.money.Release(tx, "claim-1")
		return err
	}))
	ok(t, w.Expire(t.Context()))
	if b := w.balance(t, c.Account); b.SubsidyFen != 0 {
		t.Fatalf("%+v", b)
	}
}

func TestSubsidy_FileWithBadRows(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	w.open(t, "T1")
	r := cards.SubsidyRequest{ID: "batch-file", Name: "奖学金", ExpiresOn: "2026-12-31", File: []byte(
		"学工号,姓名,金额\nS1,林晓岚,120.5\nT1,张三,10\nS2,周敏,10\nS9,,10\nS1,,20\nT1,,=1+1\nT1,,-5\nT1,,1e3\nT1,,0\nT1,,100000.01\n" +
			"'; DROP TABLE cards; --,,5\n<script>,,5\nT1,,12\n")}
	b, faults, err := w.Plan(t.Context(), "person T1", r)
	ok(t, err)
	if b.Cards != 2 || b.TotalFen != 12_050+1_200 || b.Faulty != 11 || len(faults) != 11 {
		t.Fatalf("%+v, %d faults", b, len(faults))
	}
	if f := faults[0]; f.Row != 3 || f.Column != "姓名" || f.Value != "张三" || f.Message == "" {
		t.Errorf("%+v", f)
	}
	_, err = w.Confirm(t.Context(), "person T1", r.ID, false)
	wants(t, err, cards.ErrFaulty)
	_, err = w.Confirm(t.Context(), "person T1", r.ID, true)
	ok(t, err)
	if b := w.balance(t, c.Account); b.SubsidyFen != 12_050 {
		t.Errorf("%+v", b)
	}
	for name, file := range map[string]string{"no columns": "a,b\n1,2\n", "damaged": "学工号,金额\n1,\xff\n", "a picture": "\x89PNG\r\n\x1a\n\x00\x00"} {
		r.ID, r.File = "batch-bad", []byte(file)
		if _, _, err := w.Plan(t.Context(), "x", r); !errors.Is(err, people.ErrInvalid) && !errors.Is(err, sheet.ErrTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, edit := range map[string]func(*cards.SubsidyRequest){
		"id":         func(r *cards.SubsidyRequest) { r.ID = "a/b" },
		"name":       func(r *cards.SubsidyRequest) { r.Name = "\u202e" },
		"expires_on": func(r *cards.SubsidyRequest) { r.ExpiresOn = "2026-11-20" },
		"fen":        func(r *cards.SubsidyRequest) { r.Fen = 0 },
	} {
		bad := forAll("batch-0009", "2026-12-31", 5)
		edit(&bad)
		_, _, err := w.Plan(t.Context(), "x", bad)
		var f *people.Fault
		if !errors.As(err, &f) || f.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is granted, spent, given back and expires: no grant is larger than it
// was nor below nothing, the wallet never holds less than what remains, and in
// the end nothing that had an end is left.
func TestSubsidy_AnySequence(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		c := w.open(t, w.another(t))
		charges := []string{}
		for i := range rapid.IntRange(1, 15).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				day := time.UnixMilli(w.now.Load()).In(w.Location).AddDate(0, 0, rapid.IntRange(0, 9).Draw(rt, "days"))
				file := fmt.Sprintf("学工号,金额\n%s,%d\n", c.Person, rapid.IntRange(1, 50).Draw(rt, "yuan"))
				w.grantBatch(t, cards.SubsidyRequest{
					ID: fmt.Sprintf("batch-%s-%d", c.Person, i), Name: "补助", ExpiresOn: day.Format(time.DateOnly), File: []byte(file),
				})
			case 1:
				id := fmt.Sprintf("charge/%s-%d", c.Person, i)
				w.spend(t, c.Account, id, rapid.Int64Range(1, 4_000).Draw(rt, "spent"))
				charges = append(charges, id)
			case 2:
				if len(charges) > 0 {
					ok(t, w.void(t, c.Account, charges[len(charges)-1]))
					charges = charges[:len(charges)-1]
				}
			case 3:
				w.add(time.Duration(rapid.IntRange(1, 80).Draw(rt, "hours")) * time.Hour)
				ok(t, w.Tick(t.Context()))
			}
			ok(t, w.Settle(t.Context(), c.Account))
			var bad, left int64
			ok(t, w.db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE remaining < 0 OR remaining > fen),
				coalesce(sum(remaining), 0) FROM subsidy_grants WHERE account = $1`, int64(c.Account)).Scan(&bad, &left))
			if wallet := w.balance(t, c.Account).SubsidyFen; bad != 0 || left > wallet {
				rt.Fatalf("%d grants out of range, %d remain of %d", bad, left, wallet)
			}
		}
		w.add(40 * 24 * time.Hour)
		ok(t, w.Tick(t.Context()))
		var open int
		ok(t, w.db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM subsidy_grants WHERE ended_at IS NULL AND account = $1", int64(c.Account)).Scan(&open))
		if b := w.balance(t, c.Account); open != 0 || b.SubsidyFen < 0 {
			rt.Fatalf("%d open, %+v", open, b)
		}
	})
}

func (w *world) void(t testing.TB, account uint64, charge string) error {
	t.Helper()
	return w.db.Change(t.Context(), func(tx *store.Tx) error {
		record, _, err := w.money.Find(t.Context(), tx, charge)
		if err != nil {
			return err
		}
		entries := make([]ledger.Entry, len(record.Entries))
		for i, e := range record.Entries {
			entries[i] = ledger.Entry{Account: e.Account, Fen: -e.Fen}
		}
		out, err := w.money.Post(tx, ledger.Transfer{
			ID: "void/" + charge, Kind: ledger.KindVoid, At: tx.Now(), Day: record.Day, Card: account, Entries: entries, Reverses: charge,
		})
		if err == nil && out.State != ledger.Posted {
			t.Errorf("%+v", out)
		}
		return err
	})
}
