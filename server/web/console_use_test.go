package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// started opens a page of the console at a desk.
func started(t *testing.T, api *consoleFake, path string) *consoleTab {
	t.Helper()
	c := openConsole(t, api)
	c.scheme("light")
	c.size(1280, 800)
	c.open(path)
	return c
}

// fill types into the field of a name.
func (c *consoleTab) fill(name, words string) {
	c.t.Helper()
	c.until(`!!(window.found = [...document.querySelectorAll('input, textarea')].find((i) => i.checkVisibility() && (i.getAttribute('aria-label') === ` + quote(name) +
		` || [...i.labels ?? []].some((l) => l.innerText.trim() === ` + quote(name) + `))))`)
	eval[bool](c.t, c.ctx, `window.found.focus(), window.found.select?.(), true`)
	c.do(chromedp.KeyEvent(words))
	c.until(`window.found.value === ` + quote(strings.TrimSuffix(words, kb.Enter)))
}

// choose picks an option of the select of a name, and waits until its list has
// closed: as it does, it takes the focus back. A select whose options are still
// on their way cannot be opened, so it is tried until it is open.
func (c *consoleTab) choose(name, option string) {
	c.t.Helper()
	const options = `[...document.querySelectorAll('[role=option]')].filter((o) => o.checkVisibility())`
	c.until(`!!(window.select = [...document.querySelectorAll('[role=combobox]')].find((i) => i.checkVisibility() && i.getAttribute('aria-label') === ` + quote(name) + `)) && ` + options + `.length === 0`)
	c.until(`(() => {
		window.found = ` + options + `.find((o) => o.innerText.trim() === ` + quote(option) + `)
		if (!window.found && window.select.getAttribute('aria-expanded') !== 'true') window.select.closest('.el-select__wrapper').click()
		return !!window.found
	})()`)
	eval[bool](c.t, c.ctx, `window.found.click(), true`)
	c.until(options + `.length === 0 && window.select.closest('.el-select').innerText.trim() === ` + quote(option))
}

// called waits until the latest call that changed something holds all of this.
func (c *consoleTab) called(want ...string) {
	c.t.Helper()
	patience := time.After(10 * time.Second)
	for {
		last := ""
		if calls := c.api.calls(); len(calls) > 0 {
			last = calls[len(calls)-1]
		}
		missing := slices.DeleteFunc(slices.Clone(want), func(part string) bool { return strings.Contains(last, part) })
		if len(missing) == 0 {
			return
		}
		select {
		case <-c.api.news:
		case <-patience:
			c.t.Errorf("the last call is %s, without %q", last, missing)
			return
		}
	}
}

func TestConsole_AdminLinkLeavesNoKeyBehind(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	signedOut(api)
	c := started(t, api, "/?key=k3y-of-the-installation")
	c.text("设置首位管理员")
	if got := eval[string](t, c.ctx, `location.href + document.referrer + JSON.stringify({...localStorage, ...sessionStorage}) + JSON.stringify(history.state)`); strings.Contains(got, "k3y") {
		t.Errorf("the key is kept: %s", got)
	}
	c.fill("学工号", "1000001")
	c.fill("姓名", "何静怡")
	c.fill("新密码", "short")
	c.fill("确认密码", "short")
	c.press("创建并登录")
	c.text("至少 10 位")
	if calls := api.calls(); len(calls) != 0 {
		t.Fatalf("sent although the password is too short: %v", calls)
	}
	c.fill("新密码", "Correct-horse-7")
	c.fill("确认密码", "Correct-horse-7")
	api.set("POST /login/link", 200, `{"me":`+meJSON+`}`)
	api.set("GET /me", 200, meJSON)
	c.press("创建并登录")
	c.text("何静怡,您好")
	c.called("POST /login/link", `"key":"k3y-of-the-installation"`, `"number":"1000001"`, `"password":"Correct-horse-7"`)
}

