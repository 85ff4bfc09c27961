package web_test

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"campusgate/server/web"
)

var (
	shots   = flag.String("shots", "", "folder to write screenshots of the pages to")
	dresses = flag.Bool("dresses", false, "judge every page in both languages, by day and by night, at every width; else Chinese by day and English by night")
)

// worn reports whether a page is judged in a language ("zh" or "en") and scheme
// at its usual width.
func worn(lang, scheme string) bool {
	return *dresses || (lang == "zh") == (scheme == "light")
}

// missing skips a test for want of a tool, except where everything must run.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// chromium is the browser that all tests share, and what ends it.
var chromium struct {
	sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	// A tab waits for its browser most of the time.
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	flag.Parse()
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

func startChromium(path string) {
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// What an optimising compiler makes of a page comes too late for a test.
		chromedp.Flag("js-flags", "--no-turbofan --no-maglev"),
		// The last two make a new process for every page that is opened.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,BackForwardCache,SpareRendererForSitePerProcess"))...)
	ctx, cancel := chromedp.NewContext(allocator)
	chromium.ctx, chromium.stop = ctx, func() { cancel(); stop() }
	chromium.err = chromedp.Do(ctx)
}

// builtPages serves the pages as they were built.
var builtPages = sync.OnceValue(func() http.Handler { return pagesOf(web.Config{Site: site, Version: version}) })

// startTab gives an empty tab that shares nothing with those of other tests:
// cookies, storage, cache and workers are its own, and it has the focus.
func startTab(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		missing(t, "no Chromium: install it to run the browser tests")
	}
	chromium.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	ctx, _ := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // it was the test that ended, whatever the tab says
	err := chromedp.Do(ctx)
	if err == nil {
		_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithTimeout(ctx, 18*time.Minute)
	t.Cleanup(done)
	return ctx
}

func axeSource(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
		if err == nil {
			return string(source)
		}
		if dir == filepath.Dir(dir) {
			missing(t, "axe-core is not installed: npm ci")
		}
	}
}

// ahead has a script run in every page of the tab before its own.
func ahead(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		t.Fatal(err)
	}
}

// rest waits until what moves has come to rest, and what the size of the screen
// changes is drawn. What moves for ever is a sign of waiting.
func rest(t *testing.T, ctx context.Context) {
	t.Helper()
	until(t, ctx, `document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().endTime === Infinity)`)
	eval[bool](t, ctx, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// axeRun lists what axe finds on the page as it stands by its RULES.
const axeRun = `axe.run(document, {runOnly: RULES, resultTypes: ['violations']})
	.then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '').slice(0, 140)).join(' | ')))`

// allRules are axe's; dressRules those of them that hang on words, colours and
// sizes, so that a page seen once in full need not be asked the rest again.
const (
	allRules   = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`
	dressRules = `{type: 'rule', values: ['button-name', 'link-name', 'label', 'image-alt', 'document-title', 'empty-heading',
		'color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable', 'region']}`
)

// rulesFor are those by which a page is judged in a language: Chinese comes first.
func rulesFor(lang string) string {
	if *dresses || lang == "zh" {
		return allRules
	}
	return dressRules
}

// axe judges the page by some of axe's rules.
func axe(t *testing.T, ctx context.Context, where, rules string) {
	t.Helper()
	if !eval[bool](t, ctx, `Boolean(window.axe)`) {
		eval[bool](t, ctx, axeSource(t)+`; true`)
	}
	for _, broken := range eval[[]string](t, ctx, strings.Replace(axeRun, "RULES", rules, 1)) {
		t.Errorf("%s: %s", where, broken)
	}
}

func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.80s: %v", expression, err)
	}
	return v
}

// until waits until an expression is true in the page. A page that goes elsewhere
// meanwhile takes the question with it, so it is asked again.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		on, err := chromedp.Run(limited, chromedp.Evaluate[bool](`new Promise((done) => {
			const end = Date.now() + 5000
			const look = () => { let on = false; try { on = Boolean(`+expression+`) } catch {} ; on || Date.now() > end ? done(on) : setTimeout(look, 30) }
			look()
		})`, chromedp.EvalAwaitPromise))
		if on {
			return
		}
		if limited.Err() != nil {
			t.Fatalf("never true: %s (%v)\nat %s it says: %s", expression, err, eval[string](t, ctx, `location.href`), eval[string](t, ctx, `document.body.innerText.slice(0, 600)`))
		}
	}
}

// Every page, on a phone and on a desk, by day and by night: it fits, its style
// applies under the policy, axe finds nothing, and no other host is asked.
func TestPages_InABrowser(t *testing.T) {
	t.Parallel()
	ctx := startTab(t)
	ahead(t, ctx, axeSource(t))
	srv := httptest.NewServer(handler())
	defer srv.Close()

	var mu sync.Mutex
	var asked, errors []string
	err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			asked = append(asked, ev.Request.URL)
		case *runtime.EventExceptionThrown:
			errors = append(errors, ev.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"pass": "/V/QFXHG4A", "unbuilt": "/console/?key=s3cr3t-link", "root": "/", "lost": "/nothing",
	} {
		for _, screen := range []struct {
			name          string
			width, height int64
		}{{"phone", 390, 844}, {"desk", 1280, 800}} {
			for _, scheme := range []string{"light", "dark"} {
				where := name + "-" + screen.name + "-" + scheme
				err := chromedp.Do(ctx,
					chromedp.EmulateViewport(screen.width, screen.height),
					chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
						_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
							Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
						})
						return err
					}),
					chromedp.Navigate(srv.URL+path))
				if err != nil {
					t.Fatal(err)
				}
				look(t, ctx, where)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) < 16 {
		t.Errorf("only %d requests were seen", len(asked))
	}
	for _, u := range asked {
		if !strings.HasPrefix(u, srv.URL+"/") {
			t.Errorf("another host was asked: %s", u)
		}
	}
	for _, e := range errors {
		t.Errorf("error in a page: %s", e)
	}
}

func look(t *testing.T, ctx context.Context, where string) {
	t.Helper()
	if got := eval[string](t, ctx, `document.documentElement.lang`); got != "zh-CN" {
		t.Errorf("%s: language %q", where, got)
	}
	if got := eval[string](t, ctx, `getComputedStyle(document.querySelector('section')).borderRadius`); got != "16px" {
		t.Errorf("%s: the style sheet does not apply: %q", where, got)
	}
	if wide := eval[int](t, ctx, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
		t.Errorf("%s: %d px wider than the screen", where, wide)
	}
	if strings.HasPrefix(where, "pass-") {
		// The first language without scrolling, and that there is a second one.
		if low := eval[int](t, ctx, `Math.round(Math.max(document.querySelector('section').getBoundingClientRect().bottom,
			document.querySelector('section[lang=en] li').getBoundingClientRect().bottom) - innerHeight)`); low > 0 {
			t.Errorf("%s: %d px of what must be seen at once are below the screen", where, low)
		}
	}
	if small := eval[int](t, ctx, `Math.round(Math.min(44, ...[...document.querySelectorAll('a')].map((a) => a.getBoundingClientRect().height)))`); small < 44 {
		t.Errorf("%s: a link is %d px high", where, small)
	}
	axe(t, ctx, where, allRules)
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, where+".png"), png, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
