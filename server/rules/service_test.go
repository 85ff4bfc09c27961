package rules_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/configs"
	"campusgate/server/canteen"
	"campusgate/server/people"
	"campusgate/server/rules"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/pin"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a server's database with its people.
type world struct {
	*rules.Service
	now   atomic.Int64
	gates []store.Agent
	heads []wire.Hash
	seqs  []uint64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, campus).UnixMilli())
	clock := func() time.Time { return time.UnixMilli(w.now.Load()) }
	db, _ := storetest.Found(t, t.TempDir(), store.Options{Now: clock, Random: rand.Reader})
	t.Cleanup(func() { ok(t, db.Close()) })
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	persons := people.New(people.Config{Store: db, Vault: vault, Now: clock, Location: campus, Random: rand.Reader})
	w.Service = rules.New(rules.Config{Store: db, People: persons, Random: rand.Reader})
	for _, name := range []string{"东门", "西门"} {
		g, err := db.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: 1, Mode: verdict.Owner})
		ok(t, err)
		secret := sha256.Sum256([]byte(name))
		ok(t, db.NewEnrolment(t.Context(), "test", g.ID, secret[:], w.now.Load()+60_000))
		a, err := db.Enrol(t.Context(), secret[:], ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey), "gate-pc")
		ok(t, err)
		w.gates, w.heads, w.seqs = append(w.gates, a), append(w.heads, wire.Hash{}), append(w.seqs, 0)
	}
	return w
}

// person adds somebody with posts.
func (w *world) person(t testing.TB, number string, posts ...people.Post) {
	t.Helper()
	ok(t, w.People.Change(t.Context(), func(x *store.Tx) error {
		_, err := w.People.AddPerson(x, "test", people.Person{ID: number, Name: "秦砚书", Kind: people.Staff})
		for _, p := range posts {
			if p.Person = number; err == nil {
				_, err = w.People.AddPost(x, "test", p)
			}
		}
		return err
	}))
}

// items gives what a gate that pulls everything knows of a kind.
func (w *world) items(t testing.TB, kind wire.ItemKind) map[string]json.RawMessage {
	t.Helper()
	found := map[string]json.RawMessage{}
	for cursor, more := (wire.Cursor{}), true; more; {
		d, err := w.Store.Feed(t.Context(), cursor, 100)
		ok(t, err)
		for _, it := range d.Items {
			if it.Kind == kind && !it.Gone {
				found[it.Key] = it.Body
			}
		}
		cursor, more = d.Cursor, d.More
	}
	return found
}

func TestGuideline_FoundedChangedAndSentToTheGates(t *testing.T) {
	w := newWorld(t)
	if g, err := w.Guideline(t.Context()); g != nil || err != nil {
		t.Fatalf("before any: %v %v", g, err)
	}
	if _, err := w.Text(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	ok(t, w.Found(t.Context()))
	text, err := w.Text(t.Context())
	ok(t, err)
	g, err := w.Guideline(t.Context())
	ok(t, err)
	if text != sample(t) || g.Rule("winter_student") == nil {
		t.Fatal("not the example that is shipped")
	}
	var told verdict.Guideline
	ok(t, json.Unmarshal(w.items(t, wire.ItemDocuments)[""], &told))
	if len(told.Rules) != len(g.Rules) || told.Rule("relative").Relations[2].Name.ZH != "岳父母" {
		t.Fatalf("the gates were told %+v", told)
	}
	again, err := w.Guideline(t.Context())
	if ok(t, err); again != g {
		t.Error("read twice")
	}

	other := strings.Replace(text, "zh: 教职工\n", "zh: 本校教职工\n", 1)
	ok(t, w.Put(t.Context(), "token 1", other))
	if g, err = w.Guideline(t.Context()); err != nil || g.Rule("staff").Who.ZH != "本校教职工" {
		t.Fatalf("%v %v", g, err)
	}
	ok(t, w.Found(t.Context())) // a restart
	before, err := w.Store.Revision(t.Context())
	ok(t, err)
	ok(t, w.Put(t.Context(), "token 1", other))
	err = w.Put(t.Context(), "token 1", strings.Replace(other, "[work_permit]", "[passport]", 1))
	if !errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), "rules[0].documents[0][0]") {
		t.Fatal(err)
	}
	after, err := w.Store.Revision(t.Context())
	ok(t, err)
	if kept, _ := w.Text(t.Context()); kept != other || after != before {
		t.Fatal("a fault, or the same again, changed something")
	}
}

