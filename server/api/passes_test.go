package api_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"campusgate/server/api"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/wire"
)

func TestPasses_IssuedCodeVerifiesAtAGate(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "东门", 1)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	read, err := code.Read(w.ring(t), p.Code)
	ok(t, err)
	if read.Pass.ID.String() != p.ID || read.Pass.Owner != gate || read.Pass.Name != "林晓" {
		t.Fatalf("read %+v", read.Pass)
	}
	if p.State != "issued" || p.Uses != 1 || p.OwnerGate != gate || p.From != "2026-11-22T00:00:00+08:00" ||
		p.Until != "2026-11-23T00:00:00+08:00" || !strings.HasPrefix(p.Code, "HTTPS://GATE.EXAMPLE.EDU/V/") {
		t.Fatalf("pass %+v", p)
	}
	_, segment, _ := strings.Cut(p.Code, "/V/")
	if p.URL != w.URL+"/V/"+segment {
		t.Fatalf("url %q", p.URL)
	}
	var again api.Pass
	if w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &again); again.Code != p.Code || again.State != "issued" {
		t.Fatalf("read back %+v", again)
	}
}

func TestPasses_Revoked(t *testing.T) {
	w := newWorld(t)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	before, err := w.db.Revision(t.Context())
	ok(t, err)
	changed := w.db.Changed()
	w.want(t, http.StatusOK, "POST", "/api/v1/passes/"+p.ID+"/revoke", map[string]any{"reason": "moved"}, &p)
	select {
	case <-changed: // what wakes the stream of every connected gate
	default:
		t.Fatal("the gates are not told at once")
	}
	told, err := w.db.Feed(t.Context(), wire.Cursor{Lineage: w.db.Site().Lineage, Revision: before}, 10)
	ok(t, err)
	if len(told.Items) != 1 || told.Items[0].Kind != wire.ItemRevocation || told.Items[0].Key != p.ID {
		t.Fatalf("the gates are told %+v", told.Items)
	}
	if p.State != "revoked" || p.RevokeReason != "moved" || p.RevokedAt != w.now.Load() {
		t.Fatalf("pass %+v", p)
	}
	w.want(t, http.StatusOK, "POST", "/api/v1/passes/"+p.ID+"/revoke", map[string]any{}, nil)
	r := w.call(t, w.token, "POST", "/api/v1/passes/0123456789abcdef/revoke", map[string]any{})
	w.refused(t, r, http.StatusNotFound, "not_found")
}

func TestPasses_QRCodeReadsBack(t *testing.T) {
	w := newWorld(t)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	r := w.call(t, w.token, "GET", "/api/v1/passes/"+p.ID+"/qr.png", nil)
	img, err := png.Decode(bytes.NewReader(r.body))
	ok(t, err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	ok(t, err)
	text, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	ok(t, err)
	if text.GetText() != p.Code {
		t.Fatalf("the image says %q", text.GetText())
	}
	if px := img.Bounds().Dx(); px%8 != 0 {
		t.Errorf("%d pixels wide: modules are not all of one size", px)
	}
	for scale, want := range map[string]int{"1": 200, "32": 200, "0": 422, "33": 422, "x": 422} {
		if r := w.call(t, w.token, "GET", "/api/v1/passes/"+p.ID+"/qr.png?scale="+scale, nil); r.status != want {
			t.Errorf("scale %s: %d", scale, r.status)
		}
	}
}

func TestPasses_RefusedRequests(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "east", 1)
	edit := func(key string, value any) map[string]any {
		r := resident()
		r[key] = value
		return r
	}
	without := func(key string) map[string]any {
		r := resident()
		delete(r, key)
		return r
	}
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
		field  string
	}{
		"ErrKind":          {edit("kind", "guest"), 422, "invalid", "kind"},
		"ErrKindPay":       {edit("kind", "pay"), 422, "invalid", "kind"},
		"ErrNameLong":      {edit("name", strings.Repeat("林", 17)), 422, "invalid", "name"},
		"ErrDoc4":          {edit("doc4", "123"), 422, "invalid", "doc4"},
		"ErrUntilBefore":   {edit("until", "2026-11-20"), 422, "invalid", "until"},
		"ErrUntilMissing":  {without("until"), 422, "invalid", "body"},
		"ErrKindMissing":   {without("kind"), 422, "invalid", "body"},
		"ErrZones":         {edit("zones", []int{33}), 422, "invalid", "zones"},
		"ErrZonesText":     {edit("zones", []string{"1"}), 422, "invalid", "zones[0]"},
		"ErrOwner":         {edit("owner_gate", 9), 422, "invalid", "owner_gate"},
		"ErrOwnerTooBig":   {edit("owner_gate", 70000), 422, "invalid", "body"},
		"ErrUses":          {edit("uses", 2), 422, "invalid", "uses"},
		"ErrUsesNegative":  {edit("uses", -1), 422, "invalid", "uses"},
		"ErrUnknownField":  {edit("nmae", "x"), 422, "invalid", "nmae"},
		"ErrOtherCase":     {edit("Kind", "work"), 422, "invalid", "Kind"},
		"ErrNotAnObject":   {"[]", 422, "invalid", "body"},
		"ErrNotJSON":       {"{", 400, "malformed", "body"},
		"ErrTwoValues":     {`{"kind":"work","until":"2026-12-01"} {}`, 400, "malformed", "body"},
		"ErrNameTwice":     {`{"kind":"work","until":"2026-12-01","kind":"visitor"}`, 400, "malformed", "body"},
		"ErrDeep":          {strings.Repeat("[", 500) + strings.Repeat("]", 500), 400, "malformed", "body"},
		"ErrEmpty":         {"", 400, "malformed", ""},
		"ErrTooLarge":      {`{"kind":"` + strings.Repeat("x", 40_000) + `"}`, 413, "too_large", ""},
		"ErrNotUTF8InName": {"{\"kind\":\"work\",\"until\":\"2026-12-01\",\"name\":\"a\xff\"}", 400, "malformed", "body"},
		"ErrHalfAnEscape":  {`{"kind":"work","until":"2026-12-01","name":"a\ud83d"}`, 400, "malformed", "body"},
		"ErrHalvesSwapped": {`{"kind":"work","until":"2026-12-01","name":"\ude00\ud83d"}`, 400, "malformed", "body"},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.call(t, w.token, "POST", "/api/v1/passes", c.body)
			if c.code == "" {
				if r.status != c.status {
					t.Fatalf("%d %s", r.status, r.body)
				}
				return
			}
			p := w.refused(t, r, c.status, c.code)
			if c.field != "" && (len(p.Details.Faults) == 0 || p.Details.Faults[0].Field != c.field) {
				t.Fatalf("faults %+v, want field %s", p.Details.Faults, c.field)
			}
		})
	}
	req, err := http.NewRequest("POST", w.URL+"/api/v1/passes", strings.NewReader("kind=work"))
	ok(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+w.token)
	w.refused(t, w.do(t, req), http.StatusUnsupportedMediaType, "not_json")
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/passes/xyz", nil), 422, "invalid")
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/passes/0123456789abcdef", nil), 404, "not_found")
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/gates?zone=1", nil), 422, "invalid")
}

