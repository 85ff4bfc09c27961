// Package rsakey reads RSA keys as payment channels hand them out, and signs
// with them as channels do: SHA-256 with PKCS #1 v1.5, in base64.
package rsakey

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// ErrKey: the text is not an RSA key of at least 2048 bits. It tells nothing of
// the text.
var ErrKey = errors.New("not an RSA key of 2048 bits or more")

const minBits = 2048

// Private reads a private key: PEM, or its base64 alone; PKCS #8 or PKCS #1.
func Private(text []byte) (*rsa.PrivateKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		any8, err := x509.ParsePKCS8PrivateKey(der)
		rsaKey, ok := any8.(*rsa.PrivateKey)
		if err != nil || !ok {
			return nil, ErrKey
		}
		key = rsaKey
	}
	if key.N.BitLen() < minBits || key.Validate() != nil {
		return nil, ErrKey
	}
	return key, nil
}

// Public reads a public key: PEM of the key or of a certificate, or the base64
// of the key alone.
func Public(text []byte) (*rsa.PublicKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, err
	}
	found, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if cert, certErr := x509.ParseCertificate(der); certErr == nil {
			found, err = cert.PublicKey, nil
		} else {
			found, err = x509.ParsePKCS1PublicKey(der)
		}
	}
	key, ok := found.(*rsa.PublicKey)
	if err != nil || !ok || key == nil || key.N.BitLen() < minBits {
		return nil, ErrKey
	}
	return key, nil
}

func decode(text []byte) ([]byte, error) {
	if block, _ := pem.Decode(text); block != nil {
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	if err != nil {
		return nil, ErrKey
	}
	return der, nil
}

// Sign gives the signature of a message.
func Sign(key *rsa.PrivateKey, message string) (string, error) {
	sum := sha256.Sum256([]byte(message))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// Verify reports whether the signature is that of the message.
func Verify(key *rsa.PublicKey, message, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || key == nil {
		return false
	}
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}
