package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// phoneTab is a phone's browser with the pages of one server.
type phoneTab struct {
	*testing.T
	ctx  context.Context
	srv  *phoneServer
	lang string
	dots float64 // of the screen to a px

	mu     sync.Mutex
	asked  []string
	broken []string // errors in pages, also breaches of the policy
}

func openPhone(t *testing.T, srv *phoneServer) *phoneTab {
	t.Helper()
	p := &phoneTab{T: t, ctx: startTab(t), srv: srv, lang: "zh", dots: 1}
	err := chromedp.Listen(p.ctx, func(ev any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			p.asked = append(p.asked, ev.Request.URL)
		case *runtime.EventExceptionThrown:
			p.broken = append(p.broken, ev.ExceptionDetails.Text+" "+string(ev.ExceptionDetails.Exception.Description))
		case *runtime.EventConsoleAPICalled:
			if ev.Type == "error" || ev.Type == "warning" {
				text, _ := json.Marshal(ev.Args)
				p.broken = append(p.broken, string(text))
			}
		case *log.EventEntryAdded:
			// A refusal that a test asked for is no fault of the page.
			if ev.Entry.Level == "error" && ev.Entry.Source != "network" {
				p.broken = append(p.broken, ev.Entry.Text)
			}
		}
	})
	if err == nil {
		_, err = chromedp.Call(p.ctx, network.Enable, network.EnableParams{})
	}
	if err == nil {
		_, err = chromedp.Call(p.ctx, log.Enable, cdp.Empty{})
	}
	if err != nil {
		t.Fatal(err)
	}
	p.size(390, 844)
	return p
}

func (p *phoneTab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

func (p *phoneTab) size(width, height int64) {
	p.Helper()
	p.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(p.dots), chromedp.EmulateMobile, chromedp.EmulateTouch))
}

// dress sets language and scheme of the pages that are opened next.
func (p *phoneTab) dress(lang, scheme string) {
	p.Helper()
	p.lang = lang
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}), chromedp.Navigate(p.srv.URL+"/m/icon.svg"))
	eval[bool](p.T, p.ctx, `localStorage.setItem('cg-lang', '`+lang+`'), true`)
}

func (p *phoneTab) open(path, ready string) {
	p.Helper()
	p.do(chromedp.Navigate(p.srv.URL + "/m" + path))
	p.until(ready)
}

func (p *phoneTab) until(expression string) { p.Helper(); until(p.T, p.ctx, expression) }

// tap presses what has this name for a screen reader, or this text.
func (p *phoneTab) tap(name string) {
	p.Helper()
	quoted, _ := json.Marshal(name)
	find := `[...document.querySelectorAll('button,a,[role=button],[role=tab],summary')].filter((e) => e.checkVisibility() && ((e.getAttribute('aria-label') ?? '') === ` +
		string(quoted) + ` || e.innerText.replace(/\s+/g, ' ').trim() === ` + string(quoted) + `)).pop()`
	p.until(find)
	eval[bool](p.T, p.ctx, find+`.click(), true`)
}

func (p *phoneTab) says(words string) {
	p.Helper()
	quoted, _ := json.Marshal(words)
	p.until(`document.body.innerText.includes(` + string(quoted) + `)`)
}

// clean fails for every fault that a page had, and for every other host.
func (p *phoneTab) clean() {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.broken {
		p.Errorf("error in a page: %s", b)
	}
	for _, u := range p.asked {
		if !strings.HasPrefix(u, p.srv.URL+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") {
			p.Errorf("another host was asked: %s", u)
		}
	}
	if len(p.asked) < 5 {
		p.Errorf("only %d requests were seen", len(p.asked))
	}
}

// judge holds a page against what every page must be.
func (p *phoneTab) judge(where string) {
	p.Helper()
	rest(p.T, p.ctx)
	p.shoot(where)
	want := map[string]string{"zh": "zh-CN", "en": "en"}[p.lang]
	if got := eval[string](p.T, p.ctx, `document.documentElement.lang`); got != want {
		p.Errorf("%s: language %q", where, got)
	}
	for _, fault := range eval[[]string](p.T, p.ctx, phoneFaults) {
		p.Errorf("%s: %s", where, fault)
	}
	axe(p.T, p.ctx, where, rulesFor(p.lang))
	p.size(320, 700)
	if wide := eval[int](p.T, p.ctx, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
		p.Errorf("%s: %d px wider than a screen of 320", where, wide)
	}
	p.size(390, 844)
}

