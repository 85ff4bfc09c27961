package signing_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"campusgate/signing"
)

func TestPrivateKeyComesBackFromItsFile(t *testing.T) {
	gate, phone := ed25519Key("gate"), phone(t, "phone")
	for _, c := range []struct {
		purpose signing.Purpose
		site    string
		key     crypto.Signer
	}{{signing.PurposeGate, "east", gate}, {signing.PurposePay, "东校区", gate}, {signing.PurposePhone, "", phone}} {
		file, err := signing.MarshalPrivate(c.purpose, c.site, c.key)
		if err != nil {
			t.Fatal(err)
		}
		k, err := signing.ParsePrivate(file)
		if err != nil {
			t.Fatal(err)
		}
		same, ok := k.Signer.(interface{ Equal(crypto.PrivateKey) bool })
		if !ok || k.Purpose != c.purpose || k.Site != c.site || !same.Equal(c.key) {
			t.Errorf("%s: got %+v", c.purpose, k)
		}
		checkPKCS8(t, file, c.key)
	}
}

// checkPKCS8 has the standard library read the key in a file.
func checkPKCS8(t *testing.T, file []byte, want crypto.Signer) {
	t.Helper()
	var inside struct{ Private []byte }
	if err := json.Unmarshal(file, &inside); err != nil {
		t.Fatal(err)
	}
	peer, err := x509.MarshalPKCS8PrivateKey(want)
	if err != nil || string(peer) != string(inside.Private) {
		t.Errorf("the standard library writes %x, %v; we %x", peer, err, inside.Private)
	}
	got, err := x509.ParsePKCS8PrivateKey(inside.Private)
	if err != nil {
		t.Fatal(err)
	}
	if same, ok := got.(interface{ Equal(crypto.PrivateKey) bool }); !ok || !same.Equal(want) {
		t.Errorf("the standard library reads %v", got)
	}
}

func TestPrivateKeyServesOnlyItsPurpose(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		purpose signing.Purpose
		site    string
		key     crypto.Signer
	}{
		"P-256 for gate":   {signing.PurposeGate, "east", phone(t, "phone")},
		"P-256 for pay":    {signing.PurposePay, "east", phone(t, "phone")},
		"Ed25519 as phone": {signing.PurposePhone, "", ed25519Key("gate")},
		"P-384 as phone":   {signing.PurposePhone, "", p384},
		"phone with site":  {signing.PurposePhone, "east", phone(t, "phone")},
		"gate, no site":    {signing.PurposeGate, "", ed25519Key("gate")},
		"unknown purpose":  {"door", "east", ed25519Key("gate")},
		"no key":           {signing.PurposeGate, "east", nil},
	} {
		if _, err := signing.MarshalPrivate(c.purpose, c.site, c.key); !errors.Is(err, signing.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
	}
	iss, err := (signing.PrivateKey{Purpose: signing.PurposePay, Site: "east", Signer: ed25519Key("pay")}).Issuer()
	if err != nil || iss.Key.Kinds != signing.PayKinds || iss.Key.State != signing.KeyActive {
		t.Errorf("got %+v, %v", iss.Key, err)
	}
}

func TestPrivateKeyFileThatIsNotStrictIsRefusedWithoutQuotingIt(t *testing.T) {
	gate, err := signing.MarshalPrivate(signing.PurposeGate, "east", ed25519Key("gate"))
	if err != nil {
		t.Fatal(err)
	}
	phone, err := signing.MarshalPrivate(signing.PurposePhone, "", phone(t, "phone"))
	if err != nil {
		t.Fatal(err)
	}
	var inside, insidePhone struct{ Private string }
	if err := errors.Join(json.Unmarshal(gate, &inside), json.Unmarshal(phone, &insidePhone)); err != nil {
		t.Fatal(err)
	}
	last := len(insidePhone.Private) - 4
	id := issuer(t, "gate", signing.PurposeGate).Key.ID.String()
	for name, file := range map[string]string{
		"unknown field":     strings.Replace(string(gate), `"site"`, `"note": "x", "site"`, 1),
		"another id":        strings.Replace(string(gate), id, "00000000", 1),
		"another purpose":   strings.Replace(string(gate), `"gate"`, `"phone"`, 1),
		"trailing":          string(gate) + "{}",
		"empty":             "",
		"key cut short":     strings.Replace(string(gate), inside.Private, inside.Private[:40], 1),
		"not base64":        strings.Replace(string(gate), inside.Private[:4], "????", 1),
		"public half off":   strings.Replace(string(phone), insidePhone.Private[last:], "AAAA", 1),
		"too long":          string(gate) + strings.Repeat(" ", 1<<12),
		"phone as gate key": strings.Replace(string(phone), `"phone"`, `"gate"`, 1),
	} {
		if file == string(gate) || file == string(phone) {
			t.Fatalf("%s: the case changes nothing", name)
		}
		_, err := signing.ParsePrivate([]byte(file))
		if !errors.Is(err, signing.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		} else if strings.Contains(err.Error(), inside.Private[24:40]) {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}

func TestIssuerSignsOnlyWhatItMay(t *testing.T) {
	good := issuer(t, "gate", signing.PurposeGate)
	if _, err := good.SignPayload(signing.Visitor, []byte{0xa0}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*signing.Issuer){
		"another private key": func(i *signing.Issuer) { i.Private = ed25519Key("pay") },
		"no private key":      func(i *signing.Issuer) { i.Private = nil },
		"a foreign id":        func(i *signing.Issuer) { i.Key.ID[0]++ },
		"retired":             func(i *signing.Issuer) { i.Key.State = signing.KeyRetired },
		"compromised":         func(i *signing.Issuer) { i.Key.State = signing.KeyCompromised },
		"not this kind":       func(i *signing.Issuer) { i.Key.Kinds = signing.KindsOf(signing.Work) },
	} {
		iss := good
		change(&iss)
		if _, err := iss.SignPayload(signing.Visitor, []byte{0xa0}); !errors.Is(err, signing.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
	}
	for _, payload := range [][]byte{nil, make([]byte, 257)} {
		if _, err := good.SignPayload(signing.Visitor, payload); !errors.Is(err, signing.ErrClaim) {
			t.Errorf("payload of %d bytes: %v, want ErrClaim", len(payload), err)
		}
	}
}