func TestSetPIN_CQ079_ReachesTheGatesOfThePost(t *testing.T) {
	w := newWorld(t)
	w.person(t, "G1", people.Post{Role: people.Guard, Gate: w.gates[0].Gate}, people.Post{Role: people.Desk})
	w.person(t, "G2", people.Post{Role: people.Guard})
	w.person(t, "G3", people.Post{Role: people.Guard, Gate: w.gates[1].Gate, From: "2026-11-23", To: "2026-11-24"})
	w.person(t, "S1", people.Post{Role: people.Desk})
	for number, want := range map[string]error{"S1": store.ErrState, "X9": store.ErrNotFound, "G1": pin.ErrWeak} {
		digits := map[bool]string{true: "111111", false: "470318"}[want == pin.ErrWeak]
		if err := w.SetPIN(t.Context(), "admin", number, digits); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", number, err, want)
		}
	}
	for _, number := range []string{"G1", "G2", "G3"} {
		ok(t, w.SetPIN(t.Context(), "admin", number, "470318"))
	}
	told := func(want ...string) map[string]wire.Guard {
		t.Helper()
		guards := map[string]wire.Guard{}
		for number, body := range w.items(t, wire.ItemGuard) {
			var g wire.Guard
			ok(t, json.Unmarshal(body, &g))
			guards[number] = g
		}
		if len(guards) != len(want) {
			t.Fatalf("told of %v, want %v", guards, want)
		}
		for _, number := range want {
			if _, there := guards[number]; !there {
				t.Fatalf("told of %v, want %v", guards, want)
			}
		}
		return guards
	}
	guards := told("G1", "G2")
	g1, g2 := guards["G1"], guards["G2"]
	if !g1.Serves(w.gates[0].Gate) || g1.Serves(w.gates[1].Gate) || !g2.Serves(w.gates[1].Gate) || g1.Name != "秦砚书" {
		t.Fatalf("guards %+v", guards)
	}
	if right, err := pin.Matches(g1.Hash, "470318"); !right || err != nil || g1.Hash == g2.Hash {
		t.Fatalf("hash %q %v", g1.Hash, err)
	}

	before, err := w.Store.Revision(t.Context())
	ok(t, err)
	ok(t, w.SyncGuards(t.Context()))
	if after, _ := w.Store.Revision(t.Context()); after != before {
		t.Fatal("told again of what had not changed")
	}
	// Another PIN, posts that begin and end by the day, and somebody who leaves.
	ok(t, w.SetPIN(t.Context(), "admin", "G1", "902811"))
	if g := told("G1", "G2")["G1"]; g.Hash == g1.Hash {
		t.Fatal("the old PIN still stands")
	}
	w.now.Add(48 * 3_600_000)
	ok(t, w.SyncGuards(t.Context()))
	told("G1", "G2", "G3")
	posts, _, err := w.People.Posts(t.Context(), w.Store.Reader(), people.PostQuery{Person: "G1", Role: people.Guard})
	ok(t, err)
	ok(t, w.People.Change(t.Context(), func(x *store.Tx) error {
		_, err := w.People.EndPost(x, "admin", posts[0].ID)
		return err
	}))
	w.now.Add(48 * 3_600_000)
	ok(t, w.SyncGuards(t.Context()))
	told("G2")
}

