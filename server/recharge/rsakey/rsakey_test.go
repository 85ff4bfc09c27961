package rsakey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"campusgate/server/recharge/rsakey"
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestKeys_InEveryFormThatChannelsHandOut(t *testing.T) {
	key := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	bytesOf := must[[]byte](t)
	wrap := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	bare := func(der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der) + "\n") }
	pkcs8, pkix8 := bytesOf(x509.MarshalPKCS8PrivateKey(key)), bytesOf(x509.MarshalPKIXPublicKey(&key.PublicKey))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Tenpay"}, NotAfter: time.Unix(1<<31, 0)}
	cert := bytesOf(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	for name, text := range map[string][]byte{
		"pkcs8": wrap("PRIVATE KEY", pkcs8), "pkcs1": wrap("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
		"bare pkcs8": bare(pkcs8), "bare pkcs1": bare(x509.MarshalPKCS1PrivateKey(key)),
	} {
		if got, err := rsakey.Private(text); err != nil || !got.Equal(key) {
			t.Errorf("private, %s: %v", name, err)
		}
	}
	for name, text := range map[string][]byte{
		"pkix": wrap("PUBLIC KEY", pkix8), "certificate": wrap("CERTIFICATE", cert), "bare": bare(pkix8),
		"pkcs1": wrap("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey)),
	} {
		if got, err := rsakey.Public(text); err != nil || !got.Equal(&key.PublicKey) {
			t.Errorf("public, %s: %v", name, err)
		}
	}
	curve := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("key"), "a curve": wrap("PRIVATE KEY", bytesOf(x509.MarshalPKCS8PrivateKey(curve))),
		"half": wrap("PRIVATE KEY", pkcs8[:100]), "a curve's public": wrap("PUBLIC KEY", bytesOf(x509.MarshalPKIXPublicKey(&curve.PublicKey))),
	} {
		_, err := rsakey.Private(text)
		_, errPublic := rsakey.Public(text)
		if !errors.Is(err, rsakey.ErrKey) || !errors.Is(errPublic, rsakey.ErrKey) {
			t.Errorf("%s: %v, %v", name, err, errPublic)
		}
	}
}

func TestSign_HoldsForItsMessageOnly(t *testing.T) {
	key := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	s := must[string](t)(rsakey.Sign(key, "a\nb\n"))
	if !rsakey.Verify(&key.PublicKey, "a\nb\n", s) {
		t.Error("a genuine signature does not hold")
	}
	raw := must[[]byte](t)(base64.StdEncoding.DecodeString(s))
	raw[7] ^= 1
	for message, signature := range map[string]string{"a\nb": s, "a\nb\n": base64.StdEncoding.EncodeToString(raw), "": s, "x": "!"} {
		if rsakey.Verify(&key.PublicKey, message, signature) {
			t.Errorf("%q holds", message)
		}
	}
	if rsakey.Verify(nil, "a\nb\n", s) {
		t.Error("no key verifies")
	}
}
