package console_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"campusgate/agent/call"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var (
	tall   = size{"tall", 1080, 1920}
	box600 = size{"box", 1024, 600}
)

// stand is a kiosk: its lane, its status and its calls.
type stand struct {
	*actor
	gauge *gauge
	calls *phonebook
	guard *post
	home  string
}

func newStand(t *testing.T) *stand {
	t.Helper()
	k := &stand{actor: newDesk(), gauge: newGauge(), calls: newPhonebook()}
	k.guard = &post{gauge: k.gauge}
	k.gauge.set(func(s *console.Status) { s.Mode, s.Shift.Required = "kiosk", true })
	k.home = served(t, k.actor, k.gauge, func(c *console.Config) {
		c.Calls, c.Guards, c.Lookup = k.calls, k.guard, k.guard
		c.Kiosk = &console.Kiosk{Phone: "0571-8820 1199", OtherGate: "东门", OnCall: true}
	}).URL
	return k
}

const kioskReady = `document.querySelector('.kiosk[data-view=idle]')`

// kioskPage opens the kiosk's own page, whose clock a test can move on.
func (k *stand) page(t *testing.T, path string, screen size, scripts ...string) *tab {
	t.Helper()
	return openPage(t, k.home+path, screen, kioskReady, append(scripts, skipping)...)
}

// skip lets time pass for the page.
func (b *tab) skip(d time.Duration) {
	b.t.Helper()
	b.call(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`window.skip += %d`, d.Milliseconds())))
}

func (b *tab) view(name string) {
	b.until(`document.querySelector('.kiosk').dataset.view === '` + name + `'`)
}

// scene of a kiosk: how it comes about, and how it is known.
type kioskScene struct {
	name  string
	enter func(*stand)
	shown string
	leave func(*stand)
}

func presented(name string, r desk.Result, face string) kioskScene {
	return kioskScene{name: name, enter: func(k *stand) { k.publish(r) }, shown: `.verdict[data-face=` + face + `]`}
}

func calling(name, stage string, change func(*call.View)) kioskScene {
	return kioskScene{name: name, shown: `.calling[data-stage=` + stage + `]`, enter: func(k *stand) {
		v, err := k.calls.Help("")
		if err == nil {
			k.calls.move(v.ID, change)
		}
	}, leave: func(k *stand) { k.calls.clear() }}
}

func outOfOrder(name string, change, back func(*console.Status)) kioskScene {
	return kioskScene{
		name: name, shown: `.trouble[data-trouble=` + name + `]`,
		enter: func(k *stand) { k.gauge.set(change) }, leave: func(k *stand) { k.gauge.set(back) },
	}
}

func kioskScenes() []kioskScene {
	first := used(3 * time.Hour)
	first.FirstUse.Gate, first.FirstUse.GateName = 5, "东门"
	because := func(r verdict.Reason) desk.Result {
		d := denied
		d.Reason = r
		return d
	}
	repeat, silent, asking := granted, because(verdict.OfflineNotAllowed), question
	repeat.Repeat, repeat.Opens = true, false
	silent.Owner = &desk.Owner{Gate: 5, Name: "东门"}
	asking.Need = verdict.NeedClaim
	return []kioskScene{
		{name: "idle", enter: func(*stand) {}, shown: ".idle"},
		presented("granted", granted, "granted"),
		presented("document", because(verdict.DocumentRequired), "denied"),
		presented("revoked", denied, "denied"),
		presented("used", first, "used"),
		presented("again", silent, "again"),
		presented("repeat", repeat, "repeat"),
		presented("asking", asking, "asking"),
		{
			name: "malformed", enter: func(k *stand) { k.publish(desk.Result{Reason: verdict.Malformed}) },
			shown: `.verdict[data-reason=malformed]`, leave: func(*stand) {},
		},
		calling("calling", "calling", func(*call.View) {}),
		calling("ringing", "ringing", func(v *call.View) { v.State, v.By, v.ByName = wire.CallRinging, 5, "东门" }),
		calling("unheard", "unheard", func(v *call.View) { v.Cut = true }),
		calling("coming", "coming", func(v *call.View) { v.State, v.By, v.ByName = wire.CallAnswered, 5, "东门" }),
		calling("missed", "missed", func(v *call.View) { v.State = wire.CallMissed }),
		{
			name: "question", shown: `.calling[data-reason=document]`,
			enter: func(k *stand) {
				q := k.publish(question)
				k.calls.put(call.View{Ring: wire.Ring{Lane: "入口", Reason: wire.CallDocument, Scan: q.ID}, Mine: true, State: wire.CallRinging, ByName: "东门"})
			},
			leave: func(k *stand) { k.calls.clear(); k.publish(granted) },
		},
		outOfOrder("scanner", func(s *console.Status) { s.Lanes[0].Scanner.State = "lost" }, func(s *console.Status) { s.Lanes[0].Scanner.State = "ok" }),
		outOfOrder("barrier", func(s *console.Status) { s.Lanes[0].Barrier.State = "lost" }, func(s *console.Status) { s.Lanes[0].Barrier.State = "ok" }),
		outOfOrder("clock", func(s *console.Status) { s.Clock.Trusted = false }, func(s *console.Status) { s.Clock.Trusted = true }),
		outOfOrder("stale", func(s *console.Status) { s.Snapshot.Stale = true }, func(s *console.Status) { s.Snapshot.Stale = false }),
		outOfOrder("snapshot", func(s *console.Status) { s.Snapshot.At = 0 }, func(s *console.Status) { s.Snapshot.At = 1 }),
	}
}

