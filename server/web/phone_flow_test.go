package web_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func millis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// fill types into a field as a person does.
func (p *phoneTab) fill(selector, text string) {
	p.Helper()
	p.until(`document.querySelector('` + selector + `')`)
	eval[bool](p.T, p.ctx, `(() => { const i = document.querySelector('`+selector+`'); i.value = '`+text+`'; i.dispatchEvent(new Event('input', {bubbles: true})); return true })()`)
}

// pick opens the sheet of a field and chooses one of its options.
func (p *phoneTab) pick(field, option string) {
	p.Helper()
	p.until(`document.querySelector('[data-field=` + field + `] .pick-button:not(:disabled)')`)
	eval[bool](p.T, p.ctx, `document.querySelector('[data-field=`+field+`] .pick-button').click(), true`)
	p.until(`[...document.querySelectorAll('.sheet-choice')].some((c) => c.checkVisibility())`)
	p.tap(option)
	p.until(`![...document.querySelectorAll('.sheet-choice')].some((c) => c.checkVisibility())`)
	p.until(`document.querySelector('[data-field=` + field + `] .pick-value').textContent.includes('` + option + `')`)
}

func TestPhone_ResidentApplies(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")

	t.Run("CQ-004 CQ-037 CQ-041 the poster leads through the login to the form", func(t *testing.T) {
		in := srv.set("GET /me", phoneSignedOut)
		p.open("/apply/resident", `document.querySelector('input[name=phone]')`)
		p.fill("input[name=phone]", "13800130001")
		p.tap("发送短信")
		p.says("秒后重发")
		p.fill("input[name=code]", "123456")
		in()
		srv.set("POST /login/phone", `{"me":`+srv.said("GET /me")+`}`)
		p.tap("进入")
		p.until(`location.pathname === '/m/apply/cqu.resident_pass' && document.querySelector('[data-field=room]')`)
	})
	t.Run("CQ-043 CQ-051 what the server fills in is only shown", func(t *testing.T) {
		p.says("138****0001")
		p.says("创建时间")
		if eval[bool](t, p.ctx, `Boolean(document.querySelector('[data-field=phone], [data-field=created]'))`) {
			t.Error("phone or time can be changed")
		}
	})
	t.Run("CQ-044 CQ-050 reason and last day are asked for with multiple entry", func(t *testing.T) {
		p.pick("type", "多次通行")
		p.until(`document.querySelector('[data-field=to] .pick-star') && document.querySelector('[data-field=reason] .van-field__label--required')`)
		p.says("0/1000")
		p.pick("type", "单次通行证明")
		p.until(`!document.querySelector('[data-field=to]')`)
	})
	t.Run("CQ-045 CQ-046 CQ-047 CQ-048 CQ-049 the household and the day are chosen", func(t *testing.T) {
		p.fill("[data-field=head] input", "林晓岚")
		p.pick("compound", "松林坡")
		p.pick("building", "2栋")
		p.pick("room", "3栋")
		if srv.called("GET /places/options?compound="+"%E6%9D%BE%E6%9E%97%E5%9D%A1&building=2") == 0 {
			t.Error("the rooms are not those of the building")
		}
		p.pick("compound", "柏树林")
		p.until(`document.querySelector('[data-field=room] .pick-button:disabled') && !document.querySelector('[data-field=building] .pick-value').textContent.includes('2栋')`)
		p.pick("building", "1栋")
		p.pick("room", "1栋")
		eval[bool](t, p.ctx, `document.querySelector('[data-field=date] .near-day').click(), true`)
	})
	t.Run("what was typed is there again after the page was closed", func(t *testing.T) {
		p.open("/apply/resident", `document.querySelector('[data-field=head] input')?.value === '林晓岚'`)
		p.says("已恢复上次未提交的内容")
		kept := eval[string](t, p.ctx, `localStorage.getItem('cg-typed-cqu.resident_pass')`)
		if kept == "" || strings.Contains(kept, "138") {
			t.Errorf("kept: %s", kept)
		}
	})
	t.Run("CQ-052 CQ-003 a refusal names the next day and takes it", func(t *testing.T) {
		p.says("我的申请")
		p.tap("提交")
		p.says("按户每2天只能申请1个通行二维码")
		p.judge("form-refused-zh-light")
		before := eval[string](t, p.ctx, `document.querySelector('[data-field=date] .pick-value').textContent`)
		p.tap("改为这一天")
		p.until(`document.querySelector('[data-field=date] .pick-value').textContent !== '` + before + `'`)
	})
	t.Run("CQ-069 CQ-070 the flow, its version and the reviewers are shown before", func(t *testing.T) {
		p.says("当前版本号：3")
		p.says("校区居民通审核")
		p.tap("检查审核人")
		p.says("何思齐 (社区办)")
	})
	t.Run("a field that the server refuses is marked", func(t *testing.T) {
		srv.set("POST /applications", `422 {"code":"HOUSEHOLD_UNKNOWN","message":"未找到该户或户主姓名不符 No such household.","details":{"field":"head"},"request_id":"r"}`)
		p.tap("提交")
		p.until(`document.querySelector('[data-field=head] .van-field__error-message')?.textContent === '未找到该户或户主姓名不符'`)
	})
	t.Run("and what was accepted is shown", func(t *testing.T) {
		srv.set("POST /applications", "201 "+srv.said("GET /applications/m1"))
		p.tap("提交")
		p.until(`location.pathname === '/m/applications/m1' && document.querySelector('.van-step')`)
		if eval[bool](t, p.ctx, `localStorage.getItem('cg-typed-cqu.resident_pass') !== null`) {
			t.Error("what was typed is still kept")
		}
	})
	p.clean()
}