func TestConsole_SignInGoesOnWhereOneWanted(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	signedOut(api)
	api.set("POST /login/password", 401, refusal("wrong_password", "学工号或密码不正确 Wrong number or password", "{}"))
	c := started(t, api, "/work/todo?flow=cqu.work_pass")
	c.until(`location.pathname === '/console/login'`)
	c.fill("学工号", "2006020")
	c.fill("密码", "nonsense")
	c.press("登录")
	c.text("学工号或密码不正确")
	api.set("POST /login/password", 200, `{"me":`+meJSON+`}`)
	c.fill("密码", "Correct-horse-7")
	c.press("登录")
	c.until(`location.pathname + location.search === '/console/work/todo?flow=cqu.work_pass'`)
	if href := eval[string](t, c.ctx, `location.href`); strings.Contains(href, "login") {
		t.Errorf("at %s", href)
	}
}

// A session that ends while somebody fills in a form costs them nothing.
func TestConsole_ExpiredSessionKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/services/all.kinds")
	c.fill("项目名称", "实验楼照明改造")
	api.set("POST /applications", 401, refusal("unauthorized", "请先登录 Sign in first", "{}"))
	c.press("保存草稿")
	c.text("登录已失效")
	c.judge("expired", "zh-CN")
	api.set("POST /login/password", 200, `{"me":`+meJSON+`}`)
	c.fill("密码", "Correct-horse-7")
	c.press("登录")
	c.until(`!document.querySelector('.el-dialog')?.checkVisibility()`)
	api.set("POST /applications", 201, strings.Replace(matterJSON(), `"id":"a1"`, `"id":"d1"`, 1))
	c.press("保存草稿")
	c.until(`location.pathname === '/console/applications/d1/edit'`)
	c.called("POST /applications ", `"a":"实验楼照明改造"`, `"submit":false`, `"key":"`)
}

func TestConsole_SubmitShowsFaultsAndRefusalsAtTheirFields(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/services/cqu.resident_pass")
	c.press("提交")
	c.text("有 6 处需要修改")
	if got := eval[string](t, c.ctx, `document.activeElement.getAttribute('aria-label') ?? ''`); got != "通行证类型" {
		t.Errorf("the focus is on %q, not on the first fault", got)
	}
	if calls := api.calls(); len(calls) != 0 {
		t.Fatalf("sent: %v", calls)
	}
	// 多次通行 asks for its last day and its reason.
	if eval[bool](t, c.ctx, `document.body.innerText.includes('截止日期')`) {
		t.Error("a last day is asked of a pass for one day")
	}
	c.choose("通行证类型", "多次通行")
	c.text("截止日期")
	c.choose("通行证类型", "单次通行证明")
	c.fill("户主姓名", "林晓岚")
	c.choose("小区名称", "青松苑")
	c.choose("楼栋号", "1 栋")
	c.choose("门牌号", "2 栋")
	c.fill("通行日期", "2026-05-02"+kb.Enter)
	api.set("POST /applications", 409, refusal("HOUSEHOLD_QUOTA_2D", "按户每2天只能申请1个通行二维码 A household may apply for one code per 2 days", `{"field":"date","next_date":"2026-05-03"}`))
	c.press("提交")
	c.text("按户每2天只能申请1个通行二维码 最早可申请 2026-05-03 HOUSEHOLD_QUOTA_2D")
	c.called(`"type":"single"`, `"compound":"青松苑"`, `"building":"1 栋"`, `"date":"2026-05-02"`, `"submit":true`)
	c.until(`document.querySelector('[data-field=date] [role=alert]')?.innerText === '按户每2天只能申请1个通行二维码'`)
	c.shoot("refused")
}

