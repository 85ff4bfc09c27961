package web_test

import (
	"fmt"
	"strings"
)

// cardJSON is a card as the office sees it; change replaces pieces.
func cardJSON(change ...string) string {
	whole := fmt.Sprintf(`{"account":"10000018","number":"20230417","name_masked":"**岚","name":"林晓岚","state":"active","balance_fen":18320,"main_fen":12320,"subsidy_fen":6000,"debt_fen":0,"held_fen":850,
		"limits":{"per_tx_fen":20000,"per_meal_fen":0,"per_day_fen":50000},"offline":{"enabled":true,"per_tx_fen":3000,"per_day_fen":6000,"max_tx":5},"most":{"limits":{},"offline":{}},"has_password":true,
		"phone":{"id":"p1","enrolled_at":%d,"expires_at":%d},"opened_at":%d,"bound_at":%d,"epoch":2}`, at(7), at(60), at(0), at(1))
	return strings.NewReplacer(change...).Replace(whole)
}

func entryJSON(seq int, zh, en string, fen, balance int, place, flags string) string {
	return fmt.Sprintf(`{"seq":%d,"id":"charge/7-1-%d","kind":"charge","title":{"zh":%q,"en":%q},"at":%d,"posted_at":%d,"amount_fen":%d,"balance_fen":%d,"place":%q,"flags":[%s]}`,
		seq, seq, zh, en, at(8)+int64(seq)*600_000, at(8)+int64(seq)*600_000, fen, balance, place, flags)
}

func chargeJSON(n int, kind, account string, fen int, flags string) string {
	return fmt.Sprintf(`{"event":"7-1-%d","kind":%q,"till":11,"till_name":"一食堂 1 号","merchant":1,"account":%q,"at":%d,"received_at":%d,"day":"2026-05-01","settle_day":"2026-05-01","period":"lunch",
		"batch":3,"flow":%d,"amount_fen":%d,"entry":"amount","items":[],"cashier":"C0031","reason":"charge_approved","transfer":"charge/7-1-%d","main_fen":%d,"subsidy_fen":0,"debt_fen":0,"suspense_fen":0,"flags":[%s]}`,
		n, kind, account, at(11)+int64(n)*45_000, at(11)+int64(n)*45_000+300, n, fen, n, fen, flags)
}

func turnoverJSON(rows ...string) string {
	return fmt.Sprintf(`{"day":"2026-05-01","by":"","rows":[%s]}`, strings.Join(rows, ","))
}

func takenJSON(key, name string, count, voids, taken, back int) string {
	return fmt.Sprintf(`{"key":%q,"name":%q,"charges":%d,"voids":%d,"taken_fen":%d,"back_fen":%d,"net_fen":%d}`, key, name, count, voids, taken, back, taken-back)
}

const tillRulesJSON = `{"entry":"menu","day_start":240,"menu":[{"key":1,"name":"米饭","name_en":"Rice","price_fen":50},{"key":2,"name":"红烧肉","price_fen":1250}],
	"periods":[{"id":"breakfast","name":"早餐","name_en":"Breakfast","from":390,"until":540},{"id":"lunch","name":"午餐","name_en":"Lunch","from":630,"until":810}],
	"pin_above_fen":3000,"per_tx_fen":20000,"per_meal_tx":3,"offline":{"per_tx_fen":3000,"per_account_fen":6000,"max_records":2000,"max_age_ms":1800000}}`

