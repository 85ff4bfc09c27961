package paycode_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing"
	"campusgate/signing/paycode"
)

func issuer(t testing.TB, purpose signing.Purpose) signing.Issuer {
	t.Helper()
	seed := sha256.Sum256([]byte("fixture " + purpose))
	private := ed25519.NewKeyFromSeed(seed[:])
	key, err := signing.NewKey("east", purpose, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return signing.Issuer{Key: key, Private: private}
}

func phoneKey(t testing.TB) signing.PhoneKey {
	t.Helper()
	seed := sha256.Sum256([]byte("fixture phone"))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.PhoneKeyOf(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPayComesBackAsItWasSigned(t *testing.T) {
	iss, phone := issuer(t, signing.PurposePay), phoneKey(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := paycode.Pay{
			Key: iss.Key.ID, Account: rapid.Uint64().Draw(rt, "account"), Epoch: rapid.Uint32().Draw(rt, "epoch"),
			PerTxFen:         rapid.Int64Range(0, paycode.MaxFen).Draw(rt, "tx"),
			PerDayOfflineFen: rapid.Int64Range(0, paycode.MaxFen).Draw(rt, "day"),
			MaxOfflineTx:     rapid.Uint32().Draw(rt, "count"),
			Expires:          rapid.Int64Range(0, signing.MaxTime).Draw(rt, "exp"),
			IssuedAt:         rapid.Int64Range(0, signing.MaxTime).Draw(rt, "iat"), Phone: phone,
		}
		copy(want.ID[:], rapid.SliceOfN(rapid.ByteRange(1, 255), 8, 8).Draw(rt, "id"))
		cred, err := want.Sign(iss)
		if err != nil {
			rt.Fatal(err)
		}
		c, err := signing.ParseCredential(cred)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := paycode.Parse(&c)
		if err != nil || *got != want {
			rt.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestValueThatNoReaderWouldTakeIsNotSigned(t *testing.T) {
	for says, change := range map[string]func(*paycode.Pay){
		"id: all zero":                  func(p *paycode.Pay) { p.ID = signing.PassID{} },
		"perTxFen: -1":                  func(p *paycode.Pay) { p.PerTxFen = -1 },
		"perTxFen: 9223372036854775807": func(p *paycode.Pay) { p.PerTxFen = math.MaxInt64 },
		"perDayOfflineFen: -1":          func(p *paycode.Pay) { p.PerDayOfflineFen = -1 },
		"perDayOfflineFen: 9007199254740992": func(p *paycode.Pay) {
			p.PerDayOfflineFen = paycode.MaxFen + 1
		},
		"exp: outside the years": func(p *paycode.Pay) { p.Expires = -1 },
		"iat: outside the years": func(p *paycode.Pay) { p.IssuedAt = signing.MaxTime + 1 },
		"phone: no key":          func(p *paycode.Pay) { p.Phone = signing.PhoneKey{} },
		"phone: unusable key":    func(p *paycode.Pay) { p.Phone.X = [32]byte{0: 0xff, 31: 1} },
	} {
		p := paycode.Pay{ID: signing.PassID{1}, Account: 5, Expires: 1788278400, IssuedAt: 1788190000, Phone: phoneKey(t)}
		change(&p)
		cred, err := p.Sign(issuer(t, signing.PurposePay))
		if !errors.Is(err, signing.ErrClaim) || !strings.Contains(err.Error(), says) || cred != nil {
			t.Errorf("got %v, want one that says %q", err, says)
		}
	}
}

func TestPayIsSignedOnlyByAPayKey(t *testing.T) {
	p := paycode.Pay{ID: signing.PassID{1}, Expires: 1788278400, Phone: phoneKey(t)}
	if _, err := p.Sign(issuer(t, signing.PurposeGate)); !errors.Is(err, signing.ErrKey) {
		t.Errorf("by the gate key: %v", err)
	}
}
