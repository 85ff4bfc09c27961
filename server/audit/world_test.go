package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/audit"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const site = "云岭大学"

// noon is when the clock of a world starts, in ms.
var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC).UnixMilli()

// tb is a test, a benchmark, or a run of a property.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is a server's database with an auditor.
type world struct {
	store   *store.Store
	auditor *audit.Auditor
	clock   atomic.Int64 // ms
	key     signing.KeyID
	gates   int
	passes  int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	w.clock.Store(noon)
	s, _ := storetest.Found(t, t.TempDir(), store.Options{Now: func() time.Time { return time.UnixMilli(w.clock.Load()) }})
	t.Cleanup(func() { _ = s.Close() })
	w.store, w.auditor = s, audit.New(s, nil)
	public := seeded(2).Public().(ed25519.PublicKey)
	w.key = signing.KeyIDOf(public)
	w.changeKey(t, store.Key{
		Key: signing.Key{ID: w.key, Public: public, State: signing.KeyActive, Purpose: signing.PurposeGate, Kinds: signing.GateKinds},
	})
	return w
}

func seeded(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func ok(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) changeKey(t testing.TB, k store.Key) {
	t.Helper()
	ok(t, w.store.ChangeKeys(t.Context(), "test", func([]store.Key, uint64, int64) (*store.KeyChange, error) {
		return &store.KeyChange{Keys: []store.Key{k}, Signed: []byte("a keyring"), Action: "key.changed", Target: "key"}, nil
	}))
}

func (w *world) compromise(t testing.TB) {
	t.Helper()
	keys, err := w.store.Keys(t.Context())
	ok(t, err)
	keys[0].State, keys[0].CompromisedAt = signing.KeyCompromised, w.clock.Load()
	w.changeKey(t, keys[0])
}

// pass issues one. A thousand worlds may share a database.
func (w *world) pass(t testing.TB, uses uint32) verdict.Code {
	t.Helper()
	return w.passFor(t, t, uses)
}

func (w *world) passFor(t tb, base testing.TB, uses uint32) verdict.Code {
	t.Helper()
	w.passes++
	code := w.unissued(uses)
	ok(t, w.store.AddPass(base.Context(), store.Pass{
		ID: code.ID, Kind: code.Kind, Name: "林晓", Doc4: "0427", From: code.NotBefore, Until: code.Expires, Uses: uses,
		Key: w.key, Code: "HTTPS://GATE.EXAMPLE/V/X", IssuedAt: noon, IssuedBy: "test",
	}))
	return code
}

// unissued is a genuine code of which the database knows nothing.
func (w *world) unissued(uses uint32) verdict.Code {
	sum := sha256.Sum256(fmt.Append(nil, w.passes))
	return verdict.Code{
		Kind: signing.ResidentMulti, ID: signing.PassID(sum[:8]), Key: w.key, Site: site,
		NotBefore: noon/1000 - 3600, Expires: noon/1000 + 30*86400, IssuedAt: noon/1000 - 3600, Uses: uses,
	}
}

// gate is a gate with its agent's journal.
type gate struct {
	world   *world
	agent   store.Agent
	journal []wire.Record
	sent    int
}

func (w *world) gate(t testing.TB) *gate {
	t.Helper()
	return w.gateFor(t, t)
}

func (w *world) gateFor(t tb, base testing.TB) *gate {
	t.Helper()
	w.gates++
	g, err := w.store.AddGate(base.Context(), "test", store.Gate{Name: fmt.Sprintf("%d 号门", w.gates), Zone: 1, Mode: verdict.Owner})
	ok(t, err)
	secret := sha256.Sum256(fmt.Append(nil, "secret", w.gates))
	ok(t, w.store.NewEnrolment(base.Context(), "test", g.ID, secret[:], w.clock.Load()+60_000))
	key := ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
	a, err := w.store.Enrol(base.Context(), secret[:], key, "gate-pc")
	ok(t, err)
	return &gate{world: w, agent: a}
}

func (g *gate) id() uint16 { return g.agent.Gate }

// write journals an event and gives its id.
func (g *gate) write(t tb, e wire.Event) wire.EventID {
	t.Helper()
	var head wire.Hash
	if n := len(g.journal); n > 0 {
		head = g.journal[n-1].Hash
	}
	e.ID = wire.EventID{Agent: g.agent.ID, Epoch: g.agent.Epoch, Seq: uint64(len(g.journal) + 1)}
	e.Gate = g.id()
	r, err := wire.Seal(head, &e)
	ok(t, err)
	g.journal = append(g.journal, r)
	return e.ID
}

// kase is what this gate knows at a moment of a code that is its own to decide.
func (g *gate) kase(code verdict.Code, at int64) *verdict.Case {
	code.Owner = g.id()
	return &verdict.Case{
		At: at, Code: code,
		Lane:   verdict.Lane{Gate: g.id(), Site: site, Zone: 1, Direction: verdict.Entry, Kinds: signing.GateKinds},
		Clock:  verdict.Clock{HighWater: at - 1, Synced: at - 1000},
		Policy: verdict.Policy{Mode: verdict.Owner, Fresh: at - 1000},
	}
}

// scan journals what the judge says of a case, as a lane does.
func (g *gate) scan(t tb, c *verdict.Case, claim string) wire.EventID {
	t.Helper()
	v := verdict.Judge(c)
	if v.Need != verdict.NeedNothing {
		t.Fatalf("the case waits for %s", v.Need)
	}
	return g.write(t, wire.Event{
		Type: wire.EventScan, At: c.At, Pass: c.Code.ID, Verdict: v, Case: c, Claim: claim,
		Counts: v.Opens() && c.Code.Uses > 0 && claim == "" && c.Lane.Direction == verdict.Entry,
	})
}

// admit journals an admission that this gate decided.
func (g *gate) admit(t tb, code verdict.Code, at int64) wire.EventID {
	t.Helper()
	return g.scan(t, g.kase(code, at), "")
}

// admitUnder journals an admission that somebody else granted.
func (g *gate) admitUnder(t tb, code verdict.Code, at int64, owner uint16, claim string) wire.EventID {
	t.Helper()
	c := g.kase(code, at)
	c.Code.Owner, c.Claim.State = owner, verdict.ClaimGranted
	return g.scan(t, c, claim)
}

// refuse journals that the pass was used up, by a use that the gate knew of.
func (g *gate) refuse(t tb, code verdict.Code, at int64, first verdict.Use) wire.EventID {
	t.Helper()
	c := g.kase(code, at)
	c.Record.Uses, c.Record.First = code.Uses, &first
	return g.scan(t, c, "")
}

// grant journals this gate's answer to another's claim.
func (g *gate) grant(t tb, code verdict.Code, at int64, to uint16, claim string) wire.EventID {
	t.Helper()
	return g.write(t, wire.Event{
		Type: wire.EventGrant, At: at, Pass: code.ID, Claim: claim, For: to, Counts: true,
		Verdict: verdict.Verdict{Reason: verdict.Granted},
	})
}

// annul takes back an event of this gate that counted, or a claim.
func (g *gate) annul(t tb, code verdict.Code, at int64, what *wire.EventID, claim string) wire.EventID {
	t.Helper()
	return g.write(t, wire.Event{
		Type: wire.EventAnnul, At: at, Pass: code.ID, Annuls: what, Claim: claim, Counts: what != nil && claim == "",
		Verdict: verdict.Verdict{Reason: verdict.Annulled},
	})
}

// upload sends up to n records that were not sent before; 0 = all.
func (g *gate) upload(t tb, base testing.TB, n int) {
	t.Helper()
	to := len(g.journal)
	if n > 0 {
		to = min(to, g.sent+n)
	}
	if to == g.sent {
		return
	}
	_, err := g.world.store.Ingest(base.Context(), g.agent.ID, g.agent.Epoch, g.journal[g.sent:to])
	ok(t, err)
	g.sent = to
}

func (g *gate) send(t testing.TB) {
	t.Helper()
	g.upload(t, t, 0)
}

// opinions gives the opinion on every scan after a position.
func (w *world) opinions(t tb, base testing.TB, after int64) map[wire.EventID]verdict.Reason {
	t.Helper()
	found := map[wire.EventID]verdict.Reason{}
	for {
		page, err := w.store.Events(base.Context(), after, 1000)
		ok(t, err)
		if len(page) == 0 {
			return found
		}
		for i := range page {
			after = page[i].Position
			if page[i].Type.Judged() {
				found[page[i].ID] = page[i].Opinion
			} else if page[i].Opinion != 0 {
				t.Fatalf("an opinion on a %s", page[i].Type)
			}
		}
	}
}

// wants audits and compares.
func (w *world) wants(t testing.TB, want map[wire.EventID]verdict.Reason) {
	t.Helper()
	ok(t, w.auditor.CatchUp(t.Context()))
	got := w.opinions(t, t, 0)
	if len(got) != len(want) {
		t.Errorf("%d opinions, want %d", len(got), len(want))
	}
	for id, reason := range want {
		if got[id] != reason {
			t.Errorf("opinion on %v: %v, want %v", id, got[id], reason)
		}
	}
	f, err := w.auditor.Figures(t.Context())
	ok(t, err)
	if f.Pending != 0 {
		t.Errorf("%d events pending", f.Pending)
	}
}

type (
	opinions = map[wire.EventID]verdict.Reason
	passID   = signing.PassID
)
