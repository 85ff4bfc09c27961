package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// small is the screen of a till from years ago.
var small = size{"small", 800, 480}

// scene is a state of a till's page: how it comes about after the one before,
// and how it is known.
type scene struct {
	name  string
	enter func(*counter, *tab)
	shown string
}

func typed(name, keys, shown string) scene {
	return scene{name, func(_ *counter, b *tab) { b.pad(keys) }, shown}
}

func result(name, face string, change func(*desk.Result)) scene {
	return scene{name, func(c *counter, _ *tab) {
		r := desk.Result{Reason: verdict.Granted, Charge: &desk.Charge{AmountFen: 2125, BalanceFen: new(int64(8640)), Holder: "**远", Batch: 3, Flow: 1000}}
		if change != nil {
			change(&r)
		}
		r.Lane, r.Source = "窗口", "serial"
		c.publish(r)
	}, ".verdict[data-face=" + face + "]"}
}

func because(r verdict.Reason) func(*desk.Result) {
	return func(d *desk.Result) { d.Reason, d.Charge.BalanceFen = r, nil }
}

// A lunch at the till, through every state of its page.
var lunch = []scene{
	typed("idle", "-", ".sale[data-phase=idle]"),
	typed("typing", "8.5+3*4.25", ".items li"),
	typed("armed", "\r", ".sale[data-phase=armed]"),
	result("refused", "refused", because(verdict.InsufficientBalance)),
	typed("still", "\r", ".sale[data-phase=armed] .before"),
	{"paid", func(c *counter, _ *tab) {
		c.tell(func(v *till.View) { v.Sale = nil })
		result("", "", nil).enter(c, nil)
	}, ".verdict[data-face=paid]"},
	{"offline", func(c *counter, _ *tab) {
		c.gauge.set(func(s *console.Status) { s.Online, s.Snapshot.AgeMS = false, 12*60_000 })
		c.tell(func(v *till.View) {
			v.Offline, v.Backlog = true, till.Backlog{Records: 1280, Fen: 1_234_850, OldestAt: time.Now().Add(-15 * time.Minute).UnixMilli()}
		})
		result("", "", func(r *desk.Result) {
			r.Offline, r.Charge.AmountFen, r.Charge.BalanceFen, r.Charge.Holder = true, 999_999, nil, ""
		}).enter(c, nil)
	}, ".page:has([data-banner=offline]) .verdict[data-face=paid] .later"},
	{"online", func(c *counter, _ *tab) {
		c.gauge.set(func(s *console.Status) { s.Online = true })
		c.tell(func(v *till.View) { v.Offline, v.Backlog = false, till.Backlog{} })
		result("", "", func(r *desk.Result) { r.Charge.AmountFen, r.Charge.BalanceFen = 999_999, new(int64(12_345_678)) }).enter(c, nil)
	}, ".page:not(:has(.banner)) .verdict[data-face=paid] dd:not(.later)"},
	result("amount", "amount", func(r *desk.Result) { r.Reason, r.Need, r.Charge = verdict.NeedsInput, verdict.NeedAmount, nil }),
	result("again", "confirm", func(r *desk.Result) { r.Reason, r.Need = verdict.NeedsInput, verdict.NeedConfirm }),
	result("repeat", "repeat", func(r *desk.Result) { r.Repeat = true }),
	result("asking", "asking", func(r *desk.Result) { r.Reason, r.Need = verdict.NeedsInput, verdict.NeedClaim }),
	result("pin", "refused", because(verdict.PinRequired)),
	result("voided", "voided", func(r *desk.Result) { r.Charge.Voided, r.Annulled = true, true }),
	typed("functions", "/", "[data-panel=functions]"),
	typed("charges", "2", ".rows li"),
	typed("charge", "2", "[data-panel=charge] .items"),
	typed("void", "2", "[data-panel=void] input"),
	typed("void-wrong", "100007\r1\r", ".staff .wrong:not(:empty)"),
	typed("entry", "//3", "[data-panel=entry]"),
	typed("menu", "2", ".menu"),
	typed("menu-typing", "2*3+12+99+7*1", ".typing[data-known=true]"),
	typed("menu-armed", "\r", ".sale[data-phase=armed] .items"),
	{"fixed", func(c *counter, _ *tab) {
		c.tell(func(v *till.View) { v.Sale, v.Till = nil, ruled(v.Till, wire.EntryFixed) })
	}, ".sale[data-phase=standing]"},
	{"between", func(c *counter, _ *tab) {
		c.tell(func(v *till.View) { v.Period, v.Till = nil, ruled(v.Till, wire.EntryPeriod) })
	}, ".sale[data-phase=idle] .hint"},
	typed("batch", "/5", "[data-panel=batch] .danger"),
	typed("batch-sure", "\r", "[data-panel=batch] [role=alert]"),
	typed("batch-closed", "\r", "[data-panel=batch] .primary"),
	typed("closed", "--", "[data-trouble=batch]"),
	{"clock", func(c *counter, _ *tab) {
		c.gauge.set(func(s *console.Status) { s.Clock.Trusted = false })
	}, "[data-trouble=clock]"},
	{"shift", func(c *counter, b *tab) {
		c.gauge.set(func(s *console.Status) { s.Clock.Trusted = true })
		b.pad("/6")
	}, "[data-panel=shift] .big"},
	typed("login", "2", "[data-panel=shift] input"),
}

