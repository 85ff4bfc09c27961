package store_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// three are gates with agents, and a pass that the first was signed to own.
func three(t testing.TB) (*store.Store, *clock, []*agentLog, store.Pass) {
	s, c := newStore(t)
	var logs []*agentLog
	for i, name := range []string{"east", "west", "south"} {
		logs = append(logs, gateLog(t, s, c, name, byte(2+i)))
	}
	return s, c, logs, addPass(t, s, c, passID(1), logs[0].gate)
}

func release(m wire.Move) wire.Event {
	return wire.Event{Type: wire.EventRelease, Pass: m.Pass, Move: &m}
}

func ownerItem(f *feedMap) string { return string(f.items["owner "+passID(1).String()]) }

func TestMove_IsToldToTheGatesOnlyWhenTheOwnerHasGivenThePassUp(t *testing.T) {
	s, _, g, p := three(t)
	ctx := t.Context()
	m := must(s.BeginMove(ctx, "clerk", p.ID, g[1].gate, "move-0001"))(t)
	want := wire.Move{
		ID: "move-0001", Pass: p.ID, From: g[0].gate, To: g[1].gate, Epoch: 1, AgentEpoch: 1, Issued: p.IssuedAt / 1000, Expires: p.Until,
	}
	if m != want {
		t.Fatalf("asks %+v, want %+v", m, want)
	}
	if again := must(s.BeginMove(ctx, "clerk", p.ID, g[1].gate, "move-0002"))(t); again != want {
		t.Fatalf("asks anew %+v", again)
	}
	var f feedMap
	if f.pull(t, s, 10); ownerItem(&f) != "" {
		t.Fatal("told before it was given up")
	}
	for range 2 { // the answer, and the event once more
		ok(t, s.Released(ctx, m))
		f.pull(t, s, 10)
		if got, want := ownerItem(&f), fmt.Sprintf(`{"gate":%d,"epoch":1,"agent_epoch":1,"exp":%d}`, g[1].gate, p.Until); got != want {
			t.Fatalf("told %s, want %s", got, want)
		}
	}
	if held := must(s.Pass(ctx, p.ID))(t); held.Decider() != g[1].gate || held.Owner != g[0].gate || held.Moves != 1 {
		t.Fatalf("%+v", held)
	}
	trail := must(s.Trail(ctx, 0, 100))(t)
	if !slices.ContainsFunc(trail, func(e store.Entry) bool { return e.Action == "pass.moved" && e.Actor == "clerk" }) {
		t.Fatalf("trail %+v", trail)
	}
}

func TestMove_RefusedWhereItCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*testing.T, *store.Store, *clock, []*agentLog)
		to     int
		want   error
	}{
		"used": {func(t *testing.T, s *store.Store, c *clock, g []*agentLog) {
			g[0].send(t, s, g[0].add(t, admit(passID(1), 1, c.seconds()+60)))
		}, 1, store.ErrMoveOver},
		"revoked": {func(t *testing.T, s *store.Store, _ *clock, _ []*agentLog) {
			ok(t, s.RevokePass(t.Context(), "x", passID(1), ""))
		}, 1, store.ErrMoveOver},
		"over":          {func(_ *testing.T, _ *store.Store, c *clock, _ []*agentLog) { c.add(2 * time.Hour) }, 1, store.ErrMoveOver},
		"no such gate":  {nil, 8, store.ErrNotFound},
		"its own owner": {nil, 0, store.ErrMoveGate},
		"a gate whose agent was revoked": {func(t *testing.T, s *store.Store, _ *clock, g []*agentLog) {
			ok(t, s.RevokeAgent(t.Context(), "x", g[1].agent))
		}, 1, store.ErrMoveGate},
		"a gate that asks the server": {func(t *testing.T, s *store.Store, _ *clock, g []*agentLog) {
			must(s.ChangeGate(t.Context(), "x", g[1].gate, func(g *store.Gate) error { g.Mode = verdict.Online; return nil }))(t)
		}, 1, store.ErrMoveGate},
		"an owner that asks the server": {func(t *testing.T, s *store.Store, _ *clock, g []*agentLog) {
			must(s.ChangeGate(t.Context(), "x", g[0].gate, func(g *store.Gate) error { g.Mode = verdict.Online; return nil }))(t)
		}, 1, store.ErrMoveDecider},
	} {
		t.Run(name, func(t *testing.T) {
			s, clock, g, p := three(t)
			if c.before != nil {
				c.before(t, s, clock, g)
			}
			to := uint16(99)
			if c.to < len(g) {
				to = g[c.to].gate
			}
			_, err := s.BeginMove(t.Context(), "clerk", p.ID, to, "move-0001")
			wants(t, err, c.want)
		})
	}
}

