package campus_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
)

// A holder binds the card on the phone, puts money on it, and pays at a till,
// when neither the phone nor the till has a network; once they have, the
// statement adds up.
func TestJourney_CM073_CM074_CM075_CM076_CM077_CM078_CM080_CM081_CM082_CM083_CM088_CM089_HolderRechargesAndPaysWithoutANetwork(t *testing.T) {
	t.Parallel()
	c, line := populated(t)
	if err := c.OpenCanteen(t.Context(), "一号窗口 Till 1"); err != nil {
		t.Fatal(err)
	}
	till := c.Tills[0]
	browser := chromium(t)
	cashier := office(t, browser, strings.TrimSuffix(till.URL, "/"))
	cashier.open("/")
	p := phone(t, browser, "http://"+line.Addr())
	bind(p, c, applicantPhone, "周敏", applicant)
	p.says("¥50.00")

	p.tap("校园卡充值")
	p.says("请确保")
	p.until(`document.querySelector('.holder').innerText === '*敏' && /^\d{6,}$/.test(document.querySelector('.account').innerText)`)
	for _, amount := range []string{"10元", "20元", "50元", "100元", "200元", "30元"} {
		p.tap(amount)
		p.says("充值" + amount)
	}
	p.tap("充值30元")
	p.tap("支付成功")
	p.says("充值成功")
	p.tap("查余额")
	p.says("余额 80.00 元")

	p.open("/m/pay")
	p.says("¥80.00")
	p.code() // the phone has its key
	c.Network.Cut(true)
	offline(p, line, true)
	cashier.says("离线")
	keypad(cashier, "12.50")
	eval[bool](p, `window.before = document.querySelector('svg.qr').innerHTML, document.dispatchEvent(new Event('visibilitychange')), true`)
	p.until(`document.querySelector('svg.qr').innerHTML !== window.before`)
	swipe(t, till, p.code())
	cashier.until(`document.querySelector('.verdict[data-face=paid] .sum')?.innerText === '¥12.50' && document.querySelector('.verdict .later')`)
	if v, err := till.View(t.Context()); err != nil || v.Backlog.Records != 1 || v.Backlog.Fen != 1250 {
		t.Errorf("the till says %+v (%v)", v, err)
	}
	p.says("离线 · 单笔不超过 30 元")
	p.says("¥80.00") // what it knows

	c.Network.Cut(false)
	offline(p, line, false)
	if made := posted(t, c, 1)[0]; made.AmountFen != 1250 || !slices.Equal(made.Flags, []string{"offline"}) {
		t.Errorf("the server holds %+v", made)
	}
	eval[bool](p, `document.dispatchEvent(new Event('visibilitychange')), true`)
	p.says("¥67.50")
	p.tap("明细")
	p.until(`document.querySelectorAll('.list .entry').length === 3`)
	lines := eval[[]string](p, `[...document.querySelectorAll('.list .entry')].map((e) =>
		[...e.querySelectorAll('.entry-title, .entry-amount, .entry-balance')].map((x) => x.firstChild.textContent).join(' '))`)
	if want := []string{"消费 -12.50 本次余额:¥67.50", "充值 +30.00 本次余额:¥80.00", "期初余额 +50.00 本次余额:¥50.00"}; !slices.Equal(lines, want) {
		t.Errorf("the statement says %q, want %q", lines, want)
	}
}

