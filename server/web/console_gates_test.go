package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// What a gate may do on its own is asked for where it is chosen, with what that
// may lead to, and sent with the policy only.
func TestConsole_AGateOfFirstSeenHasLimitsAndAWarning(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/gates")
	const warned = `!!document.querySelector('.el-dialog [role=note]')`
	c.text("断网至多 30 次、120 分钟")
	c.press("新建校门")
	c.fill("名称", "北门")
	if eval[bool](t, c.ctx, warned) {
		t.Error("a gate that asks its owner is warned of")
	}
	c.choose("计次码判定", "先到先得,断网也放行")
	c.until(warned)
	c.text("可能各放行同一张单次码一次")
	c.fill("断网最多放行(次,1 至 1000)", "20")
	c.choose("断网放行须门卫确认", "不须确认")
	c.shoot("gate-first-seen-new")
	api.set("POST /gates", 422, refusal("invalid", "有几处不对 some fields are wrong", `{"faults":[{"field":"offline.max_age_minutes","message":"超过上限 more than the limit"}]}`))
	c.fill("断网多久后不再放行(分钟,1 至 10080)", "99999"+kb.Enter)
	c.text("超过上限")
	api.set("POST /gates", 201, `{}`)
	c.fill("断网多久后不再放行(分钟,1 至 10080)", "90"+kb.Enter)
	c.text("已保存")
	c.called(`POST /gates {"name":"北门","zone":1,"documents":"none","policy":"first_seen","offline":{"max":20,"max_age_minutes":90,"confirm":"none"}}`)

	api.set("PATCH /gates/3", 200, `{}`)
	c.press("修改 南门")
	c.until(warned)
	c.choose("计次码判定", "由本门判定,断网可用")
	c.text("直到有人确认交接完成")
	c.shoot("gate-first-seen-left")
	c.fill("名称", "南门"+kb.Enter)
	c.until(`!document.querySelector('.el-dialog')?.checkVisibility()`)
	c.called(`PATCH /gates/3 {"name":"南门","zone":2,"documents":"none","policy":"owner"}`)
}

// Whoever confirms that a gate is drained is told what that means, and what is
// known of the PC.
func TestConsole_AGateIsDrainedByAPersonsWord(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/gates")
	c.text("待确认")
	c.press("确认交接完成: 西门")
	c.text("旧电脑已关机不再放行,或记录已全部上传")
	c.text("自 2026-05-01 06:00 起没有消息")
	c.shoot("gate-drained")
	c.press("取消")
	c.until(`!document.querySelector('.el-message-box')?.checkVisibility()`)
	if calls := api.calls(); len(calls) > 0 {
		t.Errorf("sent before it was confirmed: %q", calls)
	}
	api.set("POST /gates/2/drained", 200, `{}`)
	api.set("GET /agents", 200, fmt.Sprintf(`{"agents":[{"id":3,"gate":2,"epoch":1,"hostname":"west-pc","enrolled_at":%d,"acked":812,
		"live":{"connected":true,"since":%d,"last_seen":%d,"remote":"192.0.2.12","software":"0.1.0","queue":0,"revision":80}}]}`, at(1), at(6), at(9)))
	c.press("确认交接完成: 西门")
	c.text("没有待上传的记录")
	c.press("确定")
	c.text("交接已完成")
	c.called("POST /gates/2/drained")
}

// An admission that nobody confirmed is not listed as one that was.
func TestConsole_UnconfirmedAdmissionsAreTold(t *testing.T) {
	t.Parallel()
	c := started(t, newConsoleFake(t), "/events/search")
	c.text("验证通过 · 未确认")
	c.until(`[...document.querySelectorAll('tr')].find((row) => row.innerText.includes('未确认')).innerText.includes('注意')`)
	c.shoot("events-unconfirmed")
}
