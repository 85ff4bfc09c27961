package web_test

import (
	"context"
	"flag"
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
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
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

// startTab starts a browser with one empty tab.
func startTab(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		missing(t, "no Chromium: install it to run the browser tests")
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithTimeout(ctx, 3*time.Minute)
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

func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.80s: %v", expression, err)
	}
	return v
}

// Every page, on a phone and on a desk, by day and by night: it fits, its style
// applies under the policy, axe finds nothing, and no other host is asked.
func TestPages_InABrowser(t *testing.T) {
	ctx, axe := startTab(t), axeSource(t)
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
				look(t, ctx, where, axe)
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

func look(t *testing.T, ctx context.Context, where, axe string) {
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
	eval[bool](t, ctx, axe+"; true")
	for _, broken := range eval[[]string](t, ctx, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
		.then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 90)).join(' | ')))`) {
		t.Errorf("%s: %s", where, broken)
	}
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
