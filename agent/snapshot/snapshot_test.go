package snapshot_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	nowMS int64 = 1788235200_000
	gate        = 3
	far   int64 = 1_900_000_000 // unix s
)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func keyOf(letter string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(letter, 32)))
}

// ring is a keyring with one key, signed.
func ring(tb testing.TB, root, site string, serial uint64, key string) []byte {
	tb.Helper()
	k := must[signing.Key](tb)(signing.NewKey(site, signing.PurposeGate, keyOf(key).Public().(ed25519.PublicKey)))
	r := must[*signing.Keyring](tb)(signing.NewKeyring(site, serial, []signing.Key{k}))
	return must[[]byte](tb)(signing.SignKeyring(keyOf(root), r))
}

// store is an agent's file with both halves open.
type store struct {
	tb   testing.TB
	path string
	db   *disk.DB
	j    *journal.Journal
	*snapshot.Snapshot
}

func newStore(tb testing.TB) *store {
	tb.Helper()
	s := &store{tb: tb, path: filepath.Join(tb.TempDir(), "agent.db")}
	root := keyOf("r").Public().(ed25519.PublicKey)
	check(tb, disk.Create(s.path, func(tx *disk.Tx) error {
		return errors.Join(
			journal.Enrol(tx, journal.Identity{Agent: 13, Epoch: 1, Gate: gate, Site: "east", Root: root, Private: keyOf("p")}),
			snapshot.Enrol(tx, root, "east", ring(tb, "r", "east", 5, "a")),
		)
	}))
	s.open()
	tb.Cleanup(func() { check(tb, s.db.Close()) })
	return s
}

func (s *store) open() {
	s.tb.Helper()
	s.db = must[*disk.DB](s.tb)(disk.Open(s.path))
	s.j = must[*journal.Journal](s.tb)(journal.Open(s.db))
	s.Snapshot = must[*snapshot.Snapshot](s.tb)(snapshot.Open(s.db, gate, "east", keyOf("r").Public().(ed25519.PublicKey)))
}

func (s *store) reopen() {
	s.tb.Helper()
	check(s.tb, s.db.Close())
	s.open()
}

// standing is what a lane would learn of a pass.
func (s *store) standing(n uint64) (st lane.Standing) {
	s.tb.Helper()
	check(s.tb, s.j.Update(func(book lane.Book) (err error) {
		st, err = book.Standing(passID(n), signing.PhoneID{})
		return err
	}))
	return st
}