// Every state of a kiosk's page fits every screen that it is made for, in both
// languages, by day and by night; axe finds nothing, and white is readable.
func TestKiosk_EveryStateFitsAndIsAccessible(t *testing.T) {
	t.Parallel()
	looks := []struct {
		screen size
		dress
	}{
		{tall, dress{"en", "dark"}},
		{box600, dress{"en", "light"}},
		{wide, dress{"zh", "light"}},
		{wide, dress{"en", "dark"}},
		{tall, dress{"zh", "light"}},
		{box600, dress{"zh", "dark"}},
	}
	if *shots == "" && !*dresses {
		looks = looks[:3] // the rest is for eyes
	}
	for i, look := range looks {
		name := fmt.Sprintf("%s-%s-%s", look.screen.name, look.lang, look.scheme)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newStand(t)
			b := k.page(t, "/", look.screen)
			b.wear(look.dress)
			b.press("x") // a key turns the sound on
			for _, s := range kioskScenes() {
				b.speak(look.lang)
				s.enter(k)
				b.until(`document.querySelector('` + s.shown + `')`)
				b.kioskFits(s.name)
				for _, broken := range b.axe(rulesFor(i > 0)) {
					t.Errorf("%s: %s", s.name, broken)
				}
				b.shoot("kiosk-" + name + "-" + s.name)
				if s.leave != nil { // one result interrupts another; the rest has to go first
					s.leave(k)
					b.until(`(window.skip += 1000) && document.querySelector('.kiosk').dataset.view === 'idle'`)
				}
			}
		})
	}
}

// kioskFits fails when something is cut off, covers its neighbour or would have
// to be scrolled, and when a result cannot be read from two metres.
func (b *tab) kioskFits(where string) {
	b.t.Helper()
	for _, axis := range []string{"Width", "Height"} {
		if over := eval[int](b, `document.scrollingElement.scroll`+axis+` - inner`+axis); over > 0 {
			b.t.Errorf("%s: the page is %d px too large (%s)", where, over, axis)
		}
	}
	cut := eval[[]string](b, `(() => {
		const out = []
		const stage = document.querySelector('.stage').getBoundingClientRect()
		for (const e of document.querySelectorAll('.stage p:not(.next), .next .both, .stage h2, .stage li, .sign, .bell, .picture')) {
			const r = e.getBoundingClientRect()
			if (r.top < stage.top - 1.5 || r.bottom > stage.bottom + 1.5 || r.left < -1 || r.right > innerWidth + 1) out.push(e.className + ' ' + Math.round(r.top - stage.top) + ' ' + Math.round(r.bottom - stage.bottom) + ' ' + Math.round(r.right - innerWidth) + ' ' + (e.innerText ?? '').slice(0, 30))
			if (e.scrollWidth > e.clientWidth + 2 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline') out.push('cut: ' + e.className + ' ' + e.innerText)
		}
		for (const e of document.querySelectorAll('nav button')) {
			const r = e.getBoundingClientRect()
			if (r.height < 64 || r.width < 64 || r.bottom > innerHeight) out.push('button ' + Math.round(r.width) + 'x' + Math.round(r.height))
		}
		return out
	})()`)
	for _, c := range cut {
		b.t.Errorf("%s: out of its place: %s", where, c)
	}
	if sign := eval[float64](b, `(document.querySelector('.verdict .sign')?.getBoundingClientRect().height ?? innerHeight) / innerHeight`); sign < 0.18 {
		b.t.Errorf("%s: the sign takes %.0f %% of the height", where, sign*100)
	}
	if name := eval[float64](b, `(document.querySelector('.verdict .name') ? parseFloat(getComputedStyle(document.querySelector('.verdict .name')).fontSize) : innerHeight) / innerHeight`); name < 0.079 {
		b.t.Errorf("%s: the name takes %.1f %% of the height", where, name*100)
	}
}

