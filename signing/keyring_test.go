package signing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/signing"
)

func TestKeyringComesBackFromItsText(t *testing.T) {
	next := issuer(t, "next", signing.PurposeGate).Key
	next.State, next.NotBefore, next.Kinds = signing.KeyNext, 1788192000, signing.KindsOf(signing.Visitor, signing.Work)
	r := ring(t, issuer(t, "gate", signing.PurposeGate).Key, issuer(t, "pay", signing.PurposePay).Key, next)
	text := r.Marshal()
	again, err := signing.ParseKeyring(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Marshal(), text) {
		t.Errorf("written again as\n%s\nwas\n%s", again.Marshal(), text)
	}
	got, ok := again.Lookup(next.ID)
	if !ok || got.State != signing.KeyNext || got.NotBefore != next.NotBefore || got.Kinds != next.Kinds || !got.Public.Equal(next.Public) {
		t.Errorf("got %+v", got)
	}
	var packed bytes.Buffer
	if err := json.Compact(&packed, text); err != nil {
		t.Fatal(err)
	}
	if other, err := signing.ParseKeyring(packed.Bytes()); err != nil || !bytes.Equal(other.Marshal(), text) {
		t.Errorf("in another layout: %v", err)
	}
}

func TestLookupFindsOnlyWhatIsThereAndAllocatesNothing(t *testing.T) {
	gate, pay := issuer(t, "gate", signing.PurposeGate).Key, issuer(t, "pay", signing.PurposePay).Key
	r := ring(t, gate)
	if k, ok := r.Lookup(gate.ID); !ok || k.ID != gate.ID {
		t.Error("the key is not found")
	}
	for name, r := range map[string]*signing.Keyring{"other keys": r, "nil": nil, "a literal": {Keys: []signing.Key{pay}}} {
		if _, ok := r.Lookup(pay.ID); ok {
			t.Errorf("%s: found", name)
		}
	}
	if n := testing.AllocsPerRun(100, func() { r.Lookup(gate.ID) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSecondKeyWithTheSameIDIsRefused(t *testing.T) {
	// Two different keys, found by search, whose hashes begin alike.
	a := issuer(t, "collision 63366", signing.PurposeGate).Key
	b := issuer(t, "collision 110596", signing.PurposePay).Key
	if a.ID != b.ID || a.Public.Equal(b.Public) {
		t.Fatalf("the fixture no longer collides: %s and %s", a.ID, b.ID)
	}
	r := ring(t, a)
	for name, add := range map[string]signing.Key{"another key": b, "the same key": a} {
		before := r.Marshal()
		if _, err := r.With(add); !errors.Is(err, signing.ErrKeyExists) {
			t.Errorf("%s: %v, want ErrKeyExists", name, err)
		}
		if !bytes.Equal(r.Marshal(), before) {
			t.Errorf("%s: the refusal changed the keyring", name)
		}
	}
	c := issuer(t, "gate", signing.PurposeGate).Key
	more, err := r.With(c)
	if err != nil || more.Serial != r.Serial+1 || len(more.Keys) != 2 || len(r.Keys) != 1 {
		t.Errorf("got %+v, %v", more, err)
	}
}

func TestKeyringTextThatIsNotStrictIsRefused(t *testing.T) {
	good := string(ring(t, issuer(t, "gate", signing.PurposeGate).Key).Marshal())
	other := issuer(t, "other", signing.PurposeGate).Key.ID.String()
	kid := issuer(t, "gate", signing.PurposeGate).Key.ID.String()
	for name, c := range map[string]struct {
		from, to string
		want     error
		says     string
	}{
		"unknown field":        {`"serial"`, `"series": 1, "serial"`, signing.ErrKeyring, "series"},
		"field in capitals":    {`"serial"`, `"Serial"`, signing.ErrKeyring, "Serial"},
		"field with long s":    {`"site": "east",` + "\n  ", `"ſite": "west", "site": "east",`, signing.ErrKeyring, "unknown field"},
		"field twice":          {`"serial"`, `"serial": 1, "serial"`, signing.ErrKeyring, "twice"},
		"unknown field of key": {`"purpose"`, `"use": "x", "purpose"`, signing.ErrKeyring, "use"},
		"null":                 {`"not_before": 0`, `"not_before": null`, signing.ErrKeyring, "null"},
		"trailing object":      {"]\n}", "]\n}{}", signing.ErrKeyring, "after the end"},
		"trailing word":        {"]\n}", "]\n} x", signing.ErrKeyring, ""},
		"negative serial":      {`"serial": 7`, `"serial": -7`, signing.ErrKeyring, ""},
		"id of another key":    {kid, other, signing.ErrKey, "the id of this public key is"},
		"id in capitals":       {kid, strings.ToUpper(kid), signing.ErrKeyring, "lower-case hex"},
		"no site":              {`"east",` + "\n  ", `"",`, signing.ErrKeyring, "site"},
		"unknown state":        {`"active"`, `"asleep"`, signing.ErrKey, "asleep"},
		"phone purpose":        {`"purpose": "gate"`, `"purpose": "phone"`, signing.ErrKey, "phone"},
		"kinds of pay":         {`resident_single`, `pay`, signing.ErrKey, "not of purpose"},
		"unknown kind":         {`resident_single`, `guest`, signing.ErrKeyring, "guest"},
		"short public key":     {`"public": "`, `"public": "AAAA", "x": "`, signing.ErrKeyring, ""},
		"not UTF-8":            {`"east"`, "\"e\xffst\"", signing.ErrKeyring, "UTF-8"},
		"control in site":      {`"site": "east",` + "\n  \"s", `"site": "e\u0007st",` + "\n  \"s", signing.ErrKeyring, "cannot be shown"},
		"time after year 9999": {`"not_before": 0`, `"not_before": 253402300800`, signing.ErrKey, "not_before"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.from, c.to, 1)
			if text == good {
				t.Fatalf("the case changes nothing: %s", good)
			}
			r, err := signing.ParseKeyring([]byte(text))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || r != nil {
				t.Errorf("got %v, want %v that says %q", err, c.want, c.says)
			}
		})
	}
	if _, err := signing.ParseKeyring(bytes.Repeat([]byte(" "), 1<<20+1)); !errors.Is(err, signing.ErrKeyring) {
		t.Errorf("a megabyte: %v", err)
	}
	if _, err := signing.ParseKeyring([]byte(strings.Repeat("[", 1<<16))); !errors.Is(err, signing.ErrKeyring) {
		t.Errorf("deep nesting: %v", err)
	}
}

func TestSignedKeyringOpensOnlyForItsRoot(t *testing.T) {
	root := ed25519Key("root")
	r := ring(t, issuer(t, "gate", signing.PurposeGate).Key)
	signed, err := signing.SignKeyring(root, r)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := signing.OpenKeyring(publicOf(root), signed, r.Serial)
	if err != nil || !bytes.Equal(opened.Marshal(), r.Marshal()) {
		t.Fatalf("got %v", err)
	}
	if _, err := signing.OpenKeyring(publicOf(ed25519Key("another root")), signed, 0); !errors.Is(err, signing.ErrRootSignature) {
		t.Errorf("another root: %v", err)
	}
	if _, err := signing.OpenKeyring(nil, signed, 0); !errors.Is(err, signing.ErrRootSignature) {
		t.Errorf("no root: %v", err)
	}
	if _, err := signing.OpenKeyring(publicOf(root), signed, r.Serial+1); !errors.Is(err, signing.ErrSerialFell) {
		t.Errorf("older serial: %v", err)
	}
	for i := range signed {
		for bit := range 8 {
			bad := bytes.Clone(signed)
			bad[i] ^= 1 << bit
			if _, err := signing.OpenKeyring(publicOf(root), bad, 0); !errors.Is(err, signing.ErrRootSignature) && !errors.Is(err, signing.ErrKeyring) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
	for _, bad := range [][]byte{nil, {'\n'}, r.Marshal(), signed[1:], signed[:len(signed)-1], append(bytes.Clone(signed), '\n')} {
		if _, err := signing.OpenKeyring(publicOf(root), bad, 0); err == nil {
			t.Errorf("%.40q: opened", bad)
		}
	}
}

func TestOnlyAGoodKeyringIsSigned(t *testing.T) {
	stolen := issuer(t, "gate", signing.PurposeGate).Key
	stolen.ID = signing.KeyID{1, 2, 3, 4}
	literal := &signing.Keyring{Site: "east", Keys: []signing.Key{stolen}}
	if _, err := signing.SignKeyring(ed25519Key("root"), literal); !errors.Is(err, signing.ErrKey) {
		t.Errorf("a foreign id: %v", err)
	}
	if _, err := signing.SignKeyring(nil, ring(t)); !errors.Is(err, signing.ErrKey) {
		t.Errorf("no root: %v", err)
	}
}

func TestFingerprintTellsRootsApart(t *testing.T) {
	a, b := signing.Fingerprint(publicOf(ed25519Key("root"))), signing.Fingerprint(publicOf(ed25519Key("another root")))
	if len(a) != 26 || a == b || a != signing.Fingerprint(publicOf(ed25519Key("root"))) {
		t.Errorf("%s and %s", a, b)
	}
	if strings.Trim(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		t.Errorf("%s: not base32", a)
	}
}

// keyringSeeds are good and nearly good keyrings.
func keyringSeeds(tb testing.TB) [][]byte {
	tb.Helper()
	r := ring(tb, issuer(tb, "gate", signing.PurposeGate).Key, issuer(tb, "pay", signing.PurposePay).Key)
	signed, err := signing.SignKeyring(ed25519Key("root"), r)
	if err != nil {
		tb.Fatal(err)
	}
	return [][]byte{
		r.Marshal(), signed, ring(tb).Marshal(), []byte(`{}`), []byte(`{"site":"a","serial":1,"keys":[]}`),
		[]byte(`{"site":"a","site":"b"}`), []byte(`{"keys":[null]}`), []byte(`campusgate-keyring-1 AAAA` + "\n{}"),
	}
}

func FuzzKeyring(f *testing.F) {
	for _, s := range keyringSeeds(f) {
		f.Add(s)
	}
	root := publicOf(ed25519Key("root"))
	genuine := keyringSeeds(f)[1]
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := signing.ParseKeyring(b); err == nil {
			text := r.Marshal()
			again, err := signing.ParseKeyring(text)
			if err != nil || !bytes.Equal(again.Marshal(), text) {
				t.Fatalf("%q: read, written as %q, then %v", b, text, err)
			}
			for i := range r.Keys {
				if r.Keys[i].ID != signing.KeyIDOf(r.Keys[i].Public) {
					t.Fatalf("%q: accepted a foreign id", b)
				}
			}
		}
		if _, err := signing.OpenKeyring(root, b, 0); err == nil && !bytes.Equal(b, genuine) {
			t.Fatalf("%q: opened, though the root never signed it", b)
		}
	})
}

func TestSeedsExist(t *testing.T) {
	if n := len(keyringSeeds(t)); n < 8 {
		t.Errorf("%d seeds", n)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", "FuzzKeyring", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no committed corpus: %v", err)
	}
	for _, name := range files {
		if b, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(b, []byte("go test fuzz v1\n")) {
			t.Errorf("%s: %v: not a corpus file", name, err)
		}
	}
}
