package console_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	qrscene "campusgate/devices/qr/scene"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

// checker is a desk that admits whoever shows a genuine live code that is fresh.
type checker struct {
	*actor
	ring *signing.Keyring
	name map[signing.PassID]string
}

func (c *checker) Present(ctx context.Context, where, source, text string) (desk.Result, error) {
	r := desk.Result{Reason: verdict.BadSignature}
	if read, err := code.Read(c.ring, text); err == nil && read.Proof != nil {
		r = granted
		r.Kind, r.Name = read.Kind(), c.name[read.ID()]
		if age := time.Now().Unix() - read.Proof.T; age < -15 || age > 30 {
			r.Reason, r.Opens = verdict.ProofStale, false
		}
	}
	c.mu.Lock()
	c.script[text] = r
	c.mu.Unlock()
	return c.actor.Present(ctx, where, source, text)
}

// livePasses makes a checker and a live code for each name.
func livePasses(t *testing.T, names []string) (*checker, []string) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	key, err := signing.NewKey("test", signing.PurposeGate, public)
	check(err)
	c := &checker{actor: newDesk(), name: map[signing.PassID]string{}}
	c.ring, err = signing.NewKeyring("test", 1, []signing.Key{key})
	check(err)
	phone, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	holder, err := signing.PhoneKeyOf(&phone.PublicKey)
	check(err)
	now := time.Now().Unix()
	var texts []string
	for i, name := range names {
		p := pass.Pass{
			ID: signing.PassID{byte(i + 1)}, Kind: signing.Work, Name: name, Doc4: "118X", Zones: 1,
			NotBefore: now - 3600, Expires: now + 3600, IssuedAt: now - 3600, Phone: &holder,
		}
		cred, err := p.Sign(signing.Issuer{Key: key, Private: private})
		check(err)
		live, err := signing.MakeProof(phone, rand.Reader, cred, signing.Proof{T: now + 5, Counter: uint64(i + 1), Context: signing.ContextGate})
		check(err)
		c.name[p.ID] = name
		texts = append(texts, pass.LiveText(live))
	}
	return c, texts
}

// The corner of each frame says which one it is, in grey.
const (
	cornerSide  = 40
	cornerEmpty = 40
	cornerStep  = 40
)

