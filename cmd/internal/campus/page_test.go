package campus_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/cmd/internal/demo"
)

// missing skips a test for want of a tool, except where everything must run.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// browse opens a page in headless Chromium.
func browse(t *testing.T, url string) context.Context {
	t.Helper()
	tab, end := chromedp.NewContext(chromium(t), chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithTimeout(tab, 10*time.Minute)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// holds waits until a JavaScript condition is true.
func holds(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	wait := fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + 60000
		const look = () => ((%s) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 10))
		look()
	})`, condition)
	ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	if !ok {
		t.Fatalf("never true in the page: %s", condition)
	}
}

func TestPage_ShowsTheVerdictOfARealScan(t *testing.T) {
	t.Parallel()
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	page := browse(t, gate.URL)
	holds(t, page, `document.querySelector('[data-chip]')`)
	pass := campustest.Issue(t, c, gate, 1)[0]

	plug(t, gate).scan(t, pass.Code)
	holds(t, page, `document.querySelector('[data-reason=granted]')?.innerText.includes('访客0')`)
	relay.Await(t, 1)
	if e := arrived(t, c, 1)[0]; e.Reason != "granted" || e.PassID != pass.ID {
		t.Errorf("the server holds %+v", e)
	}
}

// The demo page, clicked as a newcomer would: issue, scan, scan at the other
// gate, cut the network, go on, restore.
func TestDemo_FollowsItsOwnThreeLines(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	c := start(t, campus.Options{FrameAncestors: []string{origin}})
	server.Config.Handler = demo.New(c, time.Now).Handler()
	server.Start()
	t.Cleanup(server.Close)
	east, west := campustest.Watch(t, c.Gates[0]), campustest.Watch(t, c.Gates[1])

	page := browse(t, origin+"/")
	click := func(n int) {
		t.Helper()
		do(t, page, fmt.Sprintf(`document.querySelectorAll('#lanes button')[%d].click()`, n))
	}
	issueOne := func() {
		t.Helper()
		do(t, page, `document.querySelector('#screen').replaceChildren(); document.querySelector('#issue [data-kind=resident_single]').click()`)
		holds(t, page, `document.querySelector('#screen img')?.naturalWidth > 0 && !document.querySelector('#lanes button').disabled`)
	}
	rows := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll('#events tr').length === %d`, n)
	}
	holds(t, page, `document.querySelectorAll('iframe').length === 2 && document.querySelectorAll('#lanes button').length === 3`)

	issueOne()
	click(0)
	east.Await(t, 1)
	holds(t, page, rows(1))
	click(1)
	holds(t, page, rows(2)+` && document.querySelector('#events td.no')?.title === 'already_used'`)

	do(t, page, `document.querySelector('#network').click()`)
	holds(t, page, `document.querySelector('#network').getAttribute('aria-checked') === 'false'`)
	issueOne()
	click(1)
	click(0)
	east.Await(t, 2)
	do(t, page, `document.querySelector('#network').click()`)
	holds(t, page, rows(4)+` && document.querySelector('#events td.no')?.title === 'offline_not_allowed' || document.querySelectorAll('#events td.no')[1]?.title === 'offline_not_allowed'`)
	if n := west.Pulses(); n != 0 {
		t.Errorf("the west gate opened %d times", n)
	}
	if *shots != "" {
		shoot(t, page, "demo-zh")
		do(t, page, `document.querySelector('#language').click()`)
		holds(t, page, `document.documentElement.lang === 'en'`)
		shoot(t, page, "demo-en")
	}
}

// The phone of a work pass goes on by itself: a new code when the time of the
// last is over, and both gates open for it while the network is cut.
func TestDemo_WorkPassChangesItsCodeAndOpensWithoutANetwork(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	c := start(t, campus.Options{FrameAncestors: []string{origin}})
	var ahead atomic.Int64 // of the demo's clock, and so of the phone's
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	server.Config.Handler = demo.New(c, now).Handler()
	server.Start()
	t.Cleanup(server.Close)
	east, west := campustest.Watch(t, c.Gates[0]), campustest.Watch(t, c.Gates[1])

	page := browse(t, origin+"/")
	holds(t, page, `document.querySelectorAll('#lanes button').length === 3`)
	do(t, page, `document.querySelector('#issue [data-kind=work]').click()`)
	holds(t, page, `document.querySelector('#screen img')?.naturalWidth > 0 && document.querySelector('.count i')`)
	holds(t, page, `/^[0-9]+ 秒/.test(document.querySelector('#left').textContent)`)
	do(t, page, `document.querySelectorAll('#lanes button')[0].click()`)
	east.Await(t, 1)
	holds(t, page, `document.querySelectorAll('#events td.yes').length === 1`)

	do(t, page, `document.querySelector('#network').click()`)
	holds(t, page, `document.querySelector('#network').getAttribute('aria-checked') === 'false'`)
	do(t, page, `window.before = document.querySelector('#screen img').src`)
	ahead.Store(int64(campus.CodePeriod) + int64(time.Second)) // a phone may be 15 s ahead
	do(t, page, `document.dispatchEvent(new Event('visibilitychange'))`)
	holds(t, page, `document.querySelector('#screen img').src !== window.before`)
	do(t, page, `document.querySelectorAll('#lanes button')[1].click()`)
	west.Await(t, 1)
	do(t, page, `document.querySelector('#network').click()`)
	holds(t, page, `document.querySelectorAll('#events td.yes').length === 2`)
	if n := east.Pulses(); n != 1 {
		t.Errorf("the east gate opened %d times", n)
	}
	if *shots != "" {
		shoot(t, page, "demo-live-zh")
	}
}

func do(t *testing.T, page context.Context, script string) {
	t.Helper()
	if _, err := chromedp.Run(page, chromedp.Evaluate[any](script+"; 0")); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func shoot(t *testing.T, page context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(page, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
