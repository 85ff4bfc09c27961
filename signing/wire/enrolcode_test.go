package wire_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing/wire"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

func someRoot(fill byte) ed25519.PublicKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = fill
	}
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}

func TestEnrolCode_ReadsWhatItFormats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret [10]byte
		copy(secret[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "secret"))
		root := someRoot(rapid.Byte().Draw(t, "root"))
		text := wire.FormatEnrolCode(secret, root)
		code, err := wire.ParseEnrolCode(text)
		if err != nil || code.Secret != secret || !code.Names(root) || code.String() != text {
			t.Fatalf("%s gives %v, %v", text, code, err)
		}
	})
}

func TestEnrolCode_NamesNoOtherRoot(t *testing.T) {
	code, err := wire.ParseEnrolCode(wire.FormatEnrolCode([10]byte{1}, someRoot(1)))
	if err != nil {
		t.Fatal(err)
	}
	if code.Names(someRoot(2)) || code.Names(nil) || code.Names(someRoot(1)[:31]) {
		t.Fatal("names a root that it was not made for")
	}
}

func TestEnrolCode_EveryWrongCharacterIsFound(t *testing.T) {
	text := []byte(strings.ReplaceAll(wire.FormatEnrolCode([10]byte{9, 8, 7, 6, 5, 4, 3, 2, 1}, someRoot(3)), "-", ""))
	if len(text) != 34 {
		t.Fatalf("%d characters", len(text))
	}
	for i, right := range text {
		for _, wrong := range []byte(alphabet) {
			if wrong == right {
				continue
			}
			text[i] = wrong
			if _, err := wire.ParseEnrolCode(string(text)); !errors.Is(err, wire.ErrEnrolCode) {
				t.Errorf("%c for %c at %d: %v", wrong, right, i, err)
			}
		}
		text[i] = right
	}
}

func TestEnrolCode_EveryExchangeOfNeighboursIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret [10]byte
		copy(secret[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "secret"))
		text := []byte(strings.ReplaceAll(wire.FormatEnrolCode(secret, someRoot(4)), "-", ""))
		for i := range len(text) - 1 {
			if text[i] == text[i+1] {
				continue
			}
			text[i], text[i+1] = text[i+1], text[i]
			if _, err := wire.ParseEnrolCode(string(text)); !errors.Is(err, wire.ErrEnrolCode) {
				t.Fatalf("exchange at %d of %s: %v", i, text, err)
			}
			text[i], text[i+1] = text[i+1], text[i]
		}
	})
}

func TestEnrolCode_ReadsWhatPeopleType(t *testing.T) {
	// A secret whose text has O, I and B in it, so that all look-alikes occur.
	var secret [10]byte
	copy(secret[:], "\x72\x10\x17\x21\x01\x72\x10\x17\x21\x01")
	text := wire.FormatEnrolCode(secret, someRoot(5))
	if !strings.Contains(text, "O") || !strings.Contains(text, "I") || !strings.Contains(text, "B") {
		t.Fatalf("%s lacks a look-alike", text)
	}
	wide := strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '！'
		}
		return r
	}, text)
	for name, typed := range map[string]string{
		"lower case": strings.ToLower(text),
		"no groups":  strings.ReplaceAll(text, "-", ""),
		"spaces":     " " + strings.ReplaceAll(text, "-", "　") + "\r\n",
		"dashes":     strings.ReplaceAll(text, "-", "–"),
		"full width": wide,
		"digits":     strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(text),
	} {
		code, err := wire.ParseEnrolCode(typed)
		if err != nil || code.Secret != secret {
			t.Errorf("%s: %q: %v", name, typed, err)
		}
	}
}

func TestEnrolCode_RefusesAndDoesNotRepeatIt(t *testing.T) {
	text := wire.FormatEnrolCode([10]byte{1, 2, 3}, someRoot(6))
	for name, bad := range map[string]string{
		"empty":     "",
		"short":     text[:len(text)-1],
		"long":      text + "A",
		"strange":   strings.Replace(text, text[:1], "$", 1),
		"nine":      strings.Replace(text, text[:1], "9", 1),
		"very long": strings.Repeat(text, 100),
	} {
		_, err := wire.ParseEnrolCode(bad)
		if !errors.Is(err, wire.ErrEnrolCode) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), text[5:9]) {
			t.Errorf("%s: the error repeats the code: %v", name, err)
		}
	}
}

func FuzzEnrolCode(f *testing.F) {
	f.Add(wire.FormatEnrolCode([10]byte{1, 2, 3}, someRoot(7)))
	f.Add("AAAA-BBBB")
	f.Add("０１８　ｏｉｂ")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := wire.ParseEnrolCode(text)
		if err != nil {
			if !errors.Is(err, wire.ErrEnrolCode) || code != (wire.EnrolCode{}) {
				t.Fatalf("%q: %v, %v", text, code, err)
			}
			return
		}
		if again, err := wire.ParseEnrolCode(code.String()); err != nil || again != code {
			t.Fatalf("%q reads as %s, which reads as %v, %v", text, code, again, err)
		}
	})
}
