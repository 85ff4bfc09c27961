package cards_test

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// till judges a code as a till does that has heard of what w tells the tills.
func till(t testing.TB, w *world, text string, fen int64, offline bool) verdict.Verdict {
	t.Helper()
	read, err := code.Read(w.ring(t), text)
	ok(t, err)
	now := w.now.Load()
	k := &verdict.Case{
		At: now, Clock: verdict.Clock{HighWater: now, Synced: now},
		Lane: verdict.Lane{Gate: 1, Site: "云岭大学", Kinds: signing.PayKinds},
		Code: verdict.Code{
			Kind: signing.Pay, ID: read.ID(), Key: read.Key.ID, Site: read.Key.Site, Expires: read.Pay.Expires, IssuedAt: read.Pay.IssuedAt, Bound: true,
			Pay: &verdict.Pay{
				Account: read.Pay.Account, Epoch: read.Pay.Epoch, PerTxFen: read.Pay.PerTxFen,
				PerDayOfflineFen: read.Pay.PerDayOfflineFen, MaxOfflineTx: read.Pay.MaxOfflineTx,
			},
		},
		Card: verdict.Card{AmountFen: fen, Offline: offline, PinAboveFen: 3_000},
	}
	if p := read.Proof; p != nil {
		k.Code.Proof = &verdict.Proof{T: p.T, Counter: p.Counter, Phone: read.Phone, Context: uint8(p.Context)}
	}
	if c := w.told(t, read.Pay.Account); c != nil {
		k.Card.Lost, k.Card.Frozen = c.State == wire.CardLost, c.State == wire.CardFrozen
		k.Record.Revoked = c.State == wire.CardClosed || c.Epoch > read.Pay.Epoch
	}
	return verdict.Judge(k)
}

// offline lets cards pay without a network: 20 yuan at once, 50 a day, 3 times.
func (w *world) offline(t testing.TB) {
	t.Helper()
	ok(t, w.PutTerms(t.Context(), "test", cards.Terms{
		Limits: cards.Caps{PerTxFen: 20_000, PerDayFen: 50_000}, Offline: cards.Offline{Enabled: true, PerTxFen: 2_000, PerDayFen: 5_000, MaxTx: 3},
	}))
}

func TestCards_CM072_PhoneMakesPaymentCodesThatTillsTake(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	p := newPhone(t)
	given := p.enrol(t, w, c.Account)
	if given.Expires != w.now.Load()/1000+72*3600 || given.Epoch != 1 || given.Verifier != nil {
		t.Fatalf("%+v", given)
	}
	if v := till(t, w, p.shows(t, w), 1_850, false); v.Reason != verdict.Granted {
		t.Errorf("online: %s", v.Reason)
	}
	// Payments without a network are off until the campus switches them on.
	if v := till(t, w, p.shows(t, w), 1_850, true); v.Reason != verdict.LimitOffline {
		t.Errorf("offline: %s", v.Reason)
	}
	w.offline(t)
	p.enrol(t, w, c.Account)
	for _, tc := range []struct {
		fen     int64
		offline bool
		want    verdict.Reason
	}{{2_000, true, verdict.Granted}, {2_001, true, verdict.LimitSingle}, {2_001, false, verdict.Granted}} {
		if v := till(t, w, p.shows(t, w), tc.fen, tc.offline); v.Reason != tc.want {
			t.Errorf("%d fen, offline %v: %s, want %s", tc.fen, tc.offline, v.Reason, tc.want)
		}
	}
	shown := p.shows(t, w)
	w.add(31 * time.Second)
	if v := till(t, w, shown, 100, false); v.Reason != verdict.ProofStale {
		t.Errorf("half a minute later: %s", v.Reason)
	}
	w.add(72 * time.Hour)
	if v := till(t, w, p.shows(t, w), 100, false); v.Reason != verdict.Expired {
		t.Errorf("three days later: %s", v.Reason)
	}
	// The key is in no pass's place: nothing that it signed opens a gate.
	if signing.GateKinds.Has(signing.Pay) {
		t.Error("gates serve payment codes")
	}
}

