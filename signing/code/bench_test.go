package code_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"campusgate/signing"
	"campusgate/signing/code"
)

// What a verdict costs beyond its signatures. Raw and full run in turns inside
// one loop, so that other load on the machine meets both alike. The figures are
// the median of each and the ratio of the medians.

// race runs raw and full in turns and reports.
func race(b *testing.B, raw, full func()) {
	b.Helper()
	var fast, slow []time.Duration
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			fast = timed(fast, raw)
			slow = timed(slow, full)
		} else {
			slow = timed(slow, full)
			fast = timed(fast, raw)
		}
	}
	slices.Sort(fast)
	slices.Sort(slow)
	f, s := float64(fast[len(fast)/2]), float64(slow[len(slow)/2])
	b.ReportMetric(s/f, "ratio")
	b.ReportMetric(f, "raw-ns")
	b.ReportMetric(s, "full-ns")
}

func timed(list []time.Duration, f func()) []time.Duration {
	start := time.Now()
	f()
	return append(list, time.Since(start))
}

// issuerPart takes the key, the message and the signature of the issuer out of a
// text, so that raw verifies just what full has to.
func issuerPart(b *testing.B, text string) (ed25519.PublicKey, []byte, []byte) {
	b.Helper()
	w := newWorld(b)
	cred, err := code.Credential(text)
	if err != nil {
		b.Fatal(err)
	}
	parts := peerSign1(b, cred)
	message := toBeSigned(b, parts.Protected, nil, parts.Payload)
	key, ok := w.ring.Lookup(signing.KeyID(parts.Protected[5:]))
	if !ok {
		b.Fatal("unknown key")
	}
	return key.Public, message, parts.Signature
}

func readOK(b *testing.B, ring *signing.Keyring, text string) {
	b.Helper()
	if _, err := code.Read(ring, text); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkStatic(b *testing.B) {
	w := newWorld(b)
	text := w.static(b)
	public, message, signature := issuerPart(b, text)
	race(b, func() {
		if !ed25519.Verify(public, message, signature) {
			b.Fatal("raw signature does not fit")
		}
	}, func() { readOK(b, w.ring, text) })
}

func benchmarkLive(b *testing.B, text string, w *world) {
	b.Helper()
	public, message, signature := issuerPart(b, text)
	digest := sha256.Sum256(message)
	der, err := ecdsa.SignASN1(nil, w.phone, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	point := w.phoneKey.Compressed()
	race(b, func() {
		if !ed25519.Verify(public, message, signature) {
			b.Fatal("raw issuer signature does not fit")
		}
		if x, _ := elliptic.UnmarshalCompressed(elliptic.P256(), point[:]); x == nil {
			b.Fatal("no point")
		}
		if !ecdsa.VerifyASN1(&w.phone.PublicKey, digest[:], der) {
			b.Fatal("raw phone signature does not fit")
		}
	}, func() { readOK(b, w.ring, text) })
}

func BenchmarkLive(b *testing.B) {
	w := newWorld(b)
	benchmarkLive(b, w.live(b), w)
}

func BenchmarkPay(b *testing.B) {
	w := newWorld(b)
	benchmarkLive(b, w.paycode(b), w)
}
