package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing"
)

// guardPage opens the page of a gate where a guard has to be on duty.
func guardPage(t *testing.T, d *actor, screen size, loggedIn bool, scripts ...string) (*tab, *gauge) {
	t.Helper()
	g := newGauge()
	_, api := manned(t, d, g)
	if loggedIn {
		g.set(func(s *console.Status) { s.Shift.Guard = &onDuty })
	}
	b := open(t, strings.TrimSuffix(api, "/api/v1"), screen, scripts...)
	b.press("x") // a key turns the sound on, and its banner off
	b.until(`!document.querySelector('[data-banner=sound]')`)
	return b, g
}

func TestQuestion_CQ029_SeveralDocumentsTogether(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, _ := guardPage(t, d, till1024, true)
	resident := question
	resident.Kind = signing.ResidentSingle
	q := d.publish(resident)
	b.until(`document.querySelectorAll('.choices [role=checkbox]').length === 15`)
	b.press("9")
	b.until(`document.querySelector('.choices .hint')`)
	if got := b.text(".choices .hint"); got != "还需：房东工作证明、身份证（地址不在校内）" {
		t.Errorf("hint %q", got)
	}
	b.press("0")
	b.until(`document.querySelector('[data-document=landlord_certificate]').getAttribute('aria-checked') === 'true'`)
	b.press("a")
	b.until(`document.querySelector('.choices .hint[data-tone=good]')`)
	if got := b.text(".choices .hint"); got != "可放行：租户" {
		t.Errorf("hint %q", got)
	}
	b.shoot("question-tenant")
	b.press("a") // a tick is taken back
	b.until(`document.querySelector('.choices .hint[data-tone=part]')`)
	b.press("\r")
	b.until(`document.querySelector('[data-reason=document_incomplete]')`)
	if got := b.text(".highlight"); got != "还缺 身份证（地址不在校内）" {
		t.Errorf("missing: %q", got)
	}
	b.shoot("incomplete")
	want := fmt.Sprintf("answer %s %q false", q.ID, "lease+landlord_certificate")
	if got := d.asked(); len(got) != 1 || got[0] != want {
		t.Errorf("the desk was asked %q, want %q", got, want)
	}
}

func TestQuestion_CQ034_CQ035_WhatIsNeverAccepted(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, _ := guardPage(t, d, till1024, true)
	d.publish(question)
	b.until(`document.querySelector('[data-document=campus_card]')`)
	b.call(chromedp.Click(chromedp.CSS(`[data-document=campus_card]`)))
	b.until(`document.querySelector('.choices .hint[data-tone=none]')`)
	b.press("\r") // the focus is on a tick, and Enter confirms all the same
	b.until(`document.querySelector('[data-reason=document_not_accepted]')`)
	b.press("g")
	b.until(`document.activeElement.name === 'rule'`)
	b.call(chromedp.Click(chromedp.CSS(`input[value=visitor]`)))
	b.press("\r")
	b.until(`document.querySelector('.highlight')`)
	if got := b.text(".highlight"); got != "来访亲友 亲戚朋友来访，校门一律不放行" {
		t.Errorf("visitor: %q", got)
	}
}

func TestShift_CQ079_LoginByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, _ := guardPage(t, d, till1024, false)
	b.until(`document.querySelector('[data-banner=shift]')`)
	q := d.publish(question)
	b.until(`document.querySelector('.choices [data-key=login]')`)
	if n := eval[int](b, `document.querySelectorAll('.choices [role=checkbox]').length`); n != 0 {
		t.Errorf("%d documents to tick while nobody is on duty", n)
	}
	b.shoot("question-nobody")
	b.press("h")
	b.until(`document.activeElement.id === 'guard-number'`)
	b.person("G0021\t111111\r")
	b.until(`document.querySelector('dialog .wrong').textContent !== ''`)
	if got := b.text("dialog .wrong"); got != "工号或口令不对" {
		t.Errorf("wrong PIN: %q", got)
	}
	b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('#guard-pin').focus()`))
	b.person("470318\r")
	b.until(`!document.querySelector('dialog') && document.querySelector('[data-document=work_permit]')`)
	if got := b.text("[data-key=shift]"); !strings.Contains(got, "秦砚书") {
		t.Errorf("on duty: %q", got)
	}
	b.press("1", "\r")
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if got := d.asked(); len(got) != 1 || !strings.HasPrefix(got[0], "answer "+q.ID) {
		t.Errorf("the desk was asked %q", got)
	}
	b.press("h")
	b.until(`document.querySelector('[data-key=end-shift]')`)
	b.shoot("shift-on")
	b.call(chromedp.Click(chromedp.CSS(`[data-key=end-shift]`)))
	b.until(`document.querySelector('[data-banner=shift]')`)
}

func TestEntry_CQ031_StudentLeavesAndReturnsByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, _ := guardPage(t, d, till1024, true)
	b.press("g")
	b.until(`document.activeElement.name === 'rule'`)
	for range 7 { // the arrow keys choose
		b.press(kb.ArrowDown)
	}
	b.until(`document.activeElement.value === 'winter_student' && document.querySelector('#person') && document.querySelector('input[name=direction][value=out]').checked`)
	b.press("\t", "\t")
	b.until(`document.activeElement.value === 'consent_form'`)
	b.press(" ", "\t")
	b.until(`document.activeElement.id === 'person'`)
	b.person("lin")
	b.press("\t")
	b.person("2019114")
	b.shoot("entry-student")
	b.press("\r")
	b.until(`!document.querySelector('dialog') && document.querySelector('.verdict[data-face=granted]')`)
	b.press("r")
	b.until(`document.querySelectorAll('dialog .rows li').length === 3`)
	b.shoot("registers")
	b.call(chromedp.Click(chromedp.CSS(`dialog .rows li[data-event="7-1-40"] button`)))
	b.until(`document.querySelector('input[value=consent_form]')`)
	b.until(`document.activeElement.value === 'consent_form'`)
	b.press(" ")
	b.shoot("entry-return")
	b.press("\r")
	b.until(`!document.querySelector('dialog') && document.querySelector('.verdict[data-face=granted]')`)
	want := []string{
		`enter 入口 out winter_student "consent_form" lin/2019114// `,
		`enter 入口 in winter_student "consent_form" 沈未央/2019114// ends 7-1-40 `,
	}
	if got := d.asked(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the desk was asked %q, want %q", got, want)
	}
}

