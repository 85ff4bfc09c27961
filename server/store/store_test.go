package store_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// clock is a wall clock that tests move by hand.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) Now() time.Time         { return time.UnixMilli(c.ms.Load()) }
func (c *clock) add(d time.Duration)    { c.ms.Add(d.Milliseconds()) }
func (c *clock) at() int64              { return c.ms.Load() }
func (c *clock) seconds() int64         { return c.ms.Load() / 1000 }
func (c *clock) options() store.Options { return store.Options{Now: c.Now} }

func root(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func testSite() store.Site {
	return store.Site{Name: "云岭大学", TimeZone: "Asia/Shanghai", Root: root(1).Public().(ed25519.PublicKey)}
}

var founded storetest.Folder

// newStore gives a database of its own in a temporary folder.
func newStore(t testing.TB) (*store.Store, *clock) {
	t.Helper()
	s, c, _ := newStoreAt(t)
	return s, c
}

func newStoreAt(t testing.TB) (*store.Store, *clock, string) {
	t.Helper()
	c := newClock()
	dir := t.TempDir()
	founded.Copy(t, dir, func(first string) {
		s := must(store.Create(t.Context(), filepath.Join(first, "campusgate.db"), testSite(), c.options()))(t)
		ok(t, s.Close())
	})
	path := filepath.Join(dir, "campusgate.db")
	s := must(store.Open(t.Context(), path, c.options()))(t)
	t.Cleanup(func() { _ = s.Close() })
	return s, c, path
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func addGate(t testing.TB, s *store.Store, name string, mode verdict.Mode) store.Gate {
	t.Helper()
	return must(s.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: 1, Mode: mode}))(t)
}

// enrol gives a gate its agent.
func enrol(t testing.TB, s *store.Store, c *clock, gate uint16, seed byte) store.Agent {
	t.Helper()
	secret := sha256.Sum256([]byte{seed, byte(gate), byte(gate >> 8)})
	ok(t, s.NewEnrolment(t.Context(), "test", gate, secret[:], c.at()+60_000))
	return must(s.Enrol(t.Context(), secret[:], root(seed).Public().(ed25519.PublicKey), "gate-pc"))(t)
}

func passID(n int) (id signing.PassID) {
	copy(id[:], "pass")
	id[6], id[7] = byte(n>>8), byte(n)
	return id
}

// agentLog writes an agent's journal.
type agentLog struct {
	agent, epoch uint32
	gate         uint16
	seq          uint64
	head         wire.Hash
	clock        *clock
}

func (l *agentLog) add(t testing.TB, e wire.Event) wire.Record {
	t.Helper()
	l.seq++
	e.ID = wire.EventID{Agent: l.agent, Epoch: l.epoch, Seq: l.seq}
	e.Gate = l.gate
	if e.Case != nil && e.Counts {
		e.Case.Code.Owner = l.gate // who counts has decided
	}
	if e.At == 0 {
		e.At = l.clock.at()
	}
	r := must(wire.Seal(l.head, &e))(t)
	l.head = r.Hash
	return r
}

// admit is a counted admission of a pass with so many uses.
func admit(pass signing.PassID, uses uint32, exp int64) wire.Event {
	return wire.Event{
		Type: wire.EventScan, Scan: "s", Lane: "main", Source: "serial", Pass: pass, Counts: true,
		Verdict: verdict.Verdict{Reason: verdict.Granted},
		Case:    &verdict.Case{Code: verdict.Code{Kind: signing.ResidentSingle, ID: pass, Uses: uses, Expires: exp}},
	}
}

func (l *agentLog) id(seq uint64) *wire.EventID {
	return &wire.EventID{Agent: l.agent, Epoch: l.epoch, Seq: seq}
}

func journalOf(a store.Agent, c *clock) *agentLog {
	return &agentLog{agent: a.ID, epoch: a.Epoch, gate: a.Gate, clock: c}
}

func (l *agentLog) send(t testing.TB, s *store.Store, records ...wire.Record) {
	t.Helper()
	acked := must(s.Ingest(t.Context(), l.agent, l.epoch, records))(t)
	if acked != l.seq {
		t.Fatalf("acked %d, want %d", acked, l.seq)
	}
}

// feedMap applies the feed from a cursor, the way an agent does, to a map.
type feedMap struct {
	cursor wire.Cursor
	items  map[string]json.RawMessage
	resets int
	order  []wire.ItemKind
}

