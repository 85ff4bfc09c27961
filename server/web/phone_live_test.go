package web_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"campusgate/signing/code"
)

// scan reads the code on the screen as a scanner does: from its picture.
func (p *phoneTab) scan() string {
	p.Helper()
	if p.dots == 1 { // as phones have it
		p.dots = 3
		p.size(390, 844)
	}
	p.until(`document.querySelector('.qr path')`)
	where := func() [4]float64 {
		return eval[[4]float64](p.T, p.ctx, `(() => { const b = document.querySelector('.qr').getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })()`)
	}
	box := where()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	for now := where(); err == nil && now != box; now = where() { // the page moved meanwhile
		box = now
		shot, err = chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	}
	if err != nil {
		p.Fatal(err)
	}
	screen, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		p.Fatal(err)
	}
	// Without the round corners, which are the page's and not the code's.
	at := func(i int) int { return int(math.Round(box[i] * p.dots)) }
	picture := screen.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(image.Rect(at(0), at(1), at(2), at(3)).Inset(int(6 * p.dots)))
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		p.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		p.shoot("unread")
		p.Fatalf("the code on the screen cannot be read: %v", err)
	}
	return result.GetText()
}

// live reads the code as a gate does, and fails unless it holds now.
func (p *phoneTab) live() code.Code {
	p.Helper()
	got, err := code.Read(p.srv.ring, p.scan())
	if err != nil {
		p.Fatal(err)
	}
	if got.Proof == nil {
		p.Fatal("no proof by the phone")
	}
	if age := time.Now().Unix() - got.Proof.T; age < -15 || age > 30 {
		p.Fatalf("the proof is %d s old", age)
	}
	return got
}

const phoneDrawn = `document.querySelector('.qr path')?.getAttribute('d')`

func TestPhone_LiveCode(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "dark")
	p.open("/passes/"+phoneWork, phoneDrawn)

	first := p.live()
	t.Run("CQ-077 the pass that was approved is shown as a code that a gate reads", func(t *testing.T) {
		if first.Pass == nil || first.Pass.Name != "林晓岚" || first.ID().String() != phoneWork {
			t.Errorf("%+v", first.Pass)
		}
	})
	t.Run("black on white in the dark, quiet and wide", func(t *testing.T) {
		if got := eval[string](t, p.ctx, `getComputedStyle(document.querySelector('.qr rect')).fill + getComputedStyle(document.querySelector('.qr path')).fill`); got != "rgb(255, 255, 255)rgb(0, 0, 0)" {
			t.Errorf("colours %s", got)
		}
		share := eval[float64](t, p.ctx, `(() => {
			const box = document.querySelector('.qr').getBoundingClientRect(), size = document.querySelector('.qr').viewBox.baseVal.width
			return box.width * (size - 8) / size / innerWidth
		})()`)
		if share < 0.6 {
			t.Errorf("the code takes %.2f of the width", share)
		}
		if quiet := eval[bool](t, p.ctx, `Math.min(...document.querySelector('.qr path').getAttribute('d').match(/M\d+ \d+/g).flatMap((m) => m.slice(1).split(' ').map(Number))) === 4`); !quiet {
			t.Error("the quiet zone is not of four modules")
		}
	})
	t.Run("a new one with a higher counter follows", func(t *testing.T) {
		shown := eval[string](t, p.ctx, phoneDrawn)
		began := time.Now()
		p.until(`parseInt(document.querySelector('.live-count').textContent.match(/\d+/)[0]) <= 3`)
		p.until(phoneDrawn + ` !== '` + shown + `'`)
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("after %s", took)
		}
		if next := p.live(); next.Proof.Counter <= first.Proof.Counter {
			t.Errorf("counter %d after %d", next.Proof.Counter, first.Proof.Counter)
		}
	})
	t.Run("and one at once when the page comes back to the front", func(t *testing.T) {
		before := p.live().Proof.Counter
		eval[bool](t, p.ctx, `(window.was = `+phoneDrawn+`, document.dispatchEvent(new Event('visibilitychange')), true)`)
		p.until(phoneDrawn + ` !== window.was`)
		if now := p.live().Proof.Counter; now <= before {
			t.Errorf("counter %d after %d", now, before)
		}
	})
	t.Run("the key cannot be read out", func(t *testing.T) {
		got := eval[string](t, p.ctx, `new Promise((done) => { indexedDB.open('campusgate').onsuccess = (e) => {
			e.target.result.transaction('keys').objectStore('keys').getAll().onsuccess = async (all) => {
				const key = all.target.result[0].key
				done(key.extractable + ' ' + await crypto.subtle.exportKey('pkcs8', key).then(() => 'exported', () => 'refused'))
			}
		} })`)
		if got != "false refused" {
			t.Error(got)
		}
	})
	t.Run("CQ-056 without a network, after a cold start", func(t *testing.T) {
		before := p.live().Proof.Counter
		p.until(`navigator.serviceWorker.ready.then ? navigator.serviceWorker.controller : true`)
		srv.CloseClientConnections()
		srv.Close()
		began := time.Now()
		p.open("/passes/"+phoneWork, phoneDrawn)
		t.Logf("a code %d ms after the start", time.Since(began).Milliseconds())
		if now := p.live().Proof.Counter; now <= before {
			t.Errorf("counter %d after %d", now, before)
		}
		p.open("/passes", `document.querySelectorAll('.pass').length === 5`)
	})
}

