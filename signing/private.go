package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
)

// PrivateKey is the content of a private key file: an issuer key of purpose
// gate or pay, or a phone key.
type PrivateKey struct {
	Purpose Purpose
	Site    string // of an issuer key; "" for a phone
	Signer  crypto.Signer
}

// privateFile is the JSON of a private key file. The id is there for people; it
// must be that of the key.
type privateFile struct {
	Purpose Purpose `json:"purpose"`
	Site    string  `json:"site,omitempty"`
	ID      string  `json:"id"`
	Private []byte  `json:"private"` // PKCS#8
}

// MarshalPrivate gives the bytes of a private key file. Gate and pay keys are
// ed25519.PrivateKey and have a site, phone keys are *ecdsa.PrivateKey on P-256
// and have none; anything else is refused with ErrKey.
func MarshalPrivate(purpose Purpose, site string, key crypto.Signer) ([]byte, error) {
	k := PrivateKey{Purpose: purpose, Site: site, Signer: key}
	id, err := k.id()
	if err != nil {
		return nil, err
	}
	der, err := marshalPKCS8(key)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(privateFile{Purpose: purpose, Site: site, ID: id, Private: der}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return append(b, '\n'), nil
}

// ParsePrivate reads what MarshalPrivate gives. Errors wrap ErrKey and never
// quote the key.
func ParsePrivate(data []byte) (PrivateKey, error) {
	var file privateFile
	if err := strictJSON(data, 1<<12, &file); err != nil {
		return PrivateKey{}, fmt.Errorf("%w: private key file: %w", ErrKey, err)
	}
	signer, err := parsePKCS8(file.Private)
	if err != nil {
		return PrivateKey{}, err
	}
	k := PrivateKey{Purpose: file.Purpose, Site: file.Site, Signer: signer}
	id, err := k.id()
	if err != nil {
		return PrivateKey{}, err
	}
	if id != file.ID {
		return PrivateKey{}, fmt.Errorf("%w: private key file: the id of this key is %s", ErrKey, id)
	}
	return k, nil
}

// id checks that key and purpose go together and names the key.
func (k PrivateKey) id() (string, error) {
	if k.Purpose == PurposePhone {
		phone, err := k.Phone()
		if err != nil {
			return "", err
		}
		if k.Site != "" {
			return "", fmt.Errorf("%w: a phone key has no site", ErrKey)
		}
		public, err := PhoneKeyOf(&phone.PublicKey)
		if err != nil {
			return "", err
		}
		return public.ID().String(), nil
	}
	iss, err := k.Issuer()
	if err != nil {
		return "", err
	}
	return iss.Key.ID.String(), nil
}

// Issuer gives the issuer key, as active and free to sign every kind of its
// purpose; ErrKey for a phone key.
func (k PrivateKey) Issuer() (Issuer, error) {
	private, ok := k.Signer.(ed25519.PrivateKey)
	if !ok || len(private) != ed25519.PrivateKeySize {
		return Issuer{}, fmt.Errorf("%w: purpose %q takes an Ed25519 key", ErrKey, k.Purpose)
	}
	key, err := NewKey(k.Site, k.Purpose, private.Public().(ed25519.PublicKey))
	if err != nil {
		return Issuer{}, err
	}
	return Issuer{Key: key, Private: private}, nil
}

// Phone gives the phone key; ErrKey for an issuer key.
func (k PrivateKey) Phone() (*ecdsa.PrivateKey, error) {
	private, ok := k.Signer.(*ecdsa.PrivateKey)
	if !ok || k.Purpose != PurposePhone || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: not a P-256 phone key (purpose %q)", ErrKey, k.Purpose)
	}
	return private, nil
}
