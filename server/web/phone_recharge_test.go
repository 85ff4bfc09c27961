package web_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPhone_Recharge(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	ahead(t, p.ctx, `window.WeixinJSBridge = { invoke: (name, params, done) => { window.bridged = name + ' ' + params.package; done({ err_msg: 'ok' }) } }`)
	p.dress("zh", "light")
	var sent struct {
		ID      string `json:"id"`
		Fen     int64  `json:"amount_fen"`
		Channel string `json:"channel"`
		Way     string `json:"way"`
	}
	placed := func(t *testing.T) {
		t.Helper()
		if err := json.Unmarshal([]byte(srv.got("POST /recharges")), &sent); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("CM-073 from 校园生活 on the first page", func(t *testing.T) {
		p.open("/passes", `document.querySelector('.life')`)
		p.until(`document.querySelector('.life h2').textContent === '校园生活'`)
		p.tap("校园卡充值")
		p.until(`location.pathname === '/m/card/recharge' && document.querySelector('.account')`)
	})
	t.Run("CM-074 CM-076 whose account it is, and the warning, before anything is paid", func(t *testing.T) {
		p.until(`document.querySelector('.holder').textContent === '**岚' && document.querySelector('.account').textContent === '600100238'`)
		p.says("请确保“账户账号”正确再充值!如有疑问,请咨询“财务资产处”")
	})
	t.Run("CM-075 CM-088 the amounts, any other, and the balance", func(t *testing.T) {
		p.until(`[...document.querySelectorAll('.amount')].map((b) => b.textContent).join() === '10元,20元,30元,50元,100元,200元,其他'`)
		p.until(`document.querySelector('.balance').textContent === '86.50元'`)
		p.says("充值30元")
		p.tap("其他")
		for typed, says := range map[string]string{"0.99": "不能少于 1 元", "500.01": "不能超过 500 元", "1e3": "请输入金额", "-5": "请输入金额", "=1+1": "请输入金额"} {
			p.fill("input[name=amount]", typed)
			p.says(says)
			p.until(`document.querySelector('.bottom button').disabled`)
		}
		p.fill("input[name=amount]", "35.5")
		p.says("充值35.50元")
		p.tap("30元")
	})
	t.Run("CM-089 amount, channel, pay, and 查余额", func(t *testing.T) {
		p.until(`document.querySelectorAll('.channel').length === 3`)
		p.tap("充值30元")
		p.until(`document.querySelector('.trial')`)
		placed(t)
		if sent.Fen != 3000 || sent.Channel != "trial" || sent.Way != "trial" || len(sent.ID) != 32 {
			t.Errorf("sent %+v", sent)
		}
		p.tap("支付成功")
		p.says("充值成功")
		p.says("30 元已到账")
		p.tap("查余额")
		p.says("余额 86.50 元")
	})
	t.Run("CM-089 paying fails", func(t *testing.T) {
		srv.set("POST /recharges/"+cardOrder+"/trial", orderFixed("failed", "null"))
		p.open("/card/recharge/"+cardOrder, `document.querySelector('.trial')`)
		p.tap("支付失败")
		p.says("没有扣款")
		p.tap("重新充值")
		p.until(`location.pathname === '/m/card/recharge'`)
	})
	t.Run("CM-089 the same tap again after an answer was lost is the same order", func(t *testing.T) {
		undo := srv.set("POST /recharges", `503 {"code":"CHANNEL_UNAVAILABLE","message":"支付渠道暂时没有回应,请稍后再试 the payment channel does not answer","details":{},"request_id":"r3"}`)
		p.open("/card/recharge", `document.querySelectorAll('.channel').length === 3`)
		p.tap("充值30元")
		p.says("支付渠道暂时没有回应")
		placed(t)
		first := sent.ID
		p.tap("关闭")
		undo()
		p.tap("充值30元")
		p.until(`document.querySelector('.trial')`)
		if placed(t); sent.ID != first {
			t.Errorf("ids %s and %s", first, sent.ID)
		}
	})
	t.Run("CM-089 another channel: its page on a phone", func(t *testing.T) {
		srv.set("POST /recharges", `201 `+orderFixed("created", `{"kind":"page","url":"/m/icon.svg"}`))
		p.open("/card/recharge", `document.querySelectorAll('.channel').length === 3`)
		eval[bool](t, p.ctx, `document.querySelector('input[value=alipay]').click(), true`)
		srv.set("GET /recharges/"+cardOrder, orderFixed("created", `{"kind":"page","url":"/m/icon.svg"}`))
		p.tap("充值30元")
		p.says("去支付")
		placed(t)
		if sent.Channel != "alipay" || sent.Way != "wap" {
			t.Errorf("sent %+v", sent)
		}
	})
	t.Run("CM-089 a QR code for another phone, and the result comes by itself", func(t *testing.T) {
		srv.set("GET /recharges/"+cardOrder, orderFixed("created", `{"kind":"native","text":"weixin://wxpay/bizpayurl?pr=abcdefg"}`))
		p.open("/card/recharge/"+cardOrder, phoneDrawn)
		if got := p.scan(); got != "weixin://wxpay/bizpayurl?pr=abcdefg" {
			t.Errorf("shows %q", got)
		}
		srv.set("GET /recharges/"+cardOrder, orderFixed("paid", "null"))
		p.says("充值成功")
	})
	t.Run("CM-089 inside WeChat its own sheet pays", func(t *testing.T) {
		srv.set("GET /recharges/"+cardOrder, orderFixed("created", `{"kind":"jsapi","params":{"package":"prepay_id=wx1"}}`))
		p.open("/card/recharge/"+cardOrder, `document.querySelector('.acts')`)
		srv.set("GET /recharges/"+cardOrder, orderFixed("paid", "null"))
		p.tap("微信支付")
		p.says("充值成功")
		if got := eval[string](t, p.ctx, `window.bridged`); got != "getBrandWCPayRequest prepay_id=wx1" {
			t.Errorf("asked WeChat for %q", got)
		}
	})
	t.Run("CM-073 the history", func(t *testing.T) {
		p.open("/card/recharges", `document.querySelectorAll('.order').length === 2`)
		p.says("充值成功")
		p.says("已关闭")
	})
	p.clean()
}

func TestPhone_Utilities(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	t.Run("CM-086 缴电费: room, amount, a question, paid", func(t *testing.T) {
		p.open("/passes", `document.querySelector('.life')`)
		p.tap("缴电费")
		p.says("36.6 kWh")
		p.says("剩余 ¥18.30")
		eval[bool](t, p.ctx, `document.querySelector('input[value="E-0313"]').click(), true`)
		p.tap("50元")
		p.tap("缴费50元")
		p.says("为 松林坡 3 栋 313 缴费 50 元？")
		if srv.called("POST /utilities") != 0 {
			t.Error("paid without a question")
		}
		p.tap("缴费50元")
		p.says("缴费成功")
		var sent map[string]any
		if err := json.Unmarshal([]byte(srv.got("POST /utilities/electricity/payments")), &sent); err != nil || sent["meter"] != "E-0313" || sent["amount_fen"] != 5000.0 {
			t.Errorf("sent %v, %v", sent, err)
		}
		p.says("已到账")
	})
	t.Run("CM-087 热水充值", func(t *testing.T) {
		p.open("/card/utilities/hot_water", `document.querySelector('.meter')`)
		p.tap("10元")
		p.tap("缴费10元")
		p.until(`document.querySelector('.ask-row')`)
		p.tap("缴费10元")
		p.says("已付款，等待到账")
	})
	t.Run("CM-086 too little money, and meters that do not answer", func(t *testing.T) {
		srv.set("POST /utilities/hot_water/payments", `409 {"code":"INSUFFICIENT_BALANCE","message":"余额不足,请先充值 there is not enough money on the card","details":{},"request_id":"r4"}`)
		p.open("/card/utilities/hot_water", `document.querySelector('.meter')`)
		p.tap("10元")
		p.tap("缴费10元")
		p.until(`document.querySelector('.ask-row')`)
		p.tap("缴费10元")
		p.says("余额不足")
		body := srv.said("GET /utilities")
		srv.set("GET /utilities", strings.ReplaceAll(strings.ReplaceAll(body, `"available":true`, `"available":false`), `"meters":[{"id":"H-0312","room":"松林坡 3 栋 312","balance_fen":450,"reading":"0.9 t"}]`, `"meters":[]`))
		p.open("/card/utilities/hot_water", `document.querySelector('.state')`)
		p.says("表务系统暂时没有回应")
	})
	p.clean()
}