// ruled gives a till other rules.
func ruled(r *till.Rules, entry wire.EntryMode) *till.Rules {
	next := *r
	next.Entry, next.Version = entry, r.Version+"+"
	return &next
}

// dress is a language and a time of day.
type dress struct{ lang, scheme string }

func (b *tab) wear(d dress) {
	b.t.Helper()
	b.emulate(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: d.scheme}}})
}

// media shows the page as a printer gets it, or with "" on the screen again.
func (b *tab) media(kind string) {
	b.t.Helper()
	b.emulate(emulation.SetEmulatedMediaParams{Media: kind})
}

func (b *tab) emulate(p emulation.SetEmulatedMediaParams) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, p); err != nil {
		b.t.Fatal(err)
	}
}

// Every state of the cashier's page fits every till without scrolling, in both
// languages, by day and by night, and axe finds nothing.
func TestTill_EveryStateFitsAndIsAccessible(t *testing.T) {
	t.Parallel()
	looks, screens := []dress{{"zh", "light"}, {"en", "dark"}}, []size{wide, small, till1024}
	if *shots != "" || *dresses {
		looks, screens = append(looks, dress{"zh", "dark"}, dress{"en", "light"}), append(screens, desk8)
	}
	for i, look := range looks {
		t.Run(look.lang+"-"+look.scheme, func(t *testing.T) {
			t.Parallel()
			c := newCounter()
			for i := range 23 {
				c.charges = append(c.charges, pastCharge(i))
			}
			b := tillPage(t, c, "/", till1024)
			b.wear(look)
			if look.lang == "en" {
				b.pad("/8/")
				b.until(`document.documentElement.lang === 'en'`)
			}
			for _, s := range lunch {
				s.enter(c, b)
				b.until(`document.querySelector('` + s.shown + `')`)
				for _, screen := range screens {
					b.resize(screen)
					b.tillFits(s.name + " " + screen.name)
					if screen == till1024 || *dresses {
						for _, broken := range b.axe(rulesFor(i > 0)) {
							t.Errorf("%s: %s", s.name, broken)
						}
					}
					b.shoot("till-" + screen.name + "-" + look.lang + "-" + look.scheme + "-" + s.name)
				}
			}
		})
	}
}

func pastCharge(i int) desk.Result {
	id := wire.EventID{Agent: 7, Epoch: 1, Seq: uint64(900 - i)}
	r := desk.Result{
		ID: fmt.Sprintf("past%d", i), Event: &id, At: time.Now().Add(-time.Duration(i) * 45 * time.Second).UnixMilli(), Lane: "窗口",
		Reason: verdict.Granted, Opens: true, Offline: i%5 == 4, Annulled: i == 2,
		Charge: &desk.Charge{
			AmountFen: int64(650 + 137*i), BalanceFen: new(int64(9000)), Holder: "**" + []string{"远", "明", "月", "安"}[i%4], Day: "2026-11-22",
			Batch: 3, Flow: uint64(900 - i), Event: &id, Voided: i == 2,
		},
	}
	if i == 1 {
		r.Charge.Items = []wire.ChargeItem{{Key: 1, Name: "米饭", PriceFen: 100, Quantity: 2}, {Key: 3, Name: "红烧肉", PriceFen: 1250, Quantity: 1}}
	}
	return r
}