func TestPhone_Matters(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/applications", `document.querySelectorAll('.matter').length === 3`)

	t.Run("CQ-053 CQ-064 the list says who, when and how it stands", func(t *testing.T) {
		for _, words := range []string{"疫期通行证", "申请人", "申请日期", "通行日", "审核中", "已完成", "等待 周明远"} {
			p.says(words)
		}
	})
	t.Run("CM-017 CM-021 CM-063 boxes with counts, and a filter", func(t *testing.T) {
		for _, words := range []string{"我发起的3", "待我办2", "已办14", "草稿1"} {
			p.says(words)
		}
		p.tap("全部")
		p.tap("已退回")
		p.until(`location.search.includes('state=returned')`)
		p.until(`performance.getEntriesByType('resource').some((r) => r.name.includes('&state=returned'))`)
		if srv.called("GET /applications?box=started&state=returned") == 0 {
			t.Error("the filter is not asked for")
		}
	})
	t.Run("CQ-054 CQ-055 CQ-058 the details name the reviewer, and lead to the pass", func(t *testing.T) {
		p.open("/applications/m1", `document.querySelector('.van-step')`)
		for _, words := range []string{"审核人工号", "T1002", "周明远", "通行开始日期", "通行原因", "创建时间", "同意，注意防护。", "值班表.pdf"} {
			p.says(strings.ReplaceAll(words, "，", ","))
		}
		p.tap("我的通行码")
		p.until(`location.pathname === '/m/passes/` + phoneWork + `'`)
	})
	t.Run("CQ-071 CQ-072 the reviewer opens it from the list and decides", func(t *testing.T) {
		p.open("/applications?box=todo", `document.querySelectorAll('.matter').length === 1`)
		eval[bool](t, p.ctx, `document.querySelector('.matter').click(), true`)
		for _, words := range []string{"基本信息", "通行信息", "下一步", "下一步说明", "下一步办理人", "审批意见"} {
			p.says(words)
		}
		p.tap("同意")
		p.says("请选择下一步办理人")
		eval[bool](t, p.ctx, `document.querySelector('.handle .pick-button').click(), true`)
		p.tap("学工部同意")
		eval[bool](t, p.ctx, `[...document.querySelectorAll('.handle .pick-button')][1].click(), true`)
		p.tap("苏若水 T3001 · 学工部")
		p.until(`document.querySelector('.handle').innerText.includes('苏若水')`)
		p.tap("同意")
		p.says("该任务已处理")
		p.tap("关闭")
		srv.set("POST /applications/m5/act", srv.said("GET /applications/m1"))
		p.tap("同意")
		p.until(`!document.querySelector('.handle')`)
	})
	t.Run("CQ-065 CQ-066 CQ-067 the form of the work pass knows the applicant and asks for dates and reason", func(t *testing.T) {
		p.open("/apply/cqu.work_pass", `document.querySelector('[data-field=reason]')`)
		for _, words := range []string{"学工号", "T1001", "申请人", "林晓岚", "所在单位", "图书馆", "通行开始日期", "通行截止日期", "0/1000"} {
			p.says(words)
		}
	})
	t.Run("ZA-036 a matter is ended on the phone, after a question", func(t *testing.T) {
		srv.set("POST /applications/m1/act", strings.ReplaceAll(srv.said("GET /applications/m1"), `"state":"completed","state_name":"已完成"`, `"state":"terminated","state_name":"已终止"`))
		p.open("/applications/m1", `document.querySelector('.acts')`)
		p.tap("终止")
		p.says("终止后不能恢复")
		p.tap("取消")
		if srv.called("POST /applications/m1/act") != 0 {
			t.Error("it was ended without a yes")
		}
		p.tap("终止")
		p.until(`document.querySelector('.ask-row')`)
		eval[bool](t, p.ctx, `document.querySelector('.ask-row .van-button--danger').click(), true`)
		p.says("已终止")
	})
	t.Run("CM-045 CM-048 messages lead to their matter", func(t *testing.T) {
		p.open("/messages", `document.querySelectorAll('.message').length === 3`)
		eval[bool](t, p.ctx, `document.querySelector('.message').click(), true`)
		p.until(`location.pathname === '/m/applications/m5'`)
	})
	p.clean()
}

