package console_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
)

// skipping has the page's clock stand still, however slow the machine is, until a
// test moves it on.
const skipping = `window.skip = 0; performance.now = () => 100_000 + window.skip`

// listening notes every tone the page makes, and tells when it may make some.
const listening = `window.tones = []; window.heard = () => false; {
	window.AudioContext = class extends AudioContext {
		constructor() { super(); window.heard = () => this.state === 'running' }
	}
	const make = AudioContext.prototype.createOscillator
	AudioContext.prototype.createOscillator = function () {
		const o = make.call(this), start = o.start.bind(o)
		o.start = (at) => { window.tones.push(o.type + Math.round(o.frequency.value)); start(at) }
		return o
	}
}`

// What a person sees of each reason: the sign's shape, the word, and what to do
// next; large enough, and readable on its ground.
func TestEveryVerdictShowsSignWordAndNextAction(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, desk8, skipping)
	b.press("x")
	for _, lang := range []string{"zh", "en"} {
		b.speak(lang)
		for _, reason := range verdict.Reasons() {
			r := granted
			r.Reason, r.Opens = reason, reason.Opens()
			sign := "cross"
			switch reason {
			case verdict.Granted:
				sign = "tick"
			case verdict.Attention:
				sign = "bang"
			case verdict.NeedsInput:
				sign, r.Need = "ask", verdict.NeedDocument
			case verdict.Annulled:
				sign, r.Reason, r.Annulled = "undo", verdict.Granted, true
			default:
			}
			r = d.publish(r)
			b.until(fmt.Sprintf(`document.querySelector('.verdict[data-reason=%q]')`, r.Reason))
			want := verdict.TextOf(reason, lang)
			b.until(fmt.Sprintf(`document.querySelector('.word').textContent === %q`, want.Word))
			got := eval[struct {
				Sign, Word, Title, Next, Name, Spoken string
				SignHeight, NameHeight, Contrast      float64
			}](b, `(() => {
				const at = (s) => document.querySelector('.verdict ' + s)
				const light = (rgb) => { const [r, g, b] = rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
				const ground = getComputedStyle(document.querySelector('.verdict')).backgroundColor.match(/\d+/g).map(Number)
				return {
					sign: at('.sign').dataset.sign, word: at('.word').textContent, title: at('.title').textContent,
					next: at('.next')?.textContent ?? '', name: at('.name').textContent, spoken: document.querySelector('[role=status]').textContent,
					signHeight: at('.sign').getBoundingClientRect().height / innerHeight,
					nameHeight: parseFloat(getComputedStyle(at('.name')).fontSize) / innerHeight,
					contrast: 1.05 / (light(ground) + 0.05),
				}
			})()`)
			if got.Sign != sign || got.Word != want.Word || got.Title != want.Title || got.Name != r.Name {
				t.Errorf("%v %s: %+v", reason, lang, got)
			}
			if !strings.Contains(got.Next, want.Next) && reason != verdict.NeedsInput {
				t.Errorf("%v %s: next action is %q, want %q", reason, lang, got.Next, want.Next)
			}
			if !strings.HasPrefix(got.Spoken, want.Word) || !strings.Contains(got.Spoken, r.Name) {
				t.Errorf("%v %s: a screen reader says %q", reason, lang, got.Spoken)
			}
			if got.SignHeight < 0.18 || got.NameHeight < 0.08 || got.Contrast < 7 || math.IsNaN(got.Contrast) {
				t.Errorf("%v %s: sign %.2f, name %.2f of the height, contrast %.1f", reason, lang, got.SignHeight, got.NameHeight, got.Contrast)
			}
		}
	}
}

