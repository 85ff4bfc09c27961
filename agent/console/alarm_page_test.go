package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"campusgate/agent/console"
	"campusgate/signing/wire"
)

// since is when they began.
var since = time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC).UnixMilli()

var fire = wire.AlarmMove{State: wire.AlarmOpen, Source: wire.AlarmFromInput, Reason: "三号楼火警", Since: since}

func TestAlarm_TheBannerCannotBeMissed(t *testing.T) {
	t.Parallel()
	b, g := guardPage(t, newDesk(), till1024, true)
	g.set(func(s *console.Status) { s.Alarms = []wire.AlarmMove{fire} })
	b.until(`document.querySelector('[data-banner=open][data-tone=alarm]')`)
	if got := b.text("[data-banner=open]"); !strings.Contains(got, "紧急开闸：全部通道打开") || !strings.Contains(got, "三号楼火警") || !strings.Contains(got, "紧急按钮") {
		t.Errorf("banner %q", got)
	}
	b.shoot("alarm-open")
	for _, broken := range b.axe(allRules) {
		t.Errorf("banner: %s", broken)
	}
	b.fits("banner")
	g.set(func(s *console.Status) {
		s.Alarms = []wire.AlarmMove{{State: wire.AlarmLockdown, Source: wire.AlarmFromServer, Scope: "campus", Since: since}}
		s.Devices = append(s.Devices, console.Device{Kind: "contact", Driver: "modbus-tcp", State: "lost"})
	})
	b.until(`document.querySelector('[data-banner=lockdown]') && document.querySelector('[data-banner=contact]')`)
	g.set(func(s *console.Status) { s.Alarms = nil })
	b.until(`!document.querySelector('[data-tone=alarm]')`)
}

func TestAlarm_TheButtonAsksTwice(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, g := guardPage(t, d, till1024, true)
	b.press("e")
	b.until(`document.querySelectorAll('dialog [data-alarm]').length === 2`)
	b.shoot("alarm-dialog")
	for _, broken := range b.axe(allRules) {
		t.Errorf("window: %s", broken)
	}
	b.call(chromedp.Click(chromedp.CSS("[data-alarm=open]")))
	b.until(`document.activeElement?.id === 'alarm-reason'`)
	b.person("fire")
	if got := d.asked(); len(got) != 0 {
		t.Fatalf("before it was confirmed: %q", got)
	}
	b.press("\r")
	b.until(`!document.querySelector('dialog')`)
	if got := d.asked(); len(got) != 1 || got[0] != `raise "open" guard fire` {
		t.Errorf("the desk was asked %q", got)
	}
	g.set(func(s *console.Status) {
		s.Alarms = []wire.AlarmMove{{State: wire.AlarmOpen, Source: wire.AlarmFromGuard, Since: since}}
	})
	b.press("e")
	b.until(`document.querySelectorAll('dialog [data-alarm]').length === 3`)
	b.call(chromedp.Click(chromedp.CSS("[data-alarm=normal]")))
	b.until(`document.querySelector('[data-key=alarm-yes]')`)
	b.call(chromedp.Click(chromedp.CSS("[data-key=alarm-yes]")))
	b.until(`!document.querySelector('dialog')`)
	if got := d.asked(); len(got) != 2 || got[1] != `raise "" guard ` {
		t.Errorf("the desk was asked %q", got)
	}
}

func TestAlarm_TheButtonIsForWhoIsOnDuty(t *testing.T) {
	t.Parallel()
	d := newDesk()
	b, _ := guardPage(t, d, till1024, false)
	b.press("e")
	b.until(`document.querySelector('dialog [data-key=login]') && !document.querySelector('[data-alarm]')`)
	if got := d.asked(); len(got) != 0 {
		t.Errorf("the desk was asked %q", got)
	}
}
