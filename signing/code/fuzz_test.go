package code_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/cbor"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
)

// How a fuzzed input becomes a text: as it is, or armored, so that the fuzzer
// need not learn the armor to reach the parser.
const (
	asText = iota
	asLive
	asAddress
)

func fuzzedText(b []byte, how uint8) string {
	switch how % 3 {
	case asLive:
		return signing.LiveText(b)
	case asAddress:
		return signing.StaticText("H", b)
	}
	return string(b)
}

type seed struct {
	b   []byte
	how uint8
}

func readSeeds(tb testing.TB, w *world) []seed {
	tb.Helper()
	work, credit := mustSign(tb, w.work(), w.gate), mustPay(tb, w.credit(), w.pay)
	short := bearer()
	short.Expires = short.NotBefore + code.ServerLife
	return []seed{
		{[]byte(w.static(tb)), asText},
		{[]byte(w.live(tb)), asText},
		{[]byte(w.paycode(tb)), asText},
		{[]byte("HTTPS://A.B:1/V/QQ"), asText},
		{[]byte("CP1::::"), asText},
		{mustSign(tb, bearer(), w.gate), asAddress},
		{mustSign(tb, bearer(), signer(w.leaked)), asAddress},
		{mustSign(tb, short, w.gate), asLive},
		{work, asLive},
		{credit, asLive},
		{mustProve(tb, w.phone, work, proof(signing.ContextGate)), asLive},
		{mustProve(tb, w.phone, credit, proof(signing.ContextPIN)), asLive},
		{nil, asLive},
	}
}

// rewrite makes the text of a code again from nothing but the values read from
// it and its signatures.
func rewrite(t *testing.T, w *world, text string, c code.Code) string {
	t.Helper()
	was, err := code.Credential(text)
	if err != nil {
		t.Fatal(err)
	}
	var key signing.KeyID
	var signed []byte
	if c.Pass != nil {
		key, signed = c.Pass.Key, mustSign(t, *c.Pass, w.gate)
	} else {
		key, signed = c.Pay.Key, mustPay(t, *c.Pay, w.pay)
	}
	b := append([]byte("\x84\x49"+issuerHeader), key[:]...)
	b = cbor.AppendBytes(append(b, 0xa0), payloadOf(t, signed))
	b = cbor.AppendBytes(b, was[len(was)-64:])
	if c.Form == signing.FormStatic {
		host, _, _ := strings.Cut(strings.TrimPrefix(text, "HTTPS://"), "/")
		return pass.URL(host, b)
	}
	if c.Proof == nil {
		return pass.LiveText(b)
	}
	_, live, err := signing.ParseText(nil, text)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Proof
	b = append([]byte{0x82}, b...)
	b = cbor.AppendBytes(append(b, 0x84), []byte(phoneHeader))
	b = cbor.AppendBytes(append(b, 0xa0), proofPayload(p.T, p.Counter, string(p.Nonce[:]), uint64(p.Context)))
	return paycode.LiveText(cbor.AppendBytes(b, live[len(live)-64:]))
}

func FuzzRead(f *testing.F) {
	w := newWorld(f)
	genuine := map[string]bool{}
	for _, s := range readSeeds(f, w) {
		f.Add(s.b, s.how)
		if cred, err := code.Credential(fuzzedText(s.b, s.how)); err == nil {
			genuine[string(cred)] = true
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, how uint8) {
		text := fuzzedText(b, how)
		c, err := code.Inspect(text)
		if err != nil {
			if !errors.Is(err, signing.ErrMalformed) {
				t.Fatalf("%q: %v", text, err)
			}
			if _, err := code.Read(w.ring, text); !errors.Is(err, signing.ErrMalformed) {
				t.Fatalf("%q: malformed to Inspect, and to Read %v", text, err)
			}
			return
		}
		if again := rewrite(t, w, text, c); again != text {
			t.Fatalf("%q is also %q", text, again)
		}
		cred, err := code.Credential(text)
		if err != nil {
			t.Fatal(err)
		}
		read, err := code.Read(w.ring, text)
		switch {
		case err == nil && (!genuine[string(cred)] || read.Key == nil):
			t.Fatalf("%q: read, though nobody signed it", text)
		case errors.Is(err, signing.ErrMalformed):
			t.Fatalf("%q: fine to Inspect, and to Read %v", text, err)
		}
	})
}

func TestSeedsExist(t *testing.T) {
	w := newWorld(t)
	read := 0
	for _, s := range readSeeds(t, w) {
		text := fuzzedText(s.b, s.how)
		if c, err := code.Inspect(text); err == nil {
			read++
			if again := rewrite(t, w, text, c); again != text {
				t.Errorf("%q is also %q", text, again)
			}
		}
	}
	if read < 9 {
		t.Errorf("%d seeds are well formed, want at least 9", read)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", "FuzzRead", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no committed corpus: %v", err)
	}
	for _, name := range files {
		if b, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(b, []byte("go test fuzz v1\n")) {
			t.Errorf("%s: %v: not a corpus file", name, err)
		}
	}
}
