package console_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"campusgate/agent/web"
)

var (
	shots   = flag.String("shots", "", "folder to write screenshots of the page to")
	dresses = flag.Bool("dresses", false, "judge every state by every rule in every dress and size")
)

// One browser serves every test; each test gets a tab with storage of its own.
var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func TestMain(m *testing.M) {
	// A tab waits for its browser most of the time.
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	flag.Parse()
	code := m.Run()
	if browser.cancel != nil {
		browser.cancel()
	}
	os.Exit(code)
}

// missing skips a test for want of a tool, except where everything must run.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func startBrowser() { browser.ctx, browser.cancel, browser.err = launch() }

// launch starts a browser with more flags than usual.
func launch(flags ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc, error) {
	var path string
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, nil, fmt.Errorf("no Chromium: install it to run the browser tests")
	}
	options := append(append(chromedp.DefaultExecAllocatorOptions[:], flags...),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// What an optimising compiler makes of a page comes too late for a test.
		chromedp.Flag("js-flags", "--no-turbofan --no-maglev"),
		// The last two make a new process for every page that is opened.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,BackForwardCache,SpareRendererForSitePerProcess"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	return ctx, func() { cancel(); stop() }, chromedp.Do(ctx)
}

// tab is one page of the console in the browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	home string

	typed time.Time // when the last key was pressed, as far as the page is told

	mu      sync.Mutex
	foreign []string
	errors  []string
}

// size is a screen the page is used on.
type size struct {
	name          string
	width, height int64
}

var (
	wide     = size{"wide", 1920, 1080}
	desk8    = size{"desk", 1280, 800}
	till1024 = size{"till", 1024, 768}
	phone    = size{"phone", 390, 844}
	// zoomed is desk8 at 200 %.
	zoomed = size{"zoomed", 640, 400}
)

// open shows the guard's page that the server serves.
func open(t *testing.T, home string, screen size, scripts ...string) *tab {
	t.Helper()
	return openPage(t, home, screen, `document.querySelector('.stage .where, .verdict')`, scripts...)
}

// openPage shows a page until it is ready. Before anything of the page runs, it
// evaluates the scripts.
func openPage(t *testing.T, home string, screen size, ready string, scripts ...string) *tab {
	t.Helper()
	if _, built := web.FS(); !built {
		missing(t, "the page was not built: npm ci && npm run build")
	}
	browser.once.Do(startBrowser)
	if browser.err != nil {
		missing(t, "%v", browser.err)
	}
	return openIn(t, browser.ctx, home, screen, ready, scripts...)
}

// openIn is openPage in another browser.
func openIn(t *testing.T, parent context.Context, home string, screen size, ready string, scripts ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	// The first use of a tab binds it to its context, so the limit comes after.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	// Others are open beside it; none of them has its focus.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	timed, stop := context.WithTimeout(ctx, 10*time.Minute)
	b := &tab{t: t, ctx: timed, home: home}
	t.Cleanup(func() {
		stop()
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, u := range b.foreign {
			t.Errorf("the page asked another host: %s", u)
		}
		for _, e := range b.errors {
			t.Errorf("error in the page: %s", e)
		}
	})
	if err := chromedp.Listen(timed, b.watch); err != nil {
		t.Fatal(err)
	}
	b.call(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}))
	for _, s := range append(scripts, waiting) {
		b.script(s)
	}
	b.resize(screen)
	b.call(chromedp.Navigate(home))
	b.until(ready)
	return b
}

// watch notes whatever a page of ours must never do.
func (b *tab) watch(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		b.visit(ev.Request.URL)
	case *network.EventWebSocketCreated:
		b.visit(ev.URL)
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if thrown := ev.ExceptionDetails.Exception; thrown != nil {
			text += ": " + thrown.Description
		}
		b.errors = append(b.errors, text)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError {
			b.errors = append(b.errors, "console.error")
		}
	}
}

func (b *tab) visit(address string) {
	home, err := url.Parse(b.home)
	if err != nil {
		panic(err)
	}
	u, err := url.Parse(address)
	if err != nil || (u.Host != home.Host && u.Scheme != "data" && u.Scheme != "blob") {
		b.foreign = append(b.foreign, address)
	}
}

