package issue_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"

	"pgregory.net/rapid"
)

type world struct {
	*issue.Service
	now  atomic.Int64 // unix ms
	root ed25519.PrivateKey
	away atomic.Bool // the root key is somewhere else
}

func (w *world) add(d time.Duration) { w.now.Add(d.Milliseconds()) }

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

// newWorld founds a site at noon of 21 November 2026, campus time.
func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, campus).UnixMilli())
	now := func() time.Time { return time.UnixMilli(w.now.Load()) }
	dir := t.TempDir()
	var db *store.Store
	db, w.root = storetest.Found(t, dir, store.Options{Now: now, Random: rand.Reader})
	t.Cleanup(func() { _ = db.Close() })
	public := w.root.Public().(ed25519.PublicKey)
	sealKey, err := issue.CreateSeal(filepath.Join(dir, issue.SealFile), rand.Reader)
	ok(t, err)
	seal, err := issue.NewSealer(sealKey, rand.Reader)
	ok(t, err)
	w.Service = issue.New(issue.Config{
		Store: db, Seal: seal, Random: rand.Reader, Now: now, Location: campus, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) {
			if w.away.Load() {
				return nil, issue.ErrRootAbsent
			}
			return issue.LoadRoot(filepath.Join(dir, issue.RootFile), public)
		},
	})
	ok(t, w.Found(t.Context(), "test"))
	return w
}

// ring is the keyring as an agent has it: signed by the root.
func (w *world) ring(t testing.TB) *signing.Keyring {
	t.Helper()
	serial, signed, err := w.Store.Keyring(t.Context())
	ok(t, err)
	ring, err := signing.OpenKeyring(w.root.Public().(ed25519.PublicKey), signed, serial)
	ok(t, err)
	if ring.Serial != serial {
		t.Fatalf("serial %d in the keyring, %d in the store", ring.Serial, serial)
	}
	return ring
}

func (w *world) gate(t testing.TB, name string, zone int, mode verdict.Mode) uint16 {
	t.Helper()
	g, err := w.Store.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: zone, Mode: mode})
	ok(t, err)
	return g.ID
}

func (w *world) issue(t testing.TB, r issue.Request) store.PassStatus {
	t.Helper()
	prepared, err := w.Prepare(t.Context(), r)
	ok(t, err)
	p, err := w.Issue(t.Context(), "test", prepared)
	ok(t, err)
	return p
}

func resident() issue.Request {
	return issue.Request{
		Kind: "resident_single", Name: "林晓", Doc4: "204X", From: "2026-11-22", Until: "2026-11-22", Zones: []int{1, 2},
	}
}

func TestIssue_CodeVerifiesWithTheSignedKeyring(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "east", 1, verdict.Owner)
	p := w.issue(t, resident())
	if !strings.HasPrefix(p.Code, "HTTPS://GATE.EXAMPLE.EDU/V/") {
		t.Fatalf("code %q", p.Code)
	}
	read, err := code.Read(w.ring(t), p.Code)
	ok(t, err)
	got := read.Pass
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, w.Location)
	if got.ID != p.ID || got.Kind != signing.ResidentSingle || got.Name != "林晓" || got.Doc4 != "204X" || got.Uses != 1 ||
		got.Zones != 3 || got.Owner != gate || got.NotBefore != day.Unix() || got.Expires != day.AddDate(0, 0, 1).Unix() ||
		got.IssuedAt != w.Now().Unix() || read.Key.Site != "云岭大学" {
		t.Fatalf("pass %+v", got)
	}
	stored, err := w.Store.Pass(t.Context(), p.ID)
	ok(t, err)
	if stored.Code != p.Code || issue.State(stored, w.Now()) != "issued" || stored.IssuedBy != "test" {
		t.Fatalf("stored %+v", stored)
	}
}

func TestIssue_OnlyOnce(t *testing.T) {
	w := newWorld(t)
	prepared, err := w.Prepare(t.Context(), resident())
	ok(t, err)
	_, err = w.Issue(t.Context(), "test", prepared)
	ok(t, err)
	_, err = w.Issue(t.Context(), "test", prepared)
	wants(t, err, issue.ErrSpent)
	_, err = w.Issue(t.Context(), "test", nil)
	wants(t, err, issue.ErrSpent)
	other := newWorld(t)
	prepared, err = w.Prepare(t.Context(), resident())
	ok(t, err)
	_, err = other.Issue(t.Context(), "test", prepared)
	wants(t, err, issue.ErrSpent)
}

