package pass_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing"
	"campusgate/signing/pass"
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

func phoneKey(t testing.TB) *signing.PhoneKey {
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
	return &key
}

func good() pass.Pass {
	return pass.Pass{
		ID: signing.PassID{1}, Kind: signing.Visitor, Name: "林小满", Doc4: "204X", Uses: 1,
		NotBefore: 1788192000, Expires: 1788278400, IssuedAt: 1788190000,
	}
}

func TestPassComesBackAsItWasSigned(t *testing.T) {
	iss, phone := issuer(t, signing.PurposeGate), phoneKey(t)
	names := rapid.SampledFrom([]string{"", "林小满", "Ana", "阿依努尔·买买提", strings.Repeat("汉", 16)})
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.Int64Range(0, signing.MaxTime-1).Draw(rt, "from")
		want := pass.Pass{
			Key: iss.Key.ID, Kind: rapid.SampledFrom(signing.GateKinds.Kinds()).Draw(rt, "kind"),
			Name: names.Draw(rt, "name"), Doc4: rapid.SampledFrom([]string{"", "0000", "204X", "军字甲乙", "京A·1"}).Draw(rt, "doc4"),
			Uses: rapid.Uint32().Draw(rt, "uses"), Zones: signing.Zones(rapid.Uint32().Draw(rt, "zones")),
			Owner: rapid.Uint16().Draw(rt, "owner"), NotBefore: from,
			Expires:  rapid.Int64Range(from+1, signing.MaxTime).Draw(rt, "exp"),
			IssuedAt: rapid.Int64Range(0, signing.MaxTime).Draw(rt, "iat"),
		}
		copy(want.ID[:], rapid.SliceOfN(rapid.ByteRange(1, 255), 8, 8).Draw(rt, "id"))
		if rapid.Bool().Draw(rt, "bound") {
			want.Phone = phone
		}
		cred, err := want.Sign(iss)
		if err != nil {
			rt.Fatal(err)
		}
		c, err := signing.ParseCredential(cred)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := pass.Parse(&c)
		if err != nil || !reflect.DeepEqual(*got, want) {
			rt.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestValueThatNoReaderWouldTakeIsNotSigned(t *testing.T) {
	for says, change := range map[string]func(*pass.Pass){
		"pay opens no gate":      func(p *pass.Pass) { p.Kind = signing.Pay },
		"kind(0) opens no gate":  func(p *pass.Pass) { p.Kind = 0 },
		"kind(6) opens no gate":  func(p *pass.Pass) { p.Kind = 6 },
		"id: all zero":           func(p *pass.Pass) { p.ID = signing.PassID{} },
		"name: 49 bytes":         func(p *pass.Pass) { p.Name = strings.Repeat("汉", 16) + "a" },
		"name: not in Unicode":   func(p *pass.Pass) { p.Name = "Jose\u0301" },
		"name: not UTF-8":        func(p *pass.Pass) { p.Name = "\xff" },
		"name: character U+000A": func(p *pass.Pass) { p.Name = "a\nb" },
		"doc4: 3 characters":     func(p *pass.Pass) { p.Doc4 = "123" },
		"doc4: 5 characters":     func(p *pass.Pass) { p.Doc4 = "12345" },
		"doc4: not UTF-8":        func(p *pass.Pass) { p.Doc4 = "12\xff4" },
		"doc4: 17 bytes":         func(p *pass.Pass) { p.Doc4 = strings.Repeat("1", 17) },
		"nbf: not before exp":    func(p *pass.Pass) { p.Expires = p.NotBefore },
		"nbf: outside the years": func(p *pass.Pass) { p.NotBefore = -1 },
		"exp: outside the years": func(p *pass.Pass) { p.Expires = signing.MaxTime + 1 },
		"iat: outside the years": func(p *pass.Pass) { p.IssuedAt = -1 },
		"phone: no key":          func(p *pass.Pass) { p.Phone = &signing.PhoneKey{} },
		"phone: unusable key":    func(p *pass.Pass) { p.Phone = &signing.PhoneKey{X: [32]byte{0: 0xff, 31: 1}} },
	} {
		p := good()
		change(&p)
		cred, err := p.Sign(issuer(t, signing.PurposeGate))
		if !errors.Is(err, signing.ErrClaim) || !strings.Contains(err.Error(), says) || cred != nil {
			t.Errorf("got %v, want one that says %q", err, says)
		}
	}
}

func TestPassIsSignedOnlyByAGateKey(t *testing.T) {
	p := good()
	if _, err := p.Sign(issuer(t, signing.PurposePay)); !errors.Is(err, signing.ErrKey) {
		t.Errorf("by the pay key: %v", err)
	}
	iss := issuer(t, signing.PurposeGate)
	iss.Key.Kinds = signing.KindsOf(signing.Work)
	if _, err := p.Sign(iss); !errors.Is(err, signing.ErrKey) {
		t.Errorf("by a key for work passes: %v", err)
	}
}
