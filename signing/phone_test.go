package signing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing"
)

func TestPhoneKeyIsReadInEveryForm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := sha256.Sum256(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(rt, "seed"))
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
		if err != nil {
			rt.Skip("not a scalar")
		}
		want, err := signing.PhoneKeyOf(&private.PublicKey)
		if err != nil {
			rt.Fatal(err)
		}
		spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
		if err != nil {
			rt.Fatal(err)
		}
		point, err := private.PublicKey.Bytes()
		if err != nil {
			rt.Fatal(err)
		}
		compressed := want.Compressed()
		for _, form := range [][]byte{spki, point, compressed[:]} {
			got, err := signing.ParsePhoneKey(form)
			if err != nil || got != want {
				rt.Fatalf("%x: got %v, %v", form, got, err)
			}
		}
		public, err := want.Public()
		if err != nil || !public.Equal(&private.PublicKey) {
			rt.Fatalf("decompressed to another point: %v", err)
		}
		if want.ID() != signing.PhoneID(sha256.Sum256(compressed[:])) {
			rt.Fatal("the id is not the hash of the compressed point")
		}
		text, err := json.Marshal(want)
		if err != nil {
			rt.Fatal(err)
		}
		var back signing.PhoneKey
		if err := json.Unmarshal(text, &back); err != nil || back != want {
			rt.Fatalf("%s: got %v, %v", text, back, err)
		}
	})
}

func TestWhatIsNoPhoneKeyIsRefused(t *testing.T) {
	good := phoneKey(t, "phone").Compressed()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki384, err := x509.MarshalPKIXPublicKey(&p384.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	full, err := phone(t, "phone").PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"infinity":        {0},
		"bare x":          good[1:],
		"prefix 4":        append([]byte{4}, good[1:]...),
		"x with no point": append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...),
		"off the curve":   append(full[:64:64], full[64]^1),
		"a byte too many": append(bytes.Clone(full), 0),
		"P-384":           spki384,
	} {
		if k, err := signing.ParsePhoneKey(b); !errors.Is(err, signing.ErrKey) || !k.IsZero() {
			t.Errorf("%s: got %v, %v, want ErrKey", name, k, err)
		}
	}
	if _, err := signing.PhoneKeyOf(&p384.PublicKey); !errors.Is(err, signing.ErrKey) {
		t.Errorf("P-384: %v", err)
	}
	if _, err := signing.PhoneKeyOf(nil); !errors.Is(err, signing.ErrKey) {
		t.Errorf("nil: %v", err)
	}
	kept := phoneKey(t, "phone")
	for _, text := range []string{`"02"`, `"zz"`, `"02` + string(bytes.Repeat([]byte("ff"), 32)) + `"`} {
		if err := json.Unmarshal([]byte(text), &kept); err == nil || kept != phoneKey(t, "phone") {
			t.Errorf("%s: %v, and now %v", text, err, kept)
		}
	}
	if err := json.Unmarshal([]byte(`""`), &kept); err != nil || !kept.IsZero() {
		t.Errorf("empty text: %v, %v", kept, err)
	}
}
