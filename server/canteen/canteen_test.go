package canteen_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var all = canteen.Sight{All: true}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type world struct {
	*canteen.Service
	db *store.Store
}

func newWorld(t testing.TB) *world {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	db, _ := storetest.Found(t, t.TempDir(), store.Options{Now: time.Now, Random: rand.Reader})
	t.Cleanup(func() { ok(t, db.Close()) })
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	persons := people.New(people.Config{Store: db, Vault: vault, Now: time.Now, Location: zone, Random: rand.Reader})
	ok(t, persons.Change(t.Context(), func(x *store.Tx) error {
		_, err := persons.AddPerson(x, "test", people.Person{ID: "M1", Name: "秦砚书", Kind: people.Staff})
		return err
	}))
	return &world{canteen.New(canteen.Config{Store: db, People: persons}), db}
}

func (w *world) merchant(t testing.TB, name string, managers ...string) int64 {
	t.Helper()
	m, err := w.AddMerchant(t.Context(), "test", canteen.Merchant{Name: name, Managers: managers})
	ok(t, err)
	return m.ID
}

func rules() wire.Till {
	return wire.Till{Entry: wire.EntryFixed, FixedFen: 800, Menu: []wire.MenuKey{{Key: 1, Name: "米饭", PriceFen: 50}}}
}

func (w *world) till(t testing.TB, name string, merchant int64) canteen.Till {
	t.Helper()
	k, err := w.AddTill(t.Context(), "test", canteen.Till{Name: name, Zone: 1, Place: "一楼", Merchant: merchant, Rules: rules()})
	ok(t, err)
	return k
}

// told is what the feed says to a till; ok is false where it says nothing.
func (w *world) told(t testing.TB, key string) (r wire.Till, found bool) {
	t.Helper()
	d, err := w.db.Feed(t.Context(), wire.Cursor{}, 1000)
	ok(t, err)
	for _, it := range d.Items {
		if it.Kind == wire.ItemTill && it.Key == key {
			ok(t, json.Unmarshal(it.Body, &r))
			found = true
		}
	}
	return r, found
}

func TestTill_IsAGateThatListsOfGatesLeaveOut(t *testing.T) {
	w := newWorld(t)
	g, err := w.db.AddGate(t.Context(), "test", store.Gate{Name: "东门", Zone: 1, Mode: verdict.Owner})
	ok(t, err)
	k := w.till(t, "一号窗口", w.merchant(t, "一食堂"))
	gates, err := w.db.Gates(t.Context())
	ok(t, err)
	if len(gates) != 1 || gates[0].ID != g.ID {
		t.Errorf("gates %+v", gates)
	}
	tills, err := w.Tills(t.Context(), w.db.Reader(), all, 0)
	ok(t, err)
	if len(tills) != 1 || tills[0].Gate != k.Gate || tills[0].MerchantName != "一食堂" || !tills[0].Open {
		t.Errorf("tills %+v", tills)
	}
	if _, err := w.db.Gate(t.Context(), k.Gate); err != nil {
		t.Errorf("it cannot be enrolled: %v", err)
	}
	for _, change := range []func() error{
		func() error {
			_, err := w.db.ChangeGate(t.Context(), "test", k.Gate, func(g *store.Gate) error { g.Mode = verdict.Owner; return nil })
			return err
		},
		func() error { _, err := w.db.Drained(t.Context(), "test", k.Gate); return err },
	} {
		if err := change(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("changed as a gate: %v", err)
		}
	}
	if _, found, err := w.At(t.Context(), w.db.Reader(), g.ID, ""); found || err != nil {
		t.Errorf("a gate is a till: %v", err)
	}
}

func TestTill_EveryChangeMakesAVersionAndTellsTheTill(t *testing.T) {
	w := newWorld(t)
	first, second := w.merchant(t, "一食堂"), w.merchant(t, "二食堂")
	k := w.till(t, "一号窗口", first)
	if r, found := w.told(t, "1"); !found || r.Version != "1" || r.Name != "一号窗口" || r.Merchant != "一食堂" || r.FixedFen != 800 {
		t.Fatalf("%+v", r)
	}
	dearer, name, place := rules(), "甲窗口", "二楼"
	dearer.FixedFen = 900
	changed, err := w.ChangeTill(t.Context(), "test", all, k.Gate, canteen.TillChange{Name: &name, Place: &place, Merchant: &second, Rules: &dearer})
	ok(t, err)
	if changed.Version != 2 || changed.Merchant != second || changed.Place != place {
		t.Fatalf("%+v", changed)
	}
	if r, _ := w.told(t, "1"); r.Version != "2" || r.Name != name || r.Merchant != "二食堂" || r.FixedFen != 900 {
		t.Fatalf("%+v", r)
	}
	for version, want := range map[string]struct{ merchant, fen int64 }{"1": {first, 800}, "2": {second, 900}, "77": {second, 900}, "": {second, 900}, "x": {second, 900}} {
		for range 2 {
			got, found, err := w.At(t.Context(), w.db.Reader(), k.Gate, version)
			ok(t, err)
			if !found || got.Merchant != want.merchant || got.Rules.FixedFen != want.fen || got.Name != name {
				t.Errorf("version %q: %+v", version, got)
			}
		}
	}
	renamed := "第二食堂"
	_, err = w.ChangeMerchant(t.Context(), "test", second, canteen.MerchantChange{Name: &renamed})
	ok(t, err)
	if r, _ := w.told(t, "1"); r.Merchant != renamed || r.Version != "2" {
		t.Errorf("after the merchant was renamed: %+v", r)
	}
}

func TestTill_WhatIsWrongIsNamedAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	m := w.merchant(t, "一食堂")
	_, err := w.db.AddGate(t.Context(), "test", store.Gate{Name: "东门", Zone: 1, Mode: verdict.Owner})
	ok(t, err)
	k := w.till(t, "一号窗口", m)
	for field, spoil := range map[string]func(k *canteen.Till){
		"name":     func(k *canteen.Till) { k.Name = " " },
		"place":    func(k *canteen.Till) { k.Place = strings.Repeat("长", 30) },
		"zone":     func(k *canteen.Till) { k.Zone = 33 },
		"merchant": func(k *canteen.Till) { k.Merchant = 99 },
		"rules":    func(k *canteen.Till) { k.Rules.FixedFen = -1 },
	} {
		bad := canteen.Till{Name: "二号窗口", Zone: 1, Merchant: m, Rules: rules()}
		spoil(&bad)
		_, err := w.AddTill(t.Context(), "test", bad)
		var f *people.Fault
		if !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, name := range []string{"一号窗口", "东门"} {
		if _, err := w.AddTill(t.Context(), "test", canteen.Till{Name: name, Zone: 1, Merchant: m, Rules: rules()}); !errors.Is(err, store.ErrTaken) {
			t.Errorf("the name %s twice: %v", name, err)
		}
	}
	for _, hostile := range []string{"\u202e窗口", "a\x00b", "\xff", "<\tb>"} {
		if _, err := w.ChangeTill(t.Context(), "test", all, k.Gate, canteen.TillChange{Name: &hostile}); !errors.Is(err, people.ErrInvalid) {
			t.Errorf("%q: %v", hostile, err)
		}
	}
	// Words are only words.
	formula := "=1+1'; DROP TABLE tills;--<script>😀"
	got, err := w.ChangeTill(t.Context(), "test", all, k.Gate, canteen.TillChange{Name: &formula})
	ok(t, err)
	if got.Name != formula {
		t.Errorf("%q", got.Name)
	}
	if tills, err := w.Tills(t.Context(), w.db.Reader(), all, m); err != nil || len(tills) != 1 || tills[0].Version != 2 {
		t.Errorf("%+v %v", tills, err)
	}
}

func TestMerchants_AManagerSeesTheirOwn(t *testing.T) {
	w := newWorld(t)
	mine, other := w.merchant(t, "一食堂", "M1"), w.merchant(t, "二食堂")
	k, o := w.till(t, "一号窗口", mine), w.till(t, "二号窗口", other)
	me := canteen.Sight{Person: "M1"}
	for name, c := range map[string]struct {
		by   canteen.Sight
		want int
	}{"the manager": {me, 1}, "finance": {all, 2}, "nobody": {canteen.Sight{}, 0}, "another": {canteen.Sight{Person: "M2"}, 0}} {
		merchants, err := w.Merchants(t.Context(), w.db.Reader(), c.by)
		ok(t, err)
		tills, err := w.Tills(t.Context(), w.db.Reader(), c.by, 0)
		ok(t, err)
		if len(merchants) != c.want || len(tills) != c.want {
			t.Errorf("%s sees %d merchants and %d tills, want %d", name, len(merchants), len(tills), c.want)
		}
	}
	dearer := rules()
	dearer.FixedFen++
	if _, err := w.ChangeTill(t.Context(), "M1", me, k.Gate, canteen.TillChange{Rules: &dearer}); err != nil {
		t.Error(err)
	}
	if _, err := w.ChangeTill(t.Context(), "M1", me, o.Gate, canteen.TillChange{Rules: &dearer}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another's till: %v", err)
	}
	if _, err := w.ChangeTill(t.Context(), "M1", me, k.Gate, canteen.TillChange{Merchant: &other}); !errors.Is(err, people.ErrInvalid) {
		t.Errorf("given away: %v", err)
	}
	if _, err := w.AddMerchant(t.Context(), "test", canteen.Merchant{Name: "三食堂", Managers: []string{"M9"}}); !errors.Is(err, people.ErrInvalid) {
		t.Errorf("managed by nobody: %v", err)
	}
	if _, err := w.AddMerchant(t.Context(), "test", canteen.Merchant{Name: "一食堂"}); !errors.Is(err, store.ErrTaken) {
		t.Errorf("the name twice: %v", err)
	}
	none := []string{}
	m, err := w.ChangeMerchant(t.Context(), "test", mine, canteen.MerchantChange{Managers: &none})
	if err != nil || len(m.Managers) != 0 {
		t.Errorf("%+v %v", m, err)
	}
}
