package console_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"campusgate/agent/console"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// pads are the places of the keys of a numeric keypad.
var pads = map[rune]string{
	'+': "NumpadAdd", '-': "NumpadSubtract", '*': "NumpadMultiply", '/': "NumpadDivide", '.': "NumpadDecimal", '\r': "NumpadEnter",
}

// pad types on a numeric keypad, as a person does.
func (b *tab) pad(text string) {
	b.t.Helper()
	b.pause(time.Second)
	for _, r := range text {
		k := input.DispatchKeyEventParams{Key: string(r), Code: pads[r], Text: string(r), Location: 3, IsKeypad: new(true)}
		if k.Code == "" {
			k.Code = "Numpad" + string(r)
		}
		if r == '\r' {
			k.Key = "Enter"
		}
		b.strike(k, 150*time.Millisecond)
	}
}

func (b *tab) amount(want string) {
	b.t.Helper()
	b.until(`document.querySelector('.sale .amount')?.innerText === '` + want + `'`)
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the till was asked %q, want %q", got, want)
	}
}

// A whole day at the counter, by the numeric keypad and the scanner alone.
func TestTill_AmountScanVoidAndCloseByTheKeypad(t *testing.T) {
	t.Parallel()
	c := newCounter()
	b := tillPage(t, c, "/", till1024)
	b.pad("8.5+3*4.25")
	b.amount("¥21.25")
	b.pad("\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	if got := b.text(".prompt .call"); got != "请出示付款码" {
		t.Errorf("armed: %q", got)
	}
	b.wedge("CP1:NOMONEY")
	b.until(`document.querySelector('.verdict[data-face=refused]')`)
	if got := b.text(".verdict"); !strings.Contains(got, "余额不足") || !strings.Contains(got, "待收 ¥21.25") || !strings.Contains(got, "请先充值") {
		t.Errorf("refused: %q", got)
	}
	// The amount stays for another payment.
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	if got := b.text(".verdict"); got != "收款成功 持卡人 **远 ¥21.25 余额 ¥86.40" {
		t.Errorf("paid: %q", got)
	}
	// The next amount ends the result, and the sale before is over.
	b.pad("6")
	b.amount("¥6.00")
	b.pad("-")
	b.amount("¥0.00")
	same(t, c.asked("arm", "disarm", "present"),
		"arm amount 2125 [] sticky=false", "present wedge CP1:NOMONEY", "present wedge CP1:PAYS")

	b.pad("/21") // functions, this batch, its first line
	b.until(`document.querySelector('[data-panel=charge]')`)
	b.pad("1")
	b.until(`window.printed === 1`)
	if got := eval[string](b, `document.querySelector('.slip').textContent.replace(/\s+/g, ' ')`); !strings.Contains(got, "第一食堂家常菜") ||
		!strings.Contains(got, "¥21.25") || !strings.Contains(got, "1001") || !strings.Contains(got, "**远") {
		t.Errorf("slip: %q", got)
	}
	b.pad("2" + cashier.Number)
	b.until(`document.activeElement.id === 'staff-number' && document.activeElement.value === '` + cashier.Number + `'`)
	b.pad("\r470318\r") // a cashier is no supervisor
	b.until(`document.querySelector('.staff .wrong').textContent !== ''`)
	if got := b.text(".staff .wrong"); got != "须由主管输入工号和口令" {
		t.Errorf("refused: %q", got)
	}
	b.pad("--" + supervisor + "\r9021\r") // back to the number, which goes at once
	b.until(`document.querySelector('.verdict[data-face=voided]')`)
	same(t, c.asked("void"), "void 7-1-1001 by "+supervisor)

	b.pad("/5\r")
	b.until(`document.querySelector('[data-panel=batch] [role=alert]')`)
	if got := c.asked("batch"); len(got) != 0 {
		t.Errorf("closed without being sure: %q", got)
	}
	b.pad("\r")
	b.until(`document.querySelector('[data-panel=batch] .primary')`)
	if got := b.text("[data-panel=batch] .totals"); !strings.Contains(got, "¥1,536.50") || !strings.Contains(got, "129") || !strings.Contains(got, "3") {
		t.Errorf("totals: %q", got)
	}
	b.pad("1")
	b.until(`window.printed === 2 && document.querySelector('.slip').textContent.includes('结班小票')`)
	b.pad("-")
	b.until(`document.querySelector('[data-panel=functions]')`)
	b.pad("-")
	b.until(`document.querySelector('[data-trouble=batch]')`)
	b.pad("5") // no amount while the till is closed
	b.pad("\r\r")
	b.until(`document.querySelector('.sale[data-phase=idle]')`)
	same(t, c.asked("batch"), `batch closes by ""`, `batch opens by ""`)
}

