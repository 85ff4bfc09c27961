package signing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	peer "github.com/fxamacker/cbor/v2"

	"campusgate/signing"
)

// coseCase is an example of the COSE working group.
type coseCase struct {
	Title string
	Fail  bool
	Input struct {
		Plaintext string
		Sign0     *struct {
			Key      coseKey
			Alg      string
			External hexBytes
		}
	}
	Intermediates struct {
		ToBeSigned hexBytes `json:"ToBeSign_hex"`
	}
	Output struct{ Cbor hexBytes }
}

// coseKey has each coordinate either in base64url or in hex.
type coseKey struct {
	Crv  string
	X, Y string
	XHex hexBytes `json:"x_hex"`
	YHex hexBytes `json:"y_hex"`
	DHex hexBytes `json:"d_hex"`
}

func (k coseKey) coordinate(text string, raw []byte) []byte {
	if raw != nil {
		return raw
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// general is a COSE_Sign1 of any profile, taken apart by another library.
type general struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int64]any
	Payload     []byte
	Signature   []byte
}

// verifyGeneral verifies a COSE_Sign1 of any profile: the outer parts by the
// peer, what is signed and the signature by us.
func verifyGeneral(b []byte, key coseKey, aad []byte) (toBeSigned []byte, err error) {
	if b[0]>>5 == 6 { // tagged; 18 is COSE_Sign1
		var tag peer.RawTag
		if err := peer.Unmarshal(b, &tag); err != nil {
			return nil, err
		}
		if tag.Number != 18 {
			return nil, fmt.Errorf("tag %d", tag.Number)
		}
		b = tag.Content
	}
	var g general
	if err := peer.Unmarshal(b, &g); err != nil {
		return nil, err
	}
	protected := map[int64]any{}
	if len(g.Protected) > 0 {
		if err := peer.Unmarshal(g.Protected, &protected); err != nil {
			return nil, err
		}
	}
	alg, ok := protected[1]
	if !ok {
		alg = g.Unprotected[1]
	}
	toBeSigned = signing.ToBeSigned(g.Protected, aad, g.Payload)
	x, y := key.coordinate(key.X, key.XHex), key.coordinate(key.Y, key.YHex)
	switch alg {
	case int64(-8):
		if !signing.VerifyEd25519(x, toBeSigned, g.Signature) {
			return toBeSigned, errors.New("EdDSA signature does not fit")
		}
	case int64(-7):
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return toBeSigned, err
		}
		if !signing.VerifyES256(public, toBeSigned, g.Signature) {
			return toBeSigned, errors.New("ES256 signature does not fit")
		}
	default:
		return toBeSigned, fmt.Errorf("alg %v", alg)
	}
	return toBeSigned, nil
}

// otherThanOurs says why an example is not for us; "" when it is.
func otherThanOurs(c *coseCase) string {
	switch {
	case c.Input.Sign0 == nil:
		return "not a COSE_Sign1"
	case c.Input.Sign0.Key.Crv == "Ed25519" && c.Input.Sign0.Alg == "EdDSA":
		return ""
	case c.Input.Sign0.Key.Crv == "P-256" && c.Input.Sign0.Alg == "ES256":
		return ""
	}
	return c.Input.Sign0.Alg + " on " + c.Input.Sign0.Key.Crv
}

func TestCOSEExamplesAgree(t *testing.T) {
	root := filepath.Join(vectorFolder(t), "cose-wg")
	var files []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".json") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	agreed, skipped := 0, map[string]int{}
	for _, file := range files {
		var c coseCase
		readJSON(t, file, &c)
		if _, err := signing.ParseCredential(c.Output.Cbor); !errors.Is(err, signing.ErrMalformed) {
			t.Errorf("%s: parsed as one of our credentials: %v", c.Title, err)
		}
		if why := otherThanOurs(&c); why != "" {
			skipped[why]++
			continue
		}
		toBeSigned, err := verifyGeneral(c.Output.Cbor, c.Input.Sign0.Key, c.Input.Sign0.External)
		switch {
		case c.Fail != (err != nil):
			t.Errorf("%s: got %v, want failure %v", c.Title, err, c.Fail)
			continue
		case !c.Fail && !bytes.Equal(toBeSigned, c.Intermediates.ToBeSigned):
			t.Errorf("%s: signed bytes are %X, want %X", c.Title, toBeSigned, c.Intermediates.ToBeSigned)
			continue
		}
		if seed := c.Input.Sign0.Key.DHex; c.Input.Sign0.Key.Crv == "Ed25519" {
			got := ed25519.Sign(ed25519.NewKeyFromSeed(seed), toBeSigned)
			if !bytes.HasSuffix(c.Output.Cbor, got) {
				t.Errorf("%s: signed otherwise: %X", c.Title, got)
			}
		}
		agreed++
	}
	t.Logf("%d of %d examples are ours and agree; skipped: %s", agreed, len(files), count(skipped))
	if agreed != 13 {
		t.Errorf("%d examples agreed, want 13", agreed)
	}
}

func count(m map[string]int) string {
	var list []string
	for why, n := range m {
		list = append(list, fmt.Sprintf("%d %s", n, why))
	}
	sort.Strings(list)
	return strings.Join(list, ", ")
}
