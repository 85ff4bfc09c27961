package people

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// ErrSeal is wrapped when a sealed text does not open: another seal key, other
// purpose, or changed bytes.
var ErrSeal = errors.New("sealed text does not open")

// The purposes of what is sealed here.
const (
	sealPhone  = "phone"
	sealNumber = "id_number"
	sealImport = "import"
)

// vaultKeySize is that of the seal key file and of both keys made from it.
const vaultKeySize = 32

type vault struct {
	aead   cipher.AEAD
	index  []byte
	random io.Reader
}

// NewVault makes a Vault from the 32 bytes of a seal key file: AES-256-GCM and
// HMAC-SHA-256 under keys of their own, which tell nothing of the file's key.
func NewVault(key []byte, random io.Reader) (Vault, error) {
	if len(key) != vaultKeySize {
		return nil, fmt.Errorf("seal key of %d bytes: want %d", len(key), vaultKeySize)
	}
	sealing, err := hkdf.Key(sha256.New, key, nil, "campusgate people seal 1", vaultKeySize)
	if err != nil {
		return nil, err
	}
	index, err := hkdf.Key(sha256.New, key, nil, "campusgate people index 1", vaultKeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &vault{aead: aead, index: index, random: random}, nil
}

func (v *vault) Seal(purpose, text string) ([]byte, error) {
	nonce := make([]byte, v.aead.NonceSize(), v.aead.NonceSize()+len(text)+v.aead.Overhead())
	if _, err := io.ReadFull(v.random, nonce); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return v.aead.Seal(nonce, nonce, []byte(text), []byte(purpose)), nil
}

func (v *vault) Open(purpose string, sealed []byte) (string, error) {
	n := v.aead.NonceSize()
	if len(sealed) < n {
		return "", fmt.Errorf("%w: %s", ErrSeal, purpose)
	}
	text, err := v.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return "", fmt.Errorf("%w: %s: is seal.key the one of this database?", ErrSeal, purpose)
	}
	return string(text), nil
}

func (v *vault) Index(purpose, text string) []byte {
	mac := hmac.New(sha256.New, v.index)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0}) // no purpose has one: the border is where it is
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
