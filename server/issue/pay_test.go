package issue_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/paycode"
)

func payment(t testing.TB, w *world) paycode.Pay {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	phone, err := signing.PhoneKeyOf(&key.PublicKey)
	ok(t, err)
	return paycode.Pay{
		ID: signing.PassID{7}, Account: 1<<53 - 1, Epoch: 3, PerTxFen: 5000, PerDayOfflineFen: 9000, MaxOfflineTx: 4,
		Expires: w.Now().Unix() + 3600, IssuedAt: w.Now().Unix(), Phone: phone,
	}
}

func TestSignPay_TillReadsWhatWasSigned(t *testing.T) {
	w := newWorld(t)
	want, gate := payment(t, w), w.one(t, signing.KeyActive)
	text, kid, err := w.SignPay(t.Context(), w.Store, want)
	ok(t, err)
	read, err := code.Read(w.ring(t), text)
	ok(t, err)
	want.Key = kid
	if *read.Pay != want || read.Key.Purpose != signing.PurposePay || kid != w.oneOf(t, signing.PurposePay, signing.KeyActive).ID || !read.Unproved() {
		t.Fatalf("%+v by %s", read.Pay, read.Key.ID)
	}
	ok(t, w.Compromise(t.Context(), "test", kid))
	_, err = code.Read(w.ring(t), text)
	wants(t, err, signing.ErrCompromised)
	_, next, err := w.SignPay(t.Context(), w.Store, want)
	ok(t, err)
	if next == kid {
		t.Fatal("signed by the compromised key")
	}
	if w.one(t, signing.KeyActive).ID != gate.ID {
		t.Error("the gate key changed as well")
	}
}

func TestSignPay_RefusesWhatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	p := payment(t, w)
	p.PerTxFen = -1
	_, _, err := w.SignPay(t.Context(), w.Store, p)
	wants(t, err, signing.ErrClaim)
	p = payment(t, w)
	p.Phone = signing.PhoneKey{}
	_, _, err = w.SignPay(t.Context(), w.Store, p)
	wants(t, err, signing.ErrClaim)
}

// A site of the time before cards has gate keys only.
func TestTick_GivesAnOldSiteItsPayKey(t *testing.T) {
	w := newWorld(t)
	ok(t, w.Store.Change(t.Context(), func(tx *store.Tx) error {
		return tx.Exec("DELETE FROM keys WHERE purpose = $1", string(signing.PurposePay))
	}))
	_, _, err := w.SignPay(t.Context(), w.Store, payment(t, w))
	wants(t, err, issue.ErrNoKey)
	gate := w.one(t, signing.KeyActive)
	w.away.Store(true)
	wants(t, w.Tick(t.Context()), issue.ErrRootAbsent)
	w.away.Store(false)
	ok(t, w.Tick(t.Context()))
	text, _, err := w.SignPay(t.Context(), w.Store, payment(t, w))
	ok(t, err)
	if _, err := code.Read(w.ring(t), text); err != nil {
		t.Fatal(err)
	}
	if again := w.one(t, signing.KeyActive); again.ID != gate.ID {
		t.Error("the gate key was rotated")
	}
	w.oneOf(t, signing.PurposePay, signing.KeyNext)
}

func TestSignedWith_OnlyTheActiveKey(t *testing.T) {
	w := newWorld(t)
	_, kid, err := w.SignPay(t.Context(), w.Store, payment(t, w))
	ok(t, err)
	ok(t, w.Rotate(t.Context(), "test", true))
	err = w.Store.Change(t.Context(), func(tx *store.Tx) error { return tx.SignedWith(kid, w.Now().Unix()) })
	if !errors.Is(err, store.ErrState) {
		t.Fatalf("a retired key: %v", err)
	}
}
