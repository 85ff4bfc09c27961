package paper_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/paper"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

// world is a small campus at ten on a Monday morning.
type world struct {
	*paper.Service
	now   atomic.Int64
	clerk paper.Clerk
	home  int64 // household of 林建国 on campus A
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{clerk: paper.Clerk{Actor: "T3001", Units: []string{""}}}
	w.now.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, campus).UnixMilli())
	now := func() time.Time { return time.UnixMilli(w.now.Load()) }
	dir := t.TempDir()
	db, root := storetest.Found(t, dir, store.Options{Now: now, Random: rand.Reader})
	t.Cleanup(func() { _ = db.Close() })
	public := root.Public().(ed25519.PublicKey)
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	ok(t, err)
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	signer := issue.New(issue.Config{
		Store: db, Seal: seal, Random: rand.Reader, Now: now, Location: campus, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) { return issue.LoadRoot(filepath.Join(dir, issue.RootFile), public) },
	})
	ok(t, signer.Found(t.Context(), "test"))
	who := people.New(people.Config{Store: db, Vault: vault, Now: now, Location: campus, Random: rand.Reader})
	w.Service = paper.New(paper.Config{Store: db, Signer: signer, People: who, Now: now, Location: campus})
	ok(t, db.PutZone(t.Context(), "test", store.Zone{ID: 1, Name: "A"}))
	ok(t, db.PutZone(t.Context(), "test", store.Zone{ID: 2, Name: "B"}))
	ok(t, db.Change(t.Context(), func(tx *store.Tx) error {
		for _, c := range []people.Campus{{ID: "A", Name: "A区", Zone: 1}, {ID: "B", Name: "B区", Zone: 2}} {
			if _, err := who.AddCampus(tx, "test", c); err != nil {
				return err
			}
		}
		for _, c := range []people.Compound{{Campus: "A", Name: "松林坡", OnCampus: true}, {Campus: "B", Name: "建工新村", OnCampus: true}} {
			if _, err := who.AddCompound(tx, "test", c); err != nil {
				return err
			}
		}
		for _, p := range []people.Person{
			{ID: "L1001", Name: "周世民", Kind: people.Retired},
			{ID: "L1002", Name: "何秀英", Kind: people.Retired},
			{ID: "T1001", Name: "林晓", Kind: people.Staff},
		} {
			if _, err := who.AddPerson(tx, "test", p); err != nil {
				return err
			}
		}
		for _, n := range []people.NewHousehold{
			{Place: people.Place{Compound: "松林坡", Building: "3栋", Room: "502"}, Head: "林建国"},
			{Place: people.Place{Compound: "松林坡", Building: "4栋", Room: "101"}, Head: "周世民", Members: []people.NewMember{{Person: "L1001", Relation: "户主"}}},
			{Place: people.Place{Compound: "建工新村", Building: "1栋", Room: "301"}, Head: "何秀英", Members: []people.NewMember{{Person: "L1002", Relation: "户主"}}},
		} {
			h, err := who.AddHousehold(tx, "test", n)
			if err != nil {
				return err
			}
			if w.home == 0 {
				w.home = h.ID
			}
		}
		return nil
	}))
	return w
}

func (w *world) at(hour, minute int) {
	day := w.Now().In(w.Location)
	w.now.Store(time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, w.Location).UnixMilli())
}

func (w *world) request() paper.Request {
	return paper.Request{Desk: "community", Household: w.home, Doc4: "123X", Documents: []string{"household_register", "id_card"}}
}

func (w *world) issue(t testing.TB, r paper.Request) paper.Paper {
	t.Helper()
	p, refused, err := w.Issue(t.Context(), w.clerk, r)
	ok(t, err)
	if refused != nil {
		t.Fatalf("refused: %v", refused)
	}
	return p
}

func (w *world) refused(t testing.TB, r paper.Request, code string) *approval.Refusal {
	t.Helper()
	p, refused, err := w.Issue(t.Context(), w.clerk, r)
	ok(t, err)
	if refused == nil || refused.Code != code || p.Number != "" {
		t.Fatalf("got %+v, %v; want %s", p, refused, code)
	}
	if refused.Say == "" || refused.En == "" {
		t.Errorf("%s has no words", code)
	}
	return refused
}

