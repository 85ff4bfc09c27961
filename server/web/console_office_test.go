package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// officeRoutes are the pages of the campus card, each in a state worth looking at.
var officeRoutes = []consoleRoute{
	{name: "cards", path: "/cards"},
	{name: "card", path: "/cards/10000018", after: func(c *consoleTab) { c.text("挂失后消费") }},
	{name: "card-frozen", path: "/cards/10000034", after: func(c *consoleTab) { c.text("<b>同一付款码重复使用</b>") }},
	{name: "card-limits", path: "/cards/10000018", after: func(c *consoleTab) { c.press("修改限额"); c.text("恢复学校默认") }},
	{name: "card-statement", path: "/cards/10000018/statement?month=2026-05"},
	{name: "subsidies", path: "/subsidies"},
	{name: "subsidy-new", path: "/subsidies/new", after: lookOver},
	{name: "recharges", path: "/recharges"},
	{name: "recharge-issues", path: "/recharges/issues"},
	{name: "recharge-bills", path: "/recharges/bills"},
	{name: "cash", path: "/cash", after: found},
	{name: "cash-none", path: "/cash", before: noShift},
	{name: "cash-shifts", path: "/cash/shifts"},
	{name: "turnover", path: "/turnover", after: func(c *consoleTab) { c.until(`document.querySelectorAll('canvas').length === 4`) }},
	{name: "tills", path: "/tills"},
	{name: "till", path: "/tills/11"},
	{name: "till-faulty", path: "/tills/new", after: func(c *consoleTab) { c.press("添加餐段"); c.press("保存并下发"); c.text("需要修改") }},
	{name: "merchants", path: "/tills/merchants"},
	{name: "charges", path: "/charges"},
	{name: "charge-refund", path: "/charges", after: func(c *consoleTab) {
		c.press("退款:一食堂 1 号 流水 2")
		c.text("合计不超过原金额 12.50 元")
	}},
	{name: "statements", path: "/statements?merchant=1&from=2026-05-01&to=2026-05-02"},
	{name: "days", path: "/days"},
	{name: "day", path: "/days/2026-05-01"},
	{name: "day-closed", path: "/days/2026-04-30"},
	{name: "disputes", path: "/disputes"},
	{name: "suspense", path: "/disputes/suspense"},
	{name: "debts", path: "/disputes/debts"},
	{name: "ledger", path: "/ledger"},
	{name: "ledger-faulty", path: "/ledger", after: func(c *consoleTab) { c.press("立即核对"); c.text("账本有 1 处错误") }},
}

func TestConsole_CampusCardInEveryDress(t *testing.T) { judgeRoutes(t, officeRoutes) }

func noShift(f *consoleFake) {
	f.set("GET /cash/shifts/current", 409, refusal("NO_SHIFT", "请先开班 begin a shift first", "{}"))
}

// found is the cash desk with its customer's account looked up.
func found(c *consoleTab) {
	c.fill("账户账号", "1000 0018")
	c.press("查找")
	c.text("林晓岚")
}

// lookOver gives a file of subsidies.
func lookOver(c *consoleTab) {
	c.fill("补助名称", "六一餐补")
	eval[bool](c.t, c.ctx, `(() => {
		const day = document.querySelector('[data-field=expires_on] input')
		day.focus()
		return true
	})()`)
	c.do(chromedp.KeyEvent("2026-06-30\r"))
	eval[bool](c.t, c.ctx, `(() => {
		const box = document.querySelector('input[type=file]'), files = new DataTransfer()
		files.items.add(new File(['学工号,金额\n20230417,30\n'], 'may.csv'))
		box.files = files.files
		box.dispatchEvent(new Event('change'))
		return true
	})()`)
	c.text("may.csv")
	c.press("预览")
	c.text("金额有误")
}

// dialog presses the button that does what a dialog is for.
func (c *consoleTab) dialog() {
	c.t.Helper()
	c.until(`!!(window.found = [...document.querySelectorAll('.el-dialog .el-dialog__footer .el-button, .el-message-box__btns .el-button')].filter((b) => b.checkVisibility()).pop())`)
	eval[bool](c.t, c.ctx, `window.found.click(), true`)
}

func office(t *testing.T) (*consoleTab, *consoleFake) {
	t.Helper()
	api := newConsoleFake(t)
	c := openConsole(t, api)
	c.scheme("light")
	c.size(1440, 900)
	return c, api
}

