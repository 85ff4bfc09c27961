package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"campusgate/signing"
)

// loadPrivate reads a private key file.
func loadPrivate(path string) (signing.PrivateKey, error) {
	data, err := readFile(path)
	if err != nil {
		return signing.PrivateKey{}, err
	}
	key, err := signing.ParsePrivate(data)
	if err != nil {
		return signing.PrivateKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// phoneFlag is a flag that takes the public key of a phone: as keygen prints it
// (the second line, or both), or as a browser exports it (SPKI or point in
// base64 or base64url).
type phoneFlag struct{ key *signing.PhoneKey }

func (p *phoneFlag) String() string {
	if p.key == nil {
		return ""
	}
	return p.key.String()
}

func (p *phoneFlag) Set(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return fmt.Errorf("want a public key")
	}
	key, err := parsePhone(words[len(words)-1])
	if err != nil {
		return err
	}
	if len(words) > 2 || len(words) == 2 && words[0] != key.ID().String() {
		return fmt.Errorf("more than a public key")
	}
	p.key = &key
	return nil
}

func parsePhone(word string) (signing.PhoneKey, error) {
	var key signing.PhoneKey
	hexErr := key.UnmarshalText([]byte(word))
	if hexErr == nil {
		return key, nil
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(word, "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return key, hexErr
	}
	if len(raw) == 33 || len(raw) == 65 || len(raw) == 91 {
		return signing.ParsePhoneKey(raw)
	}
	return key, hexErr
}