func (b *tab) call(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// script runs before the page's own code, also after a reload.
func (b *tab) script(source string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) resize(s size) {
	b.t.Helper()
	mobile := s.width < 600
	b.call(chromedp.EmulateViewport(s.width, s.height, func(p *emulation.SetDeviceMetricsOverrideParams, touch *emulation.SetTouchEmulationEnabledParams) {
		p.Mobile, touch.Enabled = mobile, mobile
	}))
}

// eval evaluates a JavaScript expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a JavaScript condition, across reloads of the page.
func (b *tab) until(condition string) {
	b.t.Helper()
	wait := `new Promise((done) => {
		const end = Date.now() + 30000
		const look = () => ((` + condition + `) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 8))
		look()
	})`
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise))
		switch {
		case ok:
			return
		case err != nil && b.ctx.Err() == nil && strings.Contains(err.Error(), "navigated"):
		case err != nil:
			b.t.Fatalf("%s: %v", condition, err)
		default:
			b.t.Fatalf("never came true: %s\nthe page says: %s", condition, b.text("body"))
		}
	}
}

// text is what a person reads in the first element of a selector.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? '').replace(/\s+/g, ' ').trim()`, selector))
}

// press hits single keys, each a shortcut of its own.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.call(chromedp.KeyEvent(k))
	}
}

// waiting has no timer of the page run out while a scanner types: its keys take
// longer to arrive than a scanner's, on a machine that is busy.
const waiting = `window.typing = false; {
	const set = window.setTimeout, clear = window.clearTimeout, cleared = new Set()
	window.setTimeout = (f, ms, ...args) => {
		const id = set(function end() { cleared.has(id) || (window.typing ? set(end, 5) : f(...args)) }, ms)
		return id
	}
	window.clearTimeout = (id) => { cleared.add(id); clear(id) }
}`

// wedge types as a keyboard scanner does: a key every 4 ms, then Enter.
func (b *tab) wedge(text string) {
	b.t.Helper()
	b.call(chromedp.Evaluate[chromedp.Void](`window.typing = true`))
	b.keys(text+"\r", 4*time.Millisecond)
	b.call(chromedp.Evaluate[chromedp.Void](`window.typing = false`))
}

// person types as a person does: a key every 150 ms.
func (b *tab) person(text string) {
	b.t.Helper()
	b.keys(text, 150*time.Millisecond)
}

// keys types at a pace that the time stamps tell, as those of the operating
// system do; how fast the machine is does not matter.
func (b *tab) keys(text string, pace time.Duration) {
	b.t.Helper()
	b.pause(time.Second)
	for _, r := range text {
		encoded := kb.Encode(r) // down, char, up
		down := *encoded[0]
		down.Text = encoded[1].Text
		b.strike(down, pace)
	}
}

// pause lets time pass on the keyboard: nobody goes straight on from what was
// typed before.
func (b *tab) pause(d time.Duration) {
	if now := time.Now(); b.typed.Before(now) {
		b.typed = now
	}
	b.typed = b.typed.Add(d)
}

// strike presses a key and lets go of it, so long after the one before. It is
// one event for the key and its character, so that a page which keeps the key
// gets no character, as with a real keyboard.
func (b *tab) strike(k input.DispatchKeyEventParams, pace time.Duration) {
	b.t.Helper()
	b.typed = b.typed.Add(pace)
	k.Timestamp = input.TimeSinceEpoch(float64(b.typed.UnixMicro()) / 1e6)
	for _, what := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if k.Type = what; what == input.DispatchKeyEventTypeKeyUp {
			k.Text = ""
		}
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, k); err != nil {
			b.t.Fatal(err)
		}
	}
}

// shoot writes a screenshot where the flag asks for one.
func (b *tab) shoot(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// allRules are axe's; dressRules those of them that hang on words, colours and
// sizes, so that a page seen once in full need not be asked the rest again.
const (
	allRules   = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`
	dressRules = `{type: 'rule', values: ['button-name', 'link-name', 'label', 'image-alt', 'document-title', 'empty-heading',
		'color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable', 'region']}`
)

// rulesFor are those by which a page is judged that was seen before in another
// dress, or never.
func rulesFor(seen bool) string {
	if seen && !*dresses {
		return dressRules
	}
	return allRules
}

// axe gives the rules that the page breaks.
func (b *tab) axe(rules string) []string {
	b.t.Helper()
	if !eval[bool](b, `typeof axe === 'object'`) {
		b.call(chromedp.Evaluate[chromedp.Void](axeSource(b.t)))
	}
	return eval[[]string](b, `axe.run(document, {runOnly: `+rules+`, resultTypes: ['violations']})
		.then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 160) + ' ' + n.failureSummary)))`)
}

// axeSource finds the checker beside the page's other packages.
func axeSource(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
		if err == nil {
			return string(source) + ";undefined"
		}
		up := filepath.Dir(dir)
		if up == dir || strings.HasSuffix(dir, string(filepath.Separator)) {
			missing(t, "axe-core is not installed: npm ci")
		}
		dir = up
	}
}