// A day with missing numbers is not closed until somebody has answered for them
// in their own words.
func TestConsole_ADayIsClosedOnceItsGapsAreWaived(t *testing.T) {
	t.Parallel()
	c, api := office(t)
	api.set("POST /days/2026-05-01/close", 409, refusal("DAY_HAS_GAPS", "流水号有缺,不能日结 numbers of tills are missing", `{"what":"numbers are missing: till 11: 118-119"}`))
	c.open("/days/2026-05-01")
	c.text("三方不一致")
	c.text("一食堂 1 号 还有 2 条记录未上传")
	c.press("日结")
	c.text("净额 10,519.30 元")
	c.dialog()
	c.text("不能日结: 流水号有缺,不能日结")
	c.text("till 11: 118-119")

	c.press("放行缺号:一食堂 1 号 118–119")
	c.dialog()
	c.text("必填")
	if calls := api.calls(); len(calls) != 1 {
		t.Errorf("a gap was waived without a reason: %q", calls)
	}
	api.set("POST /days/2026-05-01/waivers", 201, `{}`)
	api.set("GET /days/2026-05-01", 200, evenDay())
	typeInto(c, ".el-dialog textarea", "收银机损坏")
	c.dialog()
	c.text("三方一致")
	c.text("2006020,2026-05-01 20:00")
	c.called(`POST /days/2026-05-01/waivers {"agent":7,"epoch":1,"from":118,"to":119,"reason":"收银机损坏"}`)
	c.until(`!document.body.innerText.includes('不能日结')`)

	api.set("POST /days/2026-05-01/close", 200, evenDay(`"state":"open"`, `"state":"closed","closed_at":1777636800000,"closed_by":"2009002"`))
	c.until(`!document.querySelector('.el-overlay')?.checkVisibility()`)
	c.press("日结")
	c.dialog()
	c.text("2009002 于 2026-05-01 20:00 日结")
	c.until(`![...document.querySelectorAll('button')].some((b) => b.innerText.trim() === '日结')`)
}

// A difference is somebody's before the day can go on with it.
func TestConsole_ADifferenceIsAcceptedWithAReason(t *testing.T) {
	t.Parallel()
	c, api := office(t)
	api.set("POST /days/2026-05-01/differences", 200, dayJSON(`"till_fen":899150,"server_fen":896750`, `"till_fen":899150,"server_fen":896750,"accepted":{"owner":"2009002","at":1777636800000,"reason":"已核对小票"}`))
	c.open("/days/2026-05-01")
	c.press("认领差异:一食堂 1 号")
	typeInto(c, ".el-dialog textarea", "已核对小票")
	c.dialog()
	c.text("已认领")
	c.called(`POST /days/2026-05-01/differences {"what":"till","ref":"11","reason":"已核对小票"}`)
}

func TestConsole_ACardIsFrozenForAReason(t *testing.T) {
	t.Parallel()
	c, api := office(t)
	c.open("/cards/10000018")
	c.press("冻结")
	c.text("持卡人可以看到原因")
	c.dialog()
	c.text("必填")
	if calls := api.calls(); len(calls) > 0 {
		t.Errorf("a card was frozen without a reason: %q", calls)
	}
	typeInto(c, ".el-dialog textarea", "待核实")
	c.dialog()
	c.text("已冻结")
	c.called(`POST /cards/10000018/freeze {"reason":"待核实"}`)
	c.press("解冻")
}

// The holder's name is seen before money is taken, an amount is asked back, and
// the same press sent again is the same move.
func TestConsole_CM089_CashIsTakenForAnAccount(t *testing.T) {
	t.Parallel()
	c, api := office(t)
	c.open("/cash")
	if eval[bool](t, c.ctx, `document.body.innerText.includes('充值金额') || [...document.querySelectorAll('input')].some((i) => i.ariaLabel?.startsWith('充值金额'))`) {
		t.Error("an amount is asked before the account is known")
	}
	found(c)
	c.fill("充值金额(元)", "0")
	c.press("现金充值")
	c.text("请输入大于 0 的金额")
	c.press("50.00")
	api.set("POST /cash/recharges", 503, refusal("busy", "服务繁忙 The server is busy", "{}"))
	c.press("现金充值")
	c.text("收 林晓岚(20230417)现金 50.00 元,充入账户 10000018?")
	c.dialog()
	c.text("服务繁忙")
	api.set("POST /cash/recharges", 201, officeAnswers["POST /cash/recharges"])
	c.until(`!document.querySelector('.el-message-box')?.checkVisibility()`)
	c.press("现金充值")
	c.dialog()
	c.text("已充值 50.00 元,余额 233.20 元")
	c.text("+50.00")
	calls := api.calls()
	if len(calls) != 2 || calls[0] != calls[1] || !strings.Contains(calls[0], `"account":"10000018","amount_fen":5000`) {
		t.Errorf("sent %q", calls)
	}

	// No more messages are shown at a time than people read.
	eval[bool](t, c.ctx, `document.querySelectorAll('.el-message__closeBtn').forEach((b) => b.click()), true`)
	c.press("交班清点")
	c.text("应有 426.80 元")
	c.fill("实点金额(元)", "426.00")
	c.dialog()
	c.text("已交班:短款 0.80")
	c.called(`POST /cash/shifts/4/close {"counted_fen":42600}`)
	c.text("先清点抽屉里的备用金")
}

