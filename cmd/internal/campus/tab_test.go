package campus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	agentweb "campusgate/agent/web"
	"campusgate/cmd/internal/campus"
	serverweb "campusgate/server/web"
)

// shared is the browser of all who need none of their own, and what ends it.
var shared struct {
	sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func closeBrowser() {
	if shared.stop != nil {
		shared.stop()
	}
}

// chromium is the headless browser that all share; phone, desk and browse take a
// tab of it that shares nothing with others.
func chromium(t testing.TB) context.Context {
	t.Helper()
	path := installed(t)
	shared.Do(func() { shared.ctx, shared.stop, shared.err = headless(context.Background(), path, "") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.ctx
}

// chromiumIn starts a headless browser, which ends with the test, and gives its
// first tab. In its folder it finds what an earlier one has kept.
func chromiumIn(t testing.TB, folder string) context.Context {
	t.Helper()
	ctx, stop, err := headless(t.Context(), installed(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return ctx
}

// installed gives the browser's program, and sees that there are pages to show.
func installed(t testing.TB) string {
	t.Helper()
	_, built := agentweb.FS()
	for _, app := range []serverweb.App{serverweb.Phone, serverweb.Console, serverweb.Verify} {
		_, is := app.FS()
		built = built && is
	}
	if !built {
		missing(t, "the pages were not built: npm ci && npm run build")
	}
	// The first has no windows, which cover each other and may then not be drawn.
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "no Chromium: install it to run the browser tests")
	return ""
}

func headless(parent context.Context, path, folder string) (ctx context.Context, stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// What an optimising compiler makes of a page comes too late for a test.
		chromedp.Flag("js-flags", "--no-turbofan --no-maglev"),
		// The last two make a new process for every page that is opened.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,BackForwardCache,SpareRendererForSitePerProcess"))
	if folder != "" {
		options = append(options, chromedp.UserDataDir(folder))
	}
	allocator, end := chromedp.NewExecAllocator(parent, options...)
	ctx, cancel := chromedp.NewContext(allocator)
	return ctx, func() { cancel(); end() }, chromedp.Do(ctx) // binds the tab to ctx, not to a limit
}

// tab is one person's browser: cookies and all that is kept are its own.
type tab struct {
	testing.TB
	ctx  context.Context
	base string // http://host:port

	mu    sync.Mutex
	heard []heard
}

// heard is an answer of the network.
type heard struct {
	id     network.RequestID
	url    string
	status int64
}

// phone is a browser of its own with the screen of a phone.
func phone(t testing.TB, browser context.Context, base string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return newTab(t, ctx, base, 390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
}

// office is a browser of its own with the screen of an office.
func office(t testing.TB, browser context.Context, base string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return newTab(t, ctx, base, 1280, 800)
}

func newTab(t testing.TB, ctx context.Context, base string, width, height int64, options ...chromedp.EmulateViewportOption) *tab {
	t.Helper()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	p := &tab{TB: t, ctx: ctx, base: base}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(width, height, options...))
	err := chromedp.Listen(ctx, func(ev any) {
		if ev, ok := ev.(*network.EventResponseReceived); ok {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.heard = append(p.heard, heard{ev.RequestID, ev.Response.URL, ev.Response.Status})
		}
	})
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// limit is how long a page has for anything.
const limit = 30 * time.Second

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// eval gives the value of an expression, which may be a promise.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit+5*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%.120s: %v", expression, err)
	}
	return v
}

// open goes to an address of the server.
func (p *tab) open(path string) {
	p.Helper()
	p.do(chromedp.Navigate(p.base + path))
}

// until waits until an expression is true in the page.
func (p *tab) until(expression string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	// A page that goes elsewhere meanwhile takes the question with it.
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise((done) => {
			const end = Date.now() + 5000
			const look = () => { let on = false; try { on = Boolean(`+expression+`) } catch {} ; on || Date.now() > end ? done(on) : setTimeout(look, 10) }
			look()
		})`, chromedp.EvalAwaitPromise))
		if ok {
			return
		}
		if ctx.Err() != nil {
			p.Fatalf("never true in the page: %s (%v)\nat %s it says:\n%s", expression, err,
				eval[string](p, `location.pathname`), eval[string](p, `document.body.innerText.slice(0, 1500)`))
		}
	}
}

// says waits until the page shows some words.
func (p *tab) says(words string) {
	p.Helper()
	p.until(`document.body.innerText.includes(` + quoted(words) + `)`)
}

// tap presses the last button or link of a name, as sheets lie above pages.
func (p *tab) tap(name string) {
	p.Helper()
	find := `[...document.querySelectorAll('button, a, [role=button], [role=tab]')].filter((e) => e.checkVisibility() && !e.disabled &&
		!e.closest('[inert]') && [e.getAttribute('aria-label') ?? '', e.innerText.replace(/\s+/g, ' ').trim()].includes(` + quoted(name) + `)).pop()`
	p.until(`((e) => e && (e.click(), true))(` + find + `)`)
}

// press clicks an element.
func (p *tab) press(selector string) {
	p.Helper()
	find := `[...document.querySelectorAll(` + quoted(selector) + `)].find((e) => e.checkVisibility() && !e.disabled)`
	p.until(`((e) => e && (e.click(), true))(` + find + `)`)
}

// enter types into a field, key by key, over what is there.
func (p *tab) enter(selector, text string) {
	p.Helper()
	p.until(`document.querySelector(` + quoted(selector) + `)?.checkVisibility()`)
	eval[bool](p, `document.querySelector(`+quoted(selector)+`).select(), true`)
	p.do(chromedp.SendKeys(selector, text))
	if got := eval[string](p, `document.querySelector(`+quoted(selector)+`).value`); got != text {
		p.Fatalf("%s holds %q after %q was typed", selector, got, text)
	}
}

// code reads the code on the screen: its pixels, again and again as a scanner
// does until something is there to be read.
func (p *tab) code() string {
	p.Helper()
	p.until(`document.querySelector('svg.qr')?.checkVisibility()`)
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	var text string
	err := campus.Until(ctx, func() (bool, error) {
		shot, err := p.picture(ctx)
		if err == nil {
			text, err = decode(shot)
		}
		return err == nil, err
	})
	if err != nil {
		p.Fatalf("the code on the screen: %v", err)
	}
	return text
}

// picture takes the code's part of the screen. A page that is just being drawn anew
// may leave the question without an answer, so one look has a limit of its own.
func (p *tab) picture(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit/6)
	defer cancel()
	box, err := chromedp.Run(ctx, chromedp.Evaluate[page.Viewport](`(() => {
		const e = document.querySelector('svg.qr')
		e.scrollIntoView({block: 'center'})
		const b = e.getBoundingClientRect()
		return {x: Math.round(b.x), y: Math.round(b.y), width: Math.round(b.width), height: Math.round(b.height), scale: 1}
	})()`))
	if err != nil {
		return nil, fmt.Errorf("where it is: %w", err)
	}
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, Clip: &box})
	if err != nil {
		return nil, fmt.Errorf("its pixels: %w", err)
	}
	return shot.Data, nil
}

// decode reads a code from a picture.
func decode(shot []byte) (string, error) {
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return "", err
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return read.GetText(), nil
}

// answers gives what the network has told the page, by path below base. What an
// earlier page was told may be gone.
func (p *tab) answers() (all []answer) {
	p.mu.Lock()
	list := append([]heard(nil), p.heard...)
	p.mu.Unlock()
	for _, h := range list {
		body, err := chromedp.Call(p.ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: h.id})
		if err != nil {
			continue // gone with an earlier page
		}
		all = append(all, answer{strings.TrimPrefix(h.url, p.base), h.status, string(body.Body)})
	}
	return all
}

// answer is one answer with its body.
type answer struct {
	path   string
	status int64
	body   string
}

// refusals lists the codes of the answers of a path with a status of 400 or
// more.
func (p *tab) refusals(path string) (codes []string) {
	for _, a := range p.answers() {
		var told struct {
			Code string `json:"code"`
		}
		if a.path == path && a.status >= 400 && json.Unmarshal([]byte(a.body), &told) == nil {
			codes = append(codes, told.Code)
		}
	}
	return codes
}

func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always is JSON
	}
	return string(data)
}
