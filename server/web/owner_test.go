package web_test

import (
	"strings"
	"testing"
)

// The holder of a single-use pass has another gate decide it, while the present
// one is connected; the server's refusal is shown as it is.
func TestPhone_APassIsMovedToAnotherGate(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	body := srv.said("GET /me/passes")
	movable := strings.Replace(body, `"owner_gate":1,`, `"owner_gate":1,"owner_here":true,"movable":true,`, 1)
	srv.set("GET /me/passes", movable)
	path := "/me/passes/" + phoneSingle + "/owner"
	srv.set("GET "+path, `{"items":[{"id":2,"name":"西门","here":true}]}`)
	srv.set("POST "+path, `{"gate":2,"name":"西门"}`)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/passes/"+phoneSingle, phoneDrawn)
	p.tap("改走另一校门")
	p.says("西门")
	p.shoot("owner-choice")
	p.tap("西门")
	p.says("改走西门？")
	p.judge("owner-sure")
	p.shoot("owner-sure")
	srv.set("GET /me/passes", strings.Replace(movable, `"owner_name":"东门"`, `"owner_name":"西门"`, 1))
	p.tap("改走")
	p.says("已改走西门")
	if got := srv.got("POST " + path); got != `{"gate":2}` {
		t.Errorf("sent %s", got)
	}
	srv.set("GET /me/passes", strings.Replace(body, `"owner_gate":1,`, `"owner_gate":1,"owner_here":false,"movable":true,`, 1))
	p.open("/passes/"+phoneSingle, phoneDrawn)
	p.says("东门未连接，暂时不能改走")
	p.shoot("owner-away")
	p.clean()
}

// A clerk moves a pass whose gate is connected, and issues one anew whose gate
// is off, which has to be ticked.
func TestConsole_APassIsMovedOrIssuedAnew(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	const path = "/passes/00000000000000a1"
	pass := func(more string) string {
		return strings.Replace(passJSON("00000000000000a1", "林晓岚", "work", "issued", more), `"owner_gate":0`, `"owner_gate":1`, 1)
	}
	api.set("GET "+path, 200, pass(`,"owner_name":"东门","owner_here":true,"movable":true`))
	api.set("GET "+path+"/owner", 200, `{"items":[{"id":2,"name":"西门","here":true}]}`)
	api.set("POST "+path+"/owner", 200, pass(`,"owner_name":"西门","owner_here":true,"movable":true`))
	api.set("POST "+path+"/reissue", 201, passJSON("00000000000000c1", "林晓岚", "work", "issued", `,"owner_name":"西门"`))
	c := openConsole(t, api)
	c.size(1280, 800)
	choose := func() {
		eval[bool](t, c.ctx, `document.querySelector('.el-dialog .el-select__wrapper').click(), true`)
		c.until(`[...document.querySelectorAll('.el-select-dropdown__item')].some((e) => e.checkVisibility() && e.innerText.includes('西门'))`)
		eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-select-dropdown__item')].find((e) => e.checkVisibility() && e.innerText.includes('西门')).click(), true`)
	}
	c.open("/passes")
	c.press("详情:林晓岚")
	c.text("东门")
	c.press("改由另一校门判定")
	c.text("现由「东门」判定")
	choose()
	c.shoot("pass-move")
	c.press("确认更改")
	c.text("现由「西门」判定")

	api.set("GET "+path, 200, pass(`,"owner_name":"东门","owner_here":false,"movable":true`))
	c.open("/passes")
	c.press("详情:林晓岚")
	c.press("作废并重新签发")
	c.text("我已确认「东门」的电脑已关机")
	choose()
	typeInto(c, ".el-dialog textarea", "东门停电")
	eval[bool](t, c.ctx, `document.querySelector('.el-dialog .el-checkbox').click(), true`)
	c.shoot("pass-reissue")
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-dialog .el-button--danger')].pop().click(), true`)
	c.text("已作废,并签发新证")
	all := strings.Join(api.calls(), "\n")
	for _, want := range []string{`POST ` + path + `/owner {"gate":2}`, `POST ` + path + `/reissue {"gate":2,"gate_is_off":true,"reason":"东门停电"}`} {
		if !strings.Contains(all, want) {
			t.Errorf("not sent: %s\nsent: %s", want, all)
		}
	}
}