// Rules that a till could not follow stay here, each fault beside its field.
func TestConsole_RulesOfATillAreCheckedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	c, api := office(t)
	api.set("PATCH /tills/11", 200, tillJSON(11, "一食堂 1 号", "", ""))
	c.open("/tills/11")
	c.fill("键号,第 2 行", "1")
	c.fill("单价(元),第 1 行", "0.505")
	c.fill("截止,第 1 行", "11:00")
	c.fill("单笔限额(元)", "=1+1")
	c.press("保存并下发")
	c.text("有 4 处需要修改")
	for _, fault := range []string{"重复了", "请输入 0.01 至 100000 元", "与另一餐段重叠", "最多两位小数"} {
		c.text(fault)
	}
	c.press("English")
	for _, fault := range []string{"It is there twice", "Enter 0.01 to 100,000 yuan", "It overlaps with another period", "at most two decimals"} {
		c.text(fault)
	}
	c.press("中文")
	c.text("与另一餐段重叠")
	if calls := api.calls(); len(calls) > 0 {
		t.Errorf("faulty rules were sent: %q", calls)
	}
	c.fill("键号,第 2 行", "12")
	c.fill("单价(元),第 1 行", "0.5")
	c.fill("截止,第 1 行", "9:30")
	c.fill("单笔限额(元)", "200")
	c.press("移除 午餐")
	c.press("保存并下发")
	c.text("规则已下发")
	c.called(`PATCH /tills/11`, `"menu":[{"key":1,"name":"米饭","name_en":"Rice","price_fen":50},{"key":12,`, `"per_tx_fen":20000`,
		`"periods":[{"id":"breakfast","name":"早餐","name_en":"Breakfast","from":390,"until":570,"price_fen":0}]`, `"max_age_ms":1800000`)
}

// What a merchant's manager sees is theirs: no card, no day, no refund.
func TestConsole_AMerchantSeesItsOwnPagesOnly(t *testing.T) {
	t.Parallel()
	c, api := office(t)
	api.set("GET /me", 200, strings.Replace(meJSON, `["self","admin"]`, `["self","canteen"]`, 1))
	c.open("/charges")
	c.text("一食堂 1 号")
	if got := eval[string](t, c.ctx, `[...document.querySelectorAll('nav.side section:last-child a')].map((a) => a.innerText.trim()).join()`); got != "营业额,收银点,消费流水,商户对账" {
		t.Errorf("the menu has %s", got)
	}
	if eval[bool](t, c.ctx, `[...document.querySelectorAll('main a, main button')].some((b) => /^10000018$|退款/.test(b.innerText))`) {
		t.Error("a merchant is led to a card or a refund")
	}
	c.open("/days")
	c.text("没有权限打开这个页面")
	c.open("/tills")
	if eval[bool](t, c.ctx, `/新建收银点/.test(document.querySelector('main').innerText)`) {
		t.Error("a merchant is offered a new till")
	}
	c.press("生成登记码:一食堂 1 号")
	c.press("确定")
	c.text("K7QM-2F9D")
	c.called("POST /tills/11/enrolments")
}

func TestConsole_WhatIsInSuspenseIsSettledInItsOwnWay(t *testing.T) {
	t.Parallel()
	c, _ := office(t)
	const closed = `![...document.querySelectorAll('.el-dialog')].some((d) => d.checkVisibility())`
	c.open("/disputes/suspense")
	for _, said := range []string{"挂账科目余额 34.00 元", "另有 -0.50 元不在表内", "同一付款码重复使用：款已付商户，尚无人承担"} {
		c.text(said)
	}
	c.press("处理挂账 7-2-1205")
	c.choose("裁定", "已驳回")
	typeInto(c, ".el-dialog textarea", "学校承担")
	c.dialog()
	c.until(closed)
	c.called(`POST /disputes/2/resolve {"decision":"dismiss","text":"学校承担"}`)
	c.press("处理挂账 R260501000017")
	c.dialog()
	c.text("必填")
	c.fill("转入账户账号", "10000034")
	typeInto(c, ".el-dialog textarea", "转入本人新账户")
	c.dialog()
	c.until(closed)
	c.called(`POST /recharges/issues/7/resolve {"note":"转入本人新账户","account":"10000034"}`)
	c.press("处理挂账 7-2-1300")
	typeInto(c, ".el-dialog textarea", "多收")
	c.dialog()
	c.until(closed)
	c.called(`"charge":"7-2-1300"`, `"amount_fen":300`)
}

func TestConsole_ADisputeIsDecidedInWords(t *testing.T) {
	t.Parallel()
	c, _ := office(t)
	c.open("/disputes")
	c.press("裁定争议 1")
	c.dialog()
	c.text("必填")
	c.choose("裁定", "消费成立")
	typeInto(c, ".el-dialog textarea", "监控显示为本人")
	c.dialog()
	c.text("已裁定")
	c.called(`POST /disputes/1/resolve {"decision":"merchant","text":"监控显示为本人"}`)
}