func TestTill_WhatAScannerTypesIsNeverAnAmount(t *testing.T) {
	t.Parallel()
	c := newCounter()
	b := tillPage(t, c, "/", till1024)
	b.pad("7.5")
	b.amount("¥7.50")
	b.wedge("6901234567892") // a bottle's barcode
	b.until(`document.querySelector('.verdict[data-face=amount]')`)
	b.pad("\r") // what was typed before still stands
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.wedge("123") // too short for anything: a scanner that lost the rest
	b.until(`document.querySelector('.notice')`)
	b.wedge("6901234567892")
	b.until(`document.querySelector('[data-reason=malformed]')`)
	b.pad("\r")
	b.amount("¥7.50")
	same(t, c.asked("arm", "disarm", "present"),
		"present wedge 6901234567892", "arm amount 750 [] sticky=false", "present wedge 6901234567892")
	// A scan works in the middle of the functions, and beside a field.
	b.pad("/6")
	b.until(`document.querySelector('[data-panel=shift]')`)
	b.pad("2")
	b.until(`document.activeElement.id === 'staff-number'`)
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
}

func TestTill_MenuKeysWithQuantities(t *testing.T) {
	t.Parallel()
	c := newCounter()
	c.view.Till.Entry = wire.EntryMenu
	b := tillPage(t, c, "/", till1024)
	b.pad("2*3")
	b.until(`document.querySelector('.typing').innerText.includes('红烧肉')`)
	b.amount("¥25.00")
	b.pad("+12+")
	b.until(`document.querySelectorAll('.items li').length === 2`)
	b.call(chromedp.Click(chromedp.CSS(`[data-menu="1"]`)))
	b.amount("¥32.00")
	b.pad("-") // the rice goes back
	b.amount("¥31.00")
	b.pad("77\r") // no such key
	b.amount("¥31.00")
	b.pad("-\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	same(t, c.asked("arm"), "arm menu 0 [{3 2} {12 1}] sticky=false")
	b.pad("+1\r") // one rice more
	b.amount("¥32.00")
	b.until(`document.querySelector('[data-phase=armed]')`)
	same(t, c.asked("disarm", "arm")[1:], "disarm", "arm menu 0 [{3 2} {12 1} {1 1}] sticky=false")
}

func TestTill_AFixedPriceIsChargedByTheScanAlone(t *testing.T) {
	t.Parallel()
	c := newCounter()
	c.view.Till.Entry = wire.EntryFixed
	b := tillPage(t, c, "/", till1024)
	b.until(`document.querySelector('[data-phase=standing]')`)
	b.amount("¥8.00")
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid] .sum')?.innerText === '¥8.00'`)
	b.wedge("CP1:AGAIN")
	b.until(`document.querySelector('.verdict[data-face=confirm]')`)
	b.pad("5") // no answer
	b.pad("\r")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	b.wedge("CP1:AGAIN")
	b.until(`document.querySelector('.verdict[data-face=confirm]')`)
	b.pad("-")
	b.until(`document.querySelector('.verdict[data-face=repeat]')`)
	b.pad("3*\r") // three portions
	b.until(`document.querySelector('[data-phase=armed]')`)
	same(t, c.asked("arm", "confirm"), "confirm refuse=false", "confirm refuse=true", "arm amount 2400 [] sticky=false")
}