func (s *store) rows(table string) (n int) {
	s.tb.Helper()
	check(s.tb, s.db.Read().QueryRow("SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func passID(n uint64) (id signing.PassID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

func raw(tb testing.TB, body any) json.RawMessage {
	tb.Helper()
	return must[[]byte](tb)(json.Marshal(body))
}

func revoked(tb testing.TB, n uint64) wire.Item {
	return wire.Item{Kind: wire.ItemRevocation, Key: passID(n).String(), Body: raw(tb, wire.Revocation{At: nowMS, Expires: far})}
}

func used(tb testing.TB, n uint64, count uint32) wire.Item {
	body := wire.Use{First: verdict.Use{At: nowMS, Gate: 5}, Count: count, Expires: far}
	return wire.Item{Kind: wire.ItemUse, Key: passID(n).String(), Body: raw(tb, body)}
}

func owned(tb testing.TB, n uint64, by uint16) wire.Item {
	return wire.Item{Kind: wire.ItemOwner, Key: passID(n).String(), Body: raw(tb, wire.Ownership{Gate: by, Expires: far})}
}

func moved(tb testing.TB, n uint64, phone byte) wire.Item {
	body := wire.Phone{Phone: signing.PhoneID{phone}, Expires: far}
	return wire.Item{Kind: wire.ItemPhone, Key: passID(n).String(), Body: raw(tb, body)}
}

func gateItem(tb testing.TB, key string, g wire.Gate) wire.Item {
	return wire.Item{Kind: wire.ItemGate, Key: key, Body: raw(tb, g)}
}

func keyring(tb testing.TB, signed []byte) wire.Item {
	return wire.Item{Kind: wire.ItemKeyring, Body: raw(tb, wire.SignedKeyring{Signed: signed})}
}

func gone(it wire.Item) wire.Item {
	it.Gone, it.Body = true, nil
	return it
}

// group cuts items into deltas of a frame each, up to this revision.
func group(reset bool, revision uint64, items ...wire.Item) (list []wire.Delta) {
	for {
		n := min(len(items), wire.MaxBatch)
		list = append(list, wire.Delta{
			Cursor: wire.Cursor{Lineage: "one", Revision: revision},
			Reset:  reset && len(list) == 0, More: n < len(items), Items: items[:n],
		})
		if items = items[n:]; len(items) == 0 {
			return list
		}
	}
}

func (s *store) want(n uint64, isRevoked bool, owner uint16, uses uint32) {
	s.tb.Helper()
	r := s.standing(n).Record
	if r.Revoked != isRevoked || r.Owner != owner || r.Uses != uses || (r.First != nil) != (uses > 0) {
		s.tb.Fatalf("pass %d: %+v, want revoked %v, owner %d, uses %d", n, r, isRevoked, owner, uses)
	}
}

func TestApply_ItemsReplaceAndGo(t *testing.T) {
	s := newStore(t)
	east := wire.Gate{ID: gate, Name: "东门", Zone: 4, Mode: verdict.Owner, OwnsFrom: 77, Documents: true}
	check(t, s.Apply(group(true, 1, gateItem(t, "3", east), revoked(t, 1), used(t, 2, 1), owned(t, 3, 9))))
	s.want(1, true, 0, 0)
	s.want(2, false, 0, 1)
	s.want(3, false, 9, 0)
	p := s.standing(4).Policy
	if !p.Known || p.Zone != 4 || p.Mode != verdict.Owner || p.OwnsFrom != 77 || !p.Documents || p.Revision != 1 {
		t.Fatalf("policy %+v", p)
	}
	check(t, s.Apply(group(false, 2, gone(revoked(t, 1)), used(t, 2, 3), gone(owned(t, 3, 9)), gone(used(t, 8, 1)))))
	s.want(1, false, 0, 0)
	s.want(2, false, 0, 3)
	s.want(3, false, 0, 0)
	s.reopen()
	s.want(2, false, 0, 3)
	if c := s.Cursor(); c.Revision != 2 || c.Lineage != "one" {
		t.Fatalf("cursor %+v", c)
	}
	if g, ok := s.Gate(gate); !ok || g != east || len(s.Gates()) != 1 {
		t.Fatalf("gate %+v", g)
	}
	check(t, s.Apply(group(true, 1, revoked(t, 7)))) // a server put back in time
	s.want(2, false, 0, 0)
	s.want(7, true, 0, 0)
	if _, ok := s.Gate(gate); ok || s.standing(7).Policy.Known {
		t.Fatal("a reset keeps gates")
	}
	if s.rows("elsewhere") != 0 || s.rows("revocations") != 1 {
		t.Fatal("a reset leaves rows behind")
	}
	if s.Keyring().Serial != 5 {
		t.Fatal("a reset takes the keyring away")
	}
}

// The phone key that stands is found whatever way it came, and only where it is
// in force.
func TestApply_PhoneKeys(t *testing.T) {
	s := newStore(t)
	want := func(n uint64, phone byte) {
		t.Helper()
		key := desk.PhoneKey{}
		if phone != 0 {
			key = desk.PhoneKey{ID: signing.PhoneID{phone}, Until: far}
		}
		if got := s.standing(n).Phone; got != key {
			t.Fatalf("pass %d: %+v, want %+v", n, got, key)
		}
	}
	check(t, s.Apply(group(true, 1, moved(t, 1, 7), moved(t, 2, 8))))
	want(1, 7)
	want(3, 0)
	check(t, s.Apply(group(false, 2, moved(t, 1, 9), gone(moved(t, 2, 8)))))
	want(1, 9)
	want(2, 0)
	var many []wire.Item
	for n := range uint64(600) {
		many = append(many, moved(t, n, 5))
	}
	many = append(many, gone(moved(t, 4, 5)))
	check(t, s.Apply(group(false, 3, many...)))
	s.reopen()
	want(1, 5)
	want(599, 5)
	want(4, 0)
	if n := s.rows("phones"); n != 599 {
		t.Fatalf("%d rows", n)
	}
	check(t, s.j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: (far + 2*86400) * 1000}) }))
	check(t, s.Prune(time.Unix(far+2*86400, 0)))
	if n := s.rows("phones"); n != 0 {
		t.Fatalf("%d rows after all of them ended", n)
	}
}

