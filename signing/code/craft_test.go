package code_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/cbor"
)

// Here credentials and proofs are built that the package would never make:
// correctly signed, and wrong in one place.

const issuerHeader = "\xa2\x01\x27\x04\x44"

// envelope is a COSE_Sign1 in which every part can be wrong.
type envelope struct {
	head        string // of the array
	protected   []byte
	unprotected string
	payload     []byte // encoded bstr when raw, else its content
	raw         bool
	cut         int    // bytes off the signature; negative adds
	tail        string // after everything
}

func newEnvelope(iss signing.Issuer, payload []byte) envelope {
	return envelope{
		head: "\x84", protected: append([]byte(issuerHeader), iss.Key.ID[:]...), unprotected: "\xa0", payload: payload,
	}
}

// sign signs whatever the envelope says.
func (e envelope) sign(tb testing.TB, private ed25519.PrivateKey) []byte {
	tb.Helper()
	payload := e.payload
	if e.raw {
		payload = nil
	}
	signature := ed25519.Sign(private, toBeSigned(tb, e.protected, nil, payload))
	if e.cut >= 0 {
		signature = signature[:len(signature)-e.cut]
	} else {
		signature = append(signature, make([]byte, -e.cut)...)
	}
	b := cbor.AppendBytes([]byte(e.head), e.protected)
	b = append(b, e.unprotected...)
	if e.raw {
		b = append(b, e.payload...)
	} else {
		b = cbor.AppendBytes(b, e.payload)
	}
	return append(cbor.AppendBytes(b, signature), e.tail...)
}

// payloadOf takes the payload out of a credential.
func payloadOf(tb testing.TB, cred []byte) []byte {
	tb.Helper()
	return peerSign1(tb, cred).Payload
}

// swap replaces the only occurrence of from.
func swap(tb testing.TB, b []byte, from, to string) []byte {
	tb.Helper()
	if n := bytes.Count(b, []byte(from)); n != 1 {
		tb.Fatalf("%x occurs %d times in %x, want once", from, n, b)
	}
	return []byte(strings.Replace(string(b), from, to, 1))
}

// swapTail replaces the end.
func swapTail(tb testing.TB, b []byte, from, to string) []byte {
	tb.Helper()
	head, ok := bytes.CutSuffix(b, []byte(from))
	if !ok {
		tb.Fatalf("%x does not end in %x", b, from)
	}
	return append(bytes.Clone(head), to...)
}

const phoneHeader = "\xa1\x01\x26"

// proofPayload is a proof's payload with any values.
func proofPayload(t int64, ctr uint64, nonce string, ctx uint64) []byte {
	b := cbor.AppendUint(cbor.AppendInt(cbor.AppendArray(nil, 4), t), ctr)
	return cbor.AppendUint(cbor.AppendBytes(b, []byte(nonce)), ctx)
}

// prove puts a proof with any header and payload around a credential.
func prove(tb testing.TB, phone *ecdsa.PrivateKey, cred []byte, header string, payload []byte) []byte {
	tb.Helper()
	aad := sha256.Sum256(cred)
	digest := sha256.Sum256(toBeSigned(tb, []byte(header), aad[:], payload))
	der, err := phone.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		tb.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		tb.Fatal(err)
	}
	var signature [64]byte
	rs.R.FillBytes(signature[:32])
	rs.S.FillBytes(signature[32:])
	b := append([]byte{0x82}, cred...)
	b = cbor.AppendBytes(append(b, 0x84), []byte(header))
	b = cbor.AppendBytes(append(b, 0xa0), payload)
	return cbor.AppendBytes(b, signature[:])
}
