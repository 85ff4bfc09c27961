package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"campusgate/agent/call"
	"campusgate/agent/console"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// callDesk is a guard's page, with calls.
func callDesk(t *testing.T, screen size, scripts ...string) (*tab, *phonebook, *gauge) {
	t.Helper()
	d, g, p := newDesk(), newGauge(), newPhonebook()
	g.set(func(s *console.Status) { s.Shift.Required, s.Shift.Guard = true, &onDuty })
	srv := served(t, d, g, func(c *console.Config) { c.Calls, c.Guards = p, &post{gauge: g} })
	b := open(t, srv.URL, screen, scripts...)
	b.press("x")
	b.until(`!document.querySelector('[data-banner=sound]')`)
	return b, p, g
}

var documentCall = call.View{
	Ring: wire.Ring{
		Gate: 9, Lane: "入口", Reason: wire.CallDocument, Scan: "s1",
		Subject: &wire.Subject{Kind: signing.Work, Name: "苏念安", Doc4: "5521"},
	},
	GateName: "后门", State: wire.CallRinging,
}

func TestCallsRingAndAreAnsweredByKeyboard(t *testing.T) {
	t.Parallel()
	b, p, _ := callDesk(t, till1024, listening)
	v := p.put(documentCall)
	b.until(`document.querySelector('.call-row[data-waits=true]')`)
	if got := b.text(".call-row"); !strings.Contains(got, "后门 · 入口") || !strings.Contains(got, "核对证件") || !strings.Contains(got, "苏念安") {
		t.Errorf("it rings as %q", got)
	}
	b.until(`window.tones.length >= 8`)
	b.shoot("call-rings")
	b.press("j")
	b.until(`document.querySelector('dialog .call-name')`)
	if got := b.text("dialog .call-who"); got != "苏念安 证件后四位 5521 种类 工作通行码" && !strings.Contains(got, "5521") {
		t.Errorf("to compare: %q", got)
	}
	if !eval[bool](b, `document.querySelector('[data-key=call-admit]').disabled`) {
		t.Error("admitted without a document")
	}
	b.until(`document.activeElement.dataset.document`)
	b.call(chromedp.Click(chromedp.CSS(`dialog [data-document=work_permit]`)))
	b.until(`!document.querySelector('[data-key=call-admit]').disabled`)
	for _, lang := range []string{"zh", "en"} {
		for _, broken := range b.axe(allRules) {
			t.Errorf("dialog, %s: %s", lang, broken)
		}
		b.shoot("call-dialog-" + lang)
		b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('.keys [data-key=language]').click()`))
	}
	b.call(chromedp.Click(chromedp.CSS(`[data-key=call-admit]`)))
	b.until(`!document.querySelector('dialog')`)
	p.move("", func(v *call.View) { v.State, v.Guard, v.ByName = wire.CallAdmitted, "G0021", "北门" })
	b.until(`document.querySelector('.call-row[data-state=admitted]')`)
	if got := b.text(".call-row small"); got != "已放行" {
		t.Errorf("what became of it: %q", got)
	}
	p.clear()
	b.until(`!document.querySelector('.calls')`)

	h := p.put(call.View{Ring: wire.Ring{ID: "9-1-8", Gate: 9, Lane: "入口", Reason: wire.CallHelp}, GateName: "后门", State: wire.CallRinging})
	b.until(`document.querySelector('.call-row')`)
	b.press("j")
	b.until(`document.activeElement.dataset.key === 'call-coming'`)
	b.press("\r")
	b.until(`!document.querySelector('dialog')`)
	want := []string{"answer " + v.ID + " admit work_permit", "answer " + h.ID + " coming "}
	if got := p.heard(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestServiceCornerShowsDevicesChecksAndHelp(t *testing.T) {
	t.Parallel()
	b, _, g := callDesk(t, till1024, `{ const real = window.fetch
		window.fetch = (u, o) => String(u).endsWith('/doctor')
			? Promise.resolve(new Response(JSON.stringify({checks: [
				{name: '数据库 store', ok: true, detail: 'durable', advice: ''},
				{name: '时钟 clock', ok: false, detail: 'never compared', advice: 'connect it once'}]}), {headers: {'Content-Type': 'application/json'}}))
			: real(u, o) }`)
	g.set(func(s *console.Status) { s.Lanes[0].Scanner.State, s.Lanes[0].Scanner.Detail = "lost", "no such file" })
	b.press("v")
	b.until(`document.querySelectorAll('dialog [data-checks] li').length === 2`)
	if got := b.text("dialog [data-checks] [data-ok=false]"); !strings.Contains(got, "never compared") || !strings.Contains(got, "connect it once") {
		t.Errorf("the failed check says %q", got)
	}
	b.until(`document.querySelector('dialog .checks').innerText.includes('no such file')`)
	for _, broken := range b.axe(allRules) {
		t.Error(broken)
	}
	b.shoot("service")
	if got := eval[string](b, `[...document.querySelectorAll('dialog .links a')].map((a) => a.getAttribute('href')).join(' ')`); got != "/help/guard?lang=zh /help/installer?lang=zh /api/v1/support" {
		t.Errorf("links %q", got)
	}
	b.press("\x1b")
	b.until(`!document.querySelector('dialog')`)
	g.set(func(s *console.Status) { s.Shift.Guard = nil })
	b.until(`document.querySelector('[data-banner=shift]')`)
	b.press("v")
	b.until(`document.querySelector('dialog [data-key=login]')`)
	if eval[bool](b, `!!document.querySelector('dialog [data-checks]')`) {
		t.Error("checks are shown while nobody is on duty")
	}
}

// The one-page helps, in both languages, by day, by night and on paper.
func TestHelpPagesFitOneSheetAndAreAccessible(t *testing.T) {
	t.Parallel()
	home := served(t, newDesk(), newGauge(), nil).URL
	for _, name := range []string{"guard", "cashier", "installer"} {
		b := openPage(t, home+"/help/"+name+"?lang=zh", desk8, `document.querySelector('.sheet h1')`)
		for _, d := range []dress{{"zh", "light"}, {"en", "dark"}} {
			b.wear(d)
			if eval[string](b, `document.documentElement.lang`)[:2] != d.lang {
				b.call(chromedp.Click(chromedp.CSS(`[data-key=language]`)))
			}
			b.until(`document.documentElement.lang.startsWith('` + d.lang + `')`)
			for _, broken := range b.axe(allRules) {
				t.Errorf("%s %v: %s", name, d, broken)
			}
			for _, screen := range []size{phone, desk8} {
				b.resize(screen)
				if wide := eval[int](b, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
					t.Errorf("%s %v: %d px wider than %s", name, d, wide, screen.name)
				}
			}
			// A4 without its margins, at 96 dots to the inch.
			b.media("print")
			b.resize(size{"paper", 703, 1040})
			if high := eval[int](b, `document.querySelector('.sheet').scrollHeight`); high > 1040 {
				t.Errorf("%s in %s takes %d px of 1040 on paper", name, d.lang, high)
			}
			b.shoot("help-" + name + "-" + d.lang)
			b.media("")
			b.resize(desk8)
		}
	}
}

func TestCalls_WhatTheyRefuse(t *testing.T) {
	d, g, p := newDesk(), newGauge(), newPhonebook()
	srv := served(t, d, g, func(c *console.Config) { c.Calls = p })
	for name, c := range map[string]struct {
		fail       error
		path, body string
		status     int
		code       string
	}{
		"unknown":   {call.ErrNoCall, "/calls/9-9-9/answer", `{"answer":"coming"}`, 404, "unknown_call"},
		"over":      {call.ErrOver, "/calls/9-9-9/answer", `{"answer":"coming"}`, 409, "call_over"},
		"nonsense":  {call.ErrAnswer, "/calls/9-9-9/answer", `{"answer":"later"}`, 422, "bad_answer"},
		"document":  {nil, "/calls/9-9-9/answer", `{"answer":"admit","documents":["moon_pass"]}`, 422, "unknown_document"},
		"not JSON":  {nil, "/calls/9-9-9/answer", `{"answer":`, 400, "bad_json"},
		"no kiosk":  {nil, "/kiosk/calls", `{}`, 404, "not_found"},
		"no cancel": {nil, "/kiosk/calls/1/cancel", `{}`, 404, "not_found"},
	} {
		p.mu.Lock()
		p.fail = c.fail
		p.mu.Unlock()
		if got := send(t, "POST", srv.URL+"/api/v1"+c.path, c.body); got.status != c.status && got.status != 405 || !strings.Contains(got.body, c.code) && got.status != 405 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// At a kiosk whoever stands there may scan and call for help, and nothing else:
// every other route wants the key of the guard on duty, and loses it with the
// shift.
func TestKiosk_AnythingElseWantsTheGuardsKey(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	k.publish(question)
	closed := map[string]string{
		"GET /scans": "", "POST /scans/s1/answer": `{"document":"id_card"}`, "POST /scans/s1/annul": `{}`, "POST /entries": `{"rule":"staff"}`,
		"GET /passes?q=ou": "", "GET /registers": "", "GET /calls": "", "POST /calls/1/answer": `{"answer":"coming"}`, "DELETE /shift": "", "GET /feed": "",
	}
	try := func(route, body string, headers ...string) reply {
		method, path, _ := strings.Cut(route, " ")
		return send(t, method, k.home+"/api/v1"+path, body, append([]string{"Content-Type", "application/json"}, headers...)...)
	}
	for route, body := range closed {
		if got := try(route, body); got.status != http.StatusForbidden || !strings.Contains(got.body, "no_shift") {
			t.Errorf("%s: %d %s", route, got.status, got.body)
		}
	}
	if asked := k.asked(); len(asked) > 0 {
		t.Errorf("the desk was asked all the same: %q", asked)
	}
	for route, body := range map[string]string{
		"GET /status": "", "GET /texts": "", "POST /scans": `{"text":"x"}`, "POST /kiosk/calls": `{}`, "POST /kiosk/calls/7-1-1/cancel": `{}`,
	} {
		if got := try(route, body); got.status >= 300 {
			t.Errorf("%s: %d %s", route, got.status, got.body)
		}
	}
	var on struct{ Key string }
	try("POST /shift", `{"number":"G0021","pin":"470318"}`).json(t, &on)
	if got := try("GET /scans", "", "X-Guard-Key", on.Key); got.status != http.StatusOK {
		t.Errorf("with the key: %d %s", got.status, got.body)
	}
	if got := try("GET /scans", "", "X-Guard-Key", strings.Repeat("0", 32)); got.status != http.StatusForbidden {
		t.Errorf("with another key: %d", got.status)
	}
	// The guard's feed ends with the shift.
	address := "ws" + strings.TrimPrefix(k.home, "http") + "/api/v1/feed?page=guard&key=" + on.Key
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	k.gauge.set(func(s *console.Status) { s.Shift.Guard = nil })
	if err := ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = ws.ReadMessage()
	}
	if !websocket.IsCloseError(err, 4401) {
		t.Errorf("the feed ended with %v", err)
	}
	if got := try("GET /scans", "", "X-Guard-Key", on.Key); got.status != http.StatusForbidden {
		t.Errorf("after the shift: %d", got.status)
	}
}

// The guard's page at a kiosk begins with a login, which lasts as long as the tab.
func TestKiosk_TheGuardsPageWantsALogin(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	b := openPage(t, k.home+"/guard", till1024, `document.querySelector('.service-login')`)
	for _, broken := range b.axe(allRules) {
		t.Error(broken)
	}
	b.shoot("kiosk-login")
	b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('#guard-number').focus()`))
	b.person("G0021\t470318\r")
	b.until(`document.querySelector('.keys [data-key=entry]') && document.querySelector('.stage .where')`)
	b.call(chromedp.Reload())
	b.until(`document.querySelector('.stage .where')`)
	k.gauge.set(func(s *console.Status) { s.Shift.Guard = nil })
	b.until(`document.querySelector('.service-login')`)
}