// The journals of gates say all moves; in whatever order they come, and whatever
// of the server's own record was lost, the last owner is the same.
func TestMove_JournalsAloneGiveTheSameOwnerInAnyOrder(t *testing.T) {
	for seed := range uint64(12) {
		chance := rand.New(rand.NewPCG(seed, 0))
		s, _, g, p := three(t)
		var records [3][]wire.Record
		from, n := 0, 1+chance.IntN(5)
		for epoch := range n {
			to := (from + 1 + chance.IntN(2)) % 3
			e := release(wire.Move{
				ID: fmt.Sprintf("move-%04d", epoch), Pass: p.ID, From: g[from].gate, To: g[to].gate, Epoch: uint32(epoch + 1), AgentEpoch: 1,
				Issued: p.IssuedAt / 1000, Expires: p.Until,
			})
			records[from] = append(records[from], g[from].add(t, e))
			from = to
		}
		for left := n; left > 0; {
			i := chance.IntN(3)
			if len(records[i]) == 0 {
				continue
			}
			must(s.Ingest(t.Context(), g[i].agent, g[i].epoch, records[i][:1]))(t)
			records[i] = records[i][1:]
			left--
		}
		if held := must(s.Pass(t.Context(), p.ID))(t); held.Decider() != g[from].gate || held.Moves != uint32(n) {
			t.Fatalf("seed %d: decided by %d after %d moves, want %d after %d", seed, held.Decider(), held.Moves, g[from].gate, n)
		}
	}
}

func TestMove_AGateGivesUpOnlyWhatItOwns(t *testing.T) {
	s, _, g, p := three(t)
	m := wire.Move{ID: "move-0001", Pass: p.ID, From: g[1].gate, To: g[2].gate, Epoch: 1, AgentEpoch: 1, Issued: 1, Expires: p.Until}
	g[1].send(t, s, g[1].add(t, release(m)))
	m.Epoch = 7
	g[1].send(t, s, g[1].add(t, release(m)))
	m.From, m.Epoch = g[0].gate, 1 // in another's name
	g[1].send(t, s, g[1].add(t, release(m)))
	if held := must(s.Pass(t.Context(), p.ID))(t); held.Decider() != g[0].gate || held.Moves != 0 {
		t.Fatalf("%+v", held)
	}
}

func TestPeers_TheGatesAreToldOfEachEnrolmentAndWhereItIs(t *testing.T) {
	s, c := newStore(t)
	g := addGate(t, s, "east", verdict.Owner)
	a := enrol(t, s, c, g.ID, 2)
	var f feedMap
	told := func() string {
		f.pull(t, s, 10)
		return string(f.items[fmt.Sprintf("peer %d", g.ID)])
	}
	want := func(epoch uint32, key ed25519.PublicKey, more string) {
		t.Helper()
		text := fmt.Sprintf(`{"gate":%d,"agent":%d,"epoch":%d,"key":%s%s}`, g.ID, a.ID, epoch, must(json.Marshal(key))(t), more)
		if got := told(); got != text {
			t.Fatalf("told %s, want %s", got, text)
		}
	}
	want(1, a.PublicKey, "")
	ok(t, s.SetAddresses(t.Context(), a.ID, 1, []string{"10.1.2.3:7443"}))
	want(1, a.PublicKey, `,"addresses":["10.1.2.3:7443"]`)
	before := must(s.Revision(t.Context()))(t)
	ok(t, s.SetAddresses(t.Context(), a.ID, 1, []string{"10.1.2.3:7443"}))
	if must(s.Revision(t.Context()))(t) != before {
		t.Fatal("told what is known")
	}
	wants(t, s.SetAddresses(t.Context(), a.ID, 1, []string{"nowhere"}), store.ErrState)
	b := enrol(t, s, c, g.ID, 3)
	want(2, b.PublicKey, "")
	ok(t, s.SetAddresses(t.Context(), a.ID, 1, []string{"10.6.6.6:7443"})) // the earlier one, too late
	want(2, b.PublicKey, "")
	ok(t, s.RevokeAgent(t.Context(), "test", b.ID))
	if got := told(); got != "" {
		t.Fatalf("told %s of an agent that was revoked", got)
	}
	ok(t, s.SetAddresses(t.Context(), b.ID, 2, []string{"10.6.6.6:7443"}))
	if got := told(); got != "" {
		t.Fatalf("told %s of an agent that was revoked", got)
	}
}
