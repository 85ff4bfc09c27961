package signing

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
)

// A signed keyring is one line, "campusgate-keyring-1 " and the root's signature
// in base64, and then the keyring's bytes as they are. The signature is over
// ringDomain and those bytes, so that nothing else the root signs can pass for
// a keyring.
const (
	ringHeader = "campusgate-keyring-1 "
	ringDomain = "campusgate keyring 1\x00"
)

// SignKeyring gives the signed form of r.
func SignKeyring(root ed25519.PrivateKey, r *Keyring) ([]byte, error) {
	if len(root) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: the site root is Ed25519", ErrKey)
	}
	body := r.Marshal()
	if _, err := ParseKeyring(body); err != nil {
		return nil, err
	}
	signature := ed25519.Sign(root, append([]byte(ringDomain), body...))
	signed := base64.StdEncoding.AppendEncode([]byte(ringHeader), signature)
	return append(append(signed, '\n'), body...), nil
}

// OpenKeyring checks that root signed a keyring and that its serial is at least
// minSerial, and reads it. Errors wrap ErrRootSignature, ErrSerialFell,
// ErrKeyring, ErrKey or ErrKeyExists. Of a keyring that the root did not sign,
// nothing but the signature is looked at.
func OpenKeyring(root ed25519.PublicKey, signed []byte, minSerial uint64) (*Keyring, error) {
	line, body, ok := bytes.Cut(signed, []byte{'\n'})
	encoded, hasHeader := bytes.CutPrefix(line, []byte(ringHeader))
	if !ok || !hasHeader {
		return nil, fmt.Errorf("%w: does not begin with %q and a signature", ErrKeyring, ringHeader)
	}
	if len(body) > maxKeyring {
		return nil, fmt.Errorf("%w: %d bytes: at most %d", ErrKeyring, len(body), maxKeyring)
	}
	signature, err := decodeSignature(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: signature: %w", ErrKeyring, err)
	}
	if !verifyEd25519(root, append([]byte(ringDomain), body...), signature) {
		return nil, ErrRootSignature
	}
	r, err := ParseKeyring(body)
	if err != nil {
		return nil, err
	}
	if r.Serial < minSerial {
		return nil, fmt.Errorf("%w: %d after %d", ErrSerialFell, r.Serial, minSerial)
	}
	return r, nil
}

func decodeSignature(encoded []byte) ([]byte, error) {
	if len(encoded) != base64.StdEncoding.EncodedLen(signatureSize) {
		return nil, errors.New("wrong length")
	}
	signature, err := base64.StdEncoding.Strict().AppendDecode(nil, encoded)
	if err != nil {
		return nil, err
	}
	if len(signature) != signatureSize {
		return nil, errors.New("wrong length")
	}
	return signature, nil
}
