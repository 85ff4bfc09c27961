package store_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// activeKey puts an active gate key into the store, once.
func activeKey(t testing.TB, s *store.Store) signing.KeyID {
	t.Helper()
	key := must(signing.NewKey("云岭大学", signing.PurposeGate, root(9).Public().(ed25519.PublicKey)))(t)
	ok(t, s.ChangeKeys(t.Context(), "test", func(keys []store.Key, serial uint64, now int64) (*store.KeyChange, error) {
		if len(keys) > 0 {
			return nil, nil
		}
		k := store.Key{Key: key, Sealed: []byte("sealed"), PublishedAt: now, ActiveAt: now}
		return &store.KeyChange{Keys: []store.Key{k}, Signed: []byte("ring " + strconv.FormatUint(serial, 10)), Action: "key.made"}, nil
	}))
	return key.ID
}

func addPass(t testing.TB, s *store.Store, c *clock, id signing.PassID, owner uint16) store.Pass {
	t.Helper()
	p := store.Pass{
		ID: id, Kind: signing.ResidentSingle, Name: "林晓", Doc4: "204X", From: c.seconds(), Until: c.seconds() + 3600, Uses: 1,
		Zones: 3, Owner: owner, Key: activeKey(t, s), Code: "HTTPS://X/V/AA", IssuedAt: c.at(), IssuedBy: "test",
	}
	ok(t, s.AddPass(t.Context(), p))
	return p
}

func TestPass_StoredAndRevoked(t *testing.T) {
	s, c := newStore(t)
	p := addPass(t, s, c, passID(1), 7)
	got := must(s.Pass(t.Context(), p.ID))(t)
	if got.Pass != p || got.Used != 0 || got.First != nil || got.KeyCompromised {
		t.Fatalf("got %+v, want %+v", got, p)
	}
	wants(t, s.AddPass(t.Context(), p), store.ErrTaken)
	_, err := s.Pass(t.Context(), passID(2))
	wants(t, err, store.ErrNotFound)
	wants(t, s.RevokePass(t.Context(), "test", passID(2), ""), store.ErrNotFound)

	ok(t, s.RevokePass(t.Context(), "test", p.ID, "lost"))
	first := c.at()
	c.add(time.Minute)
	ok(t, s.RevokePass(t.Context(), "test", p.ID, "again"))
	if got := must(s.Pass(t.Context(), p.ID))(t); got.RevokedAt != first || got.RevokeReason != "lost" {
		t.Fatalf("revoked twice: %+v", got)
	}
	var f feedMap
	f.pull(t, s, 10)
	want := `{"at":` + strconv.FormatInt(first, 10) + `,"reason":"lost","exp":` + strconv.FormatInt(p.Until, 10) + `}`
	if body := string(f.items["revocation "+p.ID.String()]); body != want {
		t.Fatalf("feed: %s, want %s", body, want)
	}
}

func TestAddPass_ErrStateOnceTheKeyIsRotated(t *testing.T) {
	s, c := newStore(t)
	kid := activeKey(t, s)
	ok(t, s.ChangeKeys(t.Context(), "test", func(keys []store.Key, _ uint64, now int64) (*store.KeyChange, error) {
		keys[0].State, keys[0].RetiredAt, keys[0].Sealed = signing.KeyRetired, now, nil
		return &store.KeyChange{Keys: keys, Signed: []byte("r"), Action: "key.retired"}, nil
	}))
	err := s.AddPass(t.Context(), store.Pass{ID: passID(1), Kind: signing.Work, Until: c.seconds() + 60, Key: kid})
	wants(t, err, store.ErrState)
	if n := must(s.VerifyTrail(t.Context()))(t); n != 3 {
		t.Fatalf("%d entries in the trail", n)
	}
}

func TestChangeKeys_SerialRisesAndLastExpiryIsKept(t *testing.T) {
	s, c := newStore(t)
	addPass(t, s, c, passID(1), 0)
	keys := must(s.Keys(t.Context()))(t)
	if len(keys) != 1 || keys[0].LastExpiry != c.seconds()+3600 || keys[0].Kinds != signing.GateKinds || string(keys[0].Sealed) != "sealed" {
		t.Fatalf("keys: %+v", keys)
	}
	ok(t, s.ChangeKeys(t.Context(), "test", func(_ []store.Key, serial uint64, _ int64) (*store.KeyChange, error) {
		if serial != 2 {
			t.Errorf("serial %d", serial)
		}
		return &store.KeyChange{Signed: []byte("second"), Action: "key.signed"}, nil
	}))
	serial, signed, err := s.Keyring(t.Context())
	if err != nil || serial != 2 || string(signed) != "second" {
		t.Fatalf("keyring %d %q %v", serial, signed, err)
	}
	// Another key under the same id.
	err = s.ChangeKeys(t.Context(), "test", func(keys []store.Key, _ uint64, _ int64) (*store.KeyChange, error) {
		k := keys[0]
		k.Public = root(8).Public().(ed25519.PublicKey)
		return &store.KeyChange{Keys: []store.Key{k}, Signed: []byte("x"), Action: "key.made"}, nil
	})
	wants(t, err, store.ErrTaken)
	if serial, _, _ := s.Keyring(t.Context()); serial != 2 {
		t.Fatalf("serial %d after a refusal", serial)
	}
}

