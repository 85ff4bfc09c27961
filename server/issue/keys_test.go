package issue_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"

	"pgregory.net/rapid"
)

const day = 24 * time.Hour

// keys are those of a purpose, by state.
func (w *world) keys(t testing.TB, purpose signing.Purpose) map[signing.KeyState][]store.Key {
	t.Helper()
	keys, err := w.Store.Keys(t.Context())
	ok(t, err)
	by := map[signing.KeyState][]store.Key{}
	for _, k := range keys {
		if k.Purpose == purpose {
			by[k.State] = append(by[k.State], k)
		}
	}
	return by
}

func (w *world) one(t testing.TB, state signing.KeyState) store.Key {
	t.Helper()
	return w.oneOf(t, signing.PurposeGate, state)
}

func (w *world) oneOf(t testing.TB, purpose signing.Purpose, state signing.KeyState) store.Key {
	t.Helper()
	list := w.keys(t, purpose)[state]
	if len(list) != 1 {
		t.Fatalf("%d %s keys are %s", len(list), purpose, state)
	}
	return list[0]
}

func TestFound_OneActiveAndOneNext(t *testing.T) {
	w := newWorld(t)
	active, next := w.one(t, signing.KeyActive), w.one(t, signing.KeyNext)
	w.oneOf(t, signing.PurposePay, signing.KeyActive)
	w.oneOf(t, signing.PurposePay, signing.KeyNext)
	ring := w.ring(t)
	if len(ring.Keys) != 4 || ring.Serial != 1 || ring.Site != "云岭大学" {
		t.Fatalf("keyring %+v", ring)
	}
	if want := active.ActiveAt + issue.DefaultPolicy.ActiveFor.Milliseconds(); next.NotBefore*1000 != want/1000*1000 {
		t.Errorf("next is planned for %d, want %d", next.NotBefore, want/1000)
	}
	ok(t, w.Tick(t.Context()))
	if ring := w.ring(t); ring.Serial != 1 {
		t.Errorf("nothing was due, and the serial is %d", ring.Serial)
	}
}

func TestTick_RotatesWhenTheTimeHasCome(t *testing.T) {
	w := newWorld(t)
	first, second := w.one(t, signing.KeyActive), w.one(t, signing.KeyNext)
	old := w.issue(t, resident())
	w.add(90*day - time.Hour)
	ok(t, w.Tick(t.Context()))
	if w.one(t, signing.KeyActive).ID != first.ID {
		t.Fatal("rotated early")
	}
	w.add(time.Hour)
	ok(t, w.Tick(t.Context()))
	if w.one(t, signing.KeyActive).ID != second.ID {
		t.Fatal("not rotated")
	}
	retired := w.one(t, signing.KeyRetired)
	if retired.ID != first.ID || retired.Sealed != nil || retired.RetiredAt != w.Now().UnixMilli() {
		t.Fatalf("retired: %+v", retired)
	}
	// Old codes still verify, new ones come from the new key.
	ring := w.ring(t)
	if _, err := code.Read(ring, old.Code); err != nil {
		t.Fatalf("a code of the retired key: %v", err)
	}
	r := resident()
	r.From, r.Until = "2027-03-01", "2027-03-01"
	read, err := code.Read(ring, w.issue(t, r).Code)
	ok(t, err)
	if read.Key.ID != second.ID {
		t.Fatalf("signed by %s", read.Key.ID)
	}
	// All that the first key signed is long over: it leaves with the next look.
	w.add(2 * day)
	ok(t, w.Tick(t.Context()))
	if _, there := w.ring(t).Lookup(first.ID); there {
		t.Fatal("the retired key is still in the keyring")
	}
	if k := w.one(t, signing.KeyRetired); k.DroppedAt == 0 {
		t.Fatalf("not marked as dropped: %+v", k)
	}
}

func TestRotate_ErrNotReadyUnlessForced(t *testing.T) {
	w := newWorld(t)
	w.add(13 * day)
	wants(t, w.Rotate(t.Context(), "test", false), issue.ErrNotReady)
	if w.ring(t).Serial != 1 {
		t.Fatal("a refusal changed the keyring")
	}
	ok(t, w.Rotate(t.Context(), "test", true))
	w.add(14 * day)
	ok(t, w.Rotate(t.Context(), "test", false))
	if ring := w.ring(t); ring.Serial != 3 {
		t.Fatalf("serial %d", ring.Serial)
	}
}

