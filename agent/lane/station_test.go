package lane_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Everything below happens around noon of 2026-09-01 in Shanghai.
const (
	noon   int64 = 1788235200 // unix s
	noonMS       = noon * 1000
	home         = 3 // the gate under test
	other        = 5 // another gate
)

// campus makes codes with keys from fixed seeds.
type campus struct {
	root   ed25519.PrivateKey
	issuer signing.Issuer
	ring   *signing.Keyring
	signed []byte
	phone  *ecdsa.PrivateKey
	cnf    signing.PhoneKey
}

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

func keyOf(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("lane fixture " + seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

func newCampus(tb testing.TB) *campus {
	tb.Helper()
	c := &campus{root: keyOf("root")}
	private := keyOf("issuer")
	c.issuer = signing.Issuer{
		Key:     must[signing.Key](tb)(signing.NewKey("east", signing.PurposeGate, private.Public().(ed25519.PublicKey))),
		Private: private,
	}
	c.ring = must[*signing.Keyring](tb)(signing.NewKeyring("east", 4, []signing.Key{c.issuer.Key}))
	c.signed = must[[]byte](tb)(signing.SignKeyring(c.root, c.ring))
	c.pickUp(tb, "phone")
	return c
}

// pickUp makes another phone the one that live is about.
func (c *campus) pickUp(tb testing.TB, name string) {
	tb.Helper()
	seed := sha256.Sum256([]byte("lane fixture " + name))
	c.phone = must[*ecdsa.PrivateKey](tb)(ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]))
	c.cnf = must[signing.PhoneKey](tb)(signing.PhoneKeyOf(&c.phone.PublicKey))
}

// single is a pass for one use that the gate home decides.
func single(n uint64) pass.Pass {
	p := pass.Pass{
		Kind: signing.ResidentSingle, Name: "陆知夏", Doc4: "118X", Uses: 1, Owner: home,
		NotBefore: noon - 43200, Expires: noon + 43200, IssuedAt: noon - 7200,
	}
	binary.BigEndian.PutUint64(p.ID[:], n)
	return p
}

// elsewhere is a pass for one use that another gate decides.
func elsewhere(n uint64) pass.Pass {
	p := single(n)
	p.Owner = other
	return p
}

// open is a pass without a limit.
func open(n uint64) pass.Pass {
	p := single(n)
	p.Kind, p.Uses, p.Owner = signing.ResidentMulti, 0, 0
	return p
}

func (c *campus) static(tb testing.TB, p pass.Pass) string {
	tb.Helper()
	return pass.URL("gate.example.edu", must[[]byte](tb)(p.Sign(c.issuer)))
}

// live is a phone's code of p, made at t (unix s).
func (c *campus) live(tb testing.TB, p pass.Pass, counter uint64, t int64) string {
	tb.Helper()
	p.Phone = &c.cnf
	cred := must[[]byte](tb)(p.Sign(c.issuer))
	proof := signing.Proof{T: t, Counter: counter, Context: signing.ContextGate}
	return pass.LiveText(must[[]byte](tb)(signing.MakeProof(c.phone, nil, cred, proof)))
}

// station is one gate's store.
type station struct {
	tb   testing.TB
	c    *campus
	path string
	gate uint16
	db   *disk.DB
	j    *journal.Journal
	snap *snapshot.Snapshot

	closed bool
}

func (s *station) close() {
	s.tb.Helper()
	if !s.closed {
		s.closed = true
		check(s.tb, s.db.Close())
	}
}

func (s *station) Update(do func(lane.Book) error) error { return s.j.Update(do) }

// newStation enrols a gate and gives it its policy.
func newStation(tb testing.TB, c *campus, gate uint16, policy func(*wire.Gate)) *station {
	tb.Helper()
	s := &station{tb: tb, c: c, gate: gate, path: filepath.Join(tb.TempDir(), "agent.db")}
	s.create()
	s.open()
	tb.Cleanup(s.close)
	g := wire.Gate{ID: gate, Name: "东门", Zone: 1, Mode: verdict.Owner}
	if policy != nil {
		policy(&g)
	}
	s.apply(wire.Delta{Reset: true, Items: []wire.Item{
		item(tb, wire.ItemGate, strconv.Itoa(int(gate)), g),
		item(tb, wire.ItemGate, strconv.Itoa(other), wire.Gate{ID: other, Name: "西门", Zone: 2, Mode: verdict.Owner}),
	}})
	return s
}

func (s *station) create() {
	s.tb.Helper()
	root := s.c.root.Public().(ed25519.PublicKey)
	check(s.tb, disk.Create(s.path, func(tx *disk.Tx) error {
		if err := journal.Enrol(tx, journal.Identity{
			Agent: uint32(s.gate) + 10, Epoch: 1, Gate: s.gate, Site: "east", TimeZone: "Asia/Shanghai",
			Server: "https://gate.example.edu", Root: root, Private: keyOf("agent"),
		}); err != nil {
			return err
		}
		return snapshot.Enrol(tx, root, "east", s.c.signed)
	}))
}