func TestGates_NumbersAreNeverGivenOutAgain(t *testing.T) {
	s, _ := newStore(t)
	a := addGate(t, s, "a", verdict.Owner)
	b := addGate(t, s, "b", verdict.Owner)
	_, err := s.AddGate(t.Context(), "test", store.Gate{Name: "b", Zone: 1, Mode: verdict.Owner})
	wants(t, err, store.ErrTaken)
	ok(t, s.Exec("DELETE FROM gates WHERE id = 2"))
	if c := addGate(t, s, "c", verdict.Owner); a.ID != 1 || b.ID != 2 || c.ID != 3 {
		t.Fatalf("ids %d %d %d", a.ID, b.ID, c.ID)
	}
	ok(t, s.Exec("UPDATE sqlite_sequence SET seq = 65535 WHERE name = 'gates'"))
	_, err = s.AddGate(t.Context(), "test", store.Gate{Name: "d", Zone: 1, Mode: verdict.Owner})
	wants(t, err, store.ErrFull)
	if n := len(must(s.Gates(t.Context()))(t)); n != 2 {
		t.Fatalf("%d gates", n)
	}
}

func TestZones_NamedAndMadeByGates(t *testing.T) {
	s, _ := newStore(t)
	addGate(t, s, "a", verdict.Owner)
	ok(t, s.PutZone(t.Context(), "test", store.Zone{ID: 2, Name: "A 区"}))
	ok(t, s.PutZone(t.Context(), "test", store.Zone{ID: 2, Name: "B 区"}))
	wants(t, s.PutZone(t.Context(), "test", store.Zone{ID: 3, Name: "B 区"}), store.ErrTaken)
	z := must(s.Zones(t.Context()))(t)
	if len(z) != 2 || z[0] != (store.Zone{ID: 1, Name: "1"}) || z[1] != (store.Zone{ID: 2, Name: "B 区"}) {
		t.Fatalf("zones: %+v", z)
	}
}

func TestEnrol_OnceAndWithANewEpochAfterwards(t *testing.T) {
	s, c := newStore(t)
	g := addGate(t, s, "a", verdict.Owner)
	first := enrol(t, s, c, g.ID, 2)
	if first.ID != 1 || first.Epoch != 1 || first.Gate != g.ID {
		t.Fatalf("first: %+v", first)
	}
	if g := must(s.Gate(t.Context(), g.ID))(t); g.OwnsFrom != 0 || g.DrainingSince != 0 {
		t.Fatalf("the first agent owns everything: %+v", g)
	}
	secret := sha256.Sum256([]byte{2, byte(g.ID), 0})
	_, err := s.Enrol(t.Context(), secret[:], root(3).Public().(ed25519.PublicKey), "thief")
	wants(t, err, store.ErrUsed)
	again := must(s.Enrol(t.Context(), secret[:], first.PublicKey, "gate-pc"))(t)
	if again.ID != first.ID || again.Epoch != first.Epoch {
		t.Fatalf("the answer was lost, and asked for again: %+v", again)
	}
	_, err = s.Enrol(t.Context(), []byte("guess"), root(3).Public().(ed25519.PublicKey), "thief")
	wants(t, err, store.ErrNotFound)

	c.add(time.Hour)
	second := enrol(t, s, c, g.ID, 3)
	if second.ID != first.ID || second.Epoch != 2 {
		t.Fatalf("second: %+v", second)
	}
	if g := must(s.Gate(t.Context(), g.ID))(t); g.OwnsFrom != c.seconds()+1 || g.DrainingSince != c.at() {
		t.Fatalf("gate of a new agent: %+v", g)
	}
	var f feedMap
	f.pull(t, s, 10)
	want := `{"id":1,"name":"a","zone":1,"mode":"owner","owns_from":` + strconv.FormatInt(c.seconds()+1, 10) + `}`
	if body := string(f.items["gate 1"]); body != want {
		t.Fatalf("feed: %s, want %s", body, want)
	}
	must(s.Drained(t.Context(), "test", g.ID))(t)
	if g := must(s.Gate(t.Context(), g.ID))(t); g.OwnsFrom != 0 || g.DrainingSince != 0 {
		t.Fatalf("drained: %+v", g)
	}
}

