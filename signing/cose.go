package signing

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"

	"campusgate/signing/cbor"
)

// The protected headers of the two profiles (RFC 9052 section 3, RFC 9053
// sections 2.1 and 2.2). Both are bare prefixes of canonical CBOR maps.
const (
	issuerHeader = "\xa2\x01\x27\x04\x44" // {1: -8 EdDSA, 4: kid of 4 bytes that follow
	phoneHeader  = "\xa1\x01\x26"         // {1: -7 ES256}

	issuerHeaderSize = len(issuerHeader) + len(KeyID{})
	signatureSize    = 64
	maxPayload       = 256 // the largest that any claims fill is 173
)

// toBeSignedRoom is enough for the Sig_structure of either profile.
const toBeSignedRoom = 16 + issuerHeaderSize + 2 + sha256.Size + 3 + maxPayload

// appendToBeSigned appends the Sig_structure of a COSE_Sign1 (RFC 9052 section
// 4.4): the bytes a signature is made over. A protected header that is an empty
// map counts as an empty string, as that section asks.
func appendToBeSigned(dst, protected, aad, payload []byte) []byte {
	if len(protected) == 1 && protected[0] == 0xa0 {
		protected = nil
	}
	dst = append(dst, "\x84\x6aSignature1"...)
	dst = cbor.AppendBytes(dst, protected)
	dst = cbor.AppendBytes(dst, aad)
	return cbor.AppendBytes(dst, payload)
}

// verifyEd25519 checks an EdDSA signature (RFC 8032); a key or a signature of
// the wrong size does not fit.
func verifyEd25519(public ed25519.PublicKey, message, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, message, signature)
}

// verifyES256 checks an ES256 signature in COSE form: r and s as 32 bytes each.
// Both s and its negative are accepted, since WebCrypto makes either.
func verifyES256(public *ecdsa.PublicKey, message, signature []byte) bool {
	if len(signature) != signatureSize {
		return false
	}
	digest := sha256.Sum256(message)
	var room [derRoom]byte
	return ecdsa.VerifyASN1(public, digest[:], appendDER(room[:0], [signatureSize]byte(signature)))
}
