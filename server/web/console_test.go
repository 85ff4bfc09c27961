package web_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// consoleTab is a browser tab on the console, and what went wrong in it.
type consoleTab struct {
	t   *testing.T
	ctx context.Context
	api *consoleFake

	mu     sync.Mutex
	asked  []string
	errors []string
}

func openConsole(t *testing.T, api *consoleFake) *consoleTab {
	t.Helper()
	c := &consoleTab{t: t, ctx: startTab(t), api: api}
	err := chromedp.Listen(c.ctx, func(ev any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			c.asked = append(c.asked, ev.Request.URL)
		case *runtime.EventExceptionThrown:
			c.errors = append(c.errors, ev.ExceptionDetails.Text+" "+ev.ExceptionDetails.Exception.Description)
		case *runtime.EventConsoleAPICalled:
			if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
				for _, arg := range ev.Args {
					c.errors = append(c.errors, "console: "+string(arg.Value)+arg.Description)
				}
			}
		case *cdplog.EventEntryAdded:
			// Refusals of the server are states of the pages, not faults of theirs.
			if ev.Entry.Source != cdplog.EntrySourceNetwork {
				c.errors = append(c.errors, "log: "+ev.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(c.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(c.ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.clean)
	return c
}

// clean fails the test for whatever no page may do.
func (c *consoleTab) clean() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.asked {
		if !strings.HasPrefix(u, c.api.URL+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") {
			c.t.Errorf("another host was asked: %s", u)
		}
	}
	for _, e := range c.errors {
		c.t.Errorf("error in the page: %s", e)
	}
}

func (c *consoleTab) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, steps...); err != nil {
		c.t.Fatal(err)
	}
}

// size gives the window its measures.
func (c *consoleTab) size(width, height int64) { c.do(chromedp.EmulateViewport(width, height)) }

// scheme has the device prefer light or dark, and no motion.
func (c *consoleTab) scheme(name string) {
	c.t.Helper()
	_, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// open goes to a path of the console and waits until nothing loads any more.
func (c *consoleTab) open(path string) {
	c.t.Helper()
	c.do(chromedp.Navigate(c.api.URL + "/console" + path))
	c.settled()
}

// until waits for a condition in the page.
func (c *consoleTab) until(condition string) {
	c.t.Helper()
	if _, err := chromedp.Run(c.ctx, chromedp.Poll[bool](condition)); err != nil {
		c.t.Fatalf("%s: %v\n%s", condition, err, eval[string](c.t, c.ctx, `document.body.innerText.slice(0, 600)`))
	}
}

func (c *consoleTab) settled() {
	c.t.Helper()
	c.until(`document.querySelector('h1') && !document.querySelector('.bones, .bone, .bar, [aria-busy=true]') && document.fonts.status === 'loaded'`)
}

// text waits until the page says something.
func (c *consoleTab) text(words string) {
	c.t.Helper()
	c.until(`document.body.innerText.includes(` + quote(words) + `)`)
}

// press clicks the button or link of a name.
func (c *consoleTab) press(name string) {
	c.t.Helper()
	c.until(`!!(window.found = [...document.querySelectorAll('button, a, [role=button], [role=menuitem]')].find((b) => b.checkVisibility() && !b.disabled && ((b.getAttribute('aria-label') ?? '') === ` + quote(name) + ` || b.innerText.trim() === ` + quote(name) + `)))`)
	eval[bool](c.t, c.ctx, `window.found.click(), true`)
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}

// allRules are axe's; dressRules those of them that hang on colours and sizes, so
// that a page seen once in full need not be asked the rest again.
const (
	allRules   = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`
	dressRules = `{type: 'rule', values: ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable', 'region']}`
)

// axeRun lists what axe finds on the page as it stands.
const axeRun = `axe.run(document, {runOnly: RULES})
	.then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).slice(0, 4).join(' | ')))`

// judge looks at the page as it stands: language, width, axe.
func (c *consoleTab) judge(where, language string) {
	c.t.Helper()
	c.judgeBy(allRules, where, language)
}

func (c *consoleTab) judgeBy(rules, where, language string) {
	c.t.Helper()
	if got := eval[string](c.t, c.ctx, `document.documentElement.lang`); got != language {
		c.t.Errorf("%s: language %q", where, got)
	}
	if wide := eval[int](c.t, c.ctx, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
		c.t.Errorf("%s: %d px wider than the screen", where, wide)
	}
	for _, broken := range eval[[]string](c.t, c.ctx, strings.Replace(axeRun, "RULES", rules, 1)) {
		c.t.Errorf("%s: %s", where, broken)
	}
	c.shoot(where)
}

func (c *consoleTab) shoot(where string) {
	c.t.Helper()
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, "console-"+where+".png"), png, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// consoleRoutes are the console's pages, each in a state worth looking at.
var consoleRoutes = []struct {
	name, path string
	before     func(*consoleFake)
}{
	{name: "login", path: "/login", before: signedOut},
	{name: "link", path: "/?key=an-invented-key", before: signedOut},
	{name: "password", path: "/", before: func(f *consoleFake) {
		f.set("GET /me", 200, strings.Replace(meJSON, `"must_change":false`, `"must_change":true`, 1))
	}},
	{name: "home", path: "/"},
	{name: "todo", path: "/work/todo"},
	{name: "todo-pass", path: "/work/todo?flow=cqu.work_pass"},
	{name: "done", path: "/work/done"},
	{name: "started", path: "/work/started"},
	{name: "cc-empty", path: "/work/cc"},
	{name: "drafts", path: "/work/drafts"},
	{name: "failed", path: "/work/done", before: func(f *consoleFake) {
		f.set("GET /applications?box=done", 503, refusal("busy", "服务繁忙,请稍后再试 The server is busy, try again later", "{}"))
	}},
	{name: "services", path: "/services"},
	{name: "apply-resident", path: "/services/cqu.resident_pass"},
	{name: "apply-kinds", path: "/services/all.kinds"},
	{name: "edit", path: "/applications/d1/edit"},
	{name: "matter-handler", path: "/applications/a1"},
	{name: "matter-starter", path: "/applications/a2"},
	{name: "matter-missing", path: "/applications/a404"},
	{name: "messages", path: "/messages"},
	{name: "security", path: "/security"},
	{name: "security-password", path: "/security/password"},
	{name: "security-phone", path: "/security/phone"},
	{name: "security-mail", path: "/security/mail"},
	{name: "security-logins", path: "/security/logins"},
	{name: "security-sessions", path: "/security/sessions"},
	{name: "flows", path: "/flows"},
	{name: "flow", path: "/flows/cqu.work_pass"},
	{name: "flow-new", path: "/flows/new"},
	{name: "lost", path: "/no/such/page"},
}

func signedOut(f *consoleFake) {
	f.set("GET /me", 401, refusal("unauthorized", "请先登录 Sign in first", "{}"))
}

// Every page in both languages and schemes on both sizes: axe finds nothing, no
// other host is asked, the policy holds, and nothing is written to the log. The
// language and the scheme change without a reload.
func TestConsole_EveryPageInEveryDress(t *testing.T) {
	axe := axeSource(t)
	for _, route := range consoleRoutes {
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			api := newConsoleFake(t)
			if route.before != nil {
				route.before(api)
			}
			c := openConsole(t, api)
			c.scheme("light")
			c.size(1280, 800)
			c.do(chromedp.Navigate(api.URL + "/console" + route.path))
			c.until(`document.querySelector('h1, [role=alert]') && !document.querySelector('.bones, .bone, .bar, [aria-busy=true]')`)
			eval[bool](t, c.ctx, axe+"; window.stayed = true")
			for _, lang := range []string{"zh-CN", "en"} {
				if lang == "en" {
					c.press("English")
					c.until(`document.documentElement.lang === 'en'`)
				}
				for _, scheme := range []string{"light", "dark"} {
					if !worn(lang[:2], scheme) {
						continue
					}
					c.scheme(scheme)
					c.until(`document.documentElement.classList.contains('dark') === ` + map[string]string{"light": "false", "dark": "true"}[scheme])
					for _, width := range []int64{1280, 1920} {
						if width != 1280 && !*dresses {
							continue
						}
						c.size(width, map[int64]int64{1280: 800, 1920: 1080}[width])
						rules := dressRules
						if scheme == "light" && width == 1280 {
							rules = allRules
						}
						c.judgeBy(rules, strings.Join([]string{route.name, lang[:2], scheme, map[int64]string{1280: "1280", 1920: "1920"}[width]}, "-"), lang)
					}
				}
			}
			if *dresses {
				c.scheme("light")
				c.size(768, 1024)
				c.judge(route.name+"-en-light-768", "en")
			}
			if !eval[bool](t, c.ctx, `window.stayed === true`) {
				t.Error("the page was loaded again")
			}
		})
	}
}