func TestFirstUseAndOwnerAreShown(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, till1024)
	d.publish(used(2*time.Hour + time.Minute))
	b.until(`document.querySelector('.highlight')`)
	if got := b.text(".highlight"); !strings.Contains(got, "首次使用 · 2 小时前") || !strings.Contains(got, "东门") {
		t.Errorf("first use: %q", got)
	}
	silent := denied
	silent.Reason, silent.Owner = verdict.OfflineNotAllowed, &desk.Owner{Gate: 5, Name: "东门"}
	d.publish(silent)
	b.until(`document.querySelector('[data-reason=offline_not_allowed]')`)
	if got := b.text(".highlight"); got != "请走判定此证的校门 东门" {
		t.Errorf("owner: %q", got)
	}
	if got := b.text(".facts"); !strings.Contains(got, denied.Doc4) || !strings.Contains(got, "工作通行码") || !strings.Contains(got, "2027年1月1日") {
		t.Errorf("facts: %q", got)
	}
}

func TestRepeatIsNoSecondAdmission(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, till1024)
	first := d.publish(granted)
	r := granted
	r.Repeat, r.Opens = true, false
	d.publish(r)
	b.until(`document.querySelector('.verdict[data-face=repeat]')`)
	at := time.UnixMilli(first.At).In(time.FixedZone("campus", 8*3600)).Format("15:04:05")
	if got := b.text(".highlight"); got != "已使用 "+at {
		t.Errorf("used at %q, want %s", got, at)
	}
	if got := b.text(".verdict .barrier"); got != "闸门不开" {
		t.Errorf("barrier: %q", got)
	}
	if sign := eval[string](b, `document.querySelector('.verdict .sign').dataset.sign`); sign != "bang" {
		t.Errorf("a repeat looks like an admission: %s", sign)
	}
}