// register has a gate report an entry that it let through.
func (w *world) register(t testing.TB, gate int, at int64, dir verdict.Direction, r wire.Register) wire.EventID {
	t.Helper()
	c := &verdict.Case{At: at, Vouched: true, Lane: verdict.Lane{Gate: w.gates[gate].Gate, Direction: dir}, Document: verdict.Documents{
		Required: true, Rule: "x", Sets: []verdict.DocumentSet{{Rule: "x"}},
	}}
	return w.report(t, gate, wire.Event{Type: wire.EventRegister, At: at, Case: c, Verdict: verdict.Judge(c), Guard: "G1", Register: &r})
}

func (w *world) report(t testing.TB, gate int, e wire.Event) wire.EventID {
	t.Helper()
	a := w.gates[gate]
	w.seqs[gate]++
	e.ID, e.Gate = wire.EventID{Agent: a.ID, Epoch: a.Epoch, Seq: w.seqs[gate]}, a.Gate
	record, err := wire.Seal(w.heads[gate], &e)
	ok(t, err)
	w.heads[gate] = record.Hash
	acked, err := w.Store.Ingest(t.Context(), a.ID, a.Epoch, []wire.Record{record})
	if ok(t, err); acked != w.seqs[gate] {
		t.Fatalf("acked %d", acked)
	}
	return e.ID
}

func TestRegisters_CQ031_CQ033_PutTogetherAcrossGates(t *testing.T) {
	w := newWorld(t)
	noon := w.now.Load()
	hour := func(n int64) int64 { return noon + n*3_600_000 }
	student := wire.Register{Kind: verdict.RegisterStudent, Person: "沈未央", Number: "2019114"}
	relative := wire.Register{Kind: verdict.RegisterRelative, Person: "顾长青", Relation: "spouse", Staff: "陆知行"}
	back := student
	back.Collected = true

	// The return to the west gate arrives before the east gate, which was without
	// a network, tells that the student left.
	w.register(t, 1, hour(3), verdict.Entry, back)
	w.register(t, 0, hour(1), verdict.Exit, student)
	came := w.register(t, 0, hour(2), verdict.Entry, relative)
	again := w.register(t, 0, hour(5), verdict.Exit, student)
	mistake := w.register(t, 0, hour(6), verdict.Exit, wire.Register{Kind: verdict.RegisterStudent, Person: "许听澜"})
	w.report(t, 0, wire.Event{Type: wire.EventAnnul, At: hour(6), Annuls: &mistake, Verdict: verdict.Verdict{Reason: verdict.Annulled}})
	refused := wire.Register{Kind: verdict.RegisterStudent, Person: "无表"}
	w.report(t, 0, wire.Event{
		Type: wire.EventRegister, At: hour(6), Verdict: verdict.Verdict{Reason: verdict.DocumentRequired}, Register: &refused,
		Case: &verdict.Case{Vouched: true, Lane: verdict.Lane{Direction: verdict.Exit}},
	})
	list := func(q rules.Query) []rules.Entry {
		t.Helper()
		all, err := w.Registers(t.Context(), q)
		ok(t, err)
		return all
	}
	all := list(rules.Query{})
	if len(all) != 3 {
		t.Fatalf("register %+v", all)
	}
	if e := all[0]; e.Person != "沈未央" || e.Began.Event != again || !e.Open() || e.Began.Guard != "G1" {
		t.Errorf("out again: %+v", e)
	}
	if e := all[1]; !e.Collected || e.Began == nil || e.Began.At != hour(1) || e.Ended.At != hour(3) || e.Ended.Gate != w.gates[1].Gate {
		t.Errorf("out and back: %+v", e)
	}
	if e := all[2]; e.Kind != verdict.RegisterRelative || e.Staff != "陆知行" || !e.Open() {
		t.Errorf("relative: %+v", e)
	}
	open, closed := true, false
	for what, n := range map[*rules.Query]int{
		{Open: &open}: 2, {Open: &closed}: 1, {Kind: verdict.RegisterRelative}: 1, {Text: "2019"}: 2, {Text: "陆"}: 1, {Text: "' OR 1=1"}: 0,
	} {
		if got := list(*what); len(got) != n {
			t.Errorf("%+v: %d entries, want %d", *what, len(got), n)
		}
	}
	// The relative leaves: the gate names the entry.
	left := relative
	left.Ends = &came
	w.register(t, 0, hour(8), verdict.Exit, left)
	if e := list(rules.Query{Kind: verdict.RegisterRelative})[0]; e.Open() || e.Began.Event != came {
		t.Errorf("left: %+v", e)
	}
	// A return of which nobody saw the beginning is a line of its own.
	w.register(t, 1, hour(9), verdict.Entry, wire.Register{Kind: verdict.RegisterStudent, Person: "许听澜"})
	if e := list(rules.Query{Text: "许听澜"}); len(e) != 1 || e[0].Began != nil || e[0].Open() {
		t.Errorf("returned from nowhere: %+v", e)
	}
}

