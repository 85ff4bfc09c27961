package web_test

import (
	"context"
	"fmt"
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
	t     *testing.T
	ctx   context.Context
	api   *consoleFake
	plain bool // it shows a page as it came: whoever looks at another one may leave it

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

// hand gives the tab to a subtest, as if it were new.
func (c *consoleTab) hand(t *testing.T) {
	t.Helper()
	c.t = t
	c.api.reset()
	c.do(chromedp.Navigate(c.api.URL + "/console/icon.svg"))
	eval[bool](t, c.ctx, `localStorage.clear(), sessionStorage.clear(), true`)
}

// clean fails the test for whatever no page may do.
func (c *consoleTab) clean() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.asked, c.errors = nil, nil }()
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

// still is the condition of a page on which nothing loads any more.
const still = `!document.querySelector('.bones, .bone, .bar, [aria-busy=true]') && document.fonts.status === 'loaded'`

func (c *consoleTab) until(condition string) { c.t.Helper(); until(c.t, c.ctx, condition) }

func (c *consoleTab) settled() {
	c.t.Helper()
	c.until(`document.querySelector('h1') && ` + still)
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

// judge looks at the page as it stands: language, width, axe.
func (c *consoleTab) judge(where, language string) {
	c.t.Helper()
	c.judgeBy(allRules, where, language)
}

func (c *consoleTab) judgeBy(rules, where, language string) {
	c.t.Helper()
	rest(c.t, c.ctx)
	if got := eval[string](c.t, c.ctx, `document.documentElement.lang`); got != language {
		c.t.Errorf("%s: language %q", where, got)
	}
	if wide := eval[int](c.t, c.ctx, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
		c.t.Errorf("%s: %d px wider than the screen", where, wide)
	}
	axe(c.t, c.ctx, where, rules)
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

// consoleRoute is a page of the console in a state worth looking at.
type consoleRoute struct {
	name, path string
	before     func(*consoleFake) // what the server says otherwise
	after      func(*consoleTab)  // what is done on the page
}

// consoleRoutes are the pages that everybody has.
var consoleRoutes = []consoleRoute{
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
func TestConsole_EveryPageInEveryDress(t *testing.T) { judgeRoutes(t, consoleRoutes) }

func TestConsole_AdministrationInEveryDress(t *testing.T) { judgeRoutes(t, adminRoutes) }

// judgeRoutes judges pages in two tabs at a time.
func judgeRoutes(t *testing.T, routes []consoleRoute) {
	t.Parallel()
	tabs := make(chan *consoleTab, 2)
	for range cap(tabs) {
		c := openConsole(t, newConsoleFake(t))
		ahead(t, c.ctx, axeSource(t))
		tabs <- c
	}
	for _, route := range routes {
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			c := <-tabs
			whole := c.t
			t.Cleanup(func() {
				c.clean()
				c.t = whole
				c.plain = !t.Failed() && route.before == nil && route.after == nil
				tabs <- c
			})
			if c.plain && route.before == nil {
				c.turn(t, route.path)
			} else {
				c.hand(t)
				if route.before != nil {
					route.before(c.api)
				}
				c.scheme("light")
				c.size(1280, 800)
				c.do(chromedp.Navigate(c.api.URL + "/console" + route.path))
			}
			c.until(`document.querySelector('h1, [role=alert]') && ` + still)
			if route.after != nil {
				route.after(c)
			}
			c.wear(route.name)
		})
	}
}

// turn goes from a page to another one by the router, which is quicker than to load
// the program again. The page that is lost lies between them, so that no part of
// the old one can be taken for the new one.
func (c *consoleTab) turn(t *testing.T, path string) {
	t.Helper()
	c.t = t
	c.api.reset()
	c.scheme("light")
	c.size(1280, 800)
	c.press("中文")
	c.until(`document.documentElement.lang === 'zh-CN'`)
	const nowhere, lost = "/no/such/page", `document.querySelector('h1')?.innerText === '没有这个页面'`
	turn := func(path, until string) {
		eval[bool](t, c.ctx, `history.pushState({}, '', '/console'+`+quote(path)+`), dispatchEvent(new PopStateEvent('popstate')), true`)
		c.until(until)
	}
	turn(nowhere, lost)
	if path != nowhere {
		turn(path, "!("+lost+")")
	}
}

// wear judges the page as it stands in every dress, without a reload: by every
// rule once, and in its other dresses by those of dresses.
func (c *consoleTab) wear(name string) {
	c.t.Helper()
	eval[bool](c.t, c.ctx, "window.stayed = true")
	for _, lang := range []string{"zh-CN", "en"} {
		rules := rulesFor(lang[:2])
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
			for _, screen := range [][2]int64{{1280, 800}, {1920, 1080}} {
				if screen[0] != 1280 && !*dresses {
					continue
				}
				c.size(screen[0], screen[1])
				c.judgeBy(rules, fmt.Sprintf("%s-%s-%s-%d", name, lang[:2], scheme, screen[0]), lang)
				rules = dressRules
			}
		}
	}
	if *dresses {
		c.scheme("light")
		c.size(768, 1024)
		c.judge(name+"-en-light-768", "en")
	}
	if !eval[bool](c.t, c.ctx, `window.stayed === true`) {
		c.t.Error("the page was loaded again")
	}
}
