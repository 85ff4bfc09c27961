package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"
)

// The two PKCS#8 forms (RFC 5958) that are ours have one fixed layout each, so
// they are matched whole; crypto/x509 would bring the network packages into a
// package that must not have them.
const (
	// RFC 8410 section 7: then the seed of 32 bytes.
	pkcs8Ed25519 = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"
	// RFC 5915 in PKCS#8: then the private number of 32 bytes …
	pkcs8P256 = "\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" +
		"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"
	// … this, and the uncompressed public point of 65 bytes.
	pkcs8P256Public = "\xa1\x44\x03\x42\x00"
)

func marshalPKCS8(key crypto.Signer) ([]byte, error) {
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return append([]byte(pkcs8Ed25519), key.Seed()...), nil
	case *ecdsa.PrivateKey:
		private, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		public, err := key.PublicKey.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		der := append([]byte(pkcs8P256), private...)
		return append(append(der, pkcs8P256Public...), public...), nil
	}
	return nil, fmt.Errorf("%w: %T is neither Ed25519 nor P-256", ErrKey, key)
}

// parsePKCS8 gives an ed25519.PrivateKey or an *ecdsa.PrivateKey on P-256.
func parsePKCS8(der []byte) (crypto.Signer, error) {
	const public = len(pkcs8P256) + 32
	switch {
	case len(der) == len(pkcs8Ed25519)+ed25519.SeedSize && string(der[:len(pkcs8Ed25519)]) == pkcs8Ed25519:
		return ed25519.NewKeyFromSeed(der[len(pkcs8Ed25519):]), nil
	case len(der) == public+len(pkcs8P256Public)+65 && string(der[:len(pkcs8P256)]) == pkcs8P256 &&
		string(der[public:public+len(pkcs8P256Public)]) == pkcs8P256Public:
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), der[len(pkcs8P256):public])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil || string(point) != string(der[public+len(pkcs8P256Public):]) {
			return nil, fmt.Errorf("%w: private key file: public and private half differ", ErrKey)
		}
		return key, nil
	}
	return nil, fmt.Errorf("%w: private key file: neither an Ed25519 nor a P-256 key in PKCS#8", ErrKey)
}
