package code_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
)

func TestEveryFormComesBackAsItWasSigned(t *testing.T) {
	w := newWorld(t)
	static, work, credit := bearer(), w.work(), w.credit()
	static.Key, work.Key, credit.Key = w.gate.Key.ID, w.gate.Key.ID, w.pay.Key.ID
	short := bearer()
	short.Expires = short.NotBefore + code.ServerLife
	shortCred := mustSign(t, short, w.gate)
	short.Key = w.gate.Key.ID
	gateProof, payProof := proof(signing.ContextGate), proof(signing.ContextPay)
	key := func(iss signing.Issuer) *signing.Key { k, _ := w.ring.Lookup(iss.Key.ID); return k }

	for name, c := range map[string]struct {
		text     string
		want     code.Code
		unproved bool
	}{
		"static": {w.static(t), code.Code{Form: signing.FormStatic, Key: key(w.gate), Pass: &static}, false},
		"live": {
			w.live(t),
			code.Code{Form: signing.FormLive, Key: key(w.gate), Pass: &work, Proof: &gateProof, Phone: w.phoneKey.ID()},
			false,
		},
		"pay": {
			w.paycode(t),
			code.Code{Form: signing.FormLive, Key: key(w.pay), Pay: &credit, Proof: &payProof, Phone: w.phoneKey.ID()},
			false,
		},
		"made by the server": {
			pass.LiveText(shortCred),
			code.Code{Form: signing.FormLive, Key: key(w.gate), Pass: &short, Server: true},
			false,
		},
		"not proved yet": {
			pass.LiveText(mustSign(t, w.work(), w.gate)),
			code.Code{Form: signing.FormLive, Key: key(w.gate), Pass: &work, Phone: w.phoneKey.ID()},
			true,
		},
		"pay, not proved yet": {
			paycode.LiveText(mustPay(t, w.credit(), w.pay)),
			code.Code{Form: signing.FormLive, Key: key(w.pay), Pay: &credit, Phone: w.phoneKey.ID()},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := code.Read(w.ring, c.text)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %+v, %v, want %+v", got, err, c.want)
			}
			if got.Unproved() != c.unproved {
				t.Errorf("unproved: %v", got.Unproved())
			}
			unverified, err := code.Inspect(c.text)
			c.want.Key = nil
			if err != nil || !reflect.DeepEqual(unverified, c.want) {
				t.Errorf("inspected: %+v, %v", unverified, err)
			}
		})
	}
}

func TestReadHasNoKeyOfAnyRing(t *testing.T) {
	w := newWorld(t)
	if _, err := code.Read(nil, w.static(t)); !errors.Is(err, signing.ErrUnknownKey) {
		t.Errorf("no keyring: %v", err)
	}
}