func TestIssue_CQ011_CQ015_AHouseholdGetsASheetWithANumberAndACodeToComeBackOn(t *testing.T) {
	w := newWorld(t)
	p := w.issue(t, w.request())
	if p.Number != "P20261123-0001" || p.Name != "林建国" || p.Address != "松林坡 3栋 502" || p.From != "2026-11-23" || p.To != "2026-12-22" || p.State() != "issued" {
		t.Errorf("%+v", p)
	}
	pass, err := w.Store.Pass(t.Context(), p.Pass)
	ok(t, err)
	if pass.Uses != 0 || pass.Bound || !strings.HasPrefix(pass.Code, "HTTPS://GATE.EXAMPLE.EDU/V/") || pass.Doc4 != "123X" || !slices.Equal(pass.Zones.List(), []int{1}) {
		t.Errorf("the code: %+v", pass)
	}
	second := w.request()
	second.Household, second.Person, second.Desk = 0, "L1002", "community"
	if p := w.issue(t, second); p.Number != "P20261123-0002" || p.Name != "何秀英" || p.Household == 0 {
		t.Errorf("%+v", p)
	}
}

func TestIssue_CQ012_TheDeskOfTheCampus(t *testing.T) {
	w := newWorld(t)
	r := w.request()
	r.Household = 0
	for person, desk := range map[string]string{"L1001": "retired_a", "L1002": "community"} {
		r.Person = person
		for _, wrong := range []string{"retired_a", "community"} {
			if r.Desk = wrong; wrong != desk {
				w.refused(t, r, paper.WrongDesk)
			}
		}
		r.Desk = desk
		w.issue(t, r)
	}
	home := w.request()
	home.Desk = "retired_a"
	if refused := w.refused(t, home, paper.WrongDesk); !slices.Equal(refused.Details["desks"].([]string), []string{"社区办"}) {
		t.Errorf("%v", refused.Details)
	}
}

func TestIssue_CQ013_DocumentsAreNamedWhenMissing(t *testing.T) {
	w := newWorld(t)
	r := w.request()
	r.Documents = []string{"id_card"}
	refused := w.refused(t, r, paper.Incomplete)
	if !slices.Equal(refused.Details["missing"].([]string), []string{"household_register"}) || !strings.Contains(refused.Say, "户口簿") {
		t.Errorf("%+v", refused)
	}
}

func TestIssue_CQ014_OnlyInOpeningHours(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		hour, minute int
		open         bool
	}{{8, 59, false}, {9, 0, true}, {11, 29, true}, {11, 30, false}, {14, 59, false}, {15, 0, true}, {17, 29, true}, {17, 30, false}} {
		w.at(c.hour, c.minute)
		desks, err := w.Desks(t.Context(), w.Store.Reader())
		ok(t, err)
		if got := w.Open(desks[0]); got != c.open {
			t.Errorf("%02d:%02d: open %t", c.hour, c.minute, got)
		}
		if !c.open {
			w.refused(t, w.request(), paper.OutOfHours)
		}
	}
}

func TestIssue_CQ016_OneAtATimeUntilItIsHandedBack(t *testing.T) {
	w := newWorld(t)
	first := w.issue(t, w.request())
	if refused := w.refused(t, w.request(), paper.Held); refused.Details["number"] != first.Number {
		t.Errorf("%v", refused.Details)
	}
	number, err := w.HeldByHousehold(t.Context(), w.Store.Reader(), w.home)
	if err != nil || number != first.Number {
		t.Errorf("held: %q, %v", number, err)
	}
	for range 2 { // again changes nothing
		ok(t, w.Return(t.Context(), "T3001", first.Number))
	}
	pass, err := w.Store.Pass(t.Context(), first.Pass)
	if err != nil || pass.RevokedAt == 0 {
		t.Errorf("its code still holds: %v", err)
	}
	if number, err := w.HeldByHousehold(t.Context(), w.Store.Reader(), w.home); err != nil || number != "" {
		t.Errorf("held after the return: %q, %v", number, err)
	}
	second := w.issue(t, w.request())
	ok(t, w.Lose(t.Context(), "T3001", second.Number))
	third := w.issue(t, w.request())
	ok(t, w.Return(t.Context(), "T3001", second.Number)) // it turned up
	got, err := w.Find(t.Context(), w.Store.Reader(), second.Number)
	if err != nil || got.State() != "returned" || got.LostAt == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if number, err := w.HeldByHousehold(t.Context(), w.Store.Reader(), w.home); err != nil || number != third.Number {
		t.Errorf("held: %q, %v", number, err)
	}
	if err := w.Return(t.Context(), "T3001", "P20261123-9999"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown number: %v", err)
	}
}

