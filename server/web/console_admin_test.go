package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// adminRoutes are the administration's pages.
var adminRoutes = []consoleRoute{
	{name: "passes", path: "/passes?state=issued"},
	{name: "pass", path: "/passes", after: func(c *consoleTab) { c.press("详情:林晓岚"); c.text("9f2c11ab") }},
	{name: "people", path: "/people"},
	{name: "person", path: "/people/person/2013044"},
	{name: "person-edit", path: "/people/person/2013044", after: func(c *consoleTab) { c.press("修改"); c.text("只写不读") }},
	{name: "units", path: "/people/units"},
	{name: "places", path: "/people/places", after: func(c *consoleTab) {
		eval[bool](c.t, c.ctx, `document.querySelectorAll('details').forEach((one) => (one.open = true)), true`)
	}},
	{name: "imports", path: "/people/imports", after: upload},
	{name: "households", path: "/households"},
	{name: "household", path: "/households/7"},
	{name: "gates", path: "/gates"},
	{name: "gate-policy", path: "/gates/1"},
	{name: "gate-inside", path: "/gates/inside"},
	{name: "gate-emergency", path: "/gates/emergency"},
	{name: "gate-releases", path: "/gates/releases"},
	{name: "gate-rollout", path: "/gates/releases", after: func(c *consoleTab) {
		c.press("提供版本 1.3.0（linux/amd64）")
		c.text("建议先选一两个门")
	}},
	{name: "gate-code", path: "/gates", after: func(c *consoleTab) {
		c.press("生成登记码: 东门")
		c.press("确定")
		c.text("K7QM-2F9D")
	}},
	{name: "events", path: "/events", after: func(c *consoleTab) { c.text("已作废") }},
	{name: "events-search", path: "/events/search"},
	{name: "events-registers", path: "/events/registers"},
	{name: "events-conflicts", path: "/events/conflicts"},
	{name: "events-quarantine", path: "/events/quarantine"},
	{name: "stats", path: "/stats"},
	{name: "stats-charts", path: "/stats/charts", after: func(c *consoleTab) {
		c.until(`document.querySelectorAll('canvas').length === 4`)
		eval[bool](c.t, c.ctx, `document.querySelectorAll('details')[1].open = true`)
	}},
	{name: "keys", path: "/keys"},
	{name: "key-leaked", path: "/keys", after: func(c *consoleTab) { c.press("宣布泄露:9f2c11ab"); c.text("请输入密钥编号") }},
	{name: "tokens", path: "/keys/tokens"},
	{name: "audit", path: "/audit"},
	{name: "settings", path: "/settings"},
	{name: "desks", path: "/settings/desks"},
	{name: "documents", path: "/settings/documents"},
	{name: "papers", path: "/papers"},
	{name: "paper-new", path: "/papers/new?household=7"},
	{name: "paper", path: "/papers/P20260501-0001"},
}

func upload(c *consoleTab) {
	c.until(`!!document.querySelector('input[type=file]')`)
	eval[bool](c.t, c.ctx, `(() => {
		const box = document.querySelector('input[type=file]'), files = new DataTransfer()
		files.items.add(new File(['x'], 'people.xlsx'))
		box.files = files.files
		return box.dispatchEvent(new Event('change'))
	})()`)
	c.text("外语学院")
}

// What changes something asks first, says what happened, and sends what the
// server expects.
func TestConsole_WhatAnAdministratorChanges(t *testing.T) {
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
	c.open("/passes")
	c.press("详情:林晓岚")
	c.press("作废")
	c.text("不能恢复")
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-dialog .el-button--danger')].pop().click(), true`)
	c.text("必填")
	if calls := api.calls(); len(calls) > 0 {
		t.Errorf("a pass was revoked without a reason: %q", calls)
	}
	typeInto(c, ".el-dialog textarea", "调离")
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-dialog .el-button--danger')].pop().click(), true`)
	c.text("通行证已作废")
	sent(`POST /passes/00000000000000a1/revoke {"reason":"调离"}`)

	c.open("/keys")
	c.press("宣布泄露:9f2c11ab")
	typeInto(c, ".el-dialog input", "9f2c")
	eval[bool](t, c.ctx, `document.querySelector('.el-dialog .el-button--danger').click(), true`)
	c.text("与密钥编号不一致")

	c.open("/people/imports")
	upload(c)
	c.until(`[...document.querySelectorAll('button')].find((b) => b.innerText.trim() === '确认导入').disabled`)
	eval[bool](t, c.ctx, `document.querySelector('.el-checkbox input').click(), true`)
	c.press("确认导入")
	c.text("跳过 2 行")
	c.press("确定")
	c.text("已导入:新增 97")
	sent(`POST /imports/i1/confirm {"skip_faulty":true}`)

	api.set("PUT /documents", 422, adminAnswers["PUT /documents"])
	c.open("/settings/documents")
	typeInto(c, "textarea", "documents: []")
	c.press("保存")
	c.press("确定")
	c.text("第 7 行 rules[0].passes")

	c.open("/papers/P20260501-0001")
	c.until(`!!document.querySelector('.at .el-select')`)
	eval[bool](t, c.ctx, `document.querySelector('.at .el-select__wrapper').click(), true`)
	c.until(`[...document.querySelectorAll('.el-select-dropdown__item')].some((one) => one.innerText === '社区办' && one.offsetParent)`)
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-select-dropdown__item')].find((one) => one.innerText === '社区办').click(), true`)
	c.press("在小票机打印")
	c.text("社区办没有打印:打印机缺纸")
	c.shoot("paper-print")
	api.set("POST /papers/P20260501-0001/print", 200, `{"state":"unknown","reason":"silent"}`)
	for range 2 { // nobody knows: the same id again
		c.press("在小票机打印")
		c.text("没有回应,再按一次查询结果") // which goes when it is pressed again
	}
	api.set("POST /papers/P20260501-0001/print", 200, `{"state":"done"}`)
	c.press("在小票机打印")
	c.text("已在社区办打印")
	var ids []string
	for _, call := range api.calls() {
		if body, ok := strings.CutPrefix(call, `POST /papers/P20260501-0001/print {"gate":4,"id":"`); ok {
			ids = append(ids, strings.TrimSuffix(body, `"}`))
		}
	}
	if len(ids) != 4 || ids[0] == ids[1] || ids[1] != ids[2] || ids[2] != ids[3] {
		t.Errorf("the ids of the prints: %q", ids)
	}

	api.set("POST /papers", 409, refusal("OUT_OF_HOURS", "不在办理时间内 the desk is closed now", `{"hours":[]}`))
	c.open("/papers/new?household=7")
	c.text("沈国华")
	c.press("发放纸质通行证")
	c.press("确定")
	c.text("不在办理时间内")
	sent(`POST /papers {"desk":"community","household":7,"documents":[]}`)
}