func TestEnrolPhone_AnotherPhoneEndsTheFirstAtOnce(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	first, other := newPhone(t), newPhone(t)
	first.enrol(t, w, c.Account)
	first.enrol(t, w, c.Account) // renewed
	if got := w.find(t, c.Account); got.Epoch != 1 {
		t.Fatalf("epoch %d after a renewal", got.Epoch)
	}
	if g := other.enrol(t, w, c.Account); g.Epoch != 2 {
		t.Fatalf("epoch %d", g.Epoch)
	}
	if v := till(t, w, first.shows(t, w), 100, false); v.Reason != verdict.Revoked {
		t.Errorf("the first: %s", v.Reason)
	}
	if v := till(t, w, other.shows(t, w), 100, false); v.Reason != verdict.Granted {
		t.Errorf("the other: %s", v.Reason)
	}
	item := w.told(t, c.Account)
	if item.State != wire.CardActive || item.Epoch != 2 || item.Expires < w.now.Load()/1000+72*3600 {
		t.Errorf("tills: %+v", item)
	}
	now, there, err := w.PhoneOf(t.Context(), w.db.Reader(), c.Account, 2)
	ok(t, err)
	old, was, err := w.PhoneOf(t.Context(), w.db.Reader(), c.Account, 1)
	ok(t, err)
	if !there || !was || now.ID == old.ID {
		t.Errorf("phones %v %v", now, old)
	}
	// Back to the first: its credential of before stays withdrawn.
	if g := first.enrol(t, w, c.Account); g.Epoch != 3 {
		t.Fatalf("epoch %d", g.Epoch)
	}
}

func TestEnrolPhone_RefusesWhatIsNotProved(t *testing.T) {
	w := newWorld(t)
	c, other := w.open(t, "S1"), w.open(t, "S2")
	p, thief := newPhone(t), newPhone(t)
	id, nonce, err := w.Nonce(t.Context(), c.Account)
	ok(t, err)
	otherID, otherNonce, err := w.Nonce(t.Context(), other.Account)
	ok(t, err)
	good := p.proof(t, id, nonce)
	for name, try := range map[string]struct {
		key, proof []byte
		want       error
	}{
		"another key":      {thief.public(t), good, issue.ErrProof},
		"no proof":         {p.public(t), nil, issue.ErrProof},
		"zeros":            {p.public(t), make([]byte, 64), issue.ErrProof},
		"too long":         {p.public(t), append(bytes.Clone(good), 0), issue.ErrProof},
		"another card's":   {p.public(t), p.proof(t, otherID, otherNonce), issue.ErrProof},
		"own id, its":      {p.public(t), p.proof(t, id, otherNonce), issue.ErrProof},
		"no key":           {nil, good, signing.ErrKey},
		"off the curve":    {append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...), good, signing.ErrKey},
		"a megabyte of it": {make([]byte, 1<<20), good, signing.ErrKey},
	} {
		_, err := w.EnrolPhone(t.Context(), "x", c.Account, try.key, try.proof)
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(try.want.Error())) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = w.EnrolPhone(t.Context(), "x", c.Account, p.public(t), good)
	ok(t, err)
	_, err = w.EnrolPhone(t.Context(), "x", c.Account, p.public(t), good) // the nonce is spent
	wants(t, err, issue.ErrProof)
	id, nonce, err = w.Nonce(t.Context(), c.Account)
	ok(t, err)
	w.add(issue.NonceLife)
	_, err = w.EnrolPhone(t.Context(), "x", c.Account, p.public(t), p.proof(t, id, nonce))
	wants(t, err, issue.ErrProof)
}