func TestPhone_PassMovesFromAnotherPhone(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/passes/"+phoneElsewhere, `document.querySelector('.ask')`)
	p.says("通行码在另一部手机上")
	p.tap("移到本机")
	p.live()
	// The other phone takes it back: this one says so, and does not fight.
	srv.mu.Lock()
	srv.enrolled[phoneElsewhere] = "the other again"
	srv.mu.Unlock()
	p.open("/passes/"+phoneElsewhere, `document.querySelector('.ask')`)
	if id := func() string { srv.mu.Lock(); defer srv.mu.Unlock(); return srv.enrolled[phoneElsewhere] }(); id != "the other again" {
		t.Errorf("the pass was taken back without a tap, by %s", id)
	}
	p.clean()
}

// A page without WebCrypto, as over plain http on a campus address.
func TestPhone_ServerCodeWhereNoKeyCanBe(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	ahead(t, p.ctx, `Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })`)
	p.dress("zh", "light")
	srv.set("GET /me/passes/"+phoneWork+"/live", `{"code":"CP1:SERVER","expires_at":`+millis(time.Now().Add(2*time.Minute))+`}`)
	p.open("/passes/"+phoneWork, phoneDrawn)
	if got := p.scan(); got != "CP1:SERVER" {
		t.Errorf("shows %q", got)
	}
	p.says("在线码 · 需要网络")
	srv.set("GET /me/passes/"+phoneWork+"/live", `{"code":"CP1:NEXT","expires_at":`+millis(time.Now().Add(2*time.Minute))+`}`)
	shown := eval[string](t, p.ctx, phoneDrawn)
	p.tap("刷新")
	p.until(phoneDrawn + ` !== '` + shown + `'`)
	if got := p.scan(); got != "CP1:NEXT" {
		t.Errorf("after a refresh: %q", got)
	}
	p.judge("pass-server-zh-light")
	p.clean()
}

func TestPhone_StaticCodeIsTheSignedAddress(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("en", "light")
	p.open("/passes/"+phoneSingle, phoneDrawn)
	if got := p.scan(); !strings.HasPrefix(got, "HTTPS://GATE.EXAMPLE.EDU/V/QRE2EAJH") {
		t.Errorf("shows %q", got)
	}
	p.says("The first presenter wins")
	// It is used at the gate while the holder stands there: the page says so by itself.
	body := srv.said("GET /me/passes")
	srv.set("GET /me/passes", strings.Replace(body, `"used":0,"state":"issued","bound":false`, `"used":1,"state":"used","bound":false`, 1))
	eval[bool](t, p.ctx, `document.dispatchEvent(new Event('visibilitychange')), true`)
	p.says("This code was used at a gate")
	p.clean()
}

// The whole first page, as a phone without anything kept fetches it.
func TestPhone_FirstRouteIsSmall(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	sizes := map[string]float64{}
	if err := chromedp.Listen(p.ctx, func(ev any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if done, ok := ev.(*network.EventLoadingFinished); ok {
			sizes[string(done.RequestID)] = done.EncodedDataLength
		}
	}); err != nil {
		t.Fatal(err)
	}
	ahead(t, p.ctx, `navigator.serviceWorker.register = () => new Promise(() => {})`) // it fetches the rest, later
	p.open("/passes", `document.querySelectorAll('.pass').length === 5`)
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum float64
	for _, size := range sizes {
		sum += size
	}
	t.Logf("%.1f KB in %d answers", sum/1000, len(sizes))
	if sum > 150_000 || len(sizes) < 5 {
		t.Errorf("the first route is %.0f bytes in %d answers, at most 150000 are allowed", sum, len(sizes))
	}
}
