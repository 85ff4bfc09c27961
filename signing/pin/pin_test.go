package pin_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"campusgate/signing/pin"
)

var salt = bytes.Repeat([]byte{7}, 16)

func made(t testing.TB, digits string) string {
	t.Helper()
	hash, err := pin.Make(bytes.NewReader(salt), digits)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestMatches_TheRightPinOnly(t *testing.T) {
	hash := made(t, "470318")
	for digits, want := range map[string]bool{"470318": true, "470319": false, "": false, "4703180": false, "４７０３１８": false} {
		if got, err := pin.Matches(hash, digits); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", digits, got, err, want)
		}
	}
	if again := made(t, "470318"); again != hash || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %s", hash)
	}
	if got, err := pin.Matches(pin.Nobody, ""); got || err != nil {
		t.Errorf("nobody's PIN matches: %v %v", got, err)
	}
}

func TestMake_RefusesWhatEverybodyTries(t *testing.T) {
	for _, digits := range []string{
		"", "12345", "123456", "654321", "000000", "0000000", "1234567890123", "47031x", "47 318", "４７０３１８", "=1+1+2", strings.Repeat("7", 10_000),
	} {
		if _, err := pin.Make(bytes.NewReader(salt), digits); !errors.Is(err, pin.ErrWeak) {
			t.Errorf("%.20q: %v", digits, err)
		}
	}
	if _, err := pin.Make(bytes.NewReader(nil), "470318"); !errors.Is(err, io.EOF) {
		t.Errorf("without chance: %v", err)
	}
}

func TestMatches_RefusesOtherHashes(t *testing.T) {
	good := made(t, "470318")
	for name, hash := range map[string]string{
		"empty": "", "no parts": "$argon2id", "dearer": strings.Replace(good, "m=19456", "m=4194304", 1),
		"another kind": strings.Replace(good, "argon2id", "argon2i", 1), "cut": good[:len(good)-1], "longer": good + "A",
		"no key": good[:strings.LastIndex(good, "$")], "line end": good + "\n",
	} {
		if ok, err := pin.Matches(hash, "470318"); ok || !errors.Is(err, pin.ErrHash) || !errors.Is(pin.Valid(hash), pin.ErrHash) {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
	if err := pin.Valid(good); err != nil {
		t.Error(err)
	}
}

func FuzzValid(f *testing.F) {
	f.Add(made(f, "470318"))
	f.Add(pin.Nobody)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Fuzz(func(t *testing.T, hash string) {
		if err := pin.Valid(hash); err != nil && !errors.Is(err, pin.ErrHash) {
			t.Fatal(err)
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	hash := made(b, "470318")
	for b.Loop() {
		if ok, err := pin.Matches(hash, "470318"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
