package issue

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
)

// The files of keys, in the data folder unless they were moved away.
const (
	RootFile = "root.key"
	SealFile = "seal.key"
)

var (
	// ErrRootAbsent: the site root is not where it was looked for, which is
	// right except when keys are to change.
	ErrRootAbsent = errors.New("the site root key is not here")
	// ErrKeyFile: a key file is damaged, or not the one of this site.
	ErrKeyFile = errors.New("unusable key file")
	// ErrExposed: other users of the machine can read a key file.
	ErrExposed = errors.New("key file is readable by others")
)

// CreateRoot makes the site root key and writes its file (PKCS#8 in PEM), which
// must not exist.
func CreateRoot(path string, random io.Reader) (ed25519.PrivateKey, error) {
	_, root, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("make site root: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(root)
	if err != nil {
		return nil, fmt.Errorf("make site root: %w", err)
	}
	return root, createFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// LoadRoot reads the file that CreateRoot wrote. It wraps ErrRootAbsent when
// there is none, ErrExposed or ErrKeyFile.
func LoadRoot(path string, public ed25519.PublicKey) (ed25519.PrivateKey, error) {
	data, err := readFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrRootAbsent, path)
	}
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: %s: want one PEM block, PRIVATE KEY", ErrKeyFile, path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: not PKCS#8", ErrKeyFile, path)
	}
	root, ok := key.(ed25519.PrivateKey)
	if !ok || !public.Equal(root.Public()) {
		return nil, fmt.Errorf("%w: %s: it is the root key of another site", ErrKeyFile, path)
	}
	return root, nil
}

// CreateSeal makes the key under which issuer keys are sealed and writes its
// file (64 hex digits), which must not exist.
func CreateSeal(path string, random io.Reader) ([]byte, error) {
	key := make([]byte, sealKeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("make seal key: %w", err)
	}
	return key, createFile(path, []byte(hex.EncodeToString(key)+"\n"))
}

// LoadSeal reads the file that CreateSeal wrote. It wraps os.ErrNotExist,
// ErrExposed or ErrKeyFile.
func LoadSeal(path string) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(data)))
	if err != nil || len(key) != sealKeySize {
		return nil, fmt.Errorf("%w: %s: want %d hex digits", ErrKeyFile, path, 2*sealKeySize)
	}
	return key, nil
}

// LoadSecret reads a secret that another system shares with this one: the text
// of a file that only its owner can read, without the space around it. It wraps
// ErrExposed or ErrKeyFile.
func LoadSecret(path string) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if data = bytes.TrimSpace(data); len(data) == 0 {
		return nil, fmt.Errorf("%w: %s is empty", ErrKeyFile, path)
	}
	return data, nil
}

// createFile writes a new file that only its owner can read, and syncs it:
// what is signed with a lost key is lost as well.
func createFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := private(path, info); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