// phoneFaults looks for what axe does not: width, small targets, small text.
const phoneFaults = `(() => {
	const faults = []
	const wide = document.scrollingElement.scrollWidth - innerWidth
	if (wide > 0) faults.push(wide + ' px wider than the screen')
	if (parseFloat(getComputedStyle(document.body).fontSize) < 16) faults.push('text below 16 px')
	for (const e of document.querySelectorAll('button, a[href], input:not(.only-read), textarea, [role=button], summary')) {
		if (!e.checkVisibility()) continue
		const box = (e.matches('input, textarea') ? e.closest('.van-field, .van-search, .van-checkbox, label') ?? e : e).getBoundingClientRect()
		if (box.height < 43.5 || box.width < 43.5) faults.push('target of ' + Math.round(box.width) + ' by ' + Math.round(box.height) + ': ' + e.outerHTML.slice(0, 110))
	}
	for (const e of document.querySelectorAll('body *')) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
		if (own && e.checkVisibility() && parseFloat(getComputedStyle(e).fontSize) < 13) faults.push('tiny text: ' + e.outerHTML.slice(0, 90))
	}
	return faults
})()`

func (p *phoneTab) shoot(where string) {
	p.Helper()
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, "phone-"+where+".png"), png, 0o600)
	}
	if err != nil {
		p.Fatal(err)
	}
}

// phoneRoute is a page in a state. Without then it is judged as it opens.
type phoneRoute struct {
	name, path, ready string
	out               bool   // nobody is signed in
	call, answer      string // what the server says otherwise in this state
	then              func(*phoneTab)
}

var phoneRoutes = []phoneRoute{
	{name: "login", path: "/login", ready: `document.querySelector('input[name=phone]')`, out: true},
	{name: "login-wrong", path: "/login?to=/apply/resident", ready: `document.querySelector('input[name=phone]')`, out: true, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "进入", "en": "Sign in"}[p.lang])
		p.until(`document.querySelector('.van-field__error-message')`)
	}},
	{name: "login-number", path: "/login", ready: `document.querySelector('input[name=phone]')`, out: true, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "工号登录", "en": "Staff number"}[p.lang])
		p.until(`document.querySelector('input[name=password]')?.checkVisibility()`)
	}},
	{name: "login-failed", path: "/login", out: true, ready: `document.querySelector('.state')`, call: "GET /login/ways", answer: `503 {"code":"busy","message":"服务器繁忙 the server is busy","details":{},"request_id":"r9"}`},
	{name: "password", path: "/password", ready: `document.querySelector('input[name=old]')`},
	{name: "passes", path: "/passes", ready: `document.querySelectorAll('.pass').length === 5`},
	{name: "passes-none", path: "/passes", ready: `document.querySelector('.state')`, call: "GET /me/passes", answer: `{"items":[]}`},
	{name: "pass-single", path: "/passes/" + phoneSingle, ready: `document.querySelector('.qr')`},
	{name: "pass-live", path: "/passes/" + phoneWork, ready: `document.querySelector('.qr')`},
	{name: "pass-elsewhere", path: "/passes/" + phoneElsewhere, ready: `document.querySelector('.ask')`},
	{name: "pass-used", path: "/passes/" + phoneUsed, ready: `document.querySelector('.over')`},
	{name: "pass-revoked", path: "/passes/" + phoneRevoked, ready: `document.querySelector('.over')`},
	{name: "apply", path: "/apply", ready: `document.querySelectorAll('.service').length === 5`},
	{name: "form-resident", path: "/apply/resident", ready: `document.querySelector('[data-field=room]')`},
	{name: "form-faults", path: "/apply/resident", ready: `document.querySelector('[data-field=room]')`, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "提交", "en": "Submit"}[p.lang])
		p.until(`document.querySelectorAll('.pick-fault').length > 2`)
	}},
	{name: "form-options", path: "/apply/resident", ready: `document.querySelector('[data-field=type]')`, then: func(p *phoneTab) {
		eval[bool](p.T, p.ctx, `document.querySelector('[data-field=type] button').click(), true`)
		p.until(`document.querySelectorAll('.sheet-choice').length === 2`)
	}},
	{name: "form-work", path: "/apply/cqu.work_pass", ready: `document.querySelector('[data-field=files]')`},
	{name: "form-date", path: "/apply/cqu.work_pass", ready: `document.querySelector('[data-field=start]')`, then: func(p *phoneTab) {
		eval[bool](p.T, p.ctx, `document.querySelector('[data-field=start] .pick-button').click(), true`)
		p.until(`document.querySelector('.days-one')`)
	}},
	{name: "form-person", path: "/apply/cqu.work_pass", ready: `document.querySelector('[data-field=leader]')`, then: func(p *phoneTab) {
		eval[bool](p.T, p.ctx, `document.querySelector('[data-field=leader] button').click(), true`)
		p.until(`document.querySelector('.people input')`)
		eval[bool](p.T, p.ctx, `(() => { const i = document.querySelector('.people input'); i.value = '周'; i.dispatchEvent(new Event('input')); return true })()`)
		p.until(`document.querySelectorAll('.people-one').length === 2`)
	}},
	{name: "matters", path: "/applications", ready: `document.querySelectorAll('.matter').length === 3`},
	{name: "matters-todo", path: "/applications?box=todo", ready: `document.querySelectorAll('.matter').length === 1`},
	{name: "matters-failed", path: "/applications?box=cc", ready: `document.querySelector('.state')`, call: "GET /applications", answer: `500 {"code":"internal","message":"服务器内部错误 an internal error","details":{},"request_id":"r7"}`},
	{name: "matter", path: "/applications/m1", ready: `document.querySelector('.van-step')`},
	{name: "matter-handle", path: "/applications/m5", ready: `document.querySelector('.handle')`, then: func(p *phoneTab) {
		eval[bool](p.T, p.ctx, `document.querySelector('.handle').scrollIntoView({block: 'center'}), true`)
	}},
	{name: "matter-transfer", path: "/applications/m5", ready: `document.querySelector('.acts')`, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "加签", "en": "Add signer"}[p.lang])
		p.until(`document.querySelector('.places')`)
	}},
	{name: "matter-rate", path: "/applications/m1", ready: `document.querySelector('.acts')`, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "评价", "en": "Rate"}[p.lang])
		p.until(`document.querySelector('.stars input')`)
	}},
	{name: "matter-terminate", path: "/applications/m1", ready: `document.querySelector('.acts')`, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "终止", "en": "Terminate"}[p.lang])
		p.until(`document.querySelector('.ask-grave')`)
	}},
	{name: "messages", path: "/messages", ready: `document.querySelectorAll('.message').length === 3`},
	{name: "me", path: "/me", ready: `document.querySelector('.who')`},
	{name: "me-logout", path: "/me", ready: `document.querySelector('.who')`, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "退出登录", "en": "Sign out"}[p.lang])
		p.until(`document.querySelector('.leave')`)
	}},
	{name: "security", path: "/me/security", ready: `document.querySelectorAll('.row').length === 3`},
	{name: "security-phone", path: "/me/security", ready: `document.querySelectorAll('.row').length === 3`, then: func(p *phoneTab) {
		p.tap(map[string]string{"zh": "修改 安全手机", "en": "Change Safe phone"}[p.lang])
		p.until(`document.querySelector('input[name=code]')`)
	}},
	{name: "logins", path: "/me/logins", ready: `document.querySelectorAll('.row').length === 2`},
	{name: "sessions", path: "/me/sessions", ready: `document.querySelectorAll('.one').length === 2`},
	{name: "lost", path: "/nothing/here", ready: `document.querySelector('.state')`},
}

