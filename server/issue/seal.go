package issue

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"campusgate/signing"
)

// ErrSeal is wrapped when a sealed key does not open: another seal key, or
// changed bytes.
var ErrSeal = errors.New("sealed key does not open")

// sealKeySize is that of AES-256.
const sealKeySize = 32

// Sealer keeps private keys unreadable in the database: AES-256-GCM under a
// key that is not in it. Safe for concurrent use.
type Sealer struct {
	aead   cipher.AEAD
	random io.Reader
}

// NewSealer makes a sealer from the 32 bytes of a seal key file.
func NewSealer(key []byte, random io.Reader) (*Sealer, error) {
	if len(key) != sealKeySize {
		return nil, fmt.Errorf("seal key of %d bytes: want %d", len(key), sealKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, random: random}, nil
}

// Seal encrypts a private key. The id goes in as well, so that sealed keys
// cannot change places.
func (s *Sealer) Seal(id signing.KeyID, key ed25519.PrivateKey) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+ed25519.SeedSize+s.aead.Overhead())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	return s.aead.Seal(nonce, nonce, key.Seed(), sealContext(id)), nil
}

// Open decrypts what Seal made for this id. The error wraps ErrSeal.
func (s *Sealer) Open(id signing.KeyID, sealed []byte) (ed25519.PrivateKey, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, fmt.Errorf("%w: key %s", ErrSeal, id)
	}
	seed, err := s.aead.Open(nil, sealed[:n], sealed[n:], sealContext(id))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: key %s: is seal.key the one of this database?", ErrSeal, id)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func sealContext(id signing.KeyID) []byte {
	return append([]byte("campusgate issuer key 1\x00"), id[:]...)
}