func TestPhoneKeys_LiveCodeOfABoundPass(t *testing.T) {
	w := newWorld(t)
	r := resident()
	r["kind"], r["bound"], r["from"], r["until"] = "work", true, "2026-11-01", "2026-12-31"
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", r, &p)
	if p.Code != "" || p.URL != "" {
		t.Fatalf("a bound pass has a static code: %+v", p)
	}
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/passes/"+p.ID+"/qr.png", nil), http.StatusConflict, "no_code")

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	point, err := key.PublicKey.Bytes()
	ok(t, err)
	var n api.Nonce
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes/"+p.ID+"/keys/nonce", nil, &n)
	digest := sha256.Sum256(n.Message)
	x, y, err := ecdsa.Sign(rand.Reader, key, digest[:])
	ok(t, err)
	proof := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
	body := map[string]any{"public_key": point, "proof": proof}
	var c api.Credential
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes/"+p.ID+"/keys", body, &c)

	cred, err := code.Credential(c.Credential)
	ok(t, err)
	live, err := signing.MakeProof(key, rand.Reader, cred, signing.Proof{T: w.Now().Unix(), Counter: 1, Context: signing.ContextGate})
	ok(t, err)
	read, err := code.Read(w.ring(t), signing.LiveText(live))
	ok(t, err)
	if read.Pass.ID.String() != p.ID || read.Proof == nil || read.Phone.String() != c.Phone || read.Pass.Expires*1000 != c.ExpiresAt {
		t.Fatalf("live code: %+v", read)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &p)
	if len(p.Phones) != 1 || p.Phones[0].ID != c.Phone || p.Phones[0].ExpiresAt != c.ExpiresAt || p.Phones[0].ReplacedAt != 0 {
		t.Fatalf("phones %+v", p.Phones)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes/"+p.ID+"/keys", body), 422, "bad_proof")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes/"+p.ID+"/keys",
		map[string]any{"public_key": []byte("key"), "proof": proof}), 422, "bad_key")
	var static api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &static)
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes/"+static.ID+"/keys/nonce", nil), http.StatusConflict, "not_bound")
	w.want(t, http.StatusOK, "POST", "/api/v1/passes/"+p.ID+"/revoke", map[string]any{}, nil)
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes/"+p.ID+"/keys/nonce", nil), http.StatusConflict, "pass_over")
}

func TestJSON_TakesACharacterThatIsWrittenAsTwoEscapes(t *testing.T) {
	w := newWorld(t)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", `{"kind":"work","until":"2026-12-01","name":"\ud83d\ude00 \\ud83d"}`, &p)
	if p.Name != "😀 \\ud83d" {
		t.Errorf("name %q", p.Name)
	}
}