func TestIssue_ManyAtOnceGiveOneSheet(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	var issued, held atomic.Int32
	for range 30 {
		group.Go(func() {
			_, refused, err := w.Issue(t.Context(), w.clerk, w.request())
			switch {
			case err != nil:
				t.Error(err)
			case refused == nil:
				issued.Add(1)
			case refused.Code == paper.Held:
				held.Add(1)
			}
		})
	}
	group.Wait()
	if issued.Load() != 1 || held.Load() != 29 {
		t.Errorf("%d issued, %d refused", issued.Load(), held.Load())
	}
}

func TestIssue_OnlyByClerksOfTheDesk(t *testing.T) {
	w := newWorld(t)
	desks := paper.DefaultDesks()
	desks[0].Unit = "SQB"
	ok(t, w.SetDesks(t.Context(), "T9001", desks))
	w.clerk.Units = []string{"LTX"}
	w.refused(t, w.request(), paper.NotYourDesk)
	w.clerk.Units = []string{"LTX", "SQB"}
	w.issue(t, w.request())
}

func TestIssue_RefusesWhatDoesNotFit(t *testing.T) {
	w := newWorld(t)
	for field, change := range map[string]func(*paper.Request){
		"desk":      func(r *paper.Request) { r.Desk = "nowhere" },
		"person":    func(r *paper.Request) { r.Person = "nobody" },
		"until":     func(r *paper.Request) { r.Until = "2026-11-22" },
		"documents": func(r *paper.Request) { r.Documents = append(r.Documents, "campus_card") },
		"note":      func(r *paper.Request) { r.Note = strings.Repeat("字", 1001) },
		"name":      func(r *paper.Request) { r.Name = strings.Repeat("a", 10_000) },
		"doc4":      func(r *paper.Request) { r.Doc4 = "12\u202e4" },
	} {
		r := w.request()
		change(&r)
		_, refused, err := w.Issue(t.Context(), w.clerk, r)
		if refused != nil || err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v, %v", field, refused, err)
		}
	}
	r := w.request()
	for _, unknown := range []int64{0, 999} {
		r.Household = unknown
		w.refused(t, r, paper.HouseholdUnknown)
	}
	r.Person, r.Household = "T1001", 0 // neither retired nor registered
	w.refused(t, r, paper.HouseholdUnknown)
	if found, total, err := w.List(t.Context(), paper.Filter{Limit: 10}); err != nil || total != 0 || len(found) != 0 {
		t.Errorf("something was stored: %+v, %v", found, err)
	}
}

func TestSetDesks_NamesWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	for key, change := range map[string]func(*paper.Desk){
		"desks[1].id":        func(d *paper.Desk) { d.ID = "community" },
		"desks[1].name":      func(d *paper.Desk) { d.Name = "" },
		"desks[1].serves":    func(d *paper.Desk) { d.Serves = []paper.Serves{{Who: "visitors"}} },
		"desks[1].hours":     func(d *paper.Desk) { d.Hours = []paper.Hours{{From: "9:00", To: "11:30"}} },
		"desks[1].documents": func(d *paper.Desk) { d.Documents = []string{"campus_card"} },
	} {
		desks := paper.DefaultDesks()
		change(&desks[1])
		if err := w.SetDesks(t.Context(), "T9001", desks); !errors.Is(err, paper.ErrInvalid) || !strings.HasPrefix(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if desks, err := w.Desks(t.Context(), w.Store.Reader()); err != nil || len(desks) != 2 || desks[1].ID != "retired_a" {
		t.Errorf("%+v, %v", desks, err)
	}
}

func TestList_FindsByNumberNameAndAddress(t *testing.T) {
	w := newWorld(t)
	p := w.issue(t, w.request())
	for text, want := range map[string]int{"": 1, p.Number[3:]: 1, "建国": 1, "3栋": 1, "%": 0, "何": 0} {
		if found, total, err := w.List(t.Context(), paper.Filter{Text: text, State: "issued", Limit: 10}); err != nil || total != want || len(found) != want {
			t.Errorf("%q: %d of %d, %v", text, len(found), total, err)
		}
	}
	if _, total, err := w.List(t.Context(), paper.Filter{State: "lost", Limit: 10}); err != nil || total != 0 {
		t.Errorf("lost: %d, %v", total, err)
	}
}
