package verdict_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
	"campusgate/signing/verdict"
)

// codes are real codes, signed with keys made from fixed seeds.
type codes struct {
	gate, pay, leaked, unknown signing.Issuer

	ring     *signing.Keyring
	phone    *ecdsa.PrivateKey
	phoneKey signing.PhoneKey
}

func newCodes(t *testing.T) *codes {
	t.Helper()
	w := &codes{
		gate: newIssuer(t, "gate", signing.PurposeGate), pay: newIssuer(t, "pay", signing.PurposePay),
		leaked: newIssuer(t, "leaked", signing.PurposeGate), unknown: newIssuer(t, "unknown", signing.PurposeGate),
	}
	leaked := w.leaked.Key
	leaked.State = signing.KeyCompromised
	var err error
	if w.ring, err = signing.NewKeyring("east", 1, []signing.Key{w.gate.Key, w.pay.Key, leaked}); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("verdict fixture phone"))
	if w.phone, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:]); err != nil {
		t.Fatal(err)
	}
	if w.phoneKey, err = signing.PhoneKeyOf(&w.phone.PublicKey); err != nil {
		t.Fatal(err)
	}
	return w
}

func newIssuer(t *testing.T, seed string, purpose signing.Purpose) signing.Issuer {
	t.Helper()
	sum := sha256.Sum256([]byte("verdict fixture " + seed))
	private := ed25519.NewKeyFromSeed(sum[:])
	key, err := signing.NewKey("east", purpose, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return signing.Issuer{Key: key, Private: private}
}

func (w *codes) work() *pass.Pass {
	return &pass.Pass{
		ID: signing.PassID{1, 2, 3}, Kind: signing.Work, Name: "周砚秋", Doc4: "204X", Uses: 2, Zones: 0b101, Owner: 3,
		NotBefore: now/1000 - 3600, Expires: now/1000 + 3600, IssuedAt: now/1000 - 7200, Phone: &w.phoneKey,
	}
}

func sign(t *testing.T, p *pass.Pass, iss signing.Issuer) []byte {
	t.Helper()
	cred, err := p.Sign(iss)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func (w *codes) prove(t *testing.T, cred []byte, ctx signing.Context) []byte {
	t.Helper()
	live, err := signing.MakeProof(w.phone, nil, cred, signing.Proof{T: now/1000 - 4, Counter: 17, Context: ctx})
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func TestFactsOf_LivePass(t *testing.T) {
	w := newCodes(t)
	got, reason := verdict.FactsOf(code.Read(w.ring, pass.LiveText(w.prove(t, sign(t, w.work(), w.gate), signing.ContextGate))))
	want := verdict.Code{
		Kind: signing.Work, ID: signing.PassID{1, 2, 3}, Key: w.gate.Key.ID, Site: "east",
		NotBefore: now/1000 - 3600, Expires: now/1000 + 3600, IssuedAt: now/1000 - 7200,
		Uses: 2, Zones: 0b101, Owner: 3, Bound: true,
		Proof: &verdict.Proof{T: now/1000 - 4, Counter: 17, Phone: w.phoneKey.ID(), Context: 1},
	}
	if reason != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("facts %+v, %v\nwant %+v", got, reason, want)
	}
	c := gateCase()
	c.Code = got
	wantReason(t, c, verdict.Granted)
}

func TestFactsOf_BearerPass(t *testing.T) {
	w := newCodes(t)
	p := w.work()
	p.Kind, p.Uses, p.Phone = signing.ResidentSingle, 1, nil
	got, reason := verdict.FactsOf(code.Read(w.ring, pass.URL("gate.example.edu", sign(t, p, w.gate))))
	if reason != 0 || got.Bound || got.Proof != nil || got.Pay != nil {
		t.Errorf("facts %+v, %v", got, reason)
	}
	c := gateCase()
	c.Code = got
	wantReason(t, c, verdict.Granted)
}

func TestFactsOf_Unproved(t *testing.T) {
	w := newCodes(t)
	got, reason := verdict.FactsOf(code.Read(w.ring, pass.LiveText(sign(t, w.work(), w.gate))))
	if reason != 0 || !got.Bound || got.Proof != nil {
		t.Errorf("facts %+v, %v", got, reason)
	}
	c := gateCase()
	c.Code = got
	wantReason(t, c, verdict.ProofMissing)
}

func TestFactsOf_Payment(t *testing.T) {
	w := newCodes(t)
	p := &paycode.Pay{
		ID: signing.PassID{7}, Account: 1 << 63, Epoch: 4, PerTxFen: 3_000, PerDayOfflineFen: 6_000, MaxOfflineTx: 5,
		Expires: now/1000 + 3600, IssuedAt: now/1000 - 7200, Phone: w.phoneKey,
	}
	cred, err := p.Sign(w.pay)
	if err != nil {
		t.Fatal(err)
	}
	got, reason := verdict.FactsOf(code.Read(w.ring, paycode.LiveText(w.prove(t, cred, signing.ContextPIN))))
	want := verdict.Code{
		Kind: signing.Pay, ID: signing.PassID{7}, Key: w.pay.Key.ID, Site: "east",
		Expires: now/1000 + 3600, IssuedAt: now/1000 - 7200, Bound: true,
		Proof: &verdict.Proof{T: now/1000 - 4, Counter: 17, Phone: w.phoneKey.ID(), Context: 3},
		Pay:   &verdict.Pay{Account: 1 << 63, Epoch: 4, PerTxFen: 3_000, PerDayOfflineFen: 6_000, MaxOfflineTx: 5},
	}
	if reason != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("facts %+v, %v\nwant %+v", got, reason, want)
	}
	c := tillCase()
	c.Code = got
	wantReason(t, c, verdict.Granted)
}

func TestFactsOf_WhatCannotBeRead(t *testing.T) {
	w := newCodes(t)
	p := w.work()
	p.Phone = nil
	good := pass.URL("gate.example.edu", sign(t, p, w.gate))
	// The signature is at the end; a change of its third last character leaves
	// the text well formed.
	at := len(good) - 3
	other := byte('A')
	if good[at] == other {
		other = 'B'
	}
	for name, tc := range map[string]struct {
		text string
		want verdict.Reason
	}{
		"not a code":       {"你好", verdict.Malformed},
		"cut off":          {good[:at], verdict.Malformed},
		"an unknown key":   {pass.URL("gate.example.edu", sign(t, p, w.unknown)), verdict.UnknownKey},
		"changed":          {good[:at] + string(other) + good[at+1:], verdict.BadSignature},
		"another's proof":  {strangersProof(t, w), verdict.BadSignature},
		"a leaked key":     {pass.URL("gate.example.edu", sign(t, p, w.leaked)), verdict.Revoked},
		"nothing, for one": {good, verdict.Granted},
	} {
		t.Run(name, func(t *testing.T) {
			c := gateCase()
			c.Code, c.Read = verdict.FactsOf(code.Read(w.ring, tc.text))
			wantReason(t, c, tc.want)
			if c.Code.Compromised != (tc.want == verdict.Revoked) {
				t.Errorf("compromised: %v", c.Code.Compromised)
			}
		})
	}
}

// strangersProof is a live code of which the proof was made by another phone
// than the one that the credential names.
func strangersProof(t *testing.T, w *codes) string {
	t.Helper()
	sum := sha256.Sum256([]byte("verdict fixture stranger"))
	stranger, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	live, err := signing.MakeProof(stranger, nil, sign(t, w.work(), w.gate), signing.Proof{T: now / 1000, Context: signing.ContextGate})
	if err != nil {
		t.Fatal(err)
	}
	return pass.LiveText(live)
}

func TestFactsOf_AnythingElseIsInternal(t *testing.T) {
	w := newCodes(t)
	inspected, err := code.Inspect(pass.LiveText(sign(t, w.work(), w.gate)))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		code code.Code
		err  error
	}{
		"an error of something else":    {code.Code{}, errors.New("disk full")},
		"no code and no error":          {},
		"a code that nobody verified":   {inspected, nil},
		"a leaked key without its code": {code.Code{}, fmt.Errorf("%w: gone", signing.ErrCompromised)},
	} {
		t.Run(name, func(t *testing.T) {
			c := gateCase()
			c.Code, c.Read = verdict.FactsOf(tc.code, tc.err)
			wantReason(t, c, verdict.Internal)
		})
	}
}

func TestFactsOf_HolderStaysOut(t *testing.T) {
	w := newCodes(t)
	got, _ := verdict.FactsOf(code.Read(w.ring, pass.LiveText(w.prove(t, sign(t, w.work(), w.gate), signing.ContextGate))))
	if s := fmt.Sprintf("%+v", got); strings.Contains(s, "周砚秋") || strings.Contains(s, "204X") {
		t.Errorf("the facts name the holder: %s", s)
	}
}
