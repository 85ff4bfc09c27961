package campus_test

import (
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/demo"
)

// The demo's canteen, clicked as its own line says: an amount at the till, the
// payment code, the till's scanner; once more without the network, and the balance
// when it is back. The till's page is in a frame.
func TestDemo_PaysAtTheTillWithAndWithoutANetwork(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}, FrameAncestors: []string{origin}})
	if err := c.Populate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.OpenCanteen(t.Context(), "一号窗口 Till 1"); err != nil {
		t.Fatal(err)
	}
	till := c.Tills[0]
	var ahead atomic.Int64 // of the demo's clock, and so of the phone's
	server.Config.Handler = demo.New(c, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }).Handler()
	server.Start()
	t.Cleanup(server.Close)

	page := browse(t, origin+"/")
	holds(t, page, `document.querySelectorAll('iframe').length === 2 && document.querySelectorAll('#lanes button').length === 3`)
	holds(t, page, `document.querySelector('#steps').innerText.includes('`+campus.Cashier+` / `+campus.CashierPIN+`')`)
	eventually(t, func() (bool, error) { // neither page refuses the frame
		told, err := chromedp.Call(page, cdppage.GetFrameTree, cdp.Empty{})
		return err == nil && slices.ContainsFunc(told.FrameTree.ChildFrames, func(f *cdppage.FrameTree) bool { return f.Frame.URL == till.URL }), err
	})
	do(t, page, `document.querySelector('#pay').click()`)
	holds(t, page, `document.querySelector('#screen img')?.naturalWidth > 0 && document.querySelector('#balance').innerText === '余额 ¥50.00'`)

	arm(t, till, 1250)
	do(t, page, `document.querySelectorAll('#lanes button')[1].click()`)
	holds(t, page, `document.querySelector('#events td.yes')?.innerText === '✓ 已收款 ¥12.50'`)
	holds(t, page, `document.querySelector('#balance').innerText === '余额 ¥37.50'`)

	do(t, page, `document.querySelector('#network').click()`)
	holds(t, page, `document.querySelector('#network').getAttribute('aria-checked') === 'false'`)
	arm(t, till, 800)
	do(t, page, `window.before = document.querySelector('#screen img').src`)
	ahead.Store(int64(campus.CodePeriod + time.Second)) // a phone may be 15 s ahead
	do(t, page, `document.dispatchEvent(new Event('visibilitychange'))`)
	holds(t, page, `document.querySelector('#screen img').src !== window.before`)
	do(t, page, `document.querySelectorAll('#lanes button')[1].click()`)
	eventually(t, func() (bool, error) {
		v, err := till.View(t.Context())
		return v.Backlog.Fen == 800, err
	})
	if *shots != "" {
		do(t, page, `document.querySelector('.till').scrollIntoView()`)
		shoot(t, page, "demo-till-zh")
	}
	do(t, page, `document.querySelector('#network').click()`)
	holds(t, page, `document.querySelector('#balance').innerText === '余额 ¥29.50'`)
}
