package release_test

import (
	"crypto/ed25519"
	"errors"
	"os"
	"strings"
	"testing"

	"campusgate/signing/release"
)

var root = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func manifest() release.Manifest {
	return release.Manifest{Site: "campus", Version: "1.2.3", OS: "linux", Arch: "amd64", Serial: 7, NotBefore: 1_790_000_000}.Of([]byte("work"))
}

func TestVectorIsWhatIsSigned(t *testing.T) {
	vector, err := os.ReadFile("testdata/vector.txt")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := release.Sign(root, manifest())
	if err != nil || string(signed) != string(vector) {
		t.Fatalf("%v\n%s", err, signed)
	}
	m, err := release.Open(public(root), vector)
	if err != nil || m != manifest() {
		t.Fatalf("%+v, %v", m, err)
	}
	if err := m.Check([]byte("work")); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"", "wor", "worK", "work "} {
		if err := m.Check([]byte(other)); !errors.Is(err, release.ErrProgram) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func TestAttack_NoBitOfAManifestCanBeChanged(t *testing.T) {
	signed, err := release.Sign(root, manifest())
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, data []byte) {
		t.Helper()
		if m, err := release.Open(public(root), data); err == nil || m != (release.Manifest{}) {
			t.Errorf("%s: %+v, %v", what, m, err)
		}
	}
	for i := range signed {
		for bit := range 8 {
			data := []byte(string(signed))
			data[i] ^= 1 << bit
			refused("altered", data)
		}
		refused("truncated", signed[:i])
	}
	refused("longer", append([]byte(string(signed)), '\n'))
	refused("huge", []byte(string(signed)+strings.Repeat(" ", release.MaxSigned)))
	line, body, _ := strings.Cut(string(signed), "\n")
	refused("with a return", []byte(line+"\r\n"+body))
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize)))
	if _, err := release.Open(public(other), signed); !errors.Is(err, release.ErrSignature) {
		t.Errorf("another root: %v", err)
	}
	if _, err := release.Open(nil, signed); !errors.Is(err, release.ErrSignature) {
		t.Errorf("no root: %v", err)
	}
}

func TestSign_RefusesWhatNoManifestSays(t *testing.T) {
	for what, change := range map[string]func(*release.Manifest){
		"no site":    func(m *release.Manifest) { m.Site = "" },
		"a path":     func(m *release.Manifest) { m.Version = "1/../../2" },
		"no version": func(m *release.Manifest) { m.Version = "" },
		"a system":   func(m *release.Manifest) { m.OS = "Linux" },
		"no arch":    func(m *release.Manifest) { m.Arch = "" },
		"no serial":  func(m *release.Manifest) { m.Serial = 0 },
		"a time":     func(m *release.Manifest) { m.NotBefore = -1 },
		"empty":      func(m *release.Manifest) { m.Size = 0 },
		"too large":  func(m *release.Manifest) { m.Size = release.MaxProgram + 1 },
		"a hash":     func(m *release.Manifest) { m.SHA256 = strings.ToUpper(m.SHA256) },
	} {
		m := manifest()
		change(&m)
		if signed, err := release.Sign(root, m); !errors.Is(err, release.ErrManifest) || signed != nil {
			t.Errorf("%s: %q, %v", what, signed, err)
		}
	}
}