func TestEnrol_ErrEndedAndErrTaken(t *testing.T) {
	s, c := newStore(t)
	a, b := addGate(t, s, "a", verdict.Owner), addGate(t, s, "b", verdict.Owner)
	enrol(t, s, c, a.ID, 2)
	secret := sha256.Sum256([]byte("b"))
	ok(t, s.NewEnrolment(t.Context(), "test", b.ID, secret[:], c.at()+1000))
	_, err := s.Enrol(t.Context(), secret[:], root(2).Public().(ed25519.PublicKey), "b")
	wants(t, err, store.ErrTaken)
	// A newer code ends the older one.
	newer := sha256.Sum256([]byte("newer"))
	ok(t, s.NewEnrolment(t.Context(), "test", b.ID, newer[:], c.at()+1000))
	_, err = s.Enrol(t.Context(), secret[:], root(3).Public().(ed25519.PublicKey), "b")
	wants(t, err, store.ErrEnded)
	c.add(time.Second)
	_, err = s.Enrol(t.Context(), newer[:], root(3).Public().(ed25519.PublicKey), "b")
	wants(t, err, store.ErrEnded)
	wants(t, s.NewEnrolment(t.Context(), "test", 99, newer[:], c.at()+1000), store.ErrNotFound)
}

func TestAgents_RevokedSeenAndAcked(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "a", 2)
	l.send(t, s, l.add(t, admit(passID(1), 1, 1)))
	ok(t, s.Seen(t.Context(), l.agent, []byte(`{"connected":true}`)))
	ok(t, s.RevokeAgent(t.Context(), "test", l.agent))
	ok(t, s.RevokeAgent(t.Context(), "test", l.agent))
	wants(t, s.RevokeAgent(t.Context(), "test", 9), store.ErrNotFound)
	a := must(s.Agent(t.Context(), l.agent))(t)
	if a.RevokedAt != c.at() || a.SeenAt != c.at() || string(a.State) != `{"connected":true}` || a.Acked != 1 || a.Hostname != "gate-pc" {
		t.Fatalf("agent: %+v", a)
	}
	_, err := s.Agent(t.Context(), 9)
	wants(t, err, store.ErrNotFound)
	if list := must(s.Agents(t.Context()))(t); len(list) != 1 || list[0].ID != l.agent {
		t.Fatalf("agents: %+v", list)
	}
}

func TestTokens_LastAdminStays(t *testing.T) {
	s, _ := newStore(t)
	admin := must(s.AddToken(t.Context(), "init", store.Token{Hash: []byte("h1"), Name: "admin", Scopes: "admin"}))(t)
	other := must(s.AddToken(t.Context(), "test", store.Token{Hash: []byte("h2"), Name: "desk", Scopes: "passes:write"}))(t)
	wants(t, s.RevokeToken(t.Context(), "test", admin.ID, "admin"), store.ErrState)
	ok(t, s.RevokeToken(t.Context(), "test", other.ID, "admin"))
	ok(t, s.RevokeToken(t.Context(), "test", other.ID, "admin"))
	wants(t, s.RevokeToken(t.Context(), "test", 99, "admin"), store.ErrNotFound)
	got := must(s.TokenByHash(t.Context(), []byte("h2")))(t)
	if got.RevokedAt == 0 || got.Name != "desk" || got.CreatedBy != "test" {
		t.Fatalf("token: %+v", got)
	}
	_, err := s.TokenByHash(t.Context(), []byte("h3"))
	wants(t, err, store.ErrNotFound)
	if n := len(must(s.Tokens(t.Context()))(t)); n != 2 {
		t.Fatalf("%d tokens", n)
	}
}

func TestPutPhone_OneKeyAndOneNonce(t *testing.T) {
	s, c := newStore(t)
	p := addPass(t, s, c, passID(1), 0)
	phone := func(n byte) store.Phone {
		k := must(signing.ParsePhoneKey(phonePoints[n]))(t)
		return store.Phone{ID: k.ID(), Key: k, Expires: c.seconds() + 600}
	}
	put := func(nonce string, ph store.Phone) error {
		return s.PutPhone(t.Context(), "test", p.ID, []byte(nonce), p.Key, ph)
	}
	for _, nonce := range []string{"n1", "n2", "n3"} {
		ok(t, s.AddNonce(t.Context(), p.ID, []byte(nonce), c.at()+1000))
	}
	ok(t, put("n1", phone(0)))
	wants(t, put("n1", phone(0)), store.ErrNotFound)
	ok(t, put("n2", phone(1)))
	list := must(s.Phones(t.Context(), p.ID))(t)
	active := 0
	for _, ph := range list {
		if ph.ReplacedAt == 0 {
			active++
			if ph.ID != phone(1).ID {
				t.Errorf("the older key stands: %+v", ph)
			}
		}
	}
	if len(list) != 2 || active != 1 {
		t.Fatalf("phones: %+v", list)
	}
	c.add(time.Second)
	wants(t, put("n3", phone(0)), store.ErrEnded)
	wants(t, s.AddNonce(t.Context(), passID(9), []byte("n"), 1), store.ErrNotFound)
}
