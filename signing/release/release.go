// Package release is the signed statement that a program belongs to a site:
// which version, for which system, and the hash of its bytes.
//
// # Format
//
// A signed manifest is one line, "campusgate-release-1 " and the signature of the
// site root in base64, and then the manifest's bytes as they are:
//
//	campusgate-release-1 SIGNATURE
//	{
//	  "site": "campus",
//	  "version": "1.2.3",
//	  "os": "linux",
//	  "arch": "amd64",
//	  "serial": 7,
//	  "not_before": 1790000000,
//	  "size": 4,
//	  "sha256": "…64 hex digits…"
//	}
//
// The signature (Ed25519) is over "campusgate release 1" and a zero byte, then
// the manifest's bytes up to the last newline, which is part of them. There is
// one way to write a manifest: names in this order, two spaces, one newline at
// the end; anything else is refused. The serial rises with every release of a
// site and is what "newer" means; the version is for people. not_before is in
// unix seconds. testdata/vector.txt is a signed manifest by the root whose seed
// is 32 zero bytes.
//
// The site root signs releases itself. There are few of them, its key is taken
// out of the safe for them, and a key that could sign programs but not keyrings
// would be no less than the root: a program can do everything.
package release

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"campusgate/signing"
)

// What can be wrong with a signed manifest.
var (
	// ErrManifest: not one that Sign writes.
	ErrManifest = errors.New("malformed release manifest")
	// ErrSignature: not signed by this site's root.
	ErrSignature = errors.New("release not signed by the site root")
	// ErrProgram: the program is not the one of the manifest.
	ErrProgram = errors.New("the program is not the one of its manifest")
)

const (
	header = "campusgate-release-1 "
	domain = "campusgate release 1\x00"
	// MaxSigned bounds a signed manifest, in bytes.
	MaxSigned = 4 << 10
	// MaxProgram bounds a program, in bytes.
	MaxProgram = 256 << 20
)

// The files of a release, in the folder that is handed out.
const (
	ManifestFile = "release.txt"
	ProgramFile  = "gateagent"
)

// Manifest says which program it is. NotBefore is in unix seconds, Size in bytes.
type Manifest struct {
	Site      string `json:"site"`
	Version   string `json:"version"`
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	Serial    uint64 `json:"serial"`
	NotBefore int64  `json:"not_before"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
}

var (
	version = regexp.MustCompile(`^[0-9][0-9A-Za-z.+~]{0,63}$`)
	system  = regexp.MustCompile(`^[a-z0-9]{1,16}$`)
	digest  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// marshal writes a manifest, or says with ErrManifest what is wrong with it.
func (m Manifest) marshal() ([]byte, error) {
	for _, f := range []struct {
		ok   bool
		what string
	}{
		{m.Site != "" && signing.CheckWords(m.Site, 64) == nil, "site"},
		{version.MatchString(m.Version), "version"},
		{system.MatchString(m.OS), "os"},
		{system.MatchString(m.Arch), "arch"},
		{m.Serial > 0 && m.Serial < 1<<53, "serial"},
		{m.NotBefore >= 0 && m.NotBefore < 1<<40, "not_before"},
		{m.Size > 0 && m.Size <= MaxProgram, "size"},
		{digest.MatchString(m.SHA256), "sha256"},
	} {
		if !f.ok {
			return nil, fmt.Errorf("%w: %s", ErrManifest, f.what)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return out.Bytes(), nil
}

// Newer tells whether version a comes after b: numbers by their value, "~" before
// everything, else byte by byte, as package managers have it.
func Newer(a, b string) bool {
	for a != "" || b != "" {
		var x, y string
		x, a = cutText(a)
		y, b = cutText(b)
		if c := compareText(x, y); c != 0 {
			return c > 0
		}
		x, a = cutNumber(a)
		y, b = cutNumber(b)
		if x != y {
			return len(x) > len(y) || len(x) == len(y) && x > y
		}
	}
	return false
}

// cutText cuts off what stands before the first digit.
func cutText(s string) (text, rest string) {
	n := strings.IndexAny(s, digits)
	if n < 0 {
		n = len(s)
	}
	return s[:n], s[n:]
}

// cutNumber cuts off the digits in front, without leading zeros.
func cutNumber(s string) (number, rest string) {
	rest = strings.TrimLeft(s, digits)
	return strings.TrimLeft(s[:len(s)-len(rest)], "0"), rest
}

// compareText compares texts of which "~" comes even before the end.
func compareText(a, b string) int {
	order := func(s string, i int) int {
		switch {
		case i >= len(s):
			return 0
		case s[i] == '~':
			return -1
		}
		return int(s[i])
	}
	for i := range max(len(a), len(b)) {
		if c := order(a, i) - order(b, i); c != 0 {
			return c
		}
	}
	return 0
}

const digits = "0123456789"

// Of fills in what a manifest says of the program's bytes.
func (m Manifest) Of(program []byte) Manifest {
	sum := sha256.Sum256(program)
	m.Size, m.SHA256 = int64(len(program)), hex.EncodeToString(sum[:])
	return m
}

// Check fails with ErrProgram unless these are the program's bytes.
func (m Manifest) Check(program []byte) error {
	if is := m.Of(program); is != m {
		return fmt.Errorf("%w: %d bytes, SHA-256 %s", ErrProgram, is.Size, is.SHA256)
	}
	return nil
}

// Sign gives the signed form of a manifest; ErrManifest for one that cannot be.
func Sign(root ed25519.PrivateKey, m Manifest) ([]byte, error) {
	body, err := m.marshal()
	if err != nil {
		return nil, err
	}
	if len(root) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: the site root is Ed25519", ErrSignature)
	}
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(root, append([]byte(domain), body...)))
	return []byte(header + signature + "\n" + string(body)), nil
}

// Open checks that root signed a manifest, and reads it. It fails with
// ErrManifest or ErrSignature; of one that the root did not sign nothing but the
// signature is looked at.
func Open(root ed25519.PublicKey, signed []byte) (m Manifest, err error) {
	if len(signed) > MaxSigned {
		return m, fmt.Errorf("%w: %d bytes: at most %d", ErrManifest, len(signed), MaxSigned)
	}
	line, body, cut := strings.Cut(string(signed), "\n")
	encoded, begins := strings.CutPrefix(line, header)
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !cut || !begins || err != nil || strings.ContainsRune(encoded, '\r') {
		return m, fmt.Errorf("%w: does not begin with %q and a signature", ErrManifest, header)
	}
	if len(root) != ed25519.PublicKeySize || !ed25519.Verify(root, []byte(domain+body), signature) {
		return m, ErrSignature
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	again, err := m.marshal()
	if err == nil && string(again) != body {
		err = fmt.Errorf("%w: written another way", ErrManifest)
	}
	if err != nil {
		return Manifest{}, err
	}
	return m, nil
}
