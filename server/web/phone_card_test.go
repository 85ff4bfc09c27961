package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"campusgate/signing"
)

// say gives the words of the language that a page has.
func (p *phoneTab) say(zh, en string) string {
	return map[string]string{"zh": zh, "en": en}[p.lang]
}

const noCard = `404 {"code":"NO_CARD","message":"没有校园卡,或尚未绑定 there is no card, or it is not bound yet","details":{},"request_id":"r5"}`

var cardRoutes = []phoneRoute{
	{name: "card-home", path: "/passes", ready: `document.querySelector('.life-pay') && document.querySelectorAll('.pass').length === 5`},
	{name: "pay", path: "/pay", ready: `document.querySelector('.qr') && document.querySelectorAll('.entry').length === 5`},
	{name: "pay-confirm", path: "/pay", ready: `document.querySelector('.way-confirm')`, then: func(p *phoneTab) {
		p.tap(p.say("用卡密码确认", "Confirm with card password"))
		p.until(`document.querySelector('input[name=pin]')`)
	}},
	{name: "pay-lost", path: "/pay", ready: `document.querySelector('.stopped')`, call: "GET /cards/me", answer: cardAs("lost", `,"lost_at":1795000000000`)},
	{name: "pay-none", path: "/pay", ready: `document.querySelector('.none')`, call: "GET /cards/me", answer: noCard},
	{name: "card", path: "/card", ready: `document.querySelector('.face')`},
	{name: "card-bind", path: "/card", ready: `document.querySelector('input[name=number]')`, call: "GET /cards/me", answer: noCard},
	{name: "card-frozen", path: "/card", ready: `document.querySelector('.face-off')`, call: "GET /cards/me", answer: cardAs("frozen", "")},
	{name: "entries", path: "/card/entries", ready: `document.querySelectorAll('.entry').length === 6`},
	{name: "entries-month", path: "/card/entries", ready: `document.querySelector('.month')`, then: func(p *phoneTab) {
		eval[bool](p.T, p.ctx, `document.querySelectorAll('.month')[1].click(), true`)
		p.until(`document.querySelector('.sums')`)
	}},
	{name: "entry", path: "/card/entries", ready: `document.querySelector('.entry')`, then: func(p *phoneTab) {
		eval[bool](p.T, p.ctx, `document.querySelectorAll('.entry')[1].click(), true`)
		p.tap(p.say("提出异议", "Dispute it"))
		p.until(`document.querySelector('textarea[name=dispute]')`)
	}},
	{name: "loss", path: "/card/loss", ready: `document.querySelector('.warn')`},
	{name: "loss-ask", path: "/card/loss", ready: `document.querySelector('.warn')`, then: func(p *phoneTab) {
		p.tap(p.say("立即挂失", "Report it lost now"))
		p.until(`document.querySelector('.ask-grave')`)
	}},
	{name: "lift", path: "/card/loss", ready: `document.querySelector('input[name=pin]')`, call: "GET /cards/me", answer: cardAs("lost", `,"lost_at":1795000000000`)},
	{name: "pin", path: "/card/password", ready: `document.querySelector('input[name=old]')`},
	{name: "pin-forgotten", path: "/card/password", ready: `document.querySelector('.forgot')`, then: func(p *phoneTab) {
		p.tap(p.say("忘记卡密码", "I forgot it"))
		p.until(`document.querySelector('input[name=code]')`)
	}},
	{name: "limits", path: "/card/limits", ready: `document.querySelector('input[name=offline-tx]')`},
	{name: "recharge", path: "/card/recharge", ready: `document.querySelector('.account') && document.querySelector('.balance')`},
	{name: "recharge-other", path: "/card/recharge", ready: `document.querySelector('.account')`, then: func(p *phoneTab) {
		p.tap(p.say("其他", "Other"))
		p.fill("input[name=amount]", "0.50")
		p.until(`document.querySelector('.van-field__error-message')`)
	}},
	{name: "order-trial", path: "/card/recharge/" + cardOrder, ready: `document.querySelector('.trial')`},
	{name: "order-native", path: "/card/recharge/" + cardOrder, ready: `document.querySelector('.qr')`, call: "GET /recharges/" + cardOrder, answer: orderFixed("created", `{"kind":"native","text":"weixin://wxpay/bizpayurl?pr=abcdefg"}`)},
	{name: "order-paid", path: "/card/recharge/" + cardOrder, ready: `document.querySelector('.state-paid')`, call: "GET /recharges/" + cardOrder, answer: orderFixed("paid", "null")},
	{name: "order-failed", path: "/card/recharge/" + cardOrder, ready: `document.querySelector('.state-failed')`, call: "GET /recharges/" + cardOrder, answer: orderFixed("failed", "null")},
	{name: "orders", path: "/card/recharges", ready: `document.querySelectorAll('.order').length === 2`},
	{name: "electricity", path: "/card/utilities/electricity", ready: `document.querySelectorAll('.meter').length === 2 && document.querySelector('.paid')`},
	{name: "hot-water", path: "/card/utilities/hot_water", ready: `document.querySelector('.meter')`},
}

