package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"sync"
	"testing"

	qrscene "campusgate/devices/qr/scene"
)

func pgm(p *image.Gray) string {
	return fmt.Sprintf("P5\n%d %d\n255\n%s", p.Rect.Dx(), p.Rect.Dy(), p.Pix)
}

func drawn(t *testing.T, s qrscene.Scene) *image.Gray {
	t.Helper()
	p, err := s.Draw()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheCodesOfAFrameAreAnswered(t *testing.T) {
	d := newDesk()
	srv := served(t, d, newGauge(), nil)
	frame := drawn(t, qrscene.Straight("CP1:FRAME"))
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, frame, nil); err != nil {
		t.Fatal(err)
	}
	for kind, body := range map[string]string{"image/jpeg": photo.String(), "image/x-portable-graymap": pgm(frame)} {
		got := send(t, "POST", srv.URL+"/api/v1/frames", body, "Content-Type", kind)
		if got.status != 200 || strings.TrimSpace(got.body) != `{"texts":["CP1:FRAME"]}` || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", kind, got.status, got.body)
		}
	}
	empty := pgm(image.NewGray(image.Rect(0, 0, 320, 240)))
	if got := send(t, "POST", srv.URL+"/api/v1/frames", empty, "Content-Type", "image/x-portable-graymap"); strings.TrimSpace(got.body) != `{"texts":[]}` {
		t.Errorf("without a code: %d %s", got.status, got.body)
	}
	if len(d.calls) > 0 {
		t.Errorf("a frame is no scan, but the desk was asked: %q", d.calls)
	}
}

func TestBadFramesAreRefused(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), nil)
	const grey = "image/x-portable-graymap"
	bomb := []byte{0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0, 0xFF, 0xD9}
	for name, c := range map[string]struct {
		kind, body, code string
		status           int
	}{
		"no type":       {"", "x", "bad_content_type", 415},
		"json":          {"application/json", "{}", "bad_content_type", 415},
		"form":          {"text/plain", "P5 1 1 255 x", "bad_content_type", 415},
		"png":           {"image/png", "x", "bad_content_type", 415},
		"nothing":       {"image/jpeg", "", "bad_frame", 422},
		"no jpeg":       {"image/jpeg", "hello", "bad_frame", 422},
		"a huge jpeg":   {"image/jpeg", string(bomb), "bad_frame", 422},
		"too long":      {grey, "P5 2048 1024 255 " + strings.Repeat("x", 3<<20), "body_too_large", 413},
		"no pgm":        {grey, "P6 1 1 255 xxx", "bad_frame", 422},
		"sixteen bits":  {grey, "P5 1 1 65535 xx", "bad_frame", 422},
		"too short":     {grey, "P5 10 10 255 xx", "bad_frame", 422},
		"more":          {grey, "P5 1 1 255 xx", "bad_frame", 422},
		"no pixels":     {grey, "P5 0 0 255 ", "bad_frame", 422},
		"below zero":    {grey, "P5 -1 -1 255 x", "bad_frame", 422},
		"a huge number": {grey, "P5 4294967296 4294967296 255 x", "bad_frame", 422},
	} {
		got := send(t, "POST", srv.URL+"/api/v1/frames", c.body, "Content-Type", c.kind)
		var body struct {
			Code string `json:"code"`
		}
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.status != c.status || body.Code != c.code {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	frame := pgm(image.NewGray(image.Rect(0, 0, 32, 32)))
	for _, header := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Host", "evil.example"}} {
		if got := send(t, "POST", srv.URL+"/api/v1/frames", frame, append(header, "Content-Type", grey)...); got.status != 403 && got.status != 421 {
			t.Errorf("%q: %d %s", header, got.status, got.body)
		}
	}
	if got := send(t, "GET", srv.URL+"/api/v1/frames", ""); got.status != 405 {
		t.Errorf("GET: %d", got.status)
	}
}

// More pages than readers: each frame is read, or told to come again.
func TestManyFramesAtOnceAreReadOrPutOff(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), nil)
	small := qrscene.Straight("CP1:MANY")
	small.W, small.H = 256, 192
	frame := pgm(drawn(t, small))
	var wg sync.WaitGroup
	answers := make([]reply, 12)
	for i := range answers {
		wg.Go(func() {
			answers[i] = send(t, "POST", srv.URL+"/api/v1/frames", frame, "Content-Type", "image/x-portable-graymap")
		})
	}
	wg.Wait()
	if !slices.ContainsFunc(answers, func(r reply) bool { return r.status == 200 }) {
		t.Error("none was read")
	}
	for _, r := range answers {
		if r.status != 200 && r.status != 503 || r.status == 200 && !strings.Contains(r.body, "CP1:MANY") {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
}

func TestOnlyThePageMayRunWebAssemblyAndUseTheCamera(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), nil)
	for path, want := range map[string]bool{"/": true, "/customer": false, "/api/v1/status": false, "/healthz": false} {
		h := send(t, "GET", srv.URL+path, "").header
		if got := strings.Contains(h.Get("Content-Security-Policy"), "'wasm-unsafe-eval'"); got != want {
			t.Errorf("%s: %s", path, h.Get("Content-Security-Policy"))
		}
		if p := h.Get("Permissions-Policy"); !strings.Contains(p, "camera=(self)") || !strings.Contains(p, "microphone=()") {
			t.Errorf("%s: %s", path, p)
		}
	}
}