func TestCompromise_TakesTheKeyOutAtOnce(t *testing.T) {
	w := newWorld(t)
	p := w.issue(t, resident())
	first, second := w.one(t, signing.KeyActive), w.one(t, signing.KeyNext)
	ok(t, w.Compromise(t.Context(), "test", first.ID))
	_, err := code.Read(w.ring(t), p.Code)
	wants(t, err, signing.ErrCompromised)
	if w.one(t, signing.KeyActive).ID != second.ID || w.one(t, signing.KeyCompromised).Sealed != nil {
		t.Fatalf("keys: %+v", w.keys(t, signing.PurposeGate))
	}
	w.one(t, signing.KeyNext)
	stored, err := w.Store.Pass(t.Context(), p.ID)
	ok(t, err)
	if issue.State(stored, w.Now()) != "revoked" {
		t.Errorf("state %s", issue.State(stored, w.Now()))
	}
	wants(t, w.Compromise(t.Context(), "test", first.ID), issue.ErrKeyState)
	wants(t, w.Compromise(t.Context(), "test", signing.KeyID{}), store.ErrNotFound)
	read, err := code.Read(w.ring(t), w.issue(t, resident()).Code)
	ok(t, err)
	if read.Key.ID != second.ID {
		t.Fatalf("signed by %s", read.Key.ID)
	}
	// It stays in the keyring, so that its codes are refused as revoked, until
	// they are over.
	ok(t, w.Tick(t.Context()))
	if _, there := w.ring(t).Lookup(first.ID); !there {
		t.Error("gone too early")
	}
}

func TestCompromise_OfTheNextKey(t *testing.T) {
	w := newWorld(t)
	active, next := w.one(t, signing.KeyActive), w.one(t, signing.KeyNext)
	ok(t, w.Compromise(t.Context(), "test", next.ID))
	if w.one(t, signing.KeyActive).ID != active.ID || w.one(t, signing.KeyNext).ID == next.ID {
		t.Fatalf("keys: %+v", w.keys(t, signing.PurposeGate))
	}
}

func TestRootElsewhere_OnlyChangesNeedIt(t *testing.T) {
	w := newWorld(t)
	w.away.Store(true)
	w.issue(t, resident())
	ok(t, w.Tick(t.Context()))
	w.add(90 * day)
	wants(t, w.Tick(t.Context()), issue.ErrRootAbsent)
	wants(t, w.Rotate(t.Context(), "test", false), issue.ErrRootAbsent)
	wants(t, w.Compromise(t.Context(), "test", w.one(t, signing.KeyActive).ID), issue.ErrRootAbsent)
	if ring := w.ring(t); ring.Serial != 1 || len(ring.Keys) != 4 {
		t.Fatalf("keyring %+v", ring)
	}
	w.issue(t, issue.Request{Kind: "work", Until: "2027-12-31"}) // the old key goes on
	w.away.Store(false)
	ok(t, w.Tick(t.Context()))
	if ring := w.ring(t); ring.Serial != 2 {
		t.Fatalf("serial %d", ring.Serial)
	}
}