func TestBrief_PaysOnceOnline(t *testing.T) {
	w := newWorld(t)
	w.offline(t)
	c := w.open(t, "S1")
	text, expires, err := w.Brief(t.Context(), c.Account, false)
	ok(t, err)
	if expires <= w.now.Load()/1000 || expires > w.now.Load()/1000+code.ServerLife {
		t.Errorf("it ends at %d", expires)
	}
	for _, tc := range []struct {
		fen     int64
		offline bool
		want    verdict.Reason
	}{{3_000, false, verdict.Granted}, {3_001, false, verdict.PinRequired}, {100, true, verdict.LimitOffline}} {
		if v := till(t, w, text, tc.fen, tc.offline); v.Reason != tc.want {
			t.Errorf("%d fen, offline %v: %s, want %s", tc.fen, tc.offline, v.Reason, tc.want)
		}
	}
	confirmed, _, err := w.Brief(t.Context(), c.Account, true)
	ok(t, err)
	if v := till(t, w, confirmed, 3_001, false); v.Reason != verdict.Granted {
		t.Errorf("confirmed: %s", v.Reason)
	}
	_, err = w.Reissue(t.Context(), "test", c.Account, "x")
	ok(t, err)
	if v := till(t, w, text, 100, false); v.Reason != verdict.Revoked {
		t.Errorf("after a reissue: %s", v.Reason)
	}
	w.add(31 * time.Second)
	if v := till(t, w, confirmed, 100, false); v.Reason == verdict.Granted {
		t.Error("it is good for ever")
	}
}

func TestVerifier_IsWhatABrowserComputes(t *testing.T) {
	w := newWorld(t)
	w.Service = cards.New(w.Config) // with as many rounds as is usual
	c := w.open(t, "S1")
	_, err := w.SetPassword(t.Context(), "person S1", c.Account, "", "274081")
	ok(t, err)
	v := newPhone(t).enrol(t, w, c.Account).Verifier
	if v == nil || v.Iterations < 600_000 || len(v.Salt) < 16 {
		t.Fatalf("%+v", v)
	}
	hash, err := pbkdf2.Key(sha256.New, "274081", v.Salt, v.Iterations, len(v.Hash))
	ok(t, err)
	if !bytes.Equal(hash, v.Hash) || len(hash) != 32 {
		t.Error("another hash")
	}
}

// What is in the database, the trail and errors tells no password.
func TestSecrets_NowhereInPlain(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	_, err := w.SetPassword(t.Context(), "person S1", c.Account, "", "274081")
	ok(t, err)
	_ = w.CheckPassword(t.Context(), c.Account, "935026")
	_, _ = w.Bind(t.Context(), "S1", "林晓岚", "SECRET-NUMBER")
	v := newPhone(t).enrol(t, w, c.Account).Verifier
	var stored []byte
	ok(t, w.db.Reader().QueryRowContext(t.Context(), "SELECT password FROM cards WHERE account = $1", int64(c.Account)).Scan(&stored))
	for _, secret := range [][]byte{[]byte("argon2"), v.Hash, v.Salt, []byte("274081")} {
		if bytes.Contains(stored, secret) {
			t.Errorf("%q is stored in plain", secret)
		}
	}
	entries, err := w.db.Trail(t.Context(), 0, 1000)
	ok(t, err)
	for _, e := range entries {
		line := fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Target, e.Details)
		for _, secret := range []string{"274081", "935026", "林晓岚", "SECRET", "13800130001", fmt.Sprint(c.Account)} {
			if bytes.Contains([]byte(line), []byte(secret)) {
				t.Errorf("the trail says %s", line)
			}
		}
	}
	if n := len(entries); n < 3 {
		t.Errorf("%d lines in the trail", n)
	}
}

// A password copied from one card to another opens nothing.
func TestSecrets_BelongToTheirCard(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t, "S1"), w.open(t, "S2")
	_, err := w.SetPassword(t.Context(), "x", a.Account, "", "274081")
	ok(t, err)
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		return tx.Exec("UPDATE cards SET password = (SELECT password FROM cards WHERE account = $1) WHERE account = $2", int64(a.Account), int64(b.Account))
	}))
	if err := w.CheckPassword(t.Context(), b.Account, "274081"); err == nil || err == cards.ErrPassword {
		t.Fatalf("%v", err)
	}
}