// Large groups, whether they replace everything or not, give what small ones
// give.
func TestApply_LargeGroups(t *testing.T) {
	s := newStore(t)
	const n = 3_000
	var first, second []wire.Item
	for i := range uint64(n) {
		first = append(first, revoked(t, i), used(t, i, 1))
		if i%2 == 0 {
			second = append(second, gone(revoked(t, i)), used(t, i, 2))
		}
	}
	check(t, s.Apply(group(true, 1, first...)))
	s.want(0, true, 0, 1)
	s.want(n-1, true, 0, 1)
	check(t, s.Apply(group(false, 2, second...)))
	s.want(0, false, 0, 2)
	s.want(1, true, 0, 1)
	s.want(n-2, false, 0, 2)
	if s.rows("revocations") != n/2 || s.rows("elsewhere") != n {
		t.Fatalf("%d and %d rows", s.rows("revocations"), s.rows("elsewhere"))
	}
	check(t, s.Apply(group(false, 3, gone(revoked(t, 1)), revoked(t, 0))))
	s.want(0, true, 0, 2)
	s.want(1, false, 0, 1)
	check(t, s.Apply(group(true, 4, first[:n]...)))
	s.want(0, true, 0, 1)
	s.want(n-1, false, 0, 0)
	if s.rows("revocations") != n/2 || s.rows("elsewhere") != n/2 {
		t.Fatalf("%d and %d rows after the reset", s.rows("revocations"), s.rows("elsewhere"))
	}
}

func TestApply_KeyringIsVerified_AndItsSerialNeverFalls(t *testing.T) {
	for name, signed := range map[string][]byte{
		"another root":           ring(t, "x", "east", 9, "a"),
		"another site":           ring(t, "r", "west", 9, "a"),
		"older":                  ring(t, "r", "east", 4, "a"),
		"same serial, other key": ring(t, "r", "east", 5, "b"),
		"nonsense":               []byte("keyring"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			if err := s.Apply(group(true, 1, keyring(t, signed), revoked(t, 1))); !errors.Is(err, snapshot.ErrKeyring) {
				t.Fatalf("got %v", err)
			}
			s.want(1, false, 0, 0)
			if s.Cursor().Revision != 0 || s.Keyring().Serial != 5 {
				t.Fatal("something of the group is in force")
			}
		})
	}
	s := newStore(t)
	if err := s.Apply(group(false, 0, gone(keyring(t, nil)))); err == nil {
		t.Fatal("a group of another lineage was applied")
	}
	if err := s.Apply(group(true, 1, gone(keyring(t, nil)))); !errors.Is(err, snapshot.ErrKeyring) {
		t.Fatalf("removed: %v", err)
	}
	before := s.Keyring()
	check(t, s.Apply(group(true, 1, keyring(t, ring(t, "r", "east", 5, "a")))))
	check(t, s.Apply(group(false, 2, keyring(t, ring(t, "r", "east", 8, "b")))))
	if s.Keyring() == before || s.Keyring().Serial != 8 {
		t.Fatalf("serial %d", s.Keyring().Serial)
	}
	s.reopen()
	if err := s.Apply(group(false, 3, keyring(t, ring(t, "r", "east", 7, "b")))); !errors.Is(err, snapshot.ErrKeyring) || !errors.Is(err, signing.ErrSerialFell) {
		t.Fatalf("after a restart: %v", err)
	}
}

func TestEnrol_RefusesAKeyringOfAnotherRoot(t *testing.T) {
	err := disk.Create(filepath.Join(t.TempDir(), "agent.db"), func(tx *disk.Tx) error {
		return snapshot.Enrol(tx, keyOf("r").Public().(ed25519.PublicKey), "east", ring(t, "x", "east", 1, "a"))
	})
	if !errors.Is(err, snapshot.ErrKeyring) {
		t.Fatalf("got %v", err)
	}
}