func TestKiosk_VerdictReturnsToIdleByItself(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	b := k.page(t, "/", wide, listening)
	b.press("x")
	b.until(`window.heard()`)
	for _, step := range []struct {
		r     desk.Result
		face  string
		stays time.Duration
	}{{granted, "granted", 5 * time.Second}, {denied, "denied", 8 * time.Second}} {
		k.publish(step.r)
		b.until(`document.querySelector('.verdict[data-face=` + step.face + `]')`)
		b.skip(step.stays - time.Second)
		b.until(`performance.now() > 0 && document.querySelector('.verdict')`)
		b.skip(time.Second)
		b.view("idle")
	}
	if tones := eval[[]string](b, `window.tones`); len(tones) < 4 {
		t.Errorf("the page made %v", tones)
	}
	// The next person interrupts.
	k.publish(denied)
	b.until(`document.querySelector('.verdict[data-face=denied]')`)
	k.publish(granted)
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if got := b.text(".verdict .name"); got != "欧＊" {
		t.Errorf("the name on the screen is %q", got)
	}
	for _, secret := range []string{granted.Name, granted.Doc4} {
		if strings.Contains(eval[string](b, `document.documentElement.outerHTML`), secret) {
			t.Errorf("the page holds %q", secret)
		}
	}
}

func TestKiosk_AKeyboardScannerIsHeardAndEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	k.script["CP1:GOOD1234"] = granted
	b := k.page(t, "/?lane=%E5%85%A5%E5%8F%A3", wide)
	b.wedge("CP1:GOOD1234")
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if got := k.asked(); len(got) != 1 || got[0] != "present 入口 wedge CP1:GOOD1234" {
		t.Errorf("the desk was asked %q", got)
	}
	// A scan of another lane is none of this screen's.
	b.skip(6 * time.Second)
	b.view("idle")
	other := denied
	other.Lane = "出口"
	k.publish(other)
	k.publish(granted)
	b.until(`document.querySelector('.verdict')`)
	if got := eval[string](b, `document.querySelector('.verdict').dataset.face`); got != "granted" {
		t.Errorf("shown: %s", got)
	}
	source, err := os.ReadFile("../web/src/kiosk/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range verdict.Reasons() {
		if r.Opens() || r >= verdict.CardLost && r <= verdict.TerminalClosed || r == verdict.NeedsInput || r == verdict.Annulled || r == verdict.Conflict {
			continue
		}
		if !regexp.MustCompile(`(?m)^  ` + r.String() + `: \[\[`).Match(source) {
			t.Errorf("the kiosk has no words for %s", r)
		}
	}
}

func TestKiosk_HelpIsCalledByTouchAndByKey(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	b := k.page(t, "/", tall)
	b.call(chromedp.Click(chromedp.CSS(`[data-key=help]`)))
	b.until(`document.querySelector('.calling[data-stage=calling]')`)
	// Nobody is known to hear it: the page says whom to phone, and goes on ringing.
	b.skip(3 * time.Second)
	b.until(`document.querySelector('.calling[data-stage=unheard]')`)
	if got := b.text(".way .number"); got != "0571-8820 1199" {
		t.Errorf("phone %q", got)
	}
	k.calls.move("", func(v *call.View) { v.State, v.ByName = wire.CallRinging, "东门" })
	b.until(`document.querySelector('.calling[data-stage=ringing]')`)
	k.calls.move("", func(v *call.View) { v.State = wire.CallAnswered })
	b.until(`document.querySelector('.calling[data-stage=coming]')`)
	if got := b.text(".calling .why"); !strings.Contains(got, "东门的值班员正在赶来") {
		t.Errorf("coming: %q", got)
	}
	b.skip(61 * time.Second) // the guard is on the way; others may pass
	b.view("idle")
	k.calls.clear()

	b.press("h")
	b.until(`document.querySelector('.calling')`)
	b.press("\x1b")
	b.view("idle")
	k.calls.clear()
	b.press("h")
	b.until(`document.querySelector('.calling')`)
	k.calls.move("", func(v *call.View) { v.State = wire.CallMissed })
	b.until(`document.querySelector('.calling[data-stage=missed]')`)
	k.calls.clear() // the agent forgets it; the page still says whom to phone
	b.until(`document.querySelector('.calling[data-stage=missed]')`)
	b.skip(21 * time.Second)
	b.view("idle")
	want := []string{"help ", "help ", "cancel 7-1-1", "help "}
	if got := k.calls.heard(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("asked %q, want %q", got, want)
	}
	k.calls.mu.Lock()
	k.calls.fail = call.ErrMany
	k.calls.mu.Unlock()
	b.press("h")
	b.view("failed")
	if got := b.text(".way .number"); got != "0571-8820 1199" {
		t.Errorf("phone %q", got)
	}
}

