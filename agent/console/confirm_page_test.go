package console_test

import (
	"strings"
	"testing"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
)

// alone waits for a guard to agree that somebody comes in unconfirmed.
func alone() desk.Result {
	r := question
	r.Need, r.Mark, r.Offline = verdict.NeedConfirm, verdict.MarkUnconfirmed, true
	return r
}

func TestConfirm_TheGuardAgreesWithAKeyOfItsOwn(t *testing.T) {
	d := newDesk()
	b, _ := guardPage(t, d, till1024, true)
	r := d.publish(alone())
	b.until(`document.querySelector('.verdict[data-face=confirm]')`)
	if got := b.text(".verdict .title"); got != "联系不上其他校门，仍要放行？" {
		t.Errorf("title %q", got)
	}
	colours := func() string {
		return eval[string](b, `getComputedStyle(document.querySelector('.verdict')).backgroundColor`)
	}
	asked := colours()
	b.press("\r") // as at the end of a scan
	b.press("y")
	b.until(`document.querySelector('.verdict[data-face=attention][data-reason=granted][data-mark=unconfirmed]')`)
	if got := b.text(".verdict .title"); got != "已放行，未能向各处确认" {
		t.Errorf("title %q", got)
	}
	if got := d.asked(); len(got) != 1 || got[0] != "confirm "+r.ID {
		t.Errorf("the desk was asked %q", got)
	}
	unconfirmed := colours()
	b.until(`document.querySelector('.recent li[data-face=attention]')?.innerText.includes('未能向各处确认')`)
	d.publish(granted)
	b.until(`document.querySelector('.verdict[data-face=granted]')`)
	if green := colours(); asked == green || unconfirmed == green || asked == unconfirmed {
		t.Errorf("green is %s, the question %s, an admission that nobody confirmed %s", green, asked, unconfirmed)
	}
}

func TestConfirm_TheGuardRefusesOrHasToLogInFirst(t *testing.T) {
	d := newDesk()
	b, g := guardPage(t, d, till1024, false)
	r := d.publish(alone())
	b.until(`document.querySelector('.choices [data-key=login]')`)
	b.press("y") // nobody is on duty
	g.set(func(s *console.Status) { s.Shift.Guard = &onDuty })
	b.until(`document.querySelector('.choices [data-key=agree]')`)
	b.press("\x1b")
	b.until(`document.querySelector('.verdict[data-reason=offline_not_allowed]')`)
	if got := d.asked(); len(got) != 1 || !strings.HasPrefix(got[0], "answer "+r.ID) || !strings.HasSuffix(got[0], "true") {
		t.Errorf("the desk was asked %q", got)
	}
}

// It fits every screen, in both languages, and has nothing for axe to find.
func TestConfirm_IsAccessibleAndFits(t *testing.T) {
	t.Parallel()
	done := alone()
	done.Need, done.Reason, done.Opens = "", verdict.Granted, true
	long := alone()
	long.Name = "Muhammad Abdurrahman ibn Al-Rashid"
	for _, v := range []view{
		scanned("unconfirmed", done, "attention"), scanned("confirm-long", long, "confirm"), scanned("confirm", alone(), "confirm"),
	} {
		d := newDesk()
		b, g := guardPage(t, d, till1024, true, skipping)
		for _, lang := range []string{"zh", "en"} {
			b.speak(lang)
			for _, screen := range []size{wide, till1024, phone} {
				rules := rulesFor(lang != "zh")
				if screen == wide && !*dresses {
					rules = ""
				}
				b.look(v, d, g, screen, v.name+"-"+lang+"-"+screen.name, rules)
			}
		}
	}
}

func TestAnswer_OneOfThree(t *testing.T) {
	d := newDesk()
	srv := served(t, d, newGauge(), nil)
	r := d.publish(alone())
	path := srv.URL + "/api/v1/scans/" + r.ID + "/answer"
	for _, body := range []string{`{}`, `{"confirm":false}`, `{"confirm":true,"refuse":true}`, `{"confirm":true,"document":"id_card"}`} {
		if got := send(t, "POST", path, body); got.status != 422 {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := send(t, "POST", path, `{"confirm":true}`); got.status != 200 || !strings.Contains(got.body, `"mark":"unconfirmed"`) {
		t.Errorf("agreed: %d %s", got.status, got.body)
	}
}