func TestPrepare_Faults(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "east", 1, verdict.Owner)
	n := func(v uint32) *uint32 { return &v }
	g := func(v uint16) *uint16 { return &v }
	for name, c := range map[string]struct {
		edit  func(*issue.Request)
		field string
	}{
		"ErrKindUnknown":    {func(r *issue.Request) { r.Kind = "guest" }, "kind"},
		"ErrKindPay":        {func(r *issue.Request) { r.Kind = "pay" }, "kind"},
		"ErrKindMissing":    {func(r *issue.Request) { r.Kind = "" }, "kind"},
		"ErrNameLong":       {func(r *issue.Request) { r.Name = strings.Repeat("林", 17) }, "name"},
		"ErrNameControl":    {func(r *issue.Request) { r.Name = "a\u0007b" }, "name"},
		"ErrNameBidi":       {func(r *issue.Request) { r.Name = "a\u202eb" }, "name"},
		"ErrNameNotUTF8":    {func(r *issue.Request) { r.Name = "a\xff" }, "name"},
		"ErrDoc4Short":      {func(r *issue.Request) { r.Doc4 = "123" }, "doc4"},
		"ErrDoc4Long":       {func(r *issue.Request) { r.Doc4 = "12345" }, "doc4"},
		"ErrUntilMissing":   {func(r *issue.Request) { r.Until = "" }, "until"},
		"ErrUntilBefore":    {func(r *issue.Request) { r.Until = "2026-11-21" }, "until"},
		"ErrUntilSame":      {func(r *issue.Request) { r.From, r.Until = "2026-11-22T08:00", "2026-11-22T08:00" }, "until"},
		"ErrUntilNoDate":    {func(r *issue.Request) { r.Until = "tomorrow" }, "until"},
		"ErrUntilNoSuchDay": {func(r *issue.Request) { r.Until = "2026-02-30" }, "until"},
		"ErrFromYear":       {func(r *issue.Request) { r.From = "1999-12-31" }, "from"},
		"ErrUntilYear":      {func(r *issue.Request) { r.Until = "9999-01-01" }, "until"},
		"ErrSingleTwice":    {func(r *issue.Request) { r.Uses = n(2) }, "uses"},
		"ErrSingleNoLimit":  {func(r *issue.Request) { r.Uses = n(0) }, "uses"},
		"ErrZone0":          {func(r *issue.Request) { r.Zones = []int{0} }, "zones"},
		"ErrZone33":         {func(r *issue.Request) { r.Zones = []int{1, 33} }, "zones"},
		"ErrOwnerUnknown":   {func(r *issue.Request) { r.Owner = g(9) }, "owner_gate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := resident()
			c.edit(&r)
			_, err := w.Prepare(t.Context(), r)
			wants(t, err, issue.ErrInvalid)
			var f *issue.Fault
			if !errors.As(err, &f) || f.Field != c.field || f.ZH == "" || f.EN == "" || strings.Contains(f.Error(), "%!") || strings.Contains(f.ZH, "%!") {
				t.Fatalf("fault %+v, want field %s", f, c.field)
			}
		})
	}
}

func TestPrepare_Accepts(t *testing.T) {
	w := newWorld(t)
	n := func(v uint32) *uint32 { return &v }
	for name, c := range map[string]struct {
		edit        func(*issue.Request)
		begin, end  string
		uses        uint32
		wantName    string
		zonesAreAll bool
	}{
		"DatesIncludeTheLastDay": {func(r *issue.Request) { r.Until = "2026-11-23" }, "2026-11-22 00:00:00", "2026-11-24 00:00:00", 1, "林晓", false},
		"Times":                  {func(r *issue.Request) { r.From, r.Until = "2026-11-22T00:00:00Z", "2026-11-22T10:30" }, "2026-11-22 08:00:00", "2026-11-22 10:30:00", 1, "林晓", false},
		"FromNow":                {func(r *issue.Request) { r.From = "" }, "2026-11-21 12:00:00", "2026-11-23 00:00:00", 1, "林晓", false},
		"OutOfDate":              {func(r *issue.Request) { r.From, r.Until = "2026-11-01", "2026-11-01" }, "2026-11-01 00:00:00", "2026-11-02 00:00:00", 1, "林晓", false},
		"Unlimited":              {func(r *issue.Request) { r.Kind, r.Zones = "work", nil }, "2026-11-22 00:00:00", "2026-11-23 00:00:00", 0, "林晓", true},
		"Counted":                {func(r *issue.Request) { r.Kind, r.Uses = "visitor", n(3) }, "2026-11-22 00:00:00", "2026-11-23 00:00:00", 3, "林晓", false},
		"Name48Bytes":            {func(r *issue.Request) { r.Name = strings.Repeat("林", 16) }, "2026-11-22 00:00:00", "2026-11-23 00:00:00", 1, strings.Repeat("林", 16), false},
		"NameComposed":           {func(r *issue.Request) { r.Name = " Zoe\u0308 " }, "2026-11-22 00:00:00", "2026-11-23 00:00:00", 1, "Zo\u00eb", false},
		"NoName":                 {func(r *issue.Request) { r.Name, r.Doc4 = "", "" }, "2026-11-22 00:00:00", "2026-11-23 00:00:00", 1, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := resident()
			c.edit(&r)
			p := w.issue(t, r)
			show := func(sec int64) string { return time.Unix(sec, 0).In(w.Location).Format(time.DateTime) }
			if show(p.From) != c.begin || show(p.Until) != c.end || p.Uses != c.uses || p.Name != c.wantName || (p.Zones == 0) != c.zonesAreAll {
				t.Fatalf("from %s until %s uses %d name %q zones %v", show(p.From), show(p.Until), p.Uses, p.Name, p.Zones.List())
			}
		})
	}
}

