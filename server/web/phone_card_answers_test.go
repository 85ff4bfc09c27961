package web_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"campusgate/signing"
	"campusgate/signing/paycode"
)

// Of the card that the phone pages are shown with.
const (
	cardPIN   = "195283"
	cardOrder = "RABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// cardAs is what the server says of the card. All but the first are as they are
// in the middle of a term.
func cardAs(state, more string) string {
	return `{"account":"600100238","number":"T1001","name_masked":"**岚","state":"` + state + `","balance_fen":8650,"main_fen":7650,"subsidy_fen":1000,"debt_fen":0,"held_fen":0,
		"limits":{"per_tx_fen":20000,"per_meal_fen":0,"per_day_fen":50000},"offline":{"enabled":true,"per_tx_fen":3000,"per_day_fen":6000,"max_tx":5},
		"most":{"limits":{"per_tx_fen":20000,"per_meal_fen":0,"per_day_fen":50000},"offline":{"enabled":true,"per_tx_fen":3000,"per_day_fen":6000,"max_tx":5}},
		"has_password":true` + more + `,"phone":CARD-PHONE}`
}

func cardLine(seq int, kind, zh, en string, fen, balance int, place, flags, more string) string {
	return fmt.Sprintf(`{"seq":%d,"id":"%s/%d","kind":"%s","title":{"zh":"%s","en":"%s"},"at":{ago3},"posted_at":{hour},"amount_fen":%d,"balance_fen":%d,"place":"%s","flags":[%s]%s}`,
		seq, kind, seq, kind, zh, en, fen, balance, place, flags, more)
}

// The lines add up: each balance is the one below it and its own amount.
var (
	cardLine6 = cardLine(6, "charge", "消费", "Payment", -1250, 8650, "一食堂 3 号窗口", "", "")
	cardLine5 = cardLine(5, "charge", "消费", "Payment", -600, 9900, "二食堂", `"late"`, "")
	cardLine4 = cardLine(4, "recharge", "充值", "Recharge", 5000, 10500, "", "", `,"order":"`+cardOrder+`"`)
	cardLine3 = cardLine(3, "charge", "消费", "Payment", -850, 5500, "超市", `"after_loss","disputed"`, "")
	cardLine2 = cardLine(2, "subsidy", "补助发放", "Subsidy", 1000, 6350, "", "", "")
	cardLine1 = cardLine(1, "charge", "消费", "Payment", -1650, 5350, "一食堂 1 号窗口", `"converted","debt"`, "")
)

func orderAs(state, pay, more string) string {
	return `{"order":"` + cardOrder + `","state":"` + state + `","amount_fen":3000,"account":"600100238","holder_masked":"**岚","channel":"trial","way":"trial",
		"pay":` + pay + `,"waits":false,"created_at":{hour},"expires_at":{hour}` + more + `}`
}

const utilityPaid = `{"id":"U2","state":"done","kind":"electricity","name":{"zh":"电费","en":"Electricity"},"meter":"E-0312","room":"松林坡 3 栋 312","amount_fen":5000,"created_at":{ago3},"done_at":{ago3}}`

// cardBodies are the answers by call.
var cardBodies = map[string]string{
	"GET /cards/me":                           cardAs("active", ""),
	"GET /cards/me/entries":                   `{"entries":[` + cardLine6 + `,` + cardLine5 + `,` + cardLine4 + `],"next":4}`,
	"GET /cards/me/entries?limit=5":           `{"entries":[` + cardLine6 + `,` + cardLine5 + `,` + cardLine4 + `,` + cardLine3 + `,` + cardLine2 + `],"next":2}`,
	"GET /cards/me/statement":                 `{"month":"{month}","opening_fen":7000,"closing_fen":8650,"in_fen":6000,"out_fen":4350,"entries":[` + cardLine1 + `,` + cardLine2 + `,` + cardLine3 + `,` + cardLine4 + `,` + cardLine5 + `,` + cardLine6 + `]}`,
	"POST /cards/me/password/code":            `202 {"resend_after":60,"expires_in":300}`,
	"POST /cards/me/disputes":                 `201 {"id":7,"transfer":"charge/6","text":"x","opened_at":1,"state":"open"}`,
	"GET /cards/me/entries?before=4&limit=30": `{"entries":[` + cardLine3 + `,` + cardLine2 + `,` + cardLine1 + `],"next":0}`,
	"GET /recharge/options": `{"amounts_fen":[1000,2000,3000,5000,10000,20000],"min_fen":100,"max_fen":50000,
		"channels":[{"id":"trial","name":{"zh":"测试支付（不收钱）","en":"Test payment (no money)"},"ways":["trial"]},
			{"id":"wechat","name":{"zh":"微信支付","en":"WeChat Pay"},"ways":["jsapi","native"]},{"id":"alipay","name":{"zh":"支付宝","en":"Alipay"},"ways":["page","wap"]}],
		"warning":{"zh":"请确保“账户账号”正确再充值!如有疑问,请咨询“财务资产处”","en":"Make sure that the account is the right one before you pay. Questions: the finance office."},
		"account":"600100238","holder_masked":"**岚"}`,
	"POST /recharges":                         `201 ` + orderAs("created", `{"kind":"trial"}`, ""),
	"GET /recharges/" + cardOrder:             orderAs("created", `{"kind":"trial"}`, ""),
	"POST /recharges/" + cardOrder + "/trial": orderAs("paid", "null", `,"paid_at":{now},"credited_at":{now}`),
	"GET /recharges":                          `{"items":[` + orderAs("paid", "null", "") + `,` + orderAs("closed", "null", "") + `],"next":0}`,
	"GET /utilities": `{"kinds":[
		{"kind":"electricity","name":{"zh":"电费","en":"Electricity"},"available":true,"amounts_fen":[2000,5000,10000],"max_fen":50000,
		 "meters":[{"id":"E-0312","room":"松林坡 3 栋 312","balance_fen":1830,"reading":"36.6 kWh"},{"id":"E-0313","room":"松林坡 3 栋 313","balance_fen":0}]},
		{"kind":"hot_water","name":{"zh":"热水","en":"Hot water"},"available":true,"amounts_fen":[1000,2000],"max_fen":20000,"meters":[{"id":"H-0312","room":"松林坡 3 栋 312","balance_fen":450,"reading":"0.9 t"}]}]}`,
	"GET /utilities/payments":              `{"items":[` + utilityPaid + `],"next":0}`,
	"POST /utilities/electricity/payments": `201 ` + utilityPaid,
	"POST /utilities/hot_water/payments":   `201 {"id":"U3","state":"pending","kind":"hot_water","name":{"zh":"热水","en":"Hot water"},"meter":"H-0312","room":"松林坡 3 栋 312","amount_fen":1000,"created_at":{now}}`,
}

// cardPhone is the phone of the card as JSON. The caller holds mu.
func (s *phoneServer) cardPhone() string {
	if s.enrolled["card"] == "" {
		return "null"
	}
	return `{"id":"` + s.enrolled["card"] + `","enrolled_at":1,"expires_at":2}`
}

func (s *phoneServer) enrolCard(w http.ResponseWriter, r *http.Request) {
	var in struct {
		PublicKey []byte `json:"public_key"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	var key signing.PhoneKey
	if err == nil {
		key, err = signing.ParsePhoneKey(in.PublicKey)
	}
	now := time.Now().Unix()
	p := paycode.Pay{
		ID: signing.PassID{7}, Account: 41, Epoch: 1, PerTxFen: 3000, PerDayOfflineFen: 6000, MaxOfflineTx: 5, Expires: now + 3*86400, IssuedAt: now, Phone: key,
	}
	var credential []byte
	if err == nil {
		credential, err = p.Sign(s.payer)
	}
	salt := []byte("salt of sixteen.")
	const rounds = 1000 // fewer than the server's: it is the page that is tested
	hash, kdf := pbkdf2.Key(sha256.New, cardPIN, salt, rounds, 32)
	if err == nil {
		err = kdf
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	s.mu.Lock()
	s.enrolled["card"] = key.ID().String()
	s.calls = append(s.calls, "POST /cards/me/keys")
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"credential": paycode.LiveText(credential), "phone": key.ID().String(), "expires_at": p.Expires * 1000,
		"verifier": map[string]any{"salt": salt, "iterations": rounds, "hash": hash, "kdf": "PBKDF2-SHA256"},
	})
}