func tillJSON(id int, name, agent, batch string) string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"zone":1,"place":"一食堂一楼","merchant":1,"merchant_name":"一食堂","version":4,"rules":%s%s%s}`, id, name, tillRulesJSON, agent, batch)
}

func shiftJSON(id int, state string, counted, difference int) string {
	return fmt.Sprintf(`{"id":%d,"clerk":"2011090","state":%q,"float_fen":20000,"in_fen":35000,"out_fen":12320,"moves":7,"expected_fen":42680,"counted_fen":%d,"difference_fen":%d,"opened_at":%d,"closed_at":%d}`,
		id, state, counted, difference, at(8), at(17))
}

func orderJSON(n int, state, more string) string {
	return fmt.Sprintf(`{"order":"RABCDEFGHIJKLMNOPQRSTUVWXY%d","state":%q,"amount_fen":5000,"account":"10000018","holder_masked":"**岚","channel":"wechat","way":"jsapi","waits":false,"created_at":%d,"expires_at":%d,"person":"20230417","trade":"4200001999%d"%s}`,
		n, state, at(9), at(10), n, more)
}

// dayJSON is a business day as it is before its close; change replaces pieces.
func dayJSON(change ...string) string {
	whole := fmt.Sprintf(`{"day":"2026-05-01","state":"open","totals":[
			{"merchant":1,"merchant_name":"一食堂","till":11,"till_name":"一食堂 1 号","period":"breakfast","late":false,"charges":212,"voids":1,"fen":84350},
			{"merchant":1,"merchant_name":"一食堂","till":11,"till_name":"一食堂 1 号","period":"lunch","late":false,"charges":640,"voids":3,"fen":812400},
			{"merchant":2,"merchant_name":"校园超市","till":12,"till_name":"超市","period":"","late":false,"charges":97,"voids":0,"fen":153280},
			{"merchant":1,"merchant_name":"一食堂","till":11,"till_name":"一食堂 1 号","period":"lunch","late":true,"charges":2,"voids":0,"fen":1900}],
		"refund_fen":1250,"batches":[{"till":11,"till_name":"一食堂 1 号","agent":7,"epoch":1,"number":3,"opened_at":%d,"closed_at":%d,"charges":852,"voids":4,"fen":896750,"server_charges":852,"server_voids":4,"server_fen":896750},
			{"till":12,"till_name":"超市","agent":8,"epoch":1,"number":9,"opened_at":%d,"charges":0,"voids":0,"fen":0,"server_charges":97,"server_voids":0,"server_fen":153280}],
		"gaps":[{"gate":11,"agent":7,"epoch":1,"from":118,"to":119,"day":"2026-05-01","fen":2400}],
		"differences":[{"what":"till","ref":"11","name":"一食堂 1 号","till_fen":899150,"server_fen":896750}],
		"backlogs":[{"till":11,"till_name":"一食堂 1 号","records":2,"seen_at":%d}],"checks":{"till_fen":1052430,"server_fen":1050030,"merchant_fen":1050030}}`, at(6), at(20), at(7), at(21))
	return strings.NewReplacer(change...).Replace(whole)
}

const (
	gapOpen       = `"fen":2400}]`
	gapWaived     = `"fen":2400,"waived":{"by":"person 2006020","at":1777636800000,"reason":"收银机损坏"}}]`
	noDifferences = `"differences":[]`
)

// evenDay has the gap answered for, which explains its difference.
func evenDay(change ...string) string {
	return dayJSON(append([]string{gapOpen, gapWaived, `"differences":[{"what":"till","ref":"11","name":"一食堂 1 号","till_fen":899150,"server_fen":896750}]`, noDifferences}, change...)...)
}

func disputeJSON(id int, kind, state, more string) string {
	return fmt.Sprintf(`{"id":%d,"account":"10000018","transfer":"charge/7-1-%d","kind":%q,"amount_fen":1250,"text":"这笔不是我刷的","opened_at":%d,"state":%q%s}`, id, id, kind, at(12), state, more)
}

// officeAnswers are those of the card office, the merchants and the finance office.
var officeAnswers = map[string]string{
	"GET /cards": fmt.Sprintf(`{"items":[%s,%s,%s],"next":""}`, cardJSON(),
		cardJSON(`10000018`, `10000026`, `林晓岚`, `陈一鸣`, `"state":"active"`, `"state":"lost","lost_at":1777600800000`, `"debt_fen":0`, `"debt_fen":-650`),
		cardJSON(`10000018`, `10000034`, `林晓岚`, `韩峰`, `"state":"active"`, `"state":"frozen"`)),
	"GET /cards/settings":         `{"limits":{"per_tx_fen":20000,"per_meal_fen":0,"per_day_fen":50000},"offline":{"enabled":false,"per_tx_fen":3000,"per_day_fen":6000,"max_tx":5}}`,
	"GET /cards/10000018":         cardJSON(),
	"GET /cards/10000034":         cardJSON(`"state":"active"`, `"state":"frozen","frozen_at":1777600800000,"freeze_reason":"<b>同一付款码重复使用</b>"`, `"debt_fen":0`, `"debt_fen":-650`),
	"POST /cards/10000018/freeze": cardJSON(`"state":"active"`, `"state":"frozen","frozen_at":1777600800000,"freeze_reason":"待核实"`),
	"GET /cards/10000018/entries": fmt.Sprintf(`{"entries":[%s,%s,%s,%s],"next":7}`, entryJSON(11, "充值", "Recharge", 5000, 18320, "微信支付", ""),
		entryJSON(10, "消费", "Payment", -1250, 13320, "一食堂 1 号", `"late","after_loss"`), entryJSON(9, "补助发放", "Subsidy", 6000, 14570, "", ""), entryJSON(8, "消费", "Payment", -430, 8570, "超市", "")),
	"GET /cards/10000018/statement": fmt.Sprintf(`{"month":"2026-05","opening_fen":9000,"closing_fen":18320,"in_fen":11000,"out_fen":1680,"entries":[%s,%s]}`,
		entryJSON(8, "消费", "Payment", -430, 8570, "超市", ""), entryJSON(9, "补助发放", "Subsidy", 6000, 14570, "", `"converted"`)),
	"GET /cards/10000034/entries": `{"entries":[],"next":0}`,
	"GET /subsidies": fmt.Sprintf(`{"items":[{"id":"s3","name":"五月困难补助","expires_on":"2026-05-31","created_by":"2011090","created_at":%d,"confirmed_by":"2011090","confirmed_at":%d,"faulty":0,"cards":4000,"total_fen":120000000,"granted":1500,"skipped":0,"remaining_fen":45000000},
		{"id":"s2","name":"四月餐补","expires_on":"2026-04-30","created_by":"2011090","created_at":%d,"confirmed_by":"2011090","confirmed_at":%d,"done_at":%d,"faulty":2,"cards":310,"total_fen":6200000,"granted":308,"skipped":2,"remaining_fen":1033}]}`, at(9), at(10), at(0), at(1), at(1)),
	"POST /subsidies": fmt.Sprintf(`{"id":"s4","name":"六一餐补","expires_on":"2026-06-30","created_by":"2011090","created_at":%d,"faulty":2,"cards":97,"total_fen":291000,"granted":0,"skipped":0,"remaining_fen":0,
		"faults":[{"row":5,"column":"学工号","value":"=1+1","message":"没有此人的校园卡 there is no card of this person"},{"row":9,"column":"金额","value":"abc","message":"金额有误 not an amount"}]}`, at(9)),
	"POST /subsidies/s4/confirm": `{"id":"s4"}`,
	"GET /recharges/all":         listed(3, strings.Join([]string{orderJSON(2, "paid", fmt.Sprintf(`,"paid_at":%d,"credited_at":%d`, at(9), at(9))), orderJSON(3, "created", ""), orderJSON(4, "refunded", "")}, ",")),
	"GET /recharges/issues":      listed(1, fmt.Sprintf(`{"id":5,"kind":"mismatch","channel":"wechat","order":"RABCDEFGHIJKLMNOPQRSTUVWXY2","what":"amount 5000, not 3000","amount_fen":5000,"found_at":%d}`, at(10))),
	"GET /bills": fmt.Sprintf(`{"items":[{"channel":"wechat","day":"2026-04-30","fetched_at":%d,"fetched_by":"2009002","lines":311,"paid_fen":1250000,"refunded_fen":5000,"matched":309,"recovered":1,
		"missing_here":[{"kind":"missing_here","order":"R1","trade":"42001","bill_fen":5000,"our_fen":0}],"missing_there":[],"differs":[{"kind":"differs","order":"R2","trade":"42002","bill_fen":3000,"our_fen":5000}]}]}`, at(9)),
	"GET /cash/shifts/current":  shiftJSON(4, "open", 0, 0),
	"GET /cash/shifts":          listed(2, shiftJSON(3, "closed", 42600, -80)+","+shiftJSON(2, "closed", 42680, 0)),
	"POST /cash/recharges":      fmt.Sprintf(`{"id":"m1","shift":4,"kind":"cash","account":"10000018","holder_masked":"**岚","amount_fen":5000,"balance_fen":23320,"at":%d}`, at(10)),
	"POST /cash/shifts/4/close": shiftJSON(4, "closed", 42600, -80),
	"GET /merchants":            fmt.Sprintf(`{"merchants":[{"id":1,"name":"一食堂","managers":["2015003"],"active":true,"created_at":%d},{"id":2,"name":"校园超市","managers":[],"active":false,"created_at":%d}]}`, at(0), at(0)),
	"GET /tills": fmt.Sprintf(`{"tills":[%s,%s]}`,
		tillJSON(11, "一食堂 1 号", fmt.Sprintf(`,"agent":{"id":7,"gate":11,"epoch":1,"hostname":"till-1","enrolled_at":%d,"acked":120,"live":{"connected":false,"since":%d,"last_seen":%d,"remote":"","software":"1.0","offset_ms":1800,"queue":140,"revision":9}}`, at(0), at(8), at(9)),
			fmt.Sprintf(`,"last_batch":{"number":3,"opened_at":%d,"closed_at":%d,"charges":852,"voids":4,"total_fen":896750,"server_fen":894350}`, at(6), at(20))),
		tillJSON(12, "超市", "", "")),
	"GET /charges":              fmt.Sprintf(`{"charges":[%s,%s,%s],"next":0}`, chargeJSON(3, "void", "10000018", 1250, ""), chargeJSON(2, "charge", "10000018", 1250, `"offline","late","debt"`), chargeJSON(1, "declined", "", 300, `"declined"`)),
	"POST /refunds":             `{"id":"r1","charge":"7-1-2","amount_fen":500,"reason":"退菜","day":"2026-05-01","by":"2009002","at":0,"left_fen":750}`,
	"GET /turnover?by=hour":     turnoverJSON(takenJSON("07", "", 212, 1, 84850, 500), takenJSON("11", "", 402, 2, 512300, 2400), takenJSON("12", "", 335, 1, 454530, 1500)),
	"GET /turnover?by=merchant": turnoverJSON(takenJSON("1", "一食堂", 852, 4, 901150, 4400), takenJSON("2", "校园超市", 97, 0, 150530, 0)),
	"GET /turnover?by=till":     turnoverJSON(takenJSON("11", "一食堂 1 号", 852, 4, 901150, 4400), takenJSON("12", "超市", 97, 0, 150530, 0)),
	"GET /turnover?by=period":   turnoverJSON(takenJSON("", "", 97, 0, 150530, 0), takenJSON("breakfast", "", 212, 1, 84850, 500), takenJSON("lunch", "", 640, 3, 816300, 3900)),
	"GET /merchants/1/statement": fmt.Sprintf(`{"merchant":1,"name":"一食堂","from":"2026-05-01","to":"2026-05-02","opening_fen":-1250,"closing_fen":895500,"days":[{"day":"2026-05-01","charges":852,"voids":4,"fen":896750,"late_fen":0,"refund_fen":0,"paid_fen":0,"owed_fen":895500}],
		"payments":[{"id":"y1","merchant":1,"day":"2026-04-30","amount_fen":12034500,"by":"2009002","at":%d}]}`, at(9)),
	"GET /days":                    fmt.Sprintf(`{"items":[{"day":"2026-05-01","state":"open","charges":951,"fen":1051930,"late_fen":1900,"refund_fen":1250},{"day":"2026-04-30","state":"closed","closed_at":%d,"closed_by":"2009002","charges":877,"fen":-1250,"late_fen":0,"refund_fen":0}]}`, at(2)),
	"GET /days/2026-05-01":         dayJSON(),
	"GET /days/2026-04-30":         evenDay(`"state":"open"`, `"state":"closed","closed_at":1777636800000,"closed_by":"2009002"`, `2026-05-01`, `2026-04-30`),
	"GET /days/2026-05-01/refunds": fmt.Sprintf(`{"items":[{"id":"r1","charge":"7-1-2","amount_fen":1250,"reason":"菜品有误","day":"2026-05-01","by":"2009002","at":%d}]}`, at(14)),
	"GET /days/2026-04-30/refunds": `{"items":[]}`,
	"GET /disputes":                fmt.Sprintf(`{"items":[%s,%s,%s]}`, disputeJSON(1, "holder", "open", ""), disputeJSON(2, "second_use", "open", ""), disputeJSON(3, "holder", "holder", fmt.Sprintf(`,"decided_at":%d,"decided_by":"2009002","decision":"监控核实,非本人"`, at(15)))),
	"POST /disputes/1/resolve":     disputeJSON(1, "holder", "merchant", ""),
	"GET /suspense": fmt.Sprintf(`{"items":[{"kind":"charge","reason":"second_use","ref":"7-2-1205","account":"10000034","place":"一食堂一号窗口","amount_fen":-1250,"at":%d,"since":%d,"ways":["merchant","holder","dismiss"],"dispute":2},
		{"kind":"charge","reason":"other","ref":"7-2-1300","account":"","place":"一食堂二号窗口","amount_fen":-300,"at":%d,"since":%d,"ways":["refund"]},
		{"kind":"recharge","reason":"account_closed","ref":"R260501000017","account":"10000026","place":"wechat","amount_fen":5000,"at":%d,"since":%d,"ways":["move","refund"],"issue":7}],"sum_fen":3450,"balance_fen":3400}`, at(8), at(9), at(8), at(9), at(7), at(7)),
	"POST /tills/11/enrolments":        fmt.Sprintf(`{"code":"K7QM-2F9D-XW4T-31HP","expires_at":%d}`, at(30)),
	"POST /recharges/issues/7/resolve": `{}`,
	"POST /disputes/2/resolve":         disputeJSON(2, "second_use", "dismiss", ""),
	"GET /debts":                       fmt.Sprintf(`{"items":[{"account":"10000034","debt_fen":-650,"since_at":%d},{"account":"10000026","debt_fen":-120,"since_at":%d}]}`, at(8), at(7)),
	"GET /ledger/proof":                fmt.Sprintf(`{"at":%d,"transfers":120432,"postings":361002,"accounts":4120,"sum_fen":0,"faults_all":0,"faults":[]}`, at(3)),
	"POST /ledger/proof":               fmt.Sprintf(`{"at":%d,"transfers":120433,"postings":361005,"accounts":4120,"sum_fen":1,"faults_all":1,"faults":[{"where":"transfer 17 charge/7-2-1205","what":"sums to 1 fen"}]}`, at(4)),
}