func TestPrepare_OwnerIsTheOnlyGateOrTheServer(t *testing.T) {
	w := newWorld(t)
	owner := func(r issue.Request) uint16 { return w.issue(t, r).Owner }
	if got := owner(resident()); got != 0 {
		t.Errorf("no gates: %d", got)
	}
	east := w.gate(t, "east", 1, verdict.Owner)
	w.gate(t, "far", 9, verdict.Owner)
	if got := owner(resident()); got != east {
		t.Errorf("one gate: %d", got)
	}
	unlimited := resident()
	unlimited.Kind = "work"
	if got := owner(unlimited); got != 0 {
		t.Errorf("a pass without limit: %d", got)
	}
	server, named := resident(), resident()
	zero, two := uint16(0), uint16(2)
	server.Owner, named.Owner = &zero, &two
	if got := owner(server); got != 0 {
		t.Errorf("the server by name: %d", got)
	}
	if got := owner(named); got != 2 {
		t.Errorf("a gate by name: %d", got)
	}
	west := w.gate(t, "west", 2, verdict.Owner)
	if got := owner(resident()); got != 0 {
		t.Errorf("two gates: %d", got)
	}
	only2 := resident()
	only2.Zones = []int{2}
	if got := owner(only2); got != west {
		t.Errorf("one gate of the zone: %d", got)
	}
	_, err := w.Store.ChangeGate(t.Context(), "test", west, func(g *store.Gate) error { g.Mode = verdict.Online; return nil })
	ok(t, err)
	if got := owner(only2); got != 0 {
		t.Errorf("an online gate: %d", got)
	}
}

// Whatever is accepted comes out of the code as it was put in.
func TestIssue_WhatIsAcceptedIsRead(t *testing.T) {
	w := newWorld(t)
	ring := w.ring(t)
	rapid.Check(t, func(rt *rapid.T) {
		uses := rapid.Uint32().Draw(rt, "uses")
		r := issue.Request{
			Kind: rapid.SampledFrom([]string{"resident_multi", "work", "visitor", "vehicle"}).Draw(rt, "kind"),
			Name: rapid.String().Draw(rt, "name"), Doc4: rapid.StringN(0, 5, -1).Draw(rt, "doc4"),
			From: "2026-11-22", Until: rapid.SampledFrom([]string{"2026-11-21", "2026-11-22", "2027-02-28", "9998-12-31"}).Draw(rt, "until"),
			Uses: &uses, Zones: rapid.SliceOfN(rapid.IntRange(-1, 34), 0, 4).Draw(rt, "zones"),
		}
		prepared, err := w.Prepare(t.Context(), r)
		if err != nil {
			if !errors.Is(err, issue.ErrInvalid) {
				rt.Fatalf("an internal error: %v", err)
			}
			return
		}
		p, err := w.Issue(t.Context(), "test", prepared)
		if err != nil {
			rt.Fatal(err)
		}
		read, err := code.Read(ring, p.Code)
		if err != nil {
			rt.Fatal(err)
		}
		if got := read.Pass; got.Name != p.Name || got.Doc4 != p.Doc4 || got.Uses != uses || got.Zones != p.Zones {
			rt.Fatalf("read %+v, stored %+v", got, p)
		}
	})
}