// orderFixed is an order of a fixed moment, for what is set later than the rest.
func orderFixed(state, pay string) string {
	return strings.ReplaceAll(orderAs(state, pay, ""), "{hour}", "1795000000000")
}

func TestPhone_CardPagesInEveryDress(t *testing.T) {
	t.Parallel()
	everyDress(t, cardRoutes)
}

// context waits for a code that says what it is for.
func (p *phoneTab) context(want signing.Context) {
	p.Helper()
	if got := p.live(); got.Proof.Context != want || got.Pay == nil {
		p.Errorf("the code is for context %d of %s, want %d", got.Proof.Context, got.Kind(), want)
	}
}

func TestPhone_PaymentCode(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")

	t.Run("CM-072 电子码 stands on the first page and shows a code that a till reads", func(t *testing.T) {
		p.open("/passes", `document.querySelector('.life-pay')`)
		p.tap("电子码")
		p.until(phoneDrawn)
		p.context(signing.ContextPay)
		p.until(`Number(document.querySelector('.live-count').textContent.match(/\d+/)[0]) <= 10`)
	})
	t.Run("CM-081 CM-082 name masked, number and balance beside it", func(t *testing.T) {
		p.says("**岚")
		p.says("T1001")
		p.says("¥86.50")
		p.until(`document.querySelectorAll('.entry').length === 5`)
	})
	t.Run("CM-072 the next code is confirmed with the card password, and only that one", func(t *testing.T) {
		p.tap("用卡密码确认")
		p.fill("input[name=pin]", "000000")
		p.tap("确定")
		p.says("卡密码不正确，还可试 4 次")
		p.fill("input[name=pin]", cardPIN)
		p.tap("确定")
		p.says("已确认 · 仅此一码")
		p.until(`!document.querySelector('input[name=pin]')?.checkVisibility()`)
		p.context(signing.ContextPIN)
		p.until(`!document.querySelector('.confirmed')`) // the one after it
		p.context(signing.ContextPay)
	})
	t.Run("CM-072 five wrong passwords, and only the server can confirm", func(t *testing.T) {
		undo := srv.set("POST /cards/me/code", `422 {"code":"CARD_PASSWORD","message":"卡密码不正确,或尚未设置 the card password is wrong, or there is none","details":{},"request_id":"r6"}`)
		p.tap("用卡密码确认")
		for left := 4; left >= 0; left-- {
			p.fill("input[name=pin]", "000000")
			p.tap("确定")
			p.says([]string{"需要联网确认", "还可试 1 次", "还可试 2 次", "还可试 3 次", "还可试 4 次"}[left])
		}
		if srv.called("POST /cards/me/code") != 0 {
			t.Error("the server was asked before")
		}
		p.fill("input[name=pin]", cardPIN)
		p.tap("确定")
		p.says("卡密码不正确,或尚未设置")
		undo()
		srv.set("POST /cards/me/code", `{"code":"CP1:X","expires_at":1}`)
		p.fill("input[name=pin]", cardPIN)
		p.tap("确定")
		p.says("已确认 · 仅此一码")
		p.context(signing.ContextPIN)
	})
	t.Run("CM-072 without a network, after a cold start", func(t *testing.T) {
		p.until(`navigator.serviceWorker.controller`)
		srv.CloseClientConnections()
		srv.Close()
		p.open("/pay", phoneDrawn)
		p.says("离线 · 单笔不超过 30 元")
		p.says("¥86.50")
		p.context(signing.ContextPay)
		p.tap("用卡密码确认")
		p.fill("input[name=pin]", cardPIN)
		p.tap("确定")
		p.says("已确认 · 仅此一码")
	})
}

// What is kept of the card's key: the length of its credential.
const cardCredential = `new Promise((done) => { indexedDB.open('campusgate').onsuccess = (e) => {
	e.target.result.transaction('keys').objectStore('keys').get('card/600100238').onsuccess = (got) => done(got.target.result?.credential.length ?? -1)
} })`