func TestStageRestsAfterFourSecondsAndHidesNames(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, desk8, skipping)
	d.publish(granted)
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	d.publish(denied)
	b.until(`document.querySelector('.verdict[data-face=denied]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.skip += 4000`))
	b.until(`document.querySelector('.idle')`)
	text := eval[string](b, `document.body.innerText`)
	for _, secret := range []string{granted.Name, denied.Name, denied.Doc4, granted.Doc4} {
		if strings.Contains(text, secret) {
			t.Errorf("the idle screen tells %q", secret)
		}
	}
	if got := b.text(".recent li"); !strings.Contains(got, "拒绝") || !strings.Contains(got, "此码已作废") || !strings.Contains(got, "陆＊") {
		t.Errorf("last scan: %q", got)
	}
	// A question stays.
	d.publish(question)
	b.until(`document.querySelector('.verdict[data-face=question]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.skip += 30000`))
	d.publish(granted)
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.skip += 4000`))
	b.until(`document.querySelector('.verdict[data-face=question]')`)
}

func TestKeyboardScannerWorksWhereverTheFocusIs(t *testing.T) {
	t.Parallel()
	d, g := newDesk(), newGauge()
	g.set(func(s *console.Status) {
		s.Lanes = append(s.Lanes, s.Lanes[0])
		s.Lanes[1].Name = "出口"
	})
	b := open(t, served(t, d, g, nil).URL, desk8)
	const code = "CP1:NCFOXN%TS3DH3ZSUZK+.V0ETD%65NL-AH-R6IOO6+IDO/"
	for _, place := range [][2]string{
		{"nothing", `document.activeElement.blur()`},
		{"a button", `document.querySelector('[data-key=language]').focus()`},
		{"a text field", `document.querySelector('[data-key=manual]').click()`},
		{"the lane list", `document.querySelector('[data-key=manual]').click()`},
	} {
		name, focus := place[0], place[1]
		b.call(chromedp.Evaluate[chromedp.Void](focus))
		field := strings.Contains(focus, "manual")
		if field {
			b.until(`document.activeElement.id === 'code'`)
			b.person("abc")
			b.until(`document.activeElement.value === 'abc'`)
			if name == "the lane list" {
				b.call(chromedp.Evaluate[chromedp.Void](`document.querySelector('#lane').focus()`))
			}
			b.call(chromedp.Evaluate[chromedp.Void](`window.field = document.querySelector('#code'); window.lane = document.querySelector('#lane')`))
		}
		before := len(d.asked())
		b.wedge(strings.ToLower(code))
		b.until(fmt.Sprintf(`document.querySelectorAll('.recent li').length === %d`, before+1))
		asked := d.asked()
		if len(asked) != before+1 || asked[before] != "present 入口 wedge "+code {
			t.Errorf("focus on %s: the desk was asked %q", name, asked[before:])
		}
		if field {
			if v := eval[string](b, `window.field.value + '|' + window.lane.selectedIndex`); v != "abc|0" {
				t.Errorf("focus on %s: the scan left %q behind", name, v)
			}
		}
	}
	if lang := eval[string](b, `document.documentElement.lang`); lang != "zh-CN" {
		t.Errorf("a scan pressed a button: the page now speaks %s", lang)
	}
}

func TestPersonTypesACodeByHand(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.script["HTTPS://GATE.EXAMPLE/V/MFRGG"] = granted
	b := open(t, served(t, d, newGauge(), nil).URL, phone)
	b.press("i")
	b.until(`document.activeElement.id === 'code'`)
	b.shoot("manual")
	b.person("HTTPS://GATE.EXAMPLE/V/MFRGG")
	b.until(`document.activeElement.value === 'HTTPS://GATE.EXAMPLE/V/MFRGG'`)
	b.press("\r")
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if asked := d.asked(); len(asked) != 1 || asked[0] != "present 入口 manual HTTPS://GATE.EXAMPLE/V/MFRGG" {
		t.Errorf("the desk was asked %q", asked)
	}
}

func TestQuestion_CQ005_CQ009_IsAnsweredByKeyOrTouch(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, till1024)
	ask := func() string {
		q := d.publish(question)
		b.until(`document.querySelector('.verdict[data-face=question] [data-document]')`)
		return q.ID
	}
	id := ask()
	b.press("1")
	b.until(`document.querySelector('[data-document=work_permit]').getAttribute('aria-checked') === 'true'`)
	if asked := d.asked(); len(asked) > 0 {
		t.Errorf("a tick alone asked the desk %q", asked)
	}
	b.press("\r")
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	refused := ask()
	b.press("\x1b")
	b.until(`document.querySelector('[data-reason=document_required]')`)
	touched := ask()
	b.call(chromedp.Click(chromedp.CSS(`[data-document=work_certificate]`)))
	b.call(chromedp.Click(chromedp.CSS(`[data-key=confirm]`)))
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	want := []string{
		fmt.Sprintf("answer %s %q false", id, "work_permit"), fmt.Sprintf("answer %s %q true", refused, ""),
		fmt.Sprintf("answer %s %q false", touched, "work_certificate"),
	}
	// The verdict is on the stage, so the answer has reached the desk.
	if got := d.asked(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the desk was asked %q, want %q", got, want)
	}
	// A question that the lane gave up on goes away, and says why.
	late := ask()
	d.mu.Lock()
	d.fail = desk.ErrNotWaiting
	d.mu.Unlock()
	b.press("1", "\r")
	b.until(`document.querySelector('.notice')`)
	if got := b.text(".notice"); !strings.Contains(got, "不再等待") {
		t.Errorf("notice %q after answering %s too late", got, late)
	}
	b.until(`document.querySelector('.idle')`)
}

func TestAdmissionIsTakenBackAfterConfirmation(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, desk8)
	if !eval[bool](b, `document.querySelector('[data-key=annul]').disabled`) {
		t.Error("there is nothing to take back yet")
	}
	r := d.publish(granted)
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	b.press("n")
	b.until(`document.querySelector('dialog[open]')`)
	for _, broken := range b.axe(allRules) {
		t.Errorf("dialog: %s", broken)
	}
	b.shoot("annul")
	b.press("\x1b")
	b.until(`!document.querySelector('dialog')`)
	if asked := d.asked(); len(asked) > 0 {
		t.Fatalf("asked without confirmation: %q", asked)
	}
	// The next person must not be taken back in the last one's place.
	b.press("n")
	b.until(`document.querySelector('dialog[open]')`)
	d.publish(denied)
	b.until(`!document.querySelector('dialog')`)
	b.press("n")
	b.until(`document.querySelector('dialog[open]')`)
	b.press("\r")
	b.until(`document.querySelector('.verdict[data-face=annulled]')`)
	if asked := d.asked(); len(asked) != 1 || asked[0] != "annul "+r.ID {
		t.Errorf("the desk was asked %q", asked)
	}
	b.until(`document.querySelector('[data-key=annul]').disabled`)
}

func TestTroubleIsShown(t *testing.T) {
	t.Parallel()
	d, g := newDesk(), newGauge()
	srv := served(t, d, g, nil)
	b := open(t, srv.URL, till1024)
	b.press("x")
	has := func(banner, text string) {
		t.Helper()
		b.until(`document.querySelector('[data-banner=` + banner + `]')`)
		if got := b.text("[data-banner=" + banner + "]"); !strings.Contains(got, text) {
			t.Errorf("%s: %q lacks %q", banner, got, text)
		}
	}
	g.set(func(s *console.Status) {
		s.Online, s.Queue, s.Snapshot.AgeMS = false, 12, 3*3_600_000
		s.Clock.Trusted, s.Clock.Reason = false, "not_synced"
		s.Lanes[0].Scanner.State, s.Lanes[0].Barrier.State = "lost", "lost"
	})
	has("offline", "名单为 3 小时前，12 条记录待上传")
	has("clock", "太久没有与服务器对时")
	has("scanner", "扫码器断开：入口")
	has("barrier", "闸机断开：入口")
	if got := b.text(`[data-chip="scanner-入口"]`); got != "扫码器 断开" {
		t.Errorf("scanner chip %q", got)
	}
	// Whatever else is fitted is named with what to do, without a word of its own too.
	g.set(func(s *console.Status) {
		s.Devices = []console.Device{
			{Lane: "入口", Kind: "scanner", Driver: "serial", Name: "2", State: "garbled"},
			{Kind: "printer", Driver: "escpos", State: "stuck"},
			{Kind: "lamp", Driver: "gpio", State: "dim", Detail: "half a volt"},
		}
	})
	has("printer", "打印机无响应")
	has("lamp", "lamp dim")
	b.until(`[...document.querySelectorAll('[data-banner=scanner]')].some(e => e.innerText.includes('扫码器读数异常：入口 2') && e.innerText.includes('波特率'))`)
	g.set(func(s *console.Status) { s.Devices = nil })
	g.set(func(s *console.Status) {
		s.Snapshot.At = 0
		s.Clock.Trusted, s.Clock.OffsetMS = true, -130_000
	})
	b.until(`document.querySelector('[data-banner=clock][data-tone=warn]')`)
	has("clock", "电脑时间偏差 2 分钟")
	has("offline", "尚未收到名单")
	d.publish(granted)
	b.until(`document.querySelector('.verdict .barrier')`)
	if got := b.text(".verdict .barrier"); !strings.Contains(got, "手动开门") {
		t.Errorf("barrier lost, yet the verdict says %q", got)
	}
	for _, broken := range b.axe(allRules) {
		t.Error(broken)
	}
	b.fits("trouble")
	b.shoot("trouble")
	srv.Close()
	d.stop()
	has("feed", "与本机程序失去联系")
}

func TestSoundsDifferAndCanBeMuted(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, desk8, listening)
	b.until(`document.querySelector('[data-banner=sound]')`)
	b.press("x")
	b.until(`!document.querySelector('[data-banner=sound]')`)
	attention := denied
	attention.Reason, attention.Opens = verdict.Attention, true
	heard := map[string]string{}
	for name, r := range map[string]desk.Result{"granted": granted, "denied": denied, "question": question, "attention": attention} {
		b.call(chromedp.Evaluate[chromedp.Void](`window.tones = []`))
		d.publish(r)
		b.until(`window.tones.length > 0 && document.querySelector('.verdict[data-face=` + name + `]')`)
		tones := eval[string](b, `window.tones.join()`)
		if other := heard[tones]; other != "" {
			t.Errorf("%s sounds like %s: %s", name, other, tones)
		}
		heard[tones] = name
	}
	b.press("m")
	b.until(`document.querySelector('[data-muted=true]')`)
	if got := b.text("[data-key=mute]"); !strings.Contains(got, "已静音") {
		t.Errorf("mute says %q", got)
	}
	b.call(chromedp.Evaluate[chromedp.Void](`window.tones = []`))
	d.publish(denied)
	b.until(`document.querySelectorAll('.recent li').length === 5`)
	if n := eval[int](b, `window.tones.length`); n != 0 {
		t.Errorf("%d tones though muted", n)
	}
	b.call(chromedp.Reload())
	b.until(`document.querySelector('[data-muted=true]')`)
}

func TestLanguageIsKept(t *testing.T) {
	t.Parallel()
	b := open(t, served(t, newDesk(), newGauge(), nil).URL, phone)
	if lang := eval[string](b, `document.documentElement.lang`); lang != "zh-CN" {
		t.Errorf("the first language is %s", lang)
	}
	b.call(chromedp.Click(chromedp.CSS(`[data-key=language]`)))
	b.until(`document.documentElement.lang === 'en' && document.title.endsWith('Gate')`)
	b.call(chromedp.Reload())
	b.until(`document.documentElement.lang === 'en' && document.querySelector('.call')?.textContent === 'Ready to scan'`)
}

func TestEverythingIsReachedByTabAndShowsItsFocus(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.publish(granted)
	b := open(t, served(t, d, newGauge(), nil).URL, desk8)
	b.press("x") // turns the sound on, which takes its button away
	d.publish(question)
	b.until(`document.querySelector('.verdict[data-face=question]') && !document.querySelector('[data-banner=sound]')`)
	total := eval[int](b, `document.querySelectorAll('button:not(:disabled)').length`)
	seen := map[string]bool{}
	for range total + 2 {
		b.press("\t")
		f := eval[struct {
			Name    string
			Outline float64
		}](b, `(() => { const e = document.activeElement; return { name: e === document.body ? '' : e.textContent, outline: parseFloat(getComputedStyle(e).outlineWidth) } })()`)
		if f.Name == "" {
			continue
		}
		seen[f.Name] = true
		if f.Outline < 2 {
			t.Errorf("%q has the focus and does not show it", f.Name)
		}
	}
	if len(seen) != total {
		t.Errorf("Tab reaches %d of %d buttons: %v", len(seen), total, seen)
	}
}

func TestTargetsAreLargeEnoughForFingers(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b := open(t, served(t, d, newGauge(), nil).URL, phone)
	d.publish(question)
	b.until(`document.querySelector('.verdict[data-face=question]')`)
	small := eval[[]string](b, `[...document.querySelectorAll('button')].filter((e) => {
		const r = e.getBoundingClientRect(); return r.width < 44 || r.height < 44 }).map((e) => e.textContent)`)
	if len(small) > 0 {
		t.Errorf("too small: %q", small)
	}
}

func TestScreenIsKeptAwakeAndStill(t *testing.T) {
	t.Parallel()
	const lock = `window.locks = 0; Object.defineProperty(navigator, 'wakeLock', { value: { request: async () => {
		window.locks++; return window.lock = { released: false } } } })`
	b := open(t, served(t, newDesk(), newGauge(), nil).URL, desk8, lock)
	b.until(`window.locks === 1`)
	b.call(chromedp.Evaluate[chromedp.Void](`window.lock.released = true; document.dispatchEvent(new Event('visibilitychange'))`))
	b.until(`window.locks === 2`)
	if n := eval[int](b, `document.getAnimations().length`); n == 0 {
		t.Error("the idle screen is expected to breathe")
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.until(`document.getAnimations().length === 0`)
}

func TestPageOfAnOlderAgentReloads(t *testing.T) {
	t.Parallel()
	d, g := newDesk(), newGauge()
	b := open(t, served(t, d, g, nil).URL, desk8)
	b.call(chromedp.Evaluate[chromedp.Void](`window.old = true`))
	g.set(func(s *console.Status) { s.Software = "1.1" })
	b.until(`!window.old && document.querySelector('.idle')`)
}