func TestPhone_OneKeyRenewedAndReplaced(t *testing.T) {
	w := newWorld(t)
	r := resident()
	r.Kind, r.From, r.Until, r.Bound = "work", "2026-11-01", "2026-12-31", true
	p := w.issue(t, r)
	if p.Code != "" {
		t.Fatalf("a bound pass has a static code: %q", p.Code)
	}
	old, oldPublic := phone(t)
	enrol := func(key *ecdsa.PrivateKey, public []byte) issue.Credential {
		t.Helper()
		nonce, err := w.Nonce(t.Context(), p.ID)
		ok(t, err)
		c, err := w.Enrol(t.Context(), "test", p.ID, public, prove(t, key, p.ID, nonce))
		ok(t, err)
		return c
	}
	first := enrol(old, oldPublic)
	if first.Expires != w.Now().Add(issue.CredentialLife).Unix() {
		t.Errorf("expires %d", first.Expires)
	}
	read, err := code.Read(w.ring(t), first.Text)
	ok(t, err)
	if !read.Unproved() || read.Phone != first.Phone || read.Pass.ID != p.ID || read.Pass.IssuedAt != p.IssuedAt/1000 {
		t.Fatalf("credential: %+v", read.Pass)
	}
	issued := w.Now().Unix()
	w.add(24 * time.Hour)
	if again := enrol(old, oldPublic); again.Expires != first.Expires+86400 || again.Phone != first.Phone {
		t.Fatalf("renewed: %+v", again)
	} else if read, err = code.Read(w.ring(t), again.Text); err != nil || read.Pass.IssuedAt != issued {
		t.Fatalf("renewal changed the time of issue: %+v %v", read.Pass, err)
	}
	next, nextPublic := phone(t)
	replaced := enrol(next, nextPublic)
	list, err := w.Store.Phones(t.Context(), p.ID)
	ok(t, err)
	for _, ph := range list {
		if (ph.ReplacedAt == 0) != (ph.ID == replaced.Phone) {
			t.Errorf("phone %+v", ph)
		}
	}
	if len(list) != 2 {
		t.Fatalf("%d phones", len(list))
	}
	// The credential never outlives the pass.
	w.now.Store(time.Date(2026, 12, 31, 12, 0, 0, 0, w.Location).UnixMilli())
	if last := enrol(next, nextPublic); last.Expires != p.Until {
		t.Errorf("expires %d, the pass ends %d", last.Expires, p.Until)
	}
}

func TestPhone_Refusals(t *testing.T) {
	w := newWorld(t)
	r := resident()
	r.Kind, r.From, r.Bound = "work", "2026-11-01", true
	p, other := w.issue(t, r), w.issue(t, r)
	static := w.issue(t, resident())
	key, public := phone(t)
	wrong, _ := phone(t)
	nonce, err := w.Nonce(t.Context(), p.ID)
	ok(t, err)
	otherNonce, err := w.Nonce(t.Context(), other.ID)
	ok(t, err)
	for name, c := range map[string]struct {
		id     signing.PassID
		public []byte
		proof  []byte
		want   error
	}{
		"ErrOtherKey":    {p.ID, public, prove(t, wrong, p.ID, nonce), issue.ErrProof},
		"ErrOtherNonce":  {p.ID, public, prove(t, key, p.ID, otherNonce), issue.ErrProof},
		"ErrOtherPass":   {p.ID, public, prove(t, key, other.ID, nonce), issue.ErrProof},
		"ErrShort":       {p.ID, public, []byte("short"), issue.ErrProof},
		"ErrEmpty":       {p.ID, public, nil, issue.ErrProof},
		"ErrZeros":       {p.ID, public, make([]byte, 64), issue.ErrProof},
		"ErrKey":         {p.ID, []byte("key"), nil, signing.ErrKey},
		"ErrOffTheCurve": {p.ID, append([]byte{2}, make([]byte, 31)...), nil, signing.ErrKey},
		"ErrNotBound":    {static.ID, public, nil, issue.ErrNotBound},
		"ErrNotFound":    {signing.PassID{1}, public, nil, store.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Enrol(t.Context(), "test", c.id, c.public, c.proof)
			wants(t, err, c.want)
		})
	}
	proof := prove(t, key, p.ID, nonce)
	_, err = w.Enrol(t.Context(), "test", p.ID, public, proof)
	ok(t, err)
	_, err = w.Enrol(t.Context(), "test", p.ID, public, proof)
	wants(t, err, issue.ErrProof) // the nonce is gone
	_, err = w.Nonce(t.Context(), static.ID)
	wants(t, err, issue.ErrNotBound)
	late, err := w.Nonce(t.Context(), p.ID)
	ok(t, err)
	w.add(issue.NonceLife)
	_, err = w.Enrol(t.Context(), "test", p.ID, public, prove(t, key, p.ID, late))
	wants(t, err, issue.ErrProof)
	ok(t, w.Store.RevokePass(t.Context(), "test", p.ID, "left"))
	_, err = w.Nonce(t.Context(), p.ID)
	wants(t, err, issue.ErrOver)
	w.add(30 * 24 * time.Hour)
	_, err = w.Nonce(t.Context(), other.ID)
	wants(t, err, issue.ErrOver)
}

func phone(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	public, err := key.PublicKey.Bytes()
	ok(t, err)
	return key, public
}

// prove signs the way a browser does.
func prove(t testing.TB, key *ecdsa.PrivateKey, id signing.PassID, nonce []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(issue.ProofBytes(id, nonce))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	ok(t, err)
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}
