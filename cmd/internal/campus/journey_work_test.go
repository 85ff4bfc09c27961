package campus_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/devices"
	"campusgate/signing/verdict"
)

// keysOf tells what the page's database holds of keys.
const keysOf = `new Promise((done, fail) => {
	const q = indexedDB.open('campusgate')
	q.onerror = () => fail(q.error)
	q.onsuccess = () => {
		const all = q.result.transaction('keys').objectStore('keys').getAll()
		all.onsuccess = () => done(all.result.map((k) => [k.pass, k.key.type, k.key.algorithm.namedCurve, k.key.extractable, k.credential.length > 0].join(' ')))
	}
})`

// offline cuts the phone's line, and its system says so; or mends it.
func offline(p *tab, line *campus.Network, off bool) {
	p.Helper()
	line.Cut(off)
	if _, err := chromedp.Call(p.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: off, DownloadThroughput: -1, UploadThroughput: -1,
	}); err != nil {
		p.Fatal(err)
	}
}

// ownPassword is what people choose here.
const ownPassword = "wisteria-72-over-the-gate"

// firstPassword signs in with the password that an administrator gave, and
// replaces it as the page asks.
func firstPassword(p *tab, c *campus.Campus, number string) {
	p.Helper()
	var given struct {
		Password string `json:"password"`
	}
	if err := c.Client.Do(p.Context(), http.MethodPost, "/api/v1/people/"+number+"/password", nil, &given); err != nil {
		p.Fatal(err)
	}
	signInByNumber(p, number, given.Password)
	p.until(`location.pathname === '/m/password'`)
	p.enter(`input[name=old]`, given.Password)
	p.enter(`input[name=new]`, ownPassword)
	p.enter(`input[name=again]`, ownPassword)
	p.tap("设置密码")
}

func signInByNumber(p *tab, number, password string) {
	p.Helper()
	p.tap("工号登录")
	p.enter(`input[name=number]`, number)
	p.enter(`input[name=password]`, password)
	p.tap("登录")
}

// agree has the head of the unit agree, in the console.
func agree(p *tab, c *campus.Campus, phone string) {
	p.Helper()
	p.open("/console/work/todo")
	p.tap("手机验证码登录")
	p.enter(`#login-phone`, phone)
	p.tap("获取验证码")
	p.enter(`#login-code`, texted(p, c, phone))
	p.press(`form.sign-in button[type=submit]`)
	p.until(`location.pathname === '/console/work/todo'`)
	p.says("周敏")
	p.press(`a[href^="/console/applications/"]`)
	p.says("处理信息")
	p.enter(`#handle-opinion`, "同意，注意安全")
	p.tap("同意")
	p.says("已完成")
}

