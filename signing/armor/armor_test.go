package armor_test

import (
	"bytes"
	"encoding/base32"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing/armor"
)

var std32 = base32.StdEncoding.WithPadding(base32.NoPadding)

func TestBase45FollowsTheExamplesOfItsRFC(t *testing.T) {
	// RFC 9285 sections 4.3 and 4.4.
	for plain, text := range map[string]string{
		"AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0",
		"": "", "\x00": "00", "\xff": "U5", "\xff\xff": "FGW",
	} {
		if got := string(armor.AppendBase45(nil, []byte(plain))); got != text {
			t.Errorf("%q: got %q, want %q", plain, got, text)
		}
		got, err := armor.DecodeBase45(nil, text)
		if err != nil || string(got) != plain {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, plain)
		}
	}
}

func TestBase32FollowsTheExamplesOfItsRFC(t *testing.T) {
	// RFC 4648 section 10, without the padding.
	for plain, text := range map[string]string{
		"": "", "f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "fooba": "MZXW6YTB", "foobar": "MZXW6YTBOI",
	} {
		if got := string(armor.AppendBase32(nil, []byte(plain))); got != text {
			t.Errorf("%q: got %q, want %q", plain, got, text)
		}
		got, err := armor.DecodeBase32(nil, text)
		if err != nil || string(got) != plain {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, plain)
		}
	}
}

func TestTextThatNoBytesHaveIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		decode     func([]byte, string) ([]byte, error)
		text, says string
	}{
		"45: group of 65536":       {armor.DecodeBase45, "GGW", "two bytes"},
		"45: group of :::":         {armor.DecodeBase45, "BB8:::", "two bytes"},
		"45: last group of 256":    {armor.DecodeBase45, "BB8V5", "a byte holds"},
		"45: one character left":   {armor.DecodeBase45, "BB8A", "left over"},
		"45: lower case":           {armor.DecodeBase45, "bb8", "alphabet"},
		"45: line end":             {armor.DecodeBase45, "BB8\r\n", "alphabet"},
		"45: wide character":       {armor.DecodeBase45, "林", "alphabet"},
		"32: pad bits of 2":        {armor.DecodeBase32, "MZ", "pad bits"},
		"32: pad bits of 4":        {armor.DecodeBase32, "MZXR", "pad bits"},
		"32: pad bits of 5":        {armor.DecodeBase32, "MZXW7", "pad bits"},
		"32: pad bits of 7":        {armor.DecodeBase32, "MZXW6YR", "pad bits"},
		"32: length 1":             {armor.DecodeBase32, "M", "whole number"},
		"32: length 3":             {armor.DecodeBase32, "MZX", "whole number"},
		"32: length 6":             {armor.DecodeBase32, "MZXW6Y", "whole number"},
		"32: lower case":           {armor.DecodeBase32, "mzxw6", "alphabet"},
		"32: padding":              {armor.DecodeBase32, "MZXW6===", "alphabet"},
		"32: digit one for letter": {armor.DecodeBase32, "MZXW1", "alphabet"},
	} {
		t.Run(name, func(t *testing.T) {
			before := []byte("kept")
			got, err := c.decode(before, c.text)
			if !errors.Is(err, armor.ErrText) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a refusal that says %q", err, c.says)
			}
			if string(got) != "kept" {
				t.Errorf("a refusal returns %q, not what was there", got)
			}
		})
	}
}

func TestBytesComeBackAndAgreeWithAPeer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "bytes")
		text45 := string(armor.AppendBase45([]byte("CP1:"), b))
		if got, err := armor.DecodeBase45([]byte{7}, text45[4:]); err != nil || !bytes.Equal(got[1:], b) {
			t.Fatalf("base45: %x, %v", got, err)
		}
		text32 := string(armor.AppendBase32(nil, b))
		if want := std32.EncodeToString(b); text32 != want {
			t.Fatalf("base32: %s, want %s", text32, want)
		}
		if got, err := armor.DecodeBase32([]byte{7}, text32); err != nil || !bytes.Equal(got[1:], b) {
			t.Fatalf("base32: %x, %v", got, err)
		}
	})
}

// canonical checks what must hold of any text: it is refused, or it is the text
// that its bytes have.
func canonical(t *testing.T, text string, decode func([]byte, string) ([]byte, error), encode func(dst, src []byte) []byte) {
	t.Helper()
	b, err := decode(nil, text)
	if err != nil {
		if !errors.Is(err, armor.ErrText) {
			t.Fatalf("%q: %v", text, err)
		}
		return
	}
	if again := string(encode(nil, b)); again != text {
		t.Fatalf("%q is also %q", text, again)
	}
}

var (
	seeds45 = []string{"", "BB8", "%69 VD92EX0", "UJCLQE7W581", "GGW", "V5", "QED8WEX", "bb8", ":::"}
	seeds32 = []string{"", "MY", "MZ", "MZXW6YTBOI", "MZXW6YTBOI======", "mzxw6", "M", "77777777"}
)

func FuzzBase45(f *testing.F) {
	for _, s := range seeds45 {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		canonical(t, text, armor.DecodeBase45, armor.AppendBase45)
	})
}

func FuzzBase32(f *testing.F) {
	for _, s := range seeds32 {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		canonical(t, text, armor.DecodeBase32, armor.AppendBase32)
		// The standard library forgives more, and never reads less or otherwise.
		if b, err := armor.DecodeBase32(nil, text); err == nil {
			if want, err := std32.DecodeString(text); err != nil || !bytes.Equal(b, want) {
				t.Fatalf("%q: %x, the standard library has %x, %v", text, b, want, err)
			}
		}
	})
}

func TestSeedsExist(t *testing.T) {
	for name, seeds := range map[string][]string{"FuzzBase45": seeds45, "FuzzBase32": seeds32} {
		if len(seeds) < 8 {
			t.Errorf("%s: %d seeds", name, len(seeds))
		}
		files, err := filepath.Glob(filepath.Join("testdata", "fuzz", name, "*"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no committed corpus: %v", name, err)
		}
		for _, file := range files {
			if b, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(b, []byte("go test fuzz v1\n")) {
				t.Errorf("%s: %v: not a corpus file", file, err)
			}
		}
	}
}

func TestDecodingIntoRoomAllocatesNothing(t *testing.T) {
	b := bytes.Repeat([]byte{0xa5}, 150)
	text45, text32 := string(armor.AppendBase45(nil, b)), string(armor.AppendBase32(nil, b))
	room := make([]byte, 0, 500)
	if n := testing.AllocsPerRun(100, func() {
		for _, f := range []func() error{
			func() error { _, err := armor.DecodeBase45(room, text45); return err },
			func() error { _, err := armor.DecodeBase32(room, text32); return err },
		} {
			if f() != nil {
				panic("refused")
			}
		}
		armor.AppendBase45(room, b)
		armor.AppendBase32(room, b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