func TestPhone_CardIsReportedLost(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/pay", phoneDrawn)
	if eval[int](t, p.ctx, cardCredential) <= 0 {
		t.Fatal("no credential is kept")
	}
	active := srv.said("GET /cards/me")
	lost := cardAs("lost", `,"lost_at":1795000000000`)
	t.Run("CM-084 挂失 takes effect at once, and the phone forgets its credential", func(t *testing.T) {
		p.tap("挂失")
		p.says("挂失立即生效")
		p.tap("立即挂失")
		p.until(`document.querySelector('.ask-grave')`)
		if srv.called("POST /cards/me/loss") != 0 {
			t.Error("reported without a question")
		}
		srv.set("POST /cards/me/loss", lost)
		srv.set("GET /cards/me", lost)
		p.tap("立即挂失")
		p.until(`document.querySelector('input[name=pin]')`)
		if kept := eval[int](t, p.ctx, cardCredential); kept != 0 {
			t.Errorf("%d bytes of credential are kept", kept)
		}
		p.open("/pay", `document.querySelector('.stopped')`)
		if eval[bool](t, p.ctx, `Boolean(document.querySelector('.qr'))`) {
			t.Error("a lost card shows a code")
		}
	})
	t.Run("CM-084 解挂 needs the card password, and the phone pays again", func(t *testing.T) {
		p.tap("解挂")
		p.fill("input[name=pin]", "12")
		p.tap("解挂")
		p.says("请输入 6 位数字")
		srv.set("DELETE /cards/me/loss", active)
		srv.set("GET /cards/me", active)
		p.fill("input[name=pin]", cardPIN)
		p.tap("解挂")
		p.until(`location.pathname === '/m/pay' && ` + phoneDrawn)
		p.context(signing.ContextPay)
		if got := srv.got("DELETE /cards/me/loss"); got != `{"password":"`+cardPIN+`"}` {
			t.Errorf("sent %s", got)
		}
	})
	p.clean()
}

func TestPhone_PaymentCodeWhereNoKeyCanBe(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	ahead(t, p.ctx, `Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })`)
	p.dress("zh", "light")
	in := func(code string) string {
		return `{"code":"` + code + `","expires_at":` + millis(time.Now().Add(time.Minute)) + `}`
	}
	t.Run("CM-072 the server makes the codes, plain and confirmed", func(t *testing.T) {
		srv.set("GET /cards/me/code", in("CP1:SERVER"))
		p.open("/pay", phoneDrawn)
		if got := p.scan(); got != "CP1:SERVER" {
			t.Errorf("shows %q", got)
		}
		p.says("在线码 · 需要网络")
		srv.set("POST /cards/me/code", in("CP1:CONFIRMED"))
		p.tap("用卡密码确认")
		p.fill("input[name=pin]", cardPIN)
		p.tap("确定")
		p.says("已确认 · 仅此一码")
		p.until(`!document.querySelector('input[name=pin]')?.checkVisibility()`)
		if got := p.scan(); got != "CP1:CONFIRMED" {
			t.Errorf("shows %q", got)
		}
	})
	p.clean()
}

func TestPhone_CardIsBoundAndRead(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")

	t.Run("CM-079 CM-080 校园一卡通 binds the card by name and number", func(t *testing.T) {
		bound := srv.set("GET /cards/me", noCard)
		p.open("/passes", `document.querySelector('.life')`)
		p.tap("校园一卡通")
		p.says("绑定校园卡")
		p.tap("绑定校园卡")
		p.says("请填写姓名")
		p.fill("input[name=name]", "林晓岚")
		p.fill("input[name=number]", "T1001")
		srv.set("POST /cards/me/bind", `422 {"code":"CARD_MISMATCH","message":"姓名与学/工号不符 name and number do not fit","details":{},"request_id":"r8"}`)
		p.tap("绑定校园卡")
		p.says("姓名与学/工号不符")
		srv.set("POST /cards/me/bind", cardAs("active", ""))
		bound()
		p.tap("绑定校园卡")
		p.until(`document.querySelector('.face')`)
		if got := srv.got("POST /cards/me/bind"); got != `{"name":"林晓岚","number":"T1001"}` {
			t.Errorf("sent %s", got)
		}
	})
	t.Run("CM-081 the card shows the masked name and the number", func(t *testing.T) {
		p.says("**岚")
		p.says("学/工号 T1001")
	})
	t.Run("CM-082 查余额 asks the server", func(t *testing.T) {
		back := srv.set("GET /cards/me", strings.ReplaceAll(srv.said("GET /cards/me"), `"balance_fen":8650`, `"balance_fen":7400`))
		defer back()
		p.tap("查余额")
		p.says("余额 74.00 元")
		p.says("¥74.00")
	})
	t.Run("CM-077 CM-078 CM-083 明细查询: signed amounts, and each balance is the one below it and its own amount", func(t *testing.T) {
		p.tap("明细查询")
		p.until(`document.querySelectorAll('.entry').length === 6`) // the older ones follow by themselves
		p.says("消费")
		p.says("充值")
		p.says("+50.00")
		p.says("-12.50")
		p.says("本次余额:¥86.50")
		p.says("迟到")
		p.says("挂失后")
		p.says("争议")
		p.says("调整")
		rows := eval[[][2]float64](t, p.ctx, `[...document.querySelectorAll('.entry')].map((e) => [e.querySelector('.entry-amount').textContent, e.querySelector('.entry-balance').textContent]
			.map((s) => Math.round(100 * Number(s.replace(/[^\d.+-]/g, '')))))`)
		for i := 0; i+1 < len(rows); i++ {
			if rows[i][1] != rows[i+1][1]+rows[i][0] {
				t.Errorf("row %d: %v does not follow from %v", i, rows[i], rows[i+1])
			}
		}
	})
	t.Run("CM-083 by month, with what came in and went out", func(t *testing.T) {
		eval[bool](t, p.ctx, `document.querySelectorAll('.month')[1].click(), true`)
		p.until(`document.querySelector('.sums')`)
		p.until(`[...document.querySelectorAll('.sums dd')].map((d) => d.textContent).join() === '70.00,60.00,43.50,86.50'`)
		p.until(`document.querySelector('.entry').dataset.seq === '6'`) // newest first here too
	})
	t.Run("CM-083 a row opens, and a payment can be disputed", func(t *testing.T) {
		eval[bool](t, p.ctx, `document.querySelector('.entry').click(), true`)
		p.says("一食堂 3 号窗口")
		p.tap("提出异议")
		p.tap("提交")
		p.says("请说明情况")
		p.fill("textarea[name=dispute]", "这笔不是我")
		p.tap("提交")
		p.says("已提交")
		p.until(`document.querySelector('.entry .entry-flag')?.textContent === '争议'`)
		if got := srv.got("POST /cards/me/disputes"); got != `{"transfer":"charge/6","text":"这笔不是我"}` {
			t.Errorf("sent %s", got)
		}
	})
	p.clean()
}