// Who takes money at a till is told of as guards are, and nobody's post at one
// sort of place lets them begin a shift at the other.
func TestSyncGuards_CashiersAtTillsAndGuardsAtGates(t *testing.T) {
	w := newWorld(t)
	shop := canteen.New(canteen.Config{Store: w.Store, People: w.People})
	m, err := shop.AddMerchant(t.Context(), "test", canteen.Merchant{Name: "一食堂"})
	ok(t, err)
	var tills []uint16
	for _, name := range []string{"一号窗口", "二号窗口"} {
		k, err := shop.AddTill(t.Context(), "test", canteen.Till{Name: name, Zone: 1, Merchant: m.ID, Rules: wire.Till{Entry: wire.EntryAmount}})
		ok(t, err)
		tills = append(tills, k.Gate)
	}
	gates := []uint16{w.gates[0].Gate, w.gates[1].Gate}
	w.person(t, "C1", people.Post{Role: people.Cashier, Gate: tills[0]})
	w.person(t, "C2", people.Post{Role: people.Cashier})
	w.person(t, "S1", people.Post{Role: people.Supervisor, Gate: tills[1]}, people.Post{Role: people.Cashier, Gate: tills[0]})
	w.person(t, "G1", people.Post{Role: people.Guard})
	w.person(t, "B1", people.Post{Role: people.Guard, Gate: gates[0]}, people.Post{Role: people.Cashier, Gate: tills[0]})
	for _, number := range []string{"C1", "C2", "S1", "G1", "B1"} {
		ok(t, w.SetPIN(t.Context(), "test", number, "294618"))
	}
	want := map[string]wire.Guard{
		"C1": {Gates: tills[:1]}, "C2": {Gates: tills}, "S1": {Gates: tills, Supervisor: true}, "G1": {Gates: gates},
		"B1": {Gates: []uint16{gates[0], tills[0]}},
	}
	items := w.items(t, wire.ItemGuard)
	for number, g := range want {
		var got wire.Guard
		ok(t, json.Unmarshal(items[number], &got))
		if !slices.Equal(got.Gates, g.Gates) || got.Supervisor != g.Supervisor || got.Hash == "" {
			t.Errorf("%s: %+v, want %+v", number, got, g)
		}
	}
	for _, wrong := range []people.Post{
		{Role: people.Guard, Gate: tills[0]}, {Role: people.Cashier, Gate: gates[0]}, {Role: people.Supervisor, Gate: 999}, {Role: people.Desk, Gate: tills[0]},
	} {
		wrong.Person = "C1"
		err := w.People.Change(t.Context(), func(x *store.Tx) error {
			_, err := w.People.AddPost(x, "test", wrong)
			return err
		})
		if !errors.Is(err, people.ErrInvalid) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