func TestConsole_CQ072_CQ076_ADecisionSendsStepHandlerFormAndOpinion(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/applications/a1")
	c.press("同意")
	c.until(`document.querySelector('[data-field=check] [role=alert]')?.innerText === '必填'`)
	c.choose("核验结果", "符合")
	c.press("同意")
	c.text("请选择下一步")
	c.choose("下一步", "学工部同意")
	c.press("同意")
	c.text("请选择下一步办理人")
	c.choose("下一步办理人", "高远 学工部")
	c.fill("填写意见(非必填)", "=1+1 <script>")
	api.set("POST /applications/a1/act", 200, matterJSON(`"mine":{"task":"t2"`, `"mine":null,"_":{"task":"t2"`))
	c.press("同意")
	c.text("操作成功")
	c.called(`"verb":"decide"`, `"task":"t2"`, `"outcome":"agree"`, `"next":"xgb"`, `"handler":"2005001"`, `"form":{"check":"ok"}`, `"opinion":"=1+1 <script>"`)
	c.until(`!document.body.innerText.includes('处理信息')`)
}

func TestConsole_CQ092_RefusingAsksOnceMore_ZZ009_ReturningAsksWhy(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/applications/a1")
	c.press("不同意")
	c.text("确认不同意")
	c.press("取消")
	c.until(`!document.querySelector('.el-dialog')?.checkVisibility()`)
	if calls := api.calls(); len(calls) != 0 {
		t.Fatalf("sent before it was confirmed: %v", calls)
	}
	c.press("退回")
	c.until(`document.querySelector('.el-dialog [data-field=back_note]')?.checkVisibility()`)
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-dialog__footer button')].at(-1).click(), true`)
	c.until(`document.querySelector('[data-field=back_note] [role=alert]')?.innerText === '必填'`)
	c.fill("退回说明", "请补充附件")
	api.set("POST /applications/a1/act", 200, matterJSON())
	eval[bool](t, c.ctx, `[...document.querySelectorAll('.el-dialog__footer button')].at(-1).click(), true`)
	c.text("操作成功")
	c.called(`"outcome":"return"`, `"form":{"back_note":"请补充附件"}`)
}

func TestConsole_TaskThatSomebodyElseClosedIsExplainedAndRefreshed(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/applications/a1")
	api.set("POST /applications/a1/act", 409, refusal("TASK_CLOSED", "任务已处理 The task is closed", "{}"))
	api.set("GET /applications/a1", 200, matterJSON(`"mine":{"task":"t2"`, `"mine":null,"_":{"task":"t2"`, `"state_name":"审核中"`, `"state_name":"已完成"`))
	c.press("暂存")
	c.text("这项任务已由他人处理")
	c.text("已完成")
	if eval[bool](t, c.ctx, `document.body.innerText.includes('处理信息')`) {
		t.Error("the task is still offered")
	}
}

func TestConsole_CM040_VoidNeedsAReason(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/applications/a1")
	c.press("作废")
	c.text("作废后不能恢复")
	c.press("确定")
	c.text("请填写原因")
	c.fill("原因", "重复申请")
	api.set("POST /applications/a1/act", 200, matterJSON())
	c.press("确定")
	c.text("操作成功")
	c.called(`"verb":"void"`, `"opinion":"重复申请"`)
}

func TestConsole_ZA021_ZA022_PeopleArePickedToSignToo(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/applications/a1")
	c.press("加签")
	c.press("加签: 选择人员")
	c.text("组织架构")
	c.fill("姓名/拼音、工号、部门", "高")
	c.until(`document.querySelectorAll('.pick button.row').length === 2`)
	c.judge("picker", "zh-CN")
	eval[bool](t, c.ctx, `document.querySelectorAll('.pick button.row')[1].click(), document.querySelectorAll('.pick button.row')[0].click(), true`)
	c.press("确认")
	c.until(`document.querySelectorAll('.person').length === 2`)
	c.judge("add-sign", "zh-CN")
	api.set("POST /applications/a1/act", 200, matterJSON())
	c.press("确定")
	c.text("操作成功")
	c.called(`"verb":"add_sign"`, `"task":"t2"`, `"to":["2005001","2008011"]`, `"at":"before"`, `"mode":"all"`)
}

func TestConsole_ZA012_ReviewersAreShownBeforeSubmitting(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/services/all.kinds")
	c.press("检查审核人")
	c.text("周文博")
	c.text("部门领导审核")
	c.judge("preview", "zh-CN")
}

