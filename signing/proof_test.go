package signing_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"testing"

	"campusgate/signing"
)

// credential signs the smallest visitor pass, with cnf when key is set.
func credential(t testing.TB, key signing.PhoneKey) []byte {
	t.Helper()
	claims := signing.Claims{
		ID: signing.PassID{1}, NotBefore: 1788192000, Expires: 1788278400, IssuedAt: 1788190000,
		HasNotBefore: true, Phone: key,
	}
	// name "", doc4 "", uses 1, zones 0, owner 0
	payload := append(claims.AppendPayload(nil, signing.Visitor, 6), 0x60, 0x60, 1, 0, 0)
	cred, err := issuer(t, "gate", signing.PurposeGate).SignPayload(signing.Visitor, payload)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func goodProof() signing.Proof {
	return signing.Proof{T: 1788200000, Counter: 3, Nonce: [4]byte{1, 2, 3, 4}, Context: signing.ContextGate}
}

func TestProofComesBackAndVerifies(t *testing.T) {
	private := phone(t, "phone")
	cred := credential(t, phoneKey(t, "phone"))
	for _, counter := range []uint64{0, 23, 24, 1 << 40, signing.MaxCounter} {
		for _, random := range []io.Reader{nil, rand.Reader} {
			p := goodProof()
			p.Counter = counter
			live, err := signing.MakeProof(private, random, cred, p)
			if err != nil {
				t.Fatal(err)
			}
			l, err := signing.ParseLive(live)
			if err != nil {
				t.Fatal(err)
			}
			if l.Proof != p || !bytes.Equal(l.Raw(), cred) {
				t.Errorf("got %+v, want %+v", l.Proof, p)
			}
			if err := l.VerifyProof(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestProofIsDeterministicWithoutRandomness(t *testing.T) {
	cred := credential(t, phoneKey(t, "phone"))
	a, err := signing.MakeProof(phone(t, "phone"), nil, cred, goodProof())
	if err != nil {
		t.Fatal(err)
	}
	b, err := signing.MakeProof(phone(t, "phone"), nil, cred, goodProof())
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("%x and %x, %v", a, b, err)
	}
}

// TestEitherSignOfSIsAccepted: ECDSA signatures come in pairs and browsers make
// either. That is why replays are counted by the counter and not by the text.
func TestEitherSignOfSIsAccepted(t *testing.T) {
	live, err := signing.MakeProof(phone(t, "phone"), nil, credential(t, phoneKey(t, "phone")), goodProof())
	if err != nil {
		t.Fatal(err)
	}
	s := live[len(live)-32:]
	new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s)).FillBytes(s)
	l, err := signing.ParseLive(live)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.VerifyProof(); err != nil {
		t.Error(err)
	}
}

func TestProofOfAnotherPhoneOrCredentialDoesNotFit(t *testing.T) {
	cred := credential(t, phoneKey(t, "phone"))
	foreign, err := signing.MakeProof(phone(t, "stranger"), nil, cred, goodProof())
	if err != nil {
		t.Fatal(err)
	}
	own, err := signing.MakeProof(phone(t, "phone"), nil, cred, goodProof())
	if err != nil {
		t.Fatal(err)
	}
	other := credential(t, phoneKey(t, "phone"))
	other[len(other)-1] ^= 1
	moved := append(append([]byte{0x82}, other...), own[1+len(cred):]...)
	for name, live := range map[string][]byte{"another phone": foreign, "another credential": moved} {
		l, err := signing.ParseLive(live)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.VerifyProof(); !errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("%s: %v, want ErrBadSignature", name, err)
		}
	}
}

// brokenSigner is a phone whose signing fails, or makes nonsense.
type brokenSigner struct {
	crypto.Signer
	out []byte
	err error
}

func (b brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return b.out, b.err }

func TestProofThatNobodyCouldReadIsNotMade(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, cred := phone(t, "phone"), credential(t, phoneKey(t, "phone"))
	lost := errors.New("key store is locked")
	with := func(change func(*signing.Proof)) signing.Proof {
		p := goodProof()
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		phone crypto.Signer
		cred  []byte
		proof signing.Proof
		want  error
	}{
		"Ed25519 key":      {ed25519Key("gate"), cred, goodProof(), signing.ErrKey},
		"P-384 key":        {p384, cred, goodProof(), signing.ErrKey},
		"signer fails":     {brokenSigner{private, nil, lost}, cred, goodProof(), lost},
		"signer babbles":   {brokenSigner{private, []byte{0x30, 0}, nil}, cred, goodProof(), signing.ErrKey},
		"no credential":    {private, nil, goodProof(), signing.ErrMalformed},
		"a live code":      {private, append([]byte{0x82}, cred...), goodProof(), signing.ErrMalformed},
		"time before 1970": {private, cred, with(func(p *signing.Proof) { p.T = -1 }), signing.ErrClaim},
		"time after 9999":  {private, cred, with(func(p *signing.Proof) { p.T = signing.MaxTime + 1 }), signing.ErrClaim},
		"huge counter":     {private, cred, with(func(p *signing.Proof) { p.Counter = 1 << 63 }), signing.ErrClaim},
		"no context":       {private, cred, with(func(p *signing.Proof) { p.Context = 0 }), signing.ErrClaim},
		"unknown context":  {private, cred, with(func(p *signing.Proof) { p.Context = 4 }), signing.ErrClaim},
	} {
		if live, err := signing.MakeProof(c.phone, nil, c.cred, c.proof); !errors.Is(err, c.want) || live != nil {
			t.Errorf("%s: got %x, %v, want %v", name, live, err, c.want)
		}
	}
}