// Somebody else has the phone. What it pays is refused from the moment on at which
// the holder reports the loss; a till that cannot know takes it, and the holder and
// the office see that.
func TestJourney_CM084_LossStopsTheCardAndMarksWhatATillCouldNotKnow(t *testing.T) {
	t.Parallel()
	c, line := populated(t)
	if err := c.OpenCanteen(t.Context(), "一号窗口 Till 1"); err != nil {
		t.Fatal(err)
	}
	till := c.Tills[0]
	browser, base := chromium(t), "http://"+line.Addr()
	pays := func(stolen *campus.Phone) sold {
		t.Helper()
		arm(t, till, 900)
		code, err := stolen.Code(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return pay(t, till, code)
	}

	first := phone(t, browser, base)
	bind(first, c, applicantPhone, "周敏", applicant)
	stolen := carries(first, c)
	if r := pays(stolen); r.Reason != "granted" {
		t.Fatalf("before the loss: %+v", r)
	}
	reportLoss(first)
	r, late := pays(stolen), 0
	for ; r.Charge != nil && r.Charge.Offline && late < 3; late++ { // on a machine that is too slow for an answer
		posted(t, c, 2+late)
		r = pays(stolen)
	}
	if r.Reason != "card_lost" || r.Charge.BalanceFen != nil {
		t.Errorf("after the loss: %+v %+v", r, r.Charge)
	}

	second := phone(t, browser, base)
	bind(second, c, headPhone, "陈立", "T1002")
	stolen = carries(second, c)
	if r := pays(stolen); r.Reason != "granted" { // the till knows this phone
		t.Fatalf("before the loss: %+v", r)
	}
	posted(t, c, 3+late) // one of them declined
	known := knows(t, till)
	c.Network.Cut(true)
	reportLoss(second)
	if r := pays(stolen); r.Reason != "granted" || !r.Charge.Offline {
		t.Fatalf("at a till that cannot know of the loss: %+v %+v", r, r.Charge)
	}
	c.Network.Cut(false)
	if made := posted(t, c, 4+late)[0]; !slices.Equal(made.Flags, []string{"offline", "after_loss"}) || made.AmountFen != 900 {
		t.Errorf("the server holds %+v", made)
	}
	eventually(t, func() (bool, error) { return knows(t, till) > known, nil })
	if r := pays(stolen); r.Reason != "card_lost" {
		t.Errorf("at the till that knows again: %+v", r)
	}
	second.open("/m/card/entries")
	second.says("本次余额:¥32.00")
	marks := eval[[]string](second, `[...document.querySelectorAll('.list .entry')].map((e) => [...e.querySelectorAll('.entry-flag')].map((f) => f.innerText).join(' '))`)
	if want := []string{"离线 挂失后", "", ""}; !slices.Equal(marks, want) {
		t.Errorf("the statement is marked %q, want %q", marks, want)
	}
}

// knows is how far the till has heard of what the server knows.
func knows(t testing.TB, k *campus.Till) uint64 {
	t.Helper()
	var s console.Status
	if err := k.Client().Do(t.Context(), http.MethodGet, "/api/v1/status", nil, &s); err != nil {
		t.Fatal(err)
	}
	return s.Snapshot.Revision
}

// bind signs in on the phone and binds the card.
func bind(p *tab, c *campus.Campus, phone, name, number string) {
	p.Helper()
	p.open("/m/card")
	p.until(`location.pathname === '/m/login'`)
	signInByPhone(p, c, phone)
	p.enter(`input[name=name]`, name)
	p.enter(`input[name=number]`, number)
	p.tap("绑定校园卡")
	p.until(`document.querySelector('.face')?.innerText.includes('` + number + `')`)
}

// carries gives a phone that pays with the card of who is signed in here.
func carries(p *tab, c *campus.Campus) *campus.Phone {
	p.Helper()
	given, err := chromedp.Call(p.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{p.base}})
	if err != nil {
		p.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.Fatal(err)
	}
	server, err := url.Parse(c.Client.Base)
	if err != nil {
		p.Fatal(err)
	}
	var cookies []*http.Cookie
	for _, k := range given.Cookies {
		cookies = append(cookies, &http.Cookie{Name: k.Name, Value: k.Value})
	}
	jar.SetCookies(server, cookies)
	who := campus.Client{Base: c.Client.Base, HTTP: &http.Client{Jar: jar}}
	made, err := who.EnrolCard(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	return made
}

func reportLoss(p *tab) {
	p.Helper()
	p.open("/m/card/loss")
	p.tap("立即挂失")
	p.until(`document.querySelector('[role=alertdialog]')?.checkVisibility()`)
	p.tap("立即挂失")
	p.until(`document.querySelector('.face-state')?.innerText === '已挂失'`)
}

// keypad types an amount on the numeric keypad of the till, as fast as the page
// takes keys for a person's, and arms it.
func keypad(p *tab, amount string) {
	p.Helper()
	for i, r := range amount {
		place := "Numpad" + string(r)
		if r == '.' {
			place = "NumpadDecimal"
		}
		strike(p, string(r), place)
		p.until(`document.querySelector('.sale .typing')?.innerText === '` + amount[:i+1] + `'`)
	}
	strike(p, "Enter", "NumpadEnter")
	p.until(`document.querySelector('.sale[data-phase=armed] .amount')?.innerText === '¥` + amount + `'`)
}

func strike(p *tab, key, place string) {
	p.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		_, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: kind, Key: key, Code: place, Location: 3, IsKeypad: new(true),
		})
		if err != nil {
			p.Fatal(err)
		}
	}
}

// swipe writes a code into the scanner's tty.
func swipe(t testing.TB, k *campus.Till, code string) {
	t.Helper()
	tty, err := os.OpenFile(k.Scanner.Device, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tty.WriteString(code + "\r"); err != nil {
		t.Fatal(err)
	}
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
}

// charge is what the canteen's office sees of a charge.
type charge struct {
	AmountFen int64    `json:"amount_fen"`
	Transfer  string   `json:"transfer"`
	Flags     []string `json:"flags"`
}

// posted waits until the server holds n charges, and gives them, the last first.
func posted(t testing.TB, c *campus.Campus, n int) []charge {
	t.Helper()
	var told struct {
		Charges []charge `json:"charges"`
	}
	eventually(t, func() (bool, error) {
		err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/charges", nil, &told)
		return len(told.Charges) >= n, err
	})
	for _, made := range told.Charges {
		if declined := slices.Contains(made.Flags, "declined"); declined == (made.Transfer != "") {
			t.Errorf("the server holds %+v", made)
		}
	}
	return told.Charges
}