func TestConsole_CQ075_ColumnsAreChosenAndRemembered(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/work/todo")
	headings := `[...document.querySelectorAll('thead th')].map((h) => h.innerText.trim()).filter(Boolean).join(' ')`
	if got := eval[string](t, c.ctx, headings); got != "序号 流程标题 申请人 申请时间 办理状态 未操作者" {
		t.Errorf("usual columns: %s", got)
	}
	c.press("自定义列")
	c.until(`!!(window.found = [...document.querySelectorAll('.el-popover label')].find((l) => l.innerText.trim() === '计时' && l.checkVisibility()))`)
	eval[bool](t, c.ctx, `window.found.click(), true`)
	c.until(headings + `.endsWith('计时')`)
	c.judge("columns", "zh-CN")
	c.open("/work/todo")
	c.until(headings + `.endsWith('计时')`)
}

func TestConsole_FiltersStandInTheAddressAndAreAskedFor(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/work/todo")
	c.fill("流程标题", "用印 & <b>")
	c.press("查询")
	c.until(`new URLSearchParams(location.search).get('q') === '用印 & <b>'`)
	c.choose("流程状态", "已退回")
	c.until(`location.search.includes('state=returned')`)
	c.press("重置")
	c.until(`location.search === ''`)
	c.mu.Lock()
	defer c.mu.Unlock()
	if all := strings.Join(c.asked, "\n"); !strings.Contains(all, "state=returned") || !strings.Contains(all, "q=%E7%94%A8%E5%8D%B0+%26+%3Cb%3E") {
		t.Errorf("not asked for: %s", all)
	}
}

func TestConsole_ZA023_ZA024_SeveralAreUrgedOrTerminatedTogether(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/work/started")
	eval[bool](t, c.ctx, `document.querySelector('thead input[type=checkbox]').click(), true`)
	c.text("已选 3 项")
	api.set("POST /applications/a8/act", 409, refusal("TOO_SOON", "一小时内已催办过 Urged within the hour", "{}"))
	api.set("POST /applications/a2/act", 200, matterJSON())
	api.set("POST /applications/a9/act", 200, matterJSON())
	c.press("催办")
	c.text("2 项已完成")
	c.text("一小时内已催办过")
	if calls := strings.Join(api.calls(), "\n"); strings.Count(calls, `{"verb":"urge"}`) != 3 {
		t.Errorf("calls: %s", calls)
	}
}

// Whoever has no mouse gets everywhere, and sees where they are.
func TestConsole_KeyboardAlone(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/work/todo")
	c.do(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](t, c.ctx, `document.activeElement.innerText`); got != "跳到正文" {
		t.Errorf("the first stop is %q", got)
	}
	seen := map[string]bool{}
	for range 60 {
		c.do(chromedp.KeyEvent(kb.Tab))
		at := eval[string](t, c.ctx, `(() => { const e = document.activeElement; const s = getComputedStyle(e); const around = e.closest('.el-input__wrapper, .el-select__wrapper, .el-checkbox, .el-range-editor');
			const shown = s.outlineStyle !== 'none' || (around && (getComputedStyle(around).boxShadow !== 'none' || getComputedStyle(around.querySelector('.el-checkbox__inner') ?? around).outlineStyle !== 'none'));
			return (shown || e === document.body ? '' : 'UNSEEN ') + (e.getAttribute('aria-label') || e.innerText || e.labels?.[0]?.innerText || e.tagName).trim() })()`)
		if strings.HasPrefix(at, "UNSEEN ") {
			t.Errorf("the focus cannot be seen on %s", at)
		}
		seen[at] = true
	}
	for _, name := range []string{"我已办的", "自定义列", "导出", "所属服务", "流程标题", "查询", "疫期通行证", "(采购专员): 实验耗材采购"} {
		if !seen[name] {
			t.Errorf("%s is out of reach: %v", name, seen)
		}
	}
	eval[bool](t, c.ctx, `document.querySelector('tbody a').focus(), true`)
	c.do(chromedp.KeyEvent(kb.Enter))
	c.until(`location.pathname === '/console/applications/a1'`)
}

