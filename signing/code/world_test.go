package code_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"testing"

	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
)

// world is one campus with keys made from fixed seeds, so that every run makes
// the same codes.
type world struct {
	gate, pay, other, next, retired, leaked signing.Issuer

	ring     *signing.Keyring
	phone    *ecdsa.PrivateKey
	phoneKey signing.PhoneKey
	// stranger is a phone that no credential names.
	stranger *ecdsa.PrivateKey
}

// The day on which everything below happens: 2026-09-01 00:00 in Shanghai.
const day = 1788192000

func newIssuer(tb testing.TB, seed, site string, purpose signing.Purpose, state signing.KeyState) signing.Issuer {
	tb.Helper()
	sum := sha256.Sum256([]byte("fixture " + seed))
	private := ed25519.NewKeyFromSeed(sum[:])
	key, err := signing.NewKey(site, purpose, private.Public().(ed25519.PublicKey))
	if err != nil {
		tb.Fatal(err)
	}
	key.State = state
	return signing.Issuer{Key: key, Private: private}
}

func newPhone(tb testing.TB, seed string) *ecdsa.PrivateKey {
	tb.Helper()
	sum := sha256.Sum256([]byte("fixture " + seed))
	phone, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		tb.Fatal(err)
	}
	return phone
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{
		gate:    newIssuer(tb, "gate", "east", signing.PurposeGate, signing.KeyActive),
		pay:     newIssuer(tb, "pay", "east", signing.PurposePay, signing.KeyActive),
		other:   newIssuer(tb, "other site", "west", signing.PurposeGate, signing.KeyActive),
		next:    newIssuer(tb, "next", "east", signing.PurposeGate, signing.KeyNext),
		retired: newIssuer(tb, "retired", "east", signing.PurposeGate, signing.KeyRetired),
		leaked:  newIssuer(tb, "leaked", "east", signing.PurposeGate, signing.KeyCompromised),
		phone:   newPhone(tb, "phone"), stranger: newPhone(tb, "stranger"),
	}
	var err error
	if w.phoneKey, err = signing.PhoneKeyOf(&w.phone.PublicKey); err != nil {
		tb.Fatal(err)
	}
	w.ring, err = signing.NewKeyring("east", 7, []signing.Key{
		w.gate.Key, w.pay.Key, w.other.Key, w.next.Key, w.retired.Key, w.leaked.Key,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// signer is the issuer with its key as it was before it retired or leaked.
func signer(iss signing.Issuer) signing.Issuer {
	iss.Key.State = signing.KeyActive
	return iss
}

// bearer is a pass for one use on one day.
func bearer() pass.Pass {
	return pass.Pass{
		ID: signing.PassID{1, 2, 3, 4, 5, 6, 7, 8}, Kind: signing.ResidentSingle,
		Name: "林小满", Doc4: "204X", Uses: 1, Zones: 0b101, Owner: 3,
		NotBefore: day, Expires: day + 86400, IssuedAt: day - 3600,
	}
}

// work is a pass that belongs to the fixture's phone.
func (w *world) work() pass.Pass {
	p := bearer()
	p.ID, p.Kind, p.Name, p.Uses, p.Owner = signing.PassID{9, 9, 9, 9, 1, 1, 1, 1}, signing.Work, "周砚秋", 0, 0
	p.Expires = day + 3*86400
	p.Phone = &w.phoneKey
	return p
}

func (w *world) credit() paycode.Pay {
	return paycode.Pay{
		ID: signing.PassID{7, 7, 7, 7, 0, 0, 0, 1}, Account: 1 << 63, Epoch: 4, PerTxFen: 3000,
		PerDayOfflineFen: 6000, MaxOfflineTx: 5, Expires: day + 2*86400, IssuedAt: day, Phone: w.phoneKey,
	}
}

func proof(ctx signing.Context) signing.Proof {
	return signing.Proof{T: day + 43200, Counter: 17, Nonce: [4]byte{0xca, 0xfe, 0x00, 0x01}, Context: ctx}
}

func mustSign(tb testing.TB, p pass.Pass, iss signing.Issuer) []byte {
	tb.Helper()
	cred, err := p.Sign(iss)
	if err != nil {
		tb.Fatal(err)
	}
	return cred
}

func mustPay(tb testing.TB, p paycode.Pay, iss signing.Issuer) []byte {
	tb.Helper()
	cred, err := p.Sign(iss)
	if err != nil {
		tb.Fatal(err)
	}
	return cred
}

func mustProve(tb testing.TB, phone *ecdsa.PrivateKey, cred []byte, p signing.Proof) []byte {
	tb.Helper()
	live, err := signing.MakeProof(phone, nil, cred, p)
	if err != nil {
		tb.Fatal(err)
	}
	return live
}

func (w *world) static(tb testing.TB) string {
	return pass.URL("gate.example.edu", mustSign(tb, bearer(), w.gate))
}

func (w *world) live(tb testing.TB) string {
	return pass.LiveText(mustProve(tb, w.phone, mustSign(tb, w.work(), w.gate), proof(signing.ContextGate)))
}

func (w *world) paycode(tb testing.TB) string {
	return paycode.LiveText(mustProve(tb, w.phone, mustPay(tb, w.credit(), w.pay), proof(signing.ContextPay)))
}