func TestTill_TheSameAgainAndAnotherPriceStayArmed(t *testing.T) {
	t.Parallel()
	c := newCounter()
	b := tillPage(t, c, "/", till1024)
	b.pad("/4-5\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	b.pad("\r")
	b.amount("¥5.00")
	b.pad("-")
	b.until(`document.querySelector('[data-phase=idle]')`)
	b.pad("/34") // the price of the meal
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.amount("¥12.00")
	same(t, c.asked("arm"), "arm amount 500 [] sticky=true", "arm period 0 [] sticky=true")
}

func TestTill_TouchAloneWillDo(t *testing.T) {
	t.Parallel()
	c := newCounter()
	b := tillPage(t, c, "/", till1024)
	for _, k := range []string{"1", "2", ".", "5", "Enter"} {
		b.call(chromedp.Click(chromedp.CSS(`[data-pad="` + k + `"]`)))
	}
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.amount("¥12.50")
	b.call(chromedp.Click(chromedp.CSS(`[data-pad="/"]`)), chromedp.Click(chromedp.CSS(`[data-function=shift]`)))
	b.call(chromedp.Click(chromedp.CSS(`[data-key=relief]`)))
	b.until(`document.activeElement.id === 'staff-number'`)
	for _, k := range cashier.Number {
		b.call(chromedp.Click(chromedp.CSS(`[data-pad="` + string(k) + `"]`)))
	}
	b.until(`document.querySelector('#staff-number').value === '` + cashier.Number + `' && document.activeElement.id === 'staff-number'`)
	if small := eval[int](b, `[...document.querySelectorAll('.pad button')].filter(e => e.getBoundingClientRect().height < 64 || e.getBoundingClientRect().width < 64).length`); small > 0 {
		t.Errorf("%d keys are smaller than 64 px", small)
	}
	same(t, c.asked("arm", "disarm"), "arm amount 1250 [] sticky=false")
}

func TestTill_OfflineSaysWhatWaitsAndSinceWhen(t *testing.T) {
	t.Parallel()
	c := newCounter()
	b := tillPage(t, c, "/", till1024)
	c.gauge.set(func(s *console.Status) { s.Online, s.Snapshot.AgeMS = false, 12*60_000 })
	c.tell(func(v *till.View) {
		v.Offline, v.Backlog = true, till.Backlog{Records: 12, Fen: 14_850, OldestAt: time.Now().Add(-15*time.Minute - time.Second).UnixMilli()}
	})
	b.until(`document.querySelector('[data-banner=offline]')?.innerText.includes('12 笔')`)
	if got := b.text("[data-banner=offline]"); got != "离线收款中 12 笔 ¥148.50 待上传，最早 15 分钟前 · 12 分钟前同步过" {
		t.Errorf("offline: %q", got)
	}
	paid := c.script["CP1:PAYS"]
	paid.Offline, paid.Charge.BalanceFen = true, nil
	c.script["CP1:PAYS"] = paid
	b.pad("8\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	if got := b.text(".verdict .after"); got != "状态 离线收款 余额 联网后可查" {
		t.Errorf("offline: %q", got)
	}
}

func TestTill_SaysWhyItTakesNoMoney(t *testing.T) {
	t.Parallel()
	c := newCounter()
	c.gauge.set(func(s *console.Status) { s.Shift.Required = true })
	c.view.Cashier = nil
	b := tillPage(t, c, "/", till1024)
	b.until(`document.querySelector('[data-trouble=shift]')`)
	b.pad("\r" + cashier.Number + "\r470318\r")
	b.until(`document.querySelector('.sale')`)
	c.gauge.set(func(s *console.Status) { s.Clock.Trusted = false })
	b.until(`document.querySelector('[data-trouble=clock]')`)
	c.gauge.set(func(s *console.Status) { s.Clock.Trusted = true })
	rules := c.view.Till
	c.tell(func(v *till.View) { v.Till = nil })
	b.until(`document.querySelector('[data-trouble=rules]')`)
	c.tell(func(v *till.View) { v.Till = rules })
	b.until(`document.querySelector('.sale')`)
}

// The roll is 58 or 80 mm wide; nothing but the slip goes on it.
func TestTill_SlipsAreAsWideAsTheRoll(t *testing.T) {
	t.Parallel()
	c := newCounter()
	c.charges = append(c.charges, pastCharge(0), pastCharge(1))
	b := tillPage(t, c, "/", till1024)
	for i, roll := range []struct {
		keys  string
		width float64 // CSS pixels
	}{{"/221", 58 / 25.4 * 96}, {"//951", 80 / 25.4 * 96}} {
		b.pad(roll.keys)
		b.until(fmt.Sprintf(`window.printed === %d`, i+1))
		b.media("print")
		width := eval[float64](b, `document.querySelector('.slip').getBoundingClientRect().width`)
		over := eval[int](b, `document.querySelector('.slip').scrollWidth - document.querySelector('.slip').clientWidth`)
		if math.Abs(width-roll.width) > 1 || over > 0 || eval[bool](b, `!!document.querySelector('.page').clientHeight`) {
			t.Errorf("slip %d: %.1f px wide, want %.1f; %d px too much in it; or more than the slip is printed", i, width, roll.width, over)
		}
		b.shoot(fmt.Sprintf("slip-%d", i))
		b.media("")
	}
}

// Names come from outside: they are text, and stay in their places.
func TestTill_HostileNamesAreTextInTheirPlaces(t *testing.T) {
	t.Parallel()
	c := newCounter()
	hostile := []string{
		`<img src=x onerror="window.hit=1">`, `"><script>window.hit=1</script>`, "=1+1", "\u202Eабв\u202C", strings.Repeat("菜", 10_000),
		strings.Repeat("W", 10_000), "🍚🥢" + strings.Repeat("👨‍👩‍👧", 300), "\x00\x07\t\r\n", "'; DROP TABLE charges; --",
	}
	rules := *c.view.Till
	rules.Entry, rules.Name, rules.Merchant, rules.Menu = wire.EntryMenu, hostile[4], hostile[0], nil
	for i, name := range hostile {
		rules.Menu = append(rules.Menu, wire.MenuKey{Key: i + 1, Name: name, NameEn: name, PriceFen: 100})
	}
	c.view.Till = &rules
	c.view.Cashier = &till.Cashier{Number: hostile[5], Name: hostile[5]}
	c.view.Period = &till.Period{ID: "x", Name: hostile[4], PriceFen: 100}
	b := tillPage(t, c, "/", till1024)
	b.pad("1+2+3+4+5+6+7+8+9")
	b.until(`document.querySelectorAll('.items li').length > 3`)
	b.tillFits("hostile menu")
	b.pad("\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	paid := c.script["CP1:PAYS"]
	paid.Charge.Holder = hostile[5]
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	b.tillFits("hostile holder")
	b.pad("/2")
	b.until(`document.querySelector('.rows li')`)
	b.tillFits("hostile list")
	b.pad("1")
	b.until(`document.querySelector('[data-panel=charge]')`)
	b.tillFits("hostile charge")
	if eval[bool](b, `'hit' in window`) {
		t.Error("a name ran as a script")
	}
}

func TestCustomerScreen_AmountResultAndThanks(t *testing.T) {
	t.Parallel()
	c := newCounter()
	b := tillPage(t, c, "/customer", wide)
	b.until(`document.querySelector('[data-view=idle]')`)
	if got := b.text(".customer"); !strings.Contains(got, "第一食堂家常菜") || !strings.Contains(got, "午餐") || !strings.Contains(got, "Lunch") {
		t.Errorf("idle: %q", got)
	}
	if err := c.Arm(t.Context(), till.Order{Entry: wire.EntryAmount, AmountFen: 2125}); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelector('[data-view=due] .sum')?.innerText === '¥21.25'`)
	present := func(text, view string) string {
		if _, err := c.Present(t.Context(), "窗口", "serial", text); err != nil {
			t.Fatal(err)
		}
		b.until(`document.querySelector('[data-view=` + view + `]')`)
		return b.text("main")
	}
	if got := present("CP1:NOMONEY", "refused"); got != "未付款 Not paid *明 余额不足 Balance too low" {
		t.Errorf("refused: %q", got)
	}
	if got := present("CP1:PAYS", "paid"); got != "收款成功 Paid ¥21.25 余额 Balance ¥86.40 **远 谢谢 Thank you" {
		t.Errorf("paid: %q", got)
	}
	b.until(`document.querySelector('[data-view=idle]')`) // by itself, after some seconds
	c.tell(func(v *till.View) { v.Batch.Open = false })
	b.until(`document.querySelector('[data-view=pause]')`)
	if got := c.script["CP1:PAYS"].Reason; got != verdict.Granted {
		t.Fatal(got)
	}
}

// With a printer of its own the till asks the agent, and the browser prints
// nothing.
// Keys that are typed ahead of a slow list wait for it together, and none of them
// ever becomes an amount.
func TestTill_KeysAheadOfTheListKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := tillPage(t, newCounter(), "/", till1024)
	b.pad("8.5\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`{
		const real = window.fetch
		window.slow = true
		window.fetch = (what, how) => window.slow && String(what).includes('/till/charges?') ? new Promise((done) => { window.deliver = () => { window.slow = false; done(real(what, how)) } }) : real(what, how)
	}`))
	b.pad("/21-")
	b.until(`window.deliver`)
	// The page takes a key when its own timer says that no scan goes on from it;
	// this one began later.
	eval[bool](b, `new Promise((done) => setTimeout(() => done(true), 500))`)
	b.until(`document.querySelector('[data-panel=charges]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.deliver(), undefined`))
	b.until(`document.querySelector('[data-panel=charges] [data-row="1"]')`)
	b.pad("-5")
	b.until(`document.querySelector('[data-panel=batch]')`)
	b.pad("--")
	b.until(`!document.querySelector('[data-panel]')`)
	// Closed before the list came.
	b.call(chromedp.Evaluate[chromedp.Void](`window.deliver = null, window.slow = true`))
	b.pad("/2")
	b.until(`window.deliver`)
	b.pad("--")
	b.until(`!document.querySelector('[data-panel]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.deliver(), undefined`))
	b.pad("7")
	b.amount("¥7.00")
}

func TestTill_APrinterOfItsOwnPrintsOnAKey(t *testing.T) {
	t.Parallel()
	c := newCounter()
	c.withPrinter()
	b := tillPage(t, c, "/", till1024)
	b.pad("8.5\r")
	b.until(`document.querySelector('[data-phase=armed]')`)
	b.wedge("CP1:PAYS")
	b.until(`document.querySelector('.verdict[data-face=paid]')`)
	b.pad("/9") // the last one
	b.until(`document.querySelector('.notice')?.innerText === '已打印'`)
	b.pad("/211") // this batch, its first line, print
	b.until(`!document.querySelector('.notice')?.innerText || true`)
	b.pad("--5")
	b.until(`document.querySelector('[data-panel=batch]')`)
	b.pad("1")
	b.until(`document.querySelector('.notice')?.innerText === '已打印'`)
	same(t, c.asked("print"), "print 7-1-1001", "print 7-1-1001", "print batch 3")

	c.gauge.set(func(s *console.Status) {
		s.Printer = &console.Printer{Driver: "escpos", State: "lost", Reason: "paper_out", Detail: "printer /dev/usb/lp0: out of paper"}
	})
	b.until(`document.querySelector('[data-banner=printer]')`)
	if got := b.text("[data-banner=printer]"); !strings.Contains(got, "缺纸") {
		t.Errorf("banner: %q", got)
	}
	c.unfit(devices.ErrPaperOut)
	b.pad("1")
	b.until(`document.querySelector('.notice')?.innerText === '没有打印：打印机缺纸'`)
	b.shoot("till-printer-lost")
	b.pad("--9")
	b.pad("/")
	b.until(`document.querySelector('[data-function=print]')`)
	b.shoot("till-printer-functions")
	if n := eval[int](b, `window.printed`); n != 0 {
		t.Errorf("the browser was asked to print %d times", n)
	}
}