func TestPhone_LanguageChangesWithoutReload(t *testing.T) {
	t.Parallel()
	p := openPhone(t, newPhoneServer(t))
	p.dress("zh", "light")
	p.open("/me", `document.querySelector('.who')`)
	eval[bool](t, p.ctx, `window.same = 1, true`)
	p.tap("English")
	p.until(`document.documentElement.lang === 'en' && window.same === 1 && document.title.startsWith('Me')`)
	p.says("Sign-in history")
}

func TestPhone_SigningOutWipes(t *testing.T) {
	t.Parallel()
	const kept = `new Promise((done) => { indexedDB.open('campusgate').onsuccess = async (e) => {
		const count = (s) => new Promise((ok) => { e.target.result.transaction(s).objectStore(s).count().onsuccess = (c) => ok(c.target.result) })
		done(await count('shelf') + ' ' + await count('keys') + ' ' + Object.keys(localStorage).filter((k) => k.startsWith('cg-typed')).length)
	} })`
	for _, way := range []struct{ name, button, want string }{
		{"with the keys", "退出并删除密钥公用或不再使用的手机", "0 0 0"}, {"without them", "退出，保留密钥自己的手机，再次登录后即可出示", "0 1 0"},
	} {
		t.Run(way.name, func(t *testing.T) {
			srv := newPhoneServer(t)
			p := openPhone(t, srv)
			p.dress("zh", "light")
			p.open("/passes/"+phoneWork, phoneDrawn)
			eval[bool](t, p.ctx, `localStorage.setItem('cg-typed-x', '{}'), true`)
			p.open("/me", `document.querySelector('.who')`)
			if got := eval[string](t, p.ctx, kept); got == way.want {
				t.Fatalf("before: %s", got)
			}
			p.tap("退出登录")
			srv.set("GET /me", phoneSignedOut)
			p.until(`document.querySelector('.leave')`)
			eval[bool](t, p.ctx, `[...document.querySelectorAll('.leave-way')].find((b) => b.innerText.replace(/\s/g, '') === '`+way.button+`').click(), true`)
			p.until(`location.pathname === '/m/login'`)
			if got := eval[string](t, p.ctx, kept); got != way.want {
				t.Errorf("after: %s, want %s", got, way.want)
			}
		})
	}
}

func TestPhone_ALaterBuildWaitsUntilItIsAskedFor(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/passes", `navigator.serviceWorker.controller && document.querySelector('.pass')`)
	t.Run("the worker keeps the files of the build and nothing of the interface", func(t *testing.T) {
		const names = `(async () => { const c = await caches.open((await caches.keys())[0]); return (await c.keys()).map((r) => new URL(r.url).pathname) })()`
		kept := eval[[]string](t, p.ctx, names)
		if len(kept) < 20 || !slices.Contains(kept, "/m/") {
			t.Errorf("keeps %v", kept)
		}
		for _, name := range kept {
			if !strings.HasPrefix(name, "/m/") {
				t.Errorf("keeps %s", name)
			}
		}
	})
	srv.mu.Lock()
	srv.newBuild = true
	srv.mu.Unlock()
	eval[bool](t, p.ctx, `window.same = 1, navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => true)`)
	p.says("有新版本")
	if n := eval[int](t, p.ctx, `caches.keys().then((k) => k.length)`); n != 2 {
		t.Errorf("%d builds are kept while a page of the first is open", n)
	}
	p.judge("passes-later-zh-light")
	p.tap("更新")
	p.until(`!window.same && document.querySelector('.pass')`)
	if n := eval[string](t, p.ctx, `caches.keys().then((k) => k.join())`); n != "campusgate-phone-later" {
		t.Errorf("kept after the change: %s", n)
	}
	p.clean()
}

// The session is over, but the phone still has its passes.
func TestPhone_PassesOutlastTheSession(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/passes/"+phoneWork, phoneDrawn)
	srv.set("GET /me", phoneSignedOut)
	srv.set("GET /me/passes", phoneSignedOut)
	p.open("/passes", `document.querySelectorAll('.pass').length === 5`)
	p.says("登录已失效")
	p.judge("passes-expired-zh-light")
	p.open("/passes/"+phoneWork, phoneDrawn)
	p.live()
	p.open("/apply", `location.pathname === '/m/login'`)
}