// film writes what the camera sees, at ten frames a second, over and over: nothing,
// then a code, nothing, the next code.
func film(t *testing.T, path string, scenes []qrscene.Scene) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	_, _ = out.WriteString("YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n")
	colourless := strings.Repeat("\x80", 640*480/2)
	show := func(s qrscene.Scene, corner byte, frames int) {
		picture := drawn(t, s)
		for y := range cornerSide {
			for x := range cornerSide {
				picture.Pix[y*640+x] = corner
			}
		}
		for range frames {
			_, _ = out.WriteString("FRAME\n")
			_, _ = out.Write(picture.Pix)
			_, _ = out.WriteString(colourless)
		}
	}
	for i, s := range scenes {
		empty := qrscene.Straight("")
		empty.Light, empty.Noise = 120, 4
		show(empty, cornerEmpty, 5)
		show(s, cornerEmpty+cornerStep*byte(i+1), 10)
	}
	if err := errors.Join(out.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// stopwatch notes when the page first had a frame of each scene in its hands, and
// when it showed the verdict on whom.
const stopwatch = `
	window.frameAt = {}; window.verdictAt = {}
	const draw = CanvasRenderingContext2D.prototype.drawImage
	CanvasRenderingContext2D.prototype.drawImage = function (what, ...rest) {
		draw.call(this, what, ...rest)
		if (!(what instanceof HTMLVideoElement)) return
		const scene = Math.round((this.getImageData(20, 20, 1, 1).data[0] - 40) / 45)
		if (scene > 0) window.frameAt[scene] ??= performance.now()
	}
	new MutationObserver(() => {
		const v = document.querySelector('.verdict[data-face=granted] .name')
		if (v) window.verdictAt[v.textContent.trim()] ??= performance.now()
	}).observe(document, {subtree: true, childList: true, characterData: true})
`

// Live codes held in front of the computer's camera are green within a second of
// the first frame that shows them, tilted, blurred and faint ones too.
func TestTheCameraOfThePageReadsLiveCodes(t *testing.T) {
	names := []string{"straight", "tilt", "blurred", "faint"}
	d, texts := livePasses(t, names)
	var scenes []qrscene.Scene
	for i, name := range names {
		scenes = append(scenes, qrscene.All(texts[i])[name])
	}
	file := filepath.Join(t.TempDir(), "camera.y4m")
	film(t, file, scenes)
	b := withCamera(t, d, file, wide, stopwatch)
	b.cameraOn()
	b.until(`Object.keys(window.verdictAt).length === 4`)
	for i, name := range names {
		// A frame waits for the next look, of which there are ten a second.
		took := eval[float64](b, fmt.Sprintf(`window.verdictAt[%q] - window.frameAt[%d]`, name, i+1)) + 100
		t.Logf("%s: green after %.0f ms", name, took)
		if took > 1000 {
			t.Errorf("%s: green %.0f ms after its first frame", name, took)
		}
	}
	d.mu.Lock()
	calls := strings.Join(d.calls, "\n")
	d.mu.Unlock()
	if !strings.HasPrefix(calls, "present 入口 camera CP1:") {
		t.Errorf("presented as %s", calls)
	}
	if eval[bool](b, `performance.getEntriesByType('resource').some((e) => e.name.endsWith('/api/v1/frames'))`) {
		t.Error("frames went to the agent though the page can read them")
	}
}

// withCamera opens the guard's page in a browser whose camera shows a file.
func withCamera(t *testing.T, d console.Lanes, file string, screen size, scripts ...string) *tab {
	t.Helper()
	srv := served(t, nil, newGauge(), func(c *console.Config) { c.Lanes = d })
	ctx, cancel, err := launch(
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", file),
	)
	if err != nil {
		missing(t, "%v", err)
	}
	t.Cleanup(cancel)
	return openIn(t, ctx, srv.URL, screen, `document.querySelector('.stage .where, .verdict')`, scripts...)
}

// cameraOn turns the camera on as a guard does.
func (b *tab) cameraOn() {
	b.t.Helper()
	b.press("c")
	b.until(`document.querySelector('[data-key=camera-on]')`)
	b.call(chromedp.Click(`[data-key=camera-on]`))
	b.until(`document.querySelector('[data-chip=camera][data-state=ok]')`)
}

// A page that cannot read frames has the agent read them; a camera is on only
// while somebody can see the page, and is on again after a reload.
func TestTheCameraOfThePageGoesWithThePage(t *testing.T) {
	t.Parallel()
	names := []string{"straight"}
	d, texts := livePasses(t, names)
	file := filepath.Join(t.TempDir(), "camera.y4m")
	film(t, file, []qrscene.Scene{qrscene.Straight(texts[0])})
	b := withCamera(t, d, file, wide, `delete window.Worker`, `
		window.asked = []
		const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
		navigator.mediaDevices.getUserMedia = async (c) => { const s = await ask(c); window.asked.push(s); return s }
		Object.defineProperty(document, 'hidden', {get: () => !!window.covered})
		const draw = CanvasRenderingContext2D.prototype.drawImage
		CanvasRenderingContext2D.prototype.drawImage = function (...what) { if (!window.blind) draw.apply(this, what) }
	`)
	b.cameraOn()
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if !eval[bool](b, `performance.getEntriesByType('resource').some((e) => e.name.endsWith('/api/v1/frames'))`) {
		t.Error("no frame went to the agent")
	}
	b.call(chromedp.Evaluate[chromedp.Void](`window.blind = true`)) // from here on scans would be in the way
	running := `window.asked.flatMap((s) => s.getTracks()).filter((t) => t.readyState === 'live').length`
	cover := func(yes bool) string {
		return fmt.Sprintf(`window.covered = %v; document.dispatchEvent(new Event('visibilitychange'))`, yes)
	}
	b.call(chromedp.Evaluate[chromedp.Void](cover(true)))
	if n := eval[int](b, running); n != 0 {
		t.Errorf("%d cameras are on behind a page that nobody sees", n)
	}
	b.call(chromedp.Evaluate[chromedp.Void](cover(false)))
	b.until(running + ` === 1`)
	b.until(`document.querySelector('.idle .camera-view video')?.videoWidth > 0`)
	for _, lang := range []string{"zh", "en"} {
		b.speak(lang)
		for _, screen := range []size{wide, desk8, till1024, phone} {
			b.resize(screen)
			b.fits("camera-" + lang + "-" + screen.name)
			b.shoot("camera-" + lang + "-" + screen.name)
		}
		b.resize(desk8)
		b.press("c")
		b.until(`document.querySelector('dialog .camera-view video')?.videoWidth > 0`)
		for _, broken := range b.axe(allRules) {
			t.Error(broken)
		}
		b.shoot("camera-dialog-" + lang)
		b.press(kb.Escape)
		b.until(`!document.querySelector('dialog')`)
	}
	b.script(`window.blind = true`)
	b.call(chromedp.Navigate(b.home))
	b.until(`document.querySelector('[data-chip=camera][data-state=ok]')`)
	b.press("c")
	b.until(`document.querySelector('[data-key=camera-off]')`)
	b.call(chromedp.Click(`[data-key=camera-off]`))
	b.until(`!document.querySelector('[data-chip=camera]')`)
	if n := eval[int](b, running); n != 0 {
		t.Errorf("%d cameras are on after they were turned off", n)
	}
}

// Whatever is wrong with the camera is said in plain words, and what comes back by
// itself needs no click.
func TestTheCameraOfThePageSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	srv := served(t, newDesk(), newGauge(), nil)
	b := open(t, srv.URL, desk8, `
		window.why = 'NotAllowedError'
		navigator.mediaDevices.getUserMedia = async () => {
			if (window.why) throw new DOMException('', window.why)
			const canvas = document.createElement('canvas')
			canvas.getContext('2d')
			return (window.stream = canvas.captureStream())
		}
	`)
	b.press("c")
	b.until(`document.querySelector('[data-key=camera-on]')`)
	b.call(chromedp.Click(`[data-key=camera-on]`))
	for _, c := range []struct{ why, zh, en string }{
		{"NotAllowedError", "摄像头被禁止使用", "The camera is not allowed"},
		{"NotReadableError", "摄像头正被别的程序占用", "Another program uses the camera"},
		{"NotFoundError", "没有找到摄像头", "No camera was found"},
		{"SecurityError", "浏览器不允许此页面使用摄像头", "The browser lets this page use no camera"},
		{"UnknownError", "摄像头打不开", "The camera does not start"},
	} {
		b.call(chromedp.Evaluate[chromedp.Void](`window.why = '` + c.why + `'`))
		b.until(`document.querySelector('[data-key=camera-retry]')`)
		b.call(chromedp.Click(`[data-key=camera-retry]`))
		b.until(`document.querySelector('dialog .wrong')?.textContent.includes('` + c.zh + `')`)
		b.press(kb.Escape)
		b.until(`!document.querySelector('dialog')`)
		b.speak("en")
		if got := b.text("[data-banner=camera]"); !strings.Contains(got, c.en) {
			t.Errorf("%s: the banner says %s", c.why, got)
		}
		for _, broken := range b.axe(allRules) {
			t.Error(broken)
		}
		b.shoot("camera-" + c.why)
		b.speak("zh")
		b.press("c")
	}
	// The last of them goes away, as when a camera is plugged in.
	b.call(chromedp.Evaluate[chromedp.Void](`window.why = ''`))
	b.until(`document.querySelector('[data-chip=camera][data-state=ok]') && !document.querySelector('[data-banner=camera]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.why = 'NotFoundError'; window.stream.getTracks()[0].stop(); window.stream.getTracks()[0].dispatchEvent(new Event('ended'))`))
	b.until(`document.querySelector('[data-banner=camera]')?.textContent.includes('摄像头断开了')`)
}