func TestApply_RefusesWhatMakesNoSense(t *testing.T) {
	s := newStore(t)
	check(t, s.Apply(group(true, 5, revoked(t, 1))))
	item := func(kind wire.ItemKind, key, body string) wire.Item {
		return wire.Item{Kind: kind, Key: key, Body: json.RawMessage(body)}
	}
	for name, it := range map[string]wire.Item{
		"kind":           item("weather", "1", "{}"),
		"pass id":        item(wire.ItemRevocation, "xyz", `{"exp":1}`),
		"revocation":     item(wire.ItemRevocation, passID(2).String(), "[]"),
		"phone":          item(wire.ItemPhone, passID(2).String(), `{"exp":1}`),
		"phone's id":     item(wire.ItemPhone, passID(2).String(), `{"phone":"07","exp":1}`),
		"owner 0":        item(wire.ItemOwner, passID(2).String(), `{"gate":0}`),
		"use":            item(wire.ItemUse, passID(2).String(), `{"count":-1}`),
		"use's parts":    item(wire.ItemUse, passID(2).String(), `{"count":2,"by":{"13-1":2,"9-1":1}}`),
		"gate key":       item(wire.ItemGate, "three", `{"id":3,"mode":"owner"}`),
		"gate 0":         item(wire.ItemGate, "0", `{"id":0,"mode":"owner"}`),
		"gate of other":  item(wire.ItemGate, "4", `{"id":3,"mode":"owner"}`),
		"zone":           item(wire.ItemGate, "3", `{"id":3,"mode":"owner","zone":33}`),
		"mode":           item(wire.ItemGate, "3", `{"id":3,"mode":"anarchy"}`),
		"release":        item(wire.ItemRelease, "1-1-1", `[]`),
		"release's pass": item(wire.ItemRelease, "1-1-1", `{"owner":3,"pass":"x"}`),
	} {
		if err := s.Apply(group(false, 6, revoked(t, 2), it)); !errors.Is(err, snapshot.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := wire.Cursor{Lineage: "one", Revision: 6}
	for name, deltas := range map[string][]wire.Delta{
		"none":             nil,
		"cut off":          {{Cursor: one, More: true}},
		"two groups":       {{Cursor: one}, {Cursor: one}},
		"reset inside":     {{Cursor: one, More: true}, {Cursor: one, Reset: true}},
		"back in time":     {{Cursor: wire.Cursor{Lineage: "one", Revision: 4}}},
		"another lineage":  {{Cursor: wire.Cursor{Lineage: "two", Revision: 9}}},
		"endless revision": {{Cursor: wire.Cursor{Lineage: "one", Revision: 1 << 63}}},
	} {
		if err := s.Apply(deltas); !errors.Is(err, snapshot.ErrGroup) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.want(1, true, 0, 0)
	s.want(2, false, 0, 0)
	if s.Cursor().Revision != 5 {
		t.Fatalf("cursor %+v", s.Cursor())
	}
}

func TestApply_KeepsReleasesOfThisGateOnly(t *testing.T) {
	s := newStore(t)
	rel := func(claim string, owner uint16) wire.Item {
		return wire.Item{Kind: wire.ItemRelease, Key: claim, Body: raw(t, wire.Release{Owner: owner, Pass: passID(1)})}
	}
	check(t, s.Apply(group(true, 1, rel("15-1-1", gate), rel("15-1-2", 9), gone(rel("15-1-3", gate)))))
	check(t, s.Apply(group(false, 2, rel("15-1-4", gate))))
	check(t, s.j.Update(func(book lane.Book) error {
		list, err := book.Releases()
		if err == nil && (len(list) != 2 || list[0].ID != "15-1-1" || list[1].ID != "15-1-4" || list[0].Pass != passID(1)) {
			t.Errorf("releases %+v", list)
		}
		return err
	}))
}

func TestCurrent_CountsByTheServersClock(t *testing.T) {
	s := newStore(t)
	// What was once added to the computer's clock says nothing: it may have been set.
	check(t, s.j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{OffsetMS: 5_000, Synced: nowMS}) }))
	check(t, s.Current(time.UnixMilli(nowMS)))
	if s.standing(1).Policy.Fresh != nowMS || s.Confirmed() != nowMS {
		t.Fatalf("fresh %d", s.standing(1).Policy.Fresh)
	}
	check(t, s.Current(time.UnixMilli(nowMS+9_999))) // not worth a write
	if s.standing(1).Policy.Fresh != nowMS {
		t.Fatal("written within ten seconds")
	}
	check(t, s.Current(time.UnixMilli(nowMS+10_000)))
	s.reopen()
	if s.Confirmed() != nowMS+10_000 {
		t.Fatalf("after a restart %d", s.Confirmed())
	}
}

func TestPrune_ForgetsWhatEndedByTheServersClock(t *testing.T) {
	s := newStore(t)
	old := revoked(t, 1)
	old.Body = raw(t, wire.Revocation{Expires: nowMS/1000 - 2*86400})
	young := revoked(t, 2)
	young.Body = raw(t, wire.Revocation{Expires: nowMS/1000 - 3600})
	check(t, s.Apply(group(true, 1, old, young, used(t, 3, 1))))
	check(t, s.Prune(time.UnixMilli(nowMS)))
	s.want(1, true, 0, 0) // never compared with the server: nothing is forgotten
	check(t, s.j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: nowMS}) }))
	check(t, s.Prune(time.UnixMilli(nowMS+365*86400_000)))
	s.want(1, false, 0, 0)
	s.want(2, true, 0, 0)
	s.want(3, false, 0, 1)
}