func TestPhone_CardPassword(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	p.open("/pay", phoneDrawn)
	enrolled := func() int { return srv.called("POST /cards/me/keys") }
	before := enrolled()
	t.Run("CM-085 改密码 asks for the old one, and the phone checks by the new one", func(t *testing.T) {
		p.open("/card/password", `document.querySelector('input[name=old]')`)
		p.fill("input[name=old]", "111")
		p.fill("input[name=new]", "280417")
		p.fill("input[name=again]", "280418")
		p.tap("保存")
		p.says("请输入 6 位数字")
		p.says("两次输入不一致")
		p.fill("input[name=old]", cardPIN)
		p.fill("input[name=again]", "280417")
		srv.set("PUT /cards/me/password", cardAs("active", ""))
		p.tap("保存")
		p.says("卡密码已保存")
		p.until(`location.pathname !== '/m/card/password'`)
		if got := srv.got("PUT /cards/me/password"); got != `{"old":"`+cardPIN+`","new":"280417"}` {
			t.Errorf("sent %s", got)
		}
		if enrolled() != before+1 {
			t.Error("the phone did not fetch the new verifier")
		}
	})
	t.Run("CM-085 a forgotten one goes by a text message", func(t *testing.T) {
		p.open("/card/password", `document.querySelector('.forgot')`)
		p.tap("忘记卡密码")
		p.tap("发送短信")
		p.says("秒后重发")
		p.fill("input[name=code]", "123456")
		srv.set("POST /cards/me/password/reset", strings.Replace(cardAs("active", ""), `"has_password":true`, `"has_password":false`, 1))
		p.tap("验证并清除")
		p.says("原卡密码已清除")
		p.until(`document.querySelector('input[name=new]') && !document.querySelector('input[name=old]')`)
	})
	t.Run("limits and offline payments are lowered, and the phone's credential says so", func(t *testing.T) {
		p.open("/card/limits", `document.querySelector('input[name=offline-tx]')`)
		p.fill("input[name=offline-tx]", "30.01")
		p.tap2("保存", 1)
		p.says("不能超过 30 元")
		p.fill("input[name=offline-tx]", "20")
		srv.set("PUT /cards/me/offline", cardAs("active", ""))
		was := enrolled()
		p.tap2("保存", 1)
		p.says("已保存")
		if got := srv.got("PUT /cards/me/offline"); got != `{"enabled":true,"per_tx_fen":2000,"per_day_fen":0}` {
			t.Errorf("sent %s", got)
		}
		if enrolled() != was+1 {
			t.Error("the credential was not renewed")
		}
	})
	p.clean()
}

// tap2 presses the n-th button with a text.
func (p *phoneTab) tap2(text string, n int) {
	p.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll('button')].filter((b) => b.innerText.trim() === '%s' && !b.disabled)[%d]`, text, n)
	p.until(find)
	eval[bool](p.T, p.ctx, find+`.click(), true`)
}
