package web_test

import (
	"strings"
	"testing"
)

// What holds at lanes is typed as people write times, asked twice where it is
// grave, and sent as the server wants it.
func TestConsole_LanesAndEmergencies(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := openConsole(t, api)
	c.size(1280, 800)
	sent := func(want string) {
		t.Helper()
		if all := strings.Join(api.calls(), "\n"); !strings.Contains(all, want) {
			t.Errorf("not sent: %s\nsent: %s", want, all)
		}
	}
	c.open("/gates/1")
	c.until(`document.querySelector('[aria-label="周一 · 第 1 组"]')?.value === '06:30-23:00'`)
	typeInto(c, `[aria-label="周二 · 第 1 组"]`, "25:00-26:00")
	c.press("保存并下发")
	c.text("应如 06:30-23:00")
	if calls := api.calls(); len(calls) > 0 {
		t.Errorf("faulty hours were sent: %q", calls)
	}
	typeInto(c, `[aria-label="周二 · 第 1 组"]`, "08:00-12:00, 22:00-02:00")
	typeInto(c, `[aria-label="人数上限（空为不限）"]`, "120")
	c.press("保存并下发")
	c.text("通道规则已保存并下发")
	sent(`{"day":2,"from":480,"until":720},{"day":2,"from":1320,"until":120}`)
	sent(`"area":{"passback":"alert","limit":120,"forget_hours":0,"watch":false,"day_end":240}`)
	sent(`"dates":[{"from":"2026-10-01","until":"2026-10-07","spans":[]}]`)

	c.until(`document.querySelector('.answers .el-checkbox')`)
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.answers .el-checkbox')].find((e) => e.innerText.includes('西门')).querySelector('input').click(), true`)
	c.press("保存接听校门")
	c.text("接听校门已保存")
	sent(`PUT /gates/1/calls {"answered_by":[2]}`)

	c.open("/gates/inside")
	c.press("清除 林晓岚 的在内记录")
	typeInto(c, ".el-dialog input", "出门漏扫")
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-dialog .el-button--primary')].pop().click(), true`)
	c.text("已清除")
	sent(`POST /occupancy/00000000000000a1/clear {"area":"zone:1","reason":"出门漏扫"}`)

	c.open("/gates/emergency")
	c.press("封控")
	c.text("必填")
	typeInto(c, `[aria-label="原因"]`, "演练")
	c.press("封控")
	c.text("任何人不得进入")
	if all := strings.Join(api.calls(), "\n"); strings.Contains(all, "lockdown") {
		t.Error("sent before it was confirmed")
	}
	c.press("确定")
	c.text("指令已下发")
	sent(`POST /emergency {"scope":"campus","state":"lockdown","reason":"演练"}`)
}
