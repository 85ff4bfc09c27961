package campus_test

import (
	"slices"
	"strings"
	"testing"

	"campusgate/cmd/internal/campus/campustest"
)

// A resident scans the poster, signs in by phone, applies for today and has the
// code at once; its pixels, as a scanner reads them, open the gate. The next
// member of the household is told why not, and from when on.
func TestJourney_CQ003_CQ004_CQ006_CQ037_CQ041_CQ043_CQ044_CQ045_CQ046_CQ047_CQ048_CQ049_CQ052_CQ056_ResidentComesHome(t *testing.T) {
	t.Parallel()
	c, line := populated(t)
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	browser := chromium(t)
	guard := office(t, browser, strings.TrimSuffix(gate.URL, "/"))
	guard.open("/")

	p := phone(t, browser, "http://"+line.Addr())
	p.open("/m/apply/resident") // what the poster says
	p.until(`location.pathname === '/m/login'`)
	signInByPhone(p, c, residentPhone)
	p.until(`document.querySelector('[data-field=room]')`)
	p.says(residentPhone) // 手机号, from the login
	residence(p, "单次通行证明", "今天")
	p.tap("提交")
	p.tap("我的通行码")
	code := p.code()
	if !strings.HasPrefix(code, "HTTPS://") || !strings.Contains(code, "/V/") {
		t.Fatalf("the code says %.20q", code)
	}

	plug(t, gate).scan(t, code)
	relay.Await(t, 1)
	guard.until(`document.querySelector('[data-reason=granted]')?.innerText.includes('林国栋')`)
	e := arrived(t, c, 1)[0]
	if e.Reason != "granted" || e.Gate != gate.ID || e.Repeat {
		t.Errorf("the server holds %+v", e)
	}
	if !strings.HasSuffix(eval[string](p, `location.pathname`), e.PassID) {
		t.Errorf("the gate saw pass %s, the phone shows %s", e.PassID, eval[string](p, `location.pathname`))
	}
	eval[bool](p, `document.dispatchEvent(new Event('visibilitychange')), true`)
	p.until(`document.querySelector('.over') && !document.querySelector('svg.qr')`) // used

	spouse := phone(t, browser, "http://"+line.Addr())
	spouse.open("/m/apply/resident")
	signInByPhone(spouse, c, spousePhone)
	spouse.until(`document.querySelector('[data-field=room]')`)
	residence(spouse, "单次通行证明", "明天")
	spouse.tap("提交")
	spouse.says("按户每2天只能申请1个通行二维码")
	next := "最早可选 " + today(2).Format("1月2日")
	spouse.says(next)
	if codes := spouse.refusals("/api/v1/applications"); !slices.Equal(codes, []string{"HOUSEHOLD_QUOTA_2D"}) {
		t.Errorf("refused with %v", codes)
	}
	closed := `!document.querySelector('[role=alertdialog]')?.checkVisibility()`
	spouse.tap("返回修改")
	spouse.until(closed)
	spouse.tap("今天")
	spouse.tap("提交")
	spouse.says(next)
	spouse.tap("改为这一天")
	spouse.until(closed)
	spouse.tap("提交")
	spouse.until(`location.pathname.startsWith('/m/applications/')`)
	spouse.tap("我的通行码")
	spouse.code()
	if n := rows(t, c, `SELECT count(*) FROM passes`); n != 2 {
		t.Errorf("%d passes, want one for each of the two days", n)
	}
}
