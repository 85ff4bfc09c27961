package console_test

import (
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// view is a state of the page: how it comes about, and how it is known.
type view struct {
	name  string
	enter func(*actor, *gauge)
	shown string
}

func scanned(name string, r desk.Result, face string) view {
	return view{name, func(d *actor, _ *gauge) { d.publish(r) }, ".verdict[data-face=" + face + "]"}
}

// Every state of the page, on every screen and in both languages, has nothing
// for axe to find, and fits.
func TestPageIsAccessibleAndFits(t *testing.T) {
	t.Parallel()
	views := []view{
		{"idle", func(*actor, *gauge) {}, `.idle .where`},
		{"offline", func(_ *actor, g *gauge) {
			g.set(func(s *console.Status) {
				s.Online, s.Queue, s.LastError = false, 37, "dial: connection refused"
				s.Snapshot.AgeMS = 12 * 60_000
				s.Lanes[0].Trigger = true
				s.Devices = []console.Device{
					{Lane: "入口", Kind: "scanner", Driver: "serial", Name: "2", State: "garbled", Detail: "the last 10 reads were no code"},
					{Kind: "printer", Driver: "escpos", State: "stuck", Detail: "the driver does not return"},
				}
			})
		}, `[data-banner=offline]`},
		scanned("granted", granted, "granted"),
		scanned("denied", denied, "denied"),
		scanned("already_used", used(3*time.Hour), "used"),
		scanned("needs_input", question, "question"),
	}
	d, g := newDesk(), newGauge()
	srv := served(t, d, g, nil)
	b := open(t, srv.URL, wide, skipping)
	for _, v := range views {
		for _, lang := range []string{"zh", "en"} {
			b.speak(lang)
			for _, screen := range []size{wide, desk8, till1024, phone} {
				rules := rulesFor(lang != "zh")
				if screen == desk8 && !*dresses {
					rules = ""
				}
				b.look(v, d, g, screen, v.name+"-"+lang+"-"+screen.name, rules)
			}
		}
		if v.name == "offline" {
			g.set(func(st *console.Status) { st.Online, st.Devices = true, nil })
			b.until(`!document.querySelector('[data-banner=offline]')`)
		}
	}
}

// Rarer states, and the longest texts there are, on the smallest screens.
func TestPageFitsWhatIsRareAndLong(t *testing.T) {
	t.Parallel()
	long := used(30 * time.Hour)
	long.Name, long.Kind = "Muhammad Abdurrahman ibn Al-Rashid", signing.ResidentMulti
	han := granted
	han.Name = "阿卜杜热西提买买提艾合买提"
	silent := denied
	silent.Reason, silent.Owner, silent.Offline = verdict.OfflineNotAllowed, &desk.Owner{Gate: 5, Name: "东门"}, true
	repeat := granted
	repeat.Repeat, repeat.Opens = true, false
	attention := denied
	attention.Reason, attention.Opens, attention.Direction = verdict.Attention, true, verdict.Exit
	asking := question
	asking.Need = verdict.NeedClaim
	annulled := granted
	annulled.Annulled = true
	views := []view{
		scanned("long", long, "used"), scanned("han", han, "granted"), scanned("silent", silent, "denied"),
		scanned("repeat", repeat, "repeat"), scanned("attention", attention, "attention"),
		scanned("asking", asking, "asking"), scanned("annulled", annulled, "annulled"),
		scanned("nameless", desk.Result{Reason: verdict.Malformed}, "denied"),
	}
	d, g := newDesk(), newGauge()
	g.set(func(s *console.Status) {
		s.Lanes = append(s.Lanes, s.Lanes[0])
		s.Lanes[1].Name, s.Lanes[1].Direction = "出口", "out"
	})
	srv := served(t, d, g, nil)
	b := open(t, srv.URL, till1024, skipping)
	b.press("x") // a key turns the sound on, and its banner off
	b.until(`!document.querySelector('[data-banner=sound]')`)
	for _, v := range views {
		for _, lang := range []string{"zh", "en"} {
			b.speak(lang)
			for _, screen := range []size{till1024, phone, zoomed} {
				rules := ""
				if lang == "zh" && screen == till1024 || *dresses {
					rules = allRules
				}
				b.look(v, d, g, screen, v.name+"-"+lang+"-"+screen.name, rules)
			}
		}
	}
}

// speak switches the page to a language.
func (b *tab) speak(lang string) {
	b.t.Helper()
	if eval[string](b, `document.documentElement.lang`)[:2] != lang {
		b.press("l")
		b.until(`document.documentElement.lang.startsWith('` + lang + `')`)
	}
}

// look brings a view about on a screen and examines it, by some of axe's rules or
// none. The page's clock stands, so that a result stays while it is looked at.
func (b *tab) look(v view, d *actor, g *gauge, screen size, name, rules string) {
	b.t.Helper()
	b.resize(screen)
	v.enter(d, g)
	b.until(`document.querySelector('` + v.shown + `')`)
	if rules != "" {
		for _, broken := range b.axe(rules) {
			b.t.Errorf("%s: %s", name, broken)
		}
	}
	b.fits(name)
	b.shoot(name)
	if !eval[bool](b, `!!document.querySelector('`+v.shown+`')`) {
		b.t.Errorf("%s: gone before it was examined", name)
	}
}

// fits fails when something is cut off or pushed out of sight.
func (b *tab) fits(where string) {
	b.t.Helper()
	if wide := eval[int](b, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
		b.t.Errorf("%s: %d px wider than the screen", where, wide)
	}
	if cut := eval[int](b, `(() => { const s = document.querySelector('.stage'); return s.scrollHeight - s.clientHeight })()`); cut > 1 {
		b.t.Errorf("%s: %d px of the stage are cut off", where, cut)
	}
	if low := eval[int](b, `Math.round(document.querySelector('.stage').getBoundingClientRect().bottom - Math.max(innerHeight, innerWidth < 960 ? 844 : 0))`); low > 0 {
		b.t.Errorf("%s: %d px of the stage are below the screen", where, low)
	}
}