const phoneSignedOut = `401 {"code":"no_token","message":"需要登录 sign in first","details":{},"request_id":"r0"}`

// Every page and state, in both languages, by day and by night: it fits, its
// targets can be hit, axe finds nothing, nothing breaks and no other host is asked.
func TestPhone_EveryPageInEveryDress(t *testing.T) {
	t.Parallel()
	everyDress(t, phoneRoutes)
}

func everyDress(t *testing.T, routes []phoneRoute) {
	t.Helper()
	for _, lang := range []string{"zh", "en"} {
		for _, scheme := range []string{"light", "dark"} {
			if !worn(lang, scheme) {
				continue
			}
			t.Run(lang+"-"+scheme, func(t *testing.T) {
				t.Parallel()
				srv := newPhoneServer(t)
				p := openPhone(t, srv)
				ahead(t, p.ctx, axeSource(t))
				p.dress(lang, scheme)
				for _, r := range routes {
					undo, in := func() {}, func() {}
					if r.call != "" {
						undo = srv.set(r.call, r.answer)
					}
					if r.out {
						in = srv.set("GET /me", phoneSignedOut)
						p.forget()
					}
					p.open(r.path, r.ready)
					if r.then != nil {
						r.then(p)
					}
					p.judge(fmt.Sprintf("%s-%s-%s", r.name, lang, scheme))
					undo()
					in()
				}
				p.clean()
			})
		}
	}
}

// forget empties the phone, as if these pages had never been open on it. The
// worker goes too: it would serve an earlier build.
func (p *phoneTab) forget() {
	p.Helper()
	p.do(chromedp.Navigate(p.srv.URL + "/m/icon.svg"))
	eval[bool](p.T, p.ctx, `(async () => {
		for (const r of await navigator.serviceWorker.getRegistrations()) await r.unregister()
		for (const d of await indexedDB.databases()) await new Promise((done) => { const q = indexedDB.deleteDatabase(d.name); q.onsuccess = q.onerror = q.onblocked = done })
		localStorage.clear(); localStorage.setItem('cg-lang', '`+p.lang+`')
		return true
	})()`)
}
