package signing_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"path/filepath"
	"testing"

	"campusgate/signing"
)

// wycheproof is a file of test vectors of that project.
type wycheproof struct {
	NumberOfTests int
	TestGroups    []struct {
		PublicKey struct {
			PK           hexBytes // Ed25519
			Uncompressed hexBytes // P-256
		}
		Tests []struct {
			TcID     int
			Comment  string
			Msg, Sig hexBytes
			Result   string
		}
	}
}

func eachWycheproof(t *testing.T, name string, want int, verify func(public, der, msg, sig []byte) bool) {
	t.Helper()
	var file wycheproof
	readJSON(t, filepath.Join(vectorFolder(t), "wycheproof", "testvectors_v1", name), &file)
	agreed, valid := 0, 0
	for _, g := range file.TestGroups {
		for _, c := range g.Tests {
			if c.Result != "valid" && c.Result != "invalid" {
				t.Fatalf("%s: %d: result %q", name, c.TcID, c.Result)
			}
			ok := verify(g.PublicKey.PK, g.PublicKey.Uncompressed, c.Msg, c.Sig)
			if ok != (c.Result == "valid") {
				t.Errorf("%s: %d (%s): accepted %v, want %s", name, c.TcID, c.Comment, ok, c.Result)
				continue
			}
			agreed++
			if ok {
				valid++
			}
		}
	}
	t.Logf("%s: %d of %d agree, %d of them valid; none skipped", name, agreed, file.NumberOfTests, valid)
	if agreed != want || file.NumberOfTests != want {
		t.Errorf("%s: %d of %d agreed, want %d", name, agreed, file.NumberOfTests, want)
	}
}

func TestEd25519AgreesWithWycheproof(t *testing.T) {
	eachWycheproof(t, "ed25519_test.json", 151, func(public, _, msg, sig []byte) bool {
		return signing.VerifyEd25519(public, msg, sig)
	})
}

func TestES256AgreesWithWycheproof(t *testing.T) {
	eachWycheproof(t, "ecdsa_secp256r1_sha256_p1363_test.json", 262, func(_, point, msg, sig []byte) bool {
		return signing.VerifyES256(onP256(t, point), msg, sig)
	})
}

// TestSignerOutputAgreesWithWycheproof takes the DER signatures the way the
// output of a crypto.Signer goes: into r and s, and then as a phone's signature.
func TestSignerOutputAgreesWithWycheproof(t *testing.T) {
	eachWycheproof(t, "ecdsa_secp256r1_sha256_test.json", 484, func(_, point, msg, sig []byte) bool {
		raw, err := signing.RawSignature(sig)
		return err == nil && signing.VerifyES256(onP256(t, point), msg, raw)
	})
}

// onP256 goes through PhoneKey, so that the decompression of every key is
// tested too.
func onP256(t *testing.T, point []byte) *ecdsa.PublicKey {
	t.Helper()
	key, err := signing.ParsePhoneKey(point)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	if want, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil || !public.Equal(want) {
		t.Fatalf("%x: decompressed to another point (%v)", point, err)
	}
	return public
}