func TestConsole_CM041_PaperHasFormAndTrailOnly(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/applications/a1")
	if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	c.until(`matchMedia('print').matches`)
	body := eval[string](t, c.ctx, `document.body.innerText`)
	for _, words := range []string{"疫期通行证", "通行开始日期", "流转记录", "同意,注意安全。", "打印时间"} {
		if !strings.Contains(body, words) {
			t.Errorf("not on paper: %s", words)
		}
	}
	for _, words := range []string{"我待办的", "处理信息", "转办", "与TA的互动"} {
		if strings.Contains(body, words) {
			t.Errorf("on paper: %s", words)
		}
	}
	c.shoot("paper")
}

func TestConsole_MessagesAreReadFromTheBell(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/")
	c.press("我的消息,2 条未读")
	c.until(`document.querySelector('.el-popover li.unread')?.checkVisibility()`)
	c.judge("bell", "zh-CN")
	api.set("POST /messages/1/read", http.StatusNoContent, "")
	eval[bool](t, c.ctx, `document.querySelector('.el-popover li.unread a').click(), true`)
	c.until(`location.pathname === '/console/applications/a1'`)
	c.called("POST /messages/1/read")
}

func TestConsole_FlowFaultsLeadToTheirLines(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := started(t, api, "/flows/cqu.work_pass")
	c.press("编辑新版本")
	c.press("发布")
	c.text("2 处错误")
	c.press("第 5 行")
	if got := eval[string](t, c.ctx, `(() => { const a = document.activeElement; return a.value.slice(a.selectionStart, a.selectionEnd) })()`); got != "    starters: [kind:staff, kind:student]" {
		t.Errorf("marked: %q", got)
	}
	for _, call := range api.calls() {
		if strings.HasPrefix(call, "POST /flows ") {
			t.Errorf("published with faults: %s", call)
		}
	}
	api.set("POST /flows/check", 200, `{"faults":[],"flows":["cqu.work_pass"]}`)
	api.set("POST /flows", 201, `{"changed":["cqu.work_pass"]}`)
	c.press("发布")
	c.text("文件中有 1 个流程")
	c.press("确定")
	c.text("已发布新版本:cqu.work_pass")
	c.called("POST /flows ", `"name":"campus.yaml"`, `"yaml":"flows:`)
}

func TestConsole_MenuOnNarrowScreens(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := openConsole(t, api)
	c.scheme("dark")
	c.size(768, 1024)
	c.open("/")
	if eval[bool](t, c.ctx, `document.querySelector('nav.side').checkVisibility({visibilityProperty: true})`) {
		t.Error("the menu covers the page")
	}
	c.press("菜单")
	c.until(`document.querySelector('nav.side').checkVisibility({visibilityProperty: true})`)
	c.judge("menu-768", "zh-CN")
	c.press("我已办的")
	c.until(`location.pathname === '/console/work/done' && !document.querySelector('nav.side').checkVisibility({visibilityProperty: true})`)
}

// What a browser fetches for the first page it is shown, packed.
func TestConsole_FirstPagesAreSmall(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*consoleFake){"/login": signedOut, "/": func(*consoleFake) {}, "/applications/a1": func(*consoleFake) {}} {
		api := newConsoleFake(t)
		before(api)
		c := started(t, api, name)
		bytes := eval[int](t, c.ctx, `[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
			.filter((r) => new URL(r.name).pathname.startsWith('/console/')).reduce((sum, r) => sum + r.encodedBodySize, 0)`)
		t.Logf("%s: %d bytes", name, bytes)
		if most := 200 << 10; name != "/applications/a1" && bytes > most || bytes < 50<<10 {
			t.Errorf("%s takes %d bytes, at most %d are wanted", name, bytes, most)
		}
	}
}