// A member of staff applies for a work pass, the head of the unit agrees, and the
// phone that holds the pass opens the gate without a network, also after a cold
// start. A screenshot opens nothing, and neither does a pass that was given up.
func TestJourney_CQ007_CQ008_CQ063_CQ065_CQ066_CQ068_CQ072_CQ073_CQ076_CQ077_CQ091_StaffComeToWork(t *testing.T) {
	t.Parallel()
	c, line := populated(t)
	gate := c.Gates[0]
	relay, scanner := campustest.Watch(t, gate), plug(t, gate)
	base, folder := "http://"+line.Addr(), t.TempDir()
	browser := chromiumIn(t, folder)
	p := newTab(t, browser, base, 390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))

	p.open("/m/apply/cqu.work_pass")
	p.until(`location.pathname === '/m/login'`)
	firstPassword(p, c, applicant)
	p.until(`document.querySelector('[data-field=end]')`)
	p.says("周敏")
	p.says("计算机学院")
	p.press(`[data-field=start] .near-day:nth-child(1)`)
	p.press(`[data-field=end] .near-day:nth-child(3)`)
	p.enter(`textarea[name=reason]`, "实验室设备检修")
	p.tap("提交")
	p.until(`location.pathname.startsWith('/m/applications/')`)
	matter := eval[string](p, `location.pathname`)

	agree(office(t, browser, c.Client.Base), c, headPhone)
	p.open(matter)
	p.tap("我的通行码")
	p.code()
	pass := strings.TrimPrefix(eval[string](p, `location.pathname`), "/m/passes/")
	if keys := eval[[]string](p, keysOf); len(keys) != 1 || keys[0] != pass+" private P-256 false true" {
		t.Errorf("the phone holds the keys %v", keys)
	}
	p.until(`navigator.serviceWorker.controller`)

	offline(p, line, true)
	live := p.code()
	if !strings.HasPrefix(live, "CP1:") {
		t.Fatalf("the live code says %.20q", live)
	}
	scanner.scan(t, live)
	admitted := time.Now()
	if r := shown(t, gate, 1); r.Reason != verdict.Granted || !r.Opens || r.Name != "周敏" {
		t.Fatalf("the live code of a phone without a network: %+v", r)
	}
	relay.Await(t, 1)

	// The phone is switched off and on again; there still is no network.
	if err := chromedp.Cancel(browser); err != nil {
		t.Fatal(err)
	}
	browser = chromiumIn(t, folder)
	picture := screenshot(t, browser, base, pass, 40*time.Second)
	p = newTab(t, browser, base, 390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
	p.open("/m/passes/" + pass)
	p.code()
	if !line.IsCut() {
		t.Fatal("the line is not cut")
	}
	scanner.scan(t, picture)
	if r := shown(t, gate, 2); r.Reason != verdict.ProofStale || r.Opens {
		t.Errorf("a screenshot of 40 s ago: %+v", r)
	}
	// Before, it would be the same person again.
	again, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := campus.Until(again, func() (bool, error) { return time.Since(admitted) > verdict.RepeatMS*time.Millisecond, nil }); err != nil {
		t.Fatal(err)
	}
	scanner.scan(t, p.code())
	scanned := time.Now()
	if r := shown(t, gate, 3); r.Reason != verdict.Granted || r.Repeat || !r.Opens {
		t.Errorf("the phone after a cold start: %+v", r)
	}
	relay.Await(t, 2)

	offline(p, line, false)
	terminate(p, gate, matter, pass, func(code string) {
		// The phone may still show the code of before, which a scanner reads once.
		eventually(t, func() (bool, error) { return time.Since(scanned) > devices.DefaultDebounce, nil })
		scanner.scan(t, code)
	})
	if n := relay.Pulses(); n != 2 {
		t.Errorf("%d pulses, want 2", n)
	}
}

// screenshot is the code that the phone with this browser showed so long ago: the
// page makes it by a clock that is as much behind.
func screenshot(t *testing.T, browser context.Context, base, pass string, ago time.Duration) string {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	defer cancel()
	p := newTab(t, ctx, base, 390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
	behind := fmt.Sprintf(`{ const now = Date.now; Date.now = () => now() - %d }`, ago.Milliseconds())
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: behind}); err != nil {
		t.Fatal(err)
	}
	p.open("/m/passes/" + pass)
	return p.code()
}

// terminate gives the pass up on the phone, and holds that the gate knows within
// two seconds.
func terminate(p *tab, gate *campus.Gate, matter, pass string, scan func(code string)) {
	p.Helper()
	t := p.TB
	before, err := gate.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code := p.code()
	p.open(matter)
	p.until(`location.pathname === '/m/login'`) // a session with a password ends with the browser; the code did not
	signInByNumber(p, applicant, ownPassword)
	p.tap("终止")
	p.until(`document.querySelector('[role=alertdialog]')?.checkVisibility()`)
	ended := time.Now()
	p.tap("终止")
	eventually(t, func() (bool, error) {
		now, err := gate.Status(t.Context())
		return err == nil && now.Snapshot.Revision > before.Snapshot.Revision, err
	})
	if took := time.Since(ended); took > 2*time.Second {
		t.Errorf("the gate knew after %v", took)
	} else {
		t.Logf("the gate knew after %v", took)
	}
	p.says("已终止")
	scan(code)
	if r := shown(t, gate, 4); r.Reason != verdict.Revoked || r.Opens {
		t.Errorf("a pass that was given up: %+v", r)
	}
	p.open("/m/passes/" + pass)
	p.until(`document.querySelector('.over') && !document.querySelector('svg.qr')`)
}
