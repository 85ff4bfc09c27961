package people_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/people"
)

func newVault(t testing.TB, fill byte) people.Vault {
	t.Helper()
	v, err := people.NewVault(bytes.Repeat([]byte{fill}, 32), rand.Reader)
	ok(t, err)
	return v
}

func TestVault_OpensWhatItSealedAndNothingElse(t *testing.T) {
	v, other := newVault(t, 1), newVault(t, 2)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.String().Draw(r, "text")
		sealed, err := v.Seal("phone", text)
		if err != nil {
			r.Fatal(err)
		}
		if got, err := v.Open("phone", sealed); err != nil || got != text {
			r.Fatalf("opened %q, %v", got, err)
		}
		if _, err := v.Open("id_number", sealed); !errors.Is(err, people.ErrSeal) {
			r.Fatalf("it opens for another purpose: %v", err)
		}
		if _, err := other.Open("phone", sealed); !errors.Is(err, people.ErrSeal) {
			r.Fatalf("it opens with another key: %v", err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(r, "at")
		spoiled := bytes.Clone(sealed)
		spoiled[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		if _, err := v.Open("phone", spoiled); !errors.Is(err, people.ErrSeal) {
			r.Fatalf("it opens with byte %d spoiled: %v", at, err)
		}
		if _, err := v.Open("phone", sealed[:at]); !errors.Is(err, people.ErrSeal) {
			r.Fatalf("it opens cut to %d bytes: %v", at, err)
		}
	})
}

func TestVault_IndexTellsPurposesTextsAndKeysApart(t *testing.T) {
	v := newVault(t, 1)
	one := v.Index("phone", "13800130001")
	if len(one) != 32 || !bytes.Equal(one, v.Index("phone", "13800130001")) {
		t.Fatal("not the same 32 bytes")
	}
	for name, got := range map[string][]byte{
		"text":    v.Index("phone", "13800130002"),
		"purpose": v.Index("id_number", "13800130001"),
		"border":  v.Index("phon", "e\x0013800130001"),
		"key":     newVault(t, 2).Index("phone", "13800130001"),
	} {
		if bytes.Equal(one, got) {
			t.Errorf("another %s gives the same index", name)
		}
	}
}

func TestVault_RefusesAKeyOfTheWrongSizeAndSpentRandomness(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := people.NewVault(make([]byte, n), rand.Reader); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
	v, err := people.NewVault(make([]byte, 32), strings.NewReader("short"))
	ok(t, err)
	if _, err := v.Seal("phone", "x"); err == nil {
		t.Error("it seals without randomness")
	}
}