func TestSearch_FindsAPassAndBeginsAnEntry(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, _ := guardPage(t, d, till1024, true)
	b.press("s")
	b.until(`document.activeElement.id === 'query'`)
	b.person("ou")
	b.until(`document.querySelectorAll('dialog .rows li').length === 2`)
	b.shoot("search")
	if got := b.text("dialog .rows"); !strings.Contains(got, "欧阳明月") || !strings.Contains(got, "已作废") {
		t.Errorf("found %q", got)
	}
	if len(d.asked()) > 0 {
		t.Errorf("a look admits somebody: %q", d.asked())
	}
	b.call(chromedp.Click(chromedp.CSS(`dialog .rows button:not(:disabled)`)))
	b.until(`document.activeElement.name === 'rule'`)
	b.call(chromedp.Click(chromedp.CSS(`input[value=resident]`)))
	b.until(`document.querySelector('input[value=id_card]')`)
	b.call(chromedp.Click(chromedp.CSS(`input[value=id_card]`)))
	b.until(`document.querySelector('#note').value === '欧阳明月：'`)
	b.press("\r")
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if got := d.asked(); len(got) != 1 || got[0] != `enter 入口 in resident "id_card" 欧阳明月：` {
		t.Errorf("the desk was asked %q", got)
	}
}

// A scan closes whatever window is open, and what was filled in is there again
// afterwards.
func TestEntry_OutlivesAScan(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.script["CP1:GOOD1234"] = granted
	b, _ := guardPage(t, d, till1024, true)
	b.press("g")
	b.until(`document.activeElement.name === 'rule'`)
	b.call(chromedp.Click(chromedp.CSS(`input[value=relative]`)))
	b.until(`document.querySelector('#staff')`)
	b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('#person').focus()`))
	b.person("gu")
	b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('input[value=relative]').focus()`))
	b.wedge("CP1:GOOD1234")
	b.until(`!document.querySelector('dialog') && document.querySelector('.verdict[data-face=granted]')`)
	b.press("g")
	b.until(`document.querySelector('input[value=relative]')?.checked && document.querySelector('#person').value === 'gu'`)
}

// Every window of the guard, and what stands in for a question, on every screen
// and in both languages.
func TestGuardsWindowsAreAccessibleAndFit(t *testing.T) {
	t.Parallel()
	for _, screen := range []size{wide, till1024, phone} {
		for _, lang := range []string{"zh", "en"} {
			t.Run(screen.name+"-"+lang, func(t *testing.T) {
				t.Parallel()
				d := newDesk()
				b, g := guardPage(t, d, screen, true)
				b.speak(lang)
				rules := rulesFor(lang != "zh" || screen != wide)
				b.windows(screen.name+"-"+lang, rules)
				b.questions(d, g, screen, lang, rules)
			})
		}
	}
}

func (b *tab) windows(name, rules string) {
	b.t.Helper()
	for key, ready := range map[string]string{
		"h": `document.querySelector('#guard-pin')`, "r": `document.querySelectorAll('dialog .rows li').length === 3`,
		"s": `document.querySelector('#query')`, "g": `document.querySelector('input[name=rule]')`,
	} {
		b.press(key)
		b.until(ready)
		switch key {
		case "s":
			b.person("ou")
			b.until(`document.querySelectorAll('dialog .rows li').length === 2`)
		case "g":
			b.call(chromedp.Click(chromedp.CSS(`input[value=relative]`)))
			b.until(`document.querySelector('#staff')`)
		}
		for _, broken := range b.axe(rules) {
			b.t.Errorf("window %s: %s", key, broken)
		}
		if n := eval[int](b, `Math.round(document.querySelector('.keys').getBoundingClientRect().height / document.querySelector('.keys button').getBoundingClientRect().height)`); n > 1 && !strings.HasPrefix(name, phone.name) {
			b.t.Errorf("the keys take %d rows", n)
		}
		if over := eval[int](b, `document.querySelector('dialog').scrollWidth - document.querySelector('dialog').clientWidth`); over > 0 {
			b.t.Errorf("window %s: %d px are cut off", key, over)
		}
		b.shoot("window-" + key + "-" + name)
		b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('dialog [data-key=cancel]').click()`))
		b.until(`!document.querySelector('dialog')`)
	}
}

func (b *tab) questions(d *actor, g *gauge, screen size, lang, rules string) {
	b.t.Helper()
	ask := func(name string, q desk.Result) {
		b.look(scanned(name, q, "question"), d, g, screen, name+"-"+lang+"-"+screen.name, rules)
		b.press("\x1b")
		b.until(`document.querySelector('[data-reason=document_required]')`)
	}
	ask("question-work", question)
	if screen != phone { // residents' documents are more than a phone shows at once
		resident := question
		resident.Kind, resident.Name = signing.ResidentSingle, "欧阳明月"
		ask("question-resident", resident)
	}
	g.set(func(s *console.Status) { s.Shift.Guard = nil })
	b.until(`document.querySelector('[data-banner=shift]')`)
	ask("question-nobody", question)
}