// Whatever happens to the keys, in any order: serials rise, one key is active,
// one is next, every pass of a key that is not compromised verifies until it
// ends, and no key signs that was not published ahead, unless it was forced.
func TestKeys_AnySequence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer func() { ok(t, w.Store.Close()) }()
		type issued struct {
			code  string
			kid   signing.KeyID
			until int64
		}
		var passes []issued
		compromised := map[signing.KeyID]bool{}
		serial := w.ring(t).Serial
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				w.add(time.Duration(rapid.IntRange(1, 60).Draw(rt, "days")) * day)
				ok(t, w.Tick(t.Context()))
			case 1:
				until := w.Now().AddDate(0, 0, rapid.IntRange(1, 120).Draw(rt, "life")).Format(time.DateOnly)
				p := w.issue(t, issue.Request{Kind: "work", Until: until})
				passes = append(passes, issued{p.Code, p.Key, p.Until})
			case 2:
				if err := w.Rotate(t.Context(), "test", false); err != nil && !errors.Is(err, issue.ErrNotReady) {
					rt.Fatal(err)
				}
				active := w.one(t, signing.KeyActive)
				if len(compromised) == 0 && active.PublishedAt != active.ActiveAt && active.ActiveAt-active.PublishedAt < (14*day).Milliseconds() {
					rt.Fatalf("key %s signs %d ms after it was published", active.ID, active.ActiveAt-active.PublishedAt)
				}
			case 3:
				k := w.one(t, signing.KeyActive)
				ok(t, w.Compromise(t.Context(), "test", k.ID))
				compromised[k.ID] = true
			case 4:
				w.add(time.Hour)
			}
			ring := w.ring(t)
			if ring.Serial < serial {
				rt.Fatalf("serial fell to %d", ring.Serial)
			}
			serial = ring.Serial
			for _, purpose := range []signing.Purpose{signing.PurposeGate, signing.PurposePay} {
				w.oneOf(t, purpose, signing.KeyActive)
				w.oneOf(t, purpose, signing.KeyNext)
			}
			for _, p := range passes {
				if w.Now().Unix() >= p.until {
					continue
				}
				_, err := code.Read(ring, p.code)
				if compromised[p.kid] != errors.Is(err, signing.ErrCompromised) || !compromised[p.kid] && err != nil {
					rt.Fatalf("pass of key %s: %v", p.kid, err)
				}
			}
		}
	})
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, issue.RootFile)
	root, err := issue.CreateRoot(path, rand.Reader)
	ok(t, err)
	public := root.Public().(ed25519.PublicKey)
	again, err := issue.LoadRoot(path, public)
	ok(t, err)
	if !root.Equal(again) {
		t.Fatal("another key came back")
	}
	if _, err := issue.CreateRoot(path, rand.Reader); !errors.Is(err, os.ErrExist) {
		t.Fatalf("overwritten: %v", err)
	}
	other, _, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	_, err = issue.LoadRoot(path, other)
	wants(t, err, issue.ErrKeyFile)
	_, err = issue.LoadRoot(filepath.Join(dir, "none"), public)
	wants(t, err, issue.ErrRootAbsent)
	ok(t, os.Chmod(path, 0o640))
	_, err = issue.LoadRoot(path, public)
	wants(t, err, issue.ErrExposed)
	ok(t, os.Chmod(path, 0o600))
	ok(t, os.WriteFile(path, []byte("-----BEGIN PRIVATE KEY-----\n"), 0o600))
	_, err = issue.LoadRoot(path, public)
	wants(t, err, issue.ErrKeyFile)

	path = filepath.Join(dir, issue.SealFile)
	key, err := issue.CreateSeal(path, rand.Reader)
	ok(t, err)
	loaded, err := issue.LoadSeal(path)
	ok(t, err)
	if string(key) != string(loaded) {
		t.Fatal("another seal key came back")
	}
	ok(t, os.WriteFile(path, []byte("abc\n"), 0o600))
	_, err = issue.LoadSeal(path)
	wants(t, err, issue.ErrKeyFile)
}

func TestSealer_OpensOnlyItsOwn(t *testing.T) {
	key := make([]byte, 32)
	seal, err := issue.NewSealer(key, rand.Reader)
	ok(t, err)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	id := signing.KeyIDOf(public)
	sealed, err := seal.Seal(id, private)
	ok(t, err)
	back, err := seal.Open(id, sealed)
	ok(t, err)
	if !back.Equal(private) {
		t.Fatal("another key came back")
	}
	_, err = seal.Open(signing.KeyID{1}, sealed)
	wants(t, err, issue.ErrSeal)
	for i := range sealed {
		bad := append([]byte(nil), sealed...)
		bad[i] ^= 1
		if _, err := seal.Open(id, bad); !errors.Is(err, issue.ErrSeal) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for n := range len(sealed) {
		if _, err := seal.Open(id, sealed[:n]); !errors.Is(err, issue.ErrSeal) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if _, err := issue.NewSealer(key[:31], rand.Reader); err == nil {
		t.Fatal("a short key was taken")
	}
}

func TestRepublish_SerialPassesAllThatWereGivenOut(t *testing.T) {
	w := newWorld(t)
	before := w.ring(t)
	ok(t, w.Republish(t.Context(), "test"))
	after := w.ring(t)
	if after.Serial < uint64(w.Now().Unix()) || len(after.Keys) != len(before.Keys) {
		t.Fatalf("serial %d with %d keys, before %d with %d", after.Serial, len(after.Keys), before.Serial, len(before.Keys))
	}
	ok(t, w.Rotate(t.Context(), "test", true))
	if again := w.ring(t); again.Serial != after.Serial+1 {
		t.Errorf("the next serial is %d, want %d", again.Serial, after.Serial+1)
	}
}