func typeInto(c *consoleTab, selector, text string) {
	c.t.Helper()
	c.until(`!!document.querySelector(` + quote(selector) + `)`)
	eval[bool](c.t, c.ctx, `((box) => { box.value = `+quote(text)+`; return box.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector(`+quote(selector)+`))`)
}

// Devices that are down are told on every page while they are.
func TestConsole_ADeviceThatIsDownIsToldOnEveryPageUntilItIsBack(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := openConsole(t, api)
	down := func(id int, lane, kind, state string) string {
		return fmt.Sprintf(`{"id":%d,"gate":1,"gate_name":"东门","lane":%q,"kind":%q,"name":"","driver":"serial","state":%q,"detail":"","since":%d,"found_at":%d}`,
			id, lane, kind, state, at(8), at(8))
	}
	lost := down(4, "进口", "scanner", "lost")
	for _, width := range []int64{1280, 390} {
		c.size(width, 800)
		api.set("GET /outages", 200, `{"outages":[`+strings.Join([]string{lost, down(3, "出口", "barrier", "stuck"), down(2, "", "printer", "lost"), down(1, "<b>", "lamp", "odd")}, ",")+`]}`)
		c.open("/passes")
		for _, said := range []string{"东门 进口：扫码器 断开", "另有 1 台设备"} {
			c.text(said)
		}
		if wide := eval[bool](t, c.ctx, `document.documentElement.scrollWidth > innerWidth`); wide {
			t.Errorf("wider than the window at %d", width)
		}
		c.judge(fmt.Sprintf("outages-%d", width), "zh-CN")
		api.set("GET /outages", 200, `{"outages":[]}`)
		eval[bool](t, c.ctx, `document.dispatchEvent(new Event('visibilitychange'))`)
		c.until(`!document.body.innerText.includes('另有 1 台设备')`)
	}
}

// A conflict is told on every page, and the report says who, where, when and how
// on both sides, until somebody has looked into it.
func TestConsole_AConflictIsToldOnEveryPageAndReported(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := openConsole(t, api)
	for _, width := range []int64{1280, 390} {
		c.size(width, 800)
		c.open("/passes")
		c.text("1 个通行证超次使用,待处理")
		eval[bool](t, c.ctx, `document.querySelector('main a[href$="/events/conflicts"]').click(), true`)
		for _, said := range []string{
			"00000000000000a2", "1 号门 东门", "2 号门 西门", "先到先得 · 断网时 · 门卫 2013044 许梅", "服务器裁定 · 联网 · 门卫 2006020",
		} {
			c.text(said)
		}
		if wide := eval[bool](t, c.ctx, `document.documentElement.scrollWidth > innerWidth`); wide {
			t.Errorf("wider than the window at %d", width)
		}
	}
	c.press("标为已处理:通行证 00000000000000a2")
	typeInto(c, ".el-dialog textarea", "断网,已核实")
	eval[bool](t, c.ctx, `document.querySelector('.el-dialog .el-button--primary').click(), true`)
	c.text("已标为已处理")
	if sent, want := strings.Join(api.calls(), "\n"), `POST /conflicts/00000000000000a2/seen {"ref":"3-1-4","remark":"断网,已核实"}`; !strings.Contains(sent, want) {
		t.Errorf("not sent: %s\nsent: %s", want, sent)
	}
}
