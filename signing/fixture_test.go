package signing_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"testing"

	"campusgate/signing"
)

// ed25519Key and phone make keys from fixed seeds: every run has the same.
func ed25519Key(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("fixture " + seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

func publicOf(private ed25519.PrivateKey) ed25519.PublicKey {
	return private.Public().(ed25519.PublicKey)
}

func phone(t testing.TB, seed string) *ecdsa.PrivateKey {
	t.Helper()
	sum := sha256.Sum256([]byte("fixture " + seed))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func phoneKey(t testing.TB, seed string) signing.PhoneKey {
	t.Helper()
	key, err := signing.PhoneKeyOf(&phone(t, seed).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issuer(t testing.TB, seed string, purpose signing.Purpose) signing.Issuer {
	t.Helper()
	private := ed25519Key(seed)
	key, err := signing.NewKey("east", purpose, publicOf(private))
	if err != nil {
		t.Fatal(err)
	}
	return signing.Issuer{Key: key, Private: private}
}

func ring(t testing.TB, keys ...signing.Key) *signing.Keyring {
	t.Helper()
	r, err := signing.NewKeyring("east", 7, keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