func (f *feedMap) pull(t testing.TB, s *store.Store, limit int) {
	t.Helper()
	for {
		d := must(s.Feed(t.Context(), f.cursor, limit))(t)
		if len(d.Items) > limit {
			t.Fatalf("%d items, limit %d", len(d.Items), limit)
		}
		if f.apply(d); !d.More {
			return
		}
	}
}

func (f *feedMap) apply(d wire.Delta) {
	if d.Reset {
		f.items, f.order = map[string]json.RawMessage{}, nil
		f.resets++
	}
	for _, it := range d.Items {
		f.order = append(f.order, it.Kind)
		key := string(it.Kind) + " " + it.Key
		if it.Gone {
			delete(f.items, key)
		} else {
			f.items[key] = it.Body
		}
	}
	f.cursor = d.Cursor
}

func (f *feedMap) use(t testing.TB, pass signing.PassID) (u wire.Use, there bool) {
	t.Helper()
	body, there := f.items["use "+pass.String()]
	if there {
		ok(t, json.Unmarshal(body, &u))
	}
	return u, there
}

func TestOpen_ErrNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere.db")
	_, err := store.Open(t.Context(), path, newClock().options())
	wants(t, err, store.ErrNoDatabase)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("a file appeared")
	}
}

func TestCreate_ErrExists(t *testing.T) {
	_, c, path := newStoreAt(t)
	before := must(os.Stat(path))(t)
	_, err := store.Create(t.Context(), path, testSite(), c.options())
	wants(t, err, store.ErrExists)
	if after := must(os.Stat(path))(t); after.Size() != before.Size() {
		t.Fatal("the database changed")
	}
}

func TestOpen_KeepsSiteAndRestoredChangesTheLineage(t *testing.T) {
	s, c, path := newStoreAt(t)
	first := s.Site()
	ok(t, s.Close())
	s = must(store.Open(t.Context(), path, c.options()))(t)
	defer func() { ok(t, s.Close()) }()
	if got := s.Site(); got.Name != "云岭大学" || got.TimeZone != "Asia/Shanghai" || got.Lineage != first.Lineage ||
		!got.Root.Equal(first.Root) || got.Lineage == "" {
		t.Fatalf("got %+v, want %+v", got, first)
	}
	must(s.Restored(t.Context(), "test"))(t)
	if s.Site().Lineage == first.Lineage {
		t.Fatal("lineage stayed")
	}
}

func TestCreate_FileIsPrivate(t *testing.T) {
	_, _, path := newStoreAt(t)
	for _, suffix := range []string{"", "-wal"} {
		if mode := must(os.Stat(path + suffix))(t).Mode().Perm(); mode != 0o600 {
			t.Errorf("%s: mode %o", suffix, mode)
		}
	}
}

// A copy of the file of a closed store is a whole backup.
func TestClose_LeavesOneFile(t *testing.T) {
	s, c, path := newStoreAt(t)
	addPass(t, s, c, passID(1), 0)
	ok(t, s.Close())
	for _, extra := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + extra); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind (%v)", extra, err)
		}
	}
}

func TestClose_LaterChangesFail(t *testing.T) {
	s, _ := newStore(t)
	ok(t, s.Close())
	_, err := s.AddGate(context.Background(), "test", store.Gate{Name: "g", Zone: 1, Mode: verdict.Owner})
	wants(t, err, store.ErrClosed)
}

func TestTrail_ChainsEveryChange(t *testing.T) {
	s, _ := newStore(t)
	for i := range 5 {
		addGate(t, s, "gate "+strconv.Itoa(i), verdict.Owner)
	}
	if n := must(s.VerifyTrail(t.Context()))(t); n != 6 { // and the foundation
		t.Fatalf("%d entries", n)
	}
	page := must(s.Trail(t.Context(), 1, 2))(t)
	if len(page) != 2 || page[0].Action != "gate.created" || page[0].Target != "gate 1" || page[0].Actor != "test" {
		t.Fatalf("got %+v", page)
	}
	for before, want := range map[int64][]int64{0: {6, 5}, 3: {2, 1}, 2: {1}} {
		var ids []int64
		for _, e := range must(s.TrailBefore(t.Context(), before, 2))(t) {
			ids = append(ids, e.ID)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("before %d: %v, want %v", before, ids, want)
		}
	}
}
