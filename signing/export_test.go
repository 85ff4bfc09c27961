package signing

import (
	"crypto/ecdsa"
	"crypto/ed25519"
)

// The parts that the public vectors exercise one by one.

// ToBeSigned is the Sig_structure.
func ToBeSigned(protected, aad, payload []byte) []byte {
	return appendToBeSigned(nil, protected, aad, payload)
}

// VerifyEd25519 is what issuer signatures go through.
func VerifyEd25519(public ed25519.PublicKey, message, signature []byte) bool {
	return verifyEd25519(public, message, signature)
}

// VerifyES256 is what phone signatures go through.
func VerifyES256(public *ecdsa.PublicKey, message, signature []byte) bool {
	return verifyES256(public, message, signature)
}

// RawSignature is what makes a phone signature of a signer's.
func RawSignature(der []byte) ([]byte, error) {
	raw, err := rawSignature(der)
	return raw[:], err
}