func (s *station) open() {
	s.tb.Helper()
	s.closed = false
	s.db = must[*disk.DB](s.tb)(disk.Open(s.path))
	s.j = must[*journal.Journal](s.tb)(journal.Open(s.db))
	id := s.j.Identity()
	s.snap = must[*snapshot.Snapshot](s.tb)(snapshot.Open(s.db, id.Gate, id.Site, id.Root))
}

// reopen is what a restart does to the store.
func (s *station) reopen() {
	s.tb.Helper()
	s.close()
	s.open()
}

// apply brings one delta into force as the next revision.
func (s *station) apply(d wire.Delta) {
	s.tb.Helper()
	d.Cursor = wire.Cursor{Lineage: "lineage", Revision: s.snap.Cursor().Revision + 1}
	check(s.tb, s.snap.Apply([]wire.Delta{d}))
}

func item(tb testing.TB, kind wire.ItemKind, key string, body any) wire.Item {
	tb.Helper()
	return wire.Item{Kind: kind, Key: key, Body: must[[]byte](tb)(json.Marshal(body))}
}

// events reads the whole journal and verifies its chain.
func (s *station) events() []wire.Event {
	s.tb.Helper()
	records := must[[]wire.Record](s.tb)(s.j.After(0, 1<<20))
	var chain journal.Chain
	list := make([]wire.Event, len(records))
	for i := range records {
		check(s.tb, chain.Next(&records[i]))
		check(s.tb, json.Unmarshal(records[i].Body, &list[i]))
	}
	return list
}

// bench steps a core by hand. Its clock is the server's unless a test sets it
// wrong.
type bench struct {
	*station
	cfg  lane.Config
	core *lane.Core
	wall int64 // unix ms
	mono int64
	n    int
}

func gateConfig() lane.Config {
	return lane.Config{
		Gate: home, Site: "east", ClockMaxAge: desk.DefaultClockMaxAge,
		Lanes: []lane.Lane{{Name: "a"}, {Name: "b"}, {Name: "out", Direction: verdict.Exit}},
	}
}

// newBench is a gate whose clock was just compared with the server's.
func newBench(tb testing.TB, policy func(*wire.Gate)) *bench {
	tb.Helper()
	b := &bench{station: newStation(tb, newCampus(tb), home, policy), cfg: gateConfig(), wall: noonMS}
	b.restart()
	b.step(desk.Synced{Stamp: b.stamp()})
	return b
}

func (b *bench) restart() {
	b.tb.Helper()
	check(b.tb, b.j.Update(func(book lane.Book) (err error) {
		b.core, err = lane.NewCore(b.cfg, book)
		return err
	}))
}

func (b *bench) stamp() desk.Stamp { return desk.Stamp{Wall: b.wall, Mono: b.mono} }

func (b *bench) pass(ms int64) { b.wall += ms; b.mono += ms }

func (b *bench) step(in desk.Input) (effects []desk.Effect) {
	b.tb.Helper()
	check(b.tb, b.j.Update(func(book lane.Book) (err error) {
		effects, err = b.core.Step(book, in)
		return err
	}))
	b.core.Commit()
	return effects
}

func (b *bench) input(at, text string) *desk.Scan {
	c, err := code.Read(b.snap.Keyring(), text)
	b.n++
	return &desk.Scan{
		Stamp: b.stamp(), ID: "s" + strconv.Itoa(b.n), Lane: at, Source: "serial", Code: c, Err: err,
		Guideline: b.snap.Guideline(),
	}
}

func (b *bench) scan(at, text string) []desk.Effect { return b.step(b.input(at, text)) }

func (b *bench) tick() []desk.Effect { return b.step(desk.Tick{Stamp: b.stamp()}) }

// admit scans and wants the lane to open.
func (b *bench) admit(at, text string) desk.Result {
	b.tb.Helper()
	effects := b.scan(at, text)
	if opened(effects) != 1 {
		b.tb.Fatalf("lane did not open: %+v", effects)
	}
	return shown(b.tb, effects)
}

// refuse scans and wants this reason, and a closed lane.
func (b *bench) refuse(at, text string, want verdict.Reason) desk.Result {
	b.tb.Helper()
	effects := b.scan(at, text)
	r := shown(b.tb, effects)
	if r.Reason != want || opened(effects) != 0 || r.Opens {
		b.tb.Fatalf("got %v and %d pulses, want %v and none", r.Reason, opened(effects), want)
	}
	return r
}

func opened(effects []desk.Effect) (n int) {
	for _, e := range effects {
		if _, ok := e.(lane.Open); ok {
			n++
		}
	}
	return n
}

// find gives the only effect of its type.
func find[T desk.Effect](tb testing.TB, effects []desk.Effect) (found T) {
	tb.Helper()
	n := 0
	for _, e := range effects {
		if e, ok := e.(T); ok {
			found, n = e, n+1
		}
	}
	if n != 1 {
		tb.Fatalf("%d effects of type %T in %+v, want 1", n, found, effects)
	}
	return found
}

func shown(tb testing.TB, effects []desk.Effect) desk.Result {
	tb.Helper()
	return find[desk.Show](tb, effects).Result
}
