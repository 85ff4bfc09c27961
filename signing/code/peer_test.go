package code_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"campusgate/signing"
)

// sign1 is a COSE_Sign1 as a general CBOR library sees it.
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[any]any
	Payload     []byte
	Signature   []byte
}

func peerSign1(tb testing.TB, b []byte) (s sign1) {
	tb.Helper()
	if err := cbor.Unmarshal(b, &s); err != nil {
		tb.Fatal(err)
	}
	return s
}

// toBeSigned is the Sig_structure by the same library (RFC 9052 section 4.4).
func toBeSigned(tb testing.TB, protected, aad, payload []byte) []byte {
	tb.Helper()
	if aad == nil {
		aad = []byte{}
	}
	b, err := cbor.Marshal([]any{"Signature1", protected, aad, payload})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestPeerReadsTheSameValues has a general CBOR library decode the codes that
// we make, following RFC 9052, 8392 and 8747 rather than our parser.
func TestPeerReadsTheSameValues(t *testing.T) {
	w := newWorld(t)
	strict, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		IntDec: cbor.IntDecConvertNone,
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	deterministic, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	cnf := map[any]any{uint64(1): map[any]any{
		uint64(1): uint64(2), int64(-1): uint64(1), int64(-2): w.phoneKey.X[:], int64(-3): w.phoneKey.YOdd,
	}}
	b, work, credit := bearer(), w.work(), w.credit()
	for name, c := range map[string]struct {
		cred []byte
		kid  [4]byte
		want map[any]any
	}{
		"bearer": {mustSign(t, b, w.gate), w.gate.Key.ID, map[any]any{
			uint64(4): uint64(b.Expires), uint64(5): uint64(b.NotBefore), uint64(6): uint64(b.IssuedAt), uint64(7): b.ID[:],
			int64(-65537): []any{uint64(1), "林小满", "204X", uint64(1), uint64(5), uint64(3)},
		}},
		"bound": {mustSign(t, work, w.gate), w.gate.Key.ID, map[any]any{
			uint64(4): uint64(work.Expires), uint64(5): uint64(work.NotBefore), uint64(6): uint64(work.IssuedAt),
			uint64(7): work.ID[:], uint64(8): cnf,
			int64(-65537): []any{uint64(3), "周砚秋", "204X", uint64(0), uint64(5), uint64(0)},
		}},
		"pay": {mustPay(t, credit, w.pay), w.pay.Key.ID, map[any]any{
			uint64(4): uint64(credit.Expires), uint64(6): uint64(credit.IssuedAt), uint64(7): credit.ID[:], uint64(8): cnf,
			int64(-65537): []any{uint64(9), uint64(1) << 63, uint64(4), uint64(3000), uint64(6000), uint64(5)},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var s sign1
			if err := strict.Unmarshal(c.cred, &s); err != nil {
				t.Fatal(err)
			}
			var header, claims map[any]any
			if err := strict.Unmarshal(s.Protected, &header); err != nil {
				t.Fatal(err)
			}
			if want := (map[any]any{uint64(1): int64(-8), uint64(4): c.kid[:]}); !reflect.DeepEqual(header, want) {
				t.Errorf("header %v, want %v", header, want)
			}
			if err := strict.Unmarshal(s.Payload, &claims); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(claims, c.want) {
				t.Errorf("claims %v, want %v", claims, c.want)
			}
			if again, err := deterministic.Marshal(claims); err != nil || !bytes.Equal(again, s.Payload) {
				t.Errorf("the peer writes the payload as %x, %v; we as %x", again, err, s.Payload)
			}
		})
	}
}

func TestPeerReadsTheSameProof(t *testing.T) {
	w := newWorld(t)
	cred := mustSign(t, w.work(), w.gate)
	live := mustProve(t, w.phone, cred, proof(signing.ContextGate))
	var parts []cbor.RawMessage
	if err := cbor.Unmarshal(live, &parts); err != nil || len(parts) != 2 || !bytes.Equal(parts[0], cred) {
		t.Fatalf("%v: %x", err, parts)
	}
	s := peerSign1(t, parts[1])
	var fields []any
	if err := cbor.Unmarshal(s.Payload, &fields); err != nil {
		t.Fatal(err)
	}
	want := []any{uint64(day + 43200), uint64(17), []byte{0xca, 0xfe, 0, 1}, uint64(1)}
	if !reflect.DeepEqual(fields, want) || string(s.Protected) != phoneHeader || len(s.Unprotected) != 0 {
		t.Errorf("got %v in %x", fields, s.Protected)
	}
	aad := sha256.Sum256(cred)
	digest := sha256.Sum256(toBeSigned(t, s.Protected, aad[:], s.Payload))
	r, sigS := new(big.Int).SetBytes(s.Signature[:32]), new(big.Int).SetBytes(s.Signature[32:])
	if !ecdsa.Verify(&w.phone.PublicKey, digest[:], r, sigS) {
		t.Error("the standard library does not accept the proof")
	}
}