func TestKiosk_ADocumentIsAskedForElsewhere(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	b := k.page(t, "/", wide)
	q := k.publish(question)
	k.calls.put(call.View{Ring: wire.Ring{Lane: "入口", Reason: wire.CallDocument, Scan: q.ID}, Mine: true, State: wire.CallRinging, ByName: "东门"})
	b.until(`document.querySelector('.calling[data-reason=document]')`)
	if got := b.text(".stage"); !strings.Contains(got, "请备好证件") {
		t.Errorf("document: %q", got)
	}
	if _, err := k.Answer(t.Context(), q.ID, []string{"work_permit"}, false); err != nil {
		t.Fatal(err)
	}
	k.calls.move("", func(v *call.View) { v.State = wire.CallAdmitted })
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	b.skip(6 * time.Second)
	b.view("idle")
}

func TestKiosk_AnOldVerdictIsNeverShownAndTheAgentMayRestart(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	k.publish(granted)
	b := k.page(t, "/", wide) // ready is idle: what was decided before is not shown
	k.publish(denied)
	b.until(`document.querySelector('.verdict')`)
	b.call(chromedp.Reload())
	b.until(kioskReady)
	// Silence of the agent is a trouble, and over when it speaks again.
	b.call(chromedp.Evaluate[chromedp.Void](`(() => { const Real = WebSocket; window.cut = () => { for (const s of window.sockets) s.close() }; window.sockets = []
		window.WebSocket = function (u) { const s = new Real(u); window.sockets.push(s); return s } })()`))
	k.stop() // the lanes are left behind: every feed ends and comes back
	b.until(`document.querySelector('.trouble[data-trouble=agent] .way.other')?.innerText.replace(/\s+/g, ' ').includes('请走：东门')`)
}

func TestKiosk_StandsStillAndMovesAgainstBurnIn(t *testing.T) {
	t.Parallel()
	k := newStand(t)
	b := k.page(t, "/", wide)
	for _, event := range []string{"contextmenu", "selectstart", "dragstart", "wheel"} {
		if eval[bool](b, `document.body.dispatchEvent(new Event('`+event+`', {bubbles: true, cancelable: true}))`) {
			t.Errorf("%s does what it does elsewhere", event)
		}
	}
	if got := eval[string](b, `getComputedStyle(document.body).cursor + getComputedStyle(document.querySelector('nav button')).cursor + getComputedStyle(document.documentElement).userSelect`); got != "nonenonenone" {
		t.Errorf("cursor and selection: %s", got)
	}
	seen := map[string]bool{}
	for range 4 {
		seen[eval[string](b, `document.querySelector('.kiosk').dataset.place + getComputedStyle(document.querySelector('main')).transform`)] = true
		place := eval[string](b, `document.querySelector('.kiosk').dataset.place`)
		b.skip(time.Minute)
		b.until(`document.querySelector('.kiosk').dataset.place !== '` + place + `'`)
	}
	if len(seen) != 4 {
		t.Errorf("the picture stands at %v", seen)
	}
	// A visitor's language lasts until the next visitor.
	b.press("l")
	b.until(`document.documentElement.lang === 'en'`)
	if got := b.text(".idle .call .first"); got != "Show your code to enter" {
		t.Errorf("in English: %q", got)
	}
	b.skip(31 * time.Second)
	b.until(`document.documentElement.lang === 'zh-CN'`)
}