func TestSegmentOfAnAddressIsRead(t *testing.T) {
	w := newWorld(t)
	text := w.static(t)
	segment := text[len("HTTPS://GATE.EXAMPLE.EDU/V/"):]
	c, err := code.ReadSegment(w.ring, segment)
	if err != nil || c.Pass == nil || c.ID() != bearer().ID || c.Kind() != signing.ResidentSingle {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, bad := range []string{"", segment + "/", "V/" + segment, "X/V/" + segment, segment + "?A"} {
		if _, err := code.ReadSegment(w.ring, bad); !errors.Is(err, signing.ErrMalformed) {
			t.Errorf("%.20s: %v, want ErrMalformed", bad, err)
		}
	}
}

func TestCredentialOfAnyTextIsTheOneThatWasSigned(t *testing.T) {
	w := newWorld(t)
	cred := mustSign(t, w.work(), w.gate)
	live := mustProve(t, w.phone, cred, proof(signing.ContextGate))
	for _, text := range []string{pass.LiveText(cred), pass.LiveText(live)} {
		if got, err := code.Credential(text); err != nil || !bytes.Equal(got, cred) {
			t.Errorf("got %x, %v", got, err)
		}
	}
	if got, err := code.Credential("CP1:"); !errors.Is(err, signing.ErrMalformed) || got != nil {
		t.Errorf("got %x, %v", got, err)
	}
}

// TestFirstThingWrongIsTheAnswer builds codes that are wrong in several ways at
// once; what is reported must be the earliest in the contract's order.
func TestFirstThingWrongIsTheAnswer(t *testing.T) {
	w := newWorld(t)
	stranger := newIssuer(t, "stranger", "east", signing.PurposeGate, signing.KeyActive)
	bound := w.work()
	spoil := func(b []byte, fromEnd int) []byte { b = bytes.Clone(b); b[len(b)-fromEnd] ^= 1; return b }
	prove := func(cred []byte) []byte { return mustProve(t, w.stranger, cred, proof(signing.ContextGate)) }

	for name, c := range map[string]struct {
		live []byte
		want error
	}{
		"malformed, key unknown, both signatures bad": {
			append(prove(spoil(mustSign(t, bound, stranger), 1)), 0), signing.ErrMalformed,
		},
		"key unknown, both signatures bad": {prove(spoil(mustSign(t, bound, stranger), 1)), signing.ErrUnknownKey},
		"compromised, issuer signature bad": {
			prove(spoil(mustSign(t, bound, signer(w.leaked)), 1)), signing.ErrBadSignature,
		},
		"compromised, proof bad": {prove(mustSign(t, bound, signer(w.leaked))), signing.ErrBadSignature},
		"compromised, all fits": {
			mustProve(t, w.phone, mustSign(t, bound, signer(w.leaked)), proof(signing.ContextGate)), signing.ErrCompromised,
		},
		"compromised, not proved": {mustSign(t, bound, signer(w.leaked)), signing.ErrCompromised},
	} {
		got, err := code.Read(w.ring, pass.LiveText(c.live))
		for _, sentinel := range []error{
			signing.ErrMalformed, signing.ErrUnknownKey, signing.ErrBadSignature, signing.ErrCompromised,
		} {
			if errors.Is(err, sentinel) != (sentinel == c.want) {
				t.Errorf("%s: %v, want only %v", name, err, c.want)
			}
		}
		if filled := got.Pass != nil && got.Key != nil; filled != errors.Is(c.want, signing.ErrCompromised) {
			t.Errorf("%s: filled %v", name, filled)
		}
	}
}

func TestKeyOfEveryOtherStateAndSiteVerifies(t *testing.T) {
	w := newWorld(t)
	for _, iss := range []signing.Issuer{w.next, w.retired, w.other} {
		c, err := code.Read(w.ring, pass.URL("h", mustSign(t, bearer(), signer(iss))))
		if err != nil || c.Key.Site != iss.Key.Site || c.Key.State != iss.Key.State {
			t.Errorf("%s key of %s: %+v, %v", iss.Key.State, iss.Key.Site, c.Key, err)
		}
	}
}

// TestNoBitOfACredentialCanBeChanged flips every bit of a credential and of a
// live code. Nothing else may be read than what was signed.
func TestNoBitOfACodeCanBeChanged(t *testing.T) {
	w := newWorld(t)
	cred := mustSign(t, bearer(), w.gate)
	live := mustProve(t, w.phone, mustSign(t, w.work(), w.gate), proof(signing.ContextGate))
	pay := mustProve(t, w.phone, mustPay(t, w.credit(), w.pay), proof(signing.ContextPay))
	for name, c := range map[string]struct {
		b    []byte
		text func([]byte) string
	}{
		"static": {cred, func(b []byte) string { return pass.URL("h", b) }},
		"live":   {live, pass.LiveText}, "pay": {pay, paycode.LiveText},
	} {
		refused := map[error]int{}
		for i := range c.b {
			for bit := range 8 {
				bad := bytes.Clone(c.b)
				bad[i] ^= 1 << bit
				_, err := code.Read(w.ring, c.text(bad))
				if err == nil || errors.Is(err, signing.ErrCompromised) {
					t.Fatalf("%s: bit %d of byte %d: %v", name, bit, i, err)
				}
				for _, sentinel := range []error{signing.ErrMalformed, signing.ErrUnknownKey, signing.ErrBadSignature} {
					if errors.Is(err, sentinel) {
						refused[sentinel]++
					}
				}
			}
		}
		if refused[signing.ErrUnknownKey] != 32 || refused[signing.ErrBadSignature] < 512 ||
			refused[signing.ErrMalformed]+refused[signing.ErrUnknownKey]+refused[signing.ErrBadSignature] != 8*len(c.b) {
			t.Errorf("%s: %v of %d bits", name, refused, 8*len(c.b))
		}
	}
}

func TestStaticCodeIsReadWithTwoAllocations(t *testing.T) {
	w := newWorld(t)
	text := w.static(t)
	if n := testing.AllocsPerRun(50, func() {
		if _, err := code.Read(w.ring, text); err != nil {
			panic(err)
		}
	}); n > 2 {
		t.Errorf("%v allocations, want at most 2", n)
	}
}