// tillFits fails when something is cut off, overlaps its frame or needs
// scrolling, and stays so. Names that are shortened on purpose say so by their style.
func (b *tab) tillFits(where string) {
	b.t.Helper()
	for _, fault := range eval[[]string](b, `new Promise((done) => {
		const end = Date.now() + 2000
		const page = document.scrollingElement
		const cut = (e) => {
			const s = getComputedStyle(e)
			if (e.closest('svg') || e.closest('.sr-only') || s.display === 'inline' || s.textOverflow === 'ellipsis' || s.webkitLineClamp !== 'none') return false
			return e.clientWidth > 0 && (e.scrollWidth > e.clientWidth + 1 || s.overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 1)
		}
		const look = () => {
			const faults = [...document.querySelectorAll('.stage, .stage *, .top, .top *, .banners *, .pad *, .customer, .customer *')].filter(cut)
				.map((e) => 'cut off: ' + e.tagName + '.' + e.className + ': ' + e.scrollWidth + '/' + e.clientWidth + ', ' + e.scrollHeight + '/' + e.clientHeight + ' ' + e.innerText.slice(0, 40))
			if (page.scrollWidth > innerWidth) faults.push('the page is ' + (page.scrollWidth - innerWidth) + ' px too wide')
			if (page.scrollHeight > innerHeight) faults.push('the page is ' + (page.scrollHeight - innerHeight) + ' px too high')
			faults.length && Date.now() < end ? requestAnimationFrame(look) : done(faults)
		}
		requestAnimationFrame(() => requestAnimationFrame(look)) // what its size changes is drawn by then
	})`) {
		b.t.Errorf("%s: %s", where, fault)
	}
}

// The customer's screen, in every state, by day and by night.
func TestCustomerScreen_FitsAndIsAccessible(t *testing.T) {
	t.Parallel()
	scenes := []scene{
		{"idle", func(*counter, *tab) {}, "[data-view=idle]"},
		{"due", func(c *counter, _ *tab) {
			c.tell(func(v *till.View) { v.Sale = &till.Sale{Entry: wire.EntryAmount, AmountFen: 999_999, Armed: true} })
		}, "[data-view=due]"},
		result("refused", "", because(verdict.InsufficientBalance)),
		{"paid", func(c *counter, _ *tab) {
			c.tell(func(v *till.View) { v.Sale = nil })
			result("", "", nil).enter(c, nil)
		}, "[data-view=paid]"},
		result("asking", "", func(r *desk.Result) { r.Reason, r.Need = verdict.NeedsInput, verdict.NeedClaim }),
		result("voided", "", func(r *desk.Result) { r.Charge.Voided, r.Annulled = true, true }),
		{"pause", func(c *counter, _ *tab) {
			c.tell(func(v *till.View) { v.Batch.Open = false })
			result("", "", func(r *desk.Result) { r.Reason, r.Need, r.Charge = verdict.NeedsInput, verdict.NeedAmount, nil }).enter(c, nil)
		}, "[data-view=pause]"},
	}
	for i, look := range []struct {
		screen size
		scheme string
	}{{till1024, "light"}, {wide, "dark"}, {desk8, "light"}, {small, "dark"}} {
		t.Run(look.screen.name, func(t *testing.T) {
			t.Parallel()
			c := newCounter()
			b := tillPage(t, c, "/customer", look.screen)
			b.wear(dress{"zh", look.scheme})
			for _, s := range scenes {
				s.enter(c, b)
				b.until(`document.querySelector('[data-view=` + s.name + `]')`)
				b.tillFits(s.name)
				for _, broken := range b.axe(rulesFor(i > 0)) {
					t.Errorf("%s: %s", s.name, broken)
				}
				b.shoot("customer-" + look.screen.name + "-" + s.name)
			}
		})
	}
}
