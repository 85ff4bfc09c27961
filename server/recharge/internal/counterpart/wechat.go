package counterpart

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha1" // what the channel uses
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The contract with WeChat Pay.
const (
	WeChatApp    = "wx0123456789abcdef"
	WeChatMch    = "1900000001"
	WeChatSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	WeChatV3Key  = "0123456789abcdef0123456789abcdef"
	PlatformOld  = "7132D72A03E93CDDF8C03BBD1F37EEDF6B1E8C1A" // serial of a certificate
	PlatformNew  = "PUB_KEY_ID_0119000000012024"
)

// WeChat is the channel's side.
type WeChat struct {
	Books
	Server   *httptest.Server
	Merchant *rsa.PrivateKey            // ours
	Platform map[string]*rsa.PrivateKey // theirs
	Serial   string                     // of the key that signs now
	SpoilSum bool                       // the bill's checksum is wrong
	nonce    int
}

// NewWeChat starts it; it stops with the test.
func NewWeChat(t testing.TB, random io.Reader, now func() time.Time) *WeChat {
	t.Helper()
	c := &WeChat{
		Books: Books{Now: now, orders: map[string]*Order{}}, Merchant: Key(t, random, "merchant"),
		Platform: map[string]*rsa.PrivateKey{PlatformOld: Key(t, random, PlatformOld), PlatformNew: Key(t, random, PlatformNew)}, Serial: PlatformOld,
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Server.Close)
	return c
}

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="([^"]*)",nonce_str="([^"]*)",signature="([^"]*)",timestamp="([^"]*)",serial_no="([^"]*)"$`)

func (c *WeChat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if err != nil || m == nil || m[1] != WeChatMch || m[5] != WeChatSerial ||
		!holds(&c.Merchant.PublicKey, r.Method+"\n"+r.URL.RequestURI()+"\n"+m[4]+"\n"+m[2]+"\n"+string(body)+"\n", m[3]) {
		c.answer(w, http.StatusUnauthorized, map[string]any{"code": "SIGN_ERROR"})
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v3/")
	id := strings.TrimPrefix(path, "pay/transactions/out-trade-no/")
	switch {
	case path == "pay/transactions/native" || path == "pay/transactions/jsapi":
		c.serve(w, "create", func(o map[string]*Order) func(http.ResponseWriter) { return c.create(o, path, body) })
	case path == "bill/tradebill":
		c.serve(w, "bill", func(map[string]*Order) func(http.ResponseWriter) { return c.where(r.URL.Query().Get("bill_date")) })
	case path == "billdownload/file":
		_, _ = w.Write(c.file(r.URL.Query().Get("token")))
	case id != path && strings.HasSuffix(id, "/close"):
		c.serve(w, "close", func(o map[string]*Order) func(http.ResponseWriter) {
			return c.close(o, strings.TrimSuffix(id, "/close"))
		})
	case id != path:
		c.serve(w, "query", func(o map[string]*Order) func(http.ResponseWriter) { return c.query(o, id) })
	default:
		c.answer(w, http.StatusNotFound, map[string]any{"code": "NOT_FOUND"})
	}
}

// answer signs and writes an answer.
func (c *WeChat) answer(w http.ResponseWriter, status int, v any) {
	var body []byte
	if v != nil {
		body = mustJSON(v)
	}
	for k, vs := range c.headers(body, c.Now()) {
		w.Header()[k] = vs
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (c *WeChat) say(status int, v any) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { c.answer(w, status, v) }
}

// headers sign a body.
func (c *WeChat) headers(body []byte, at time.Time) http.Header {
	c.mu.Lock()
	c.nonce++
	nonce := fmt.Sprintf("nonce%d", c.nonce)
	c.mu.Unlock()
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Wechatpay-Serial", c.Serial)
	h.Set("Wechatpay-Timestamp", stamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
	h.Set("Wechatpay-Signature", sign(c.Platform[c.Serial], stamp+"\n"+nonce+"\n"+string(body)+"\n"))
	h.Set("Content-Type", "application/json")
	return h
}

func (c *WeChat) create(orders map[string]*Order, path string, body []byte) func(http.ResponseWriter) {
	var in struct {
		AppID      string `json:"appid"`
		MchID      string `json:"mchid"`
		OutTradeNo string `json:"out_trade_no"`
		TimeExpire string `json:"time_expire"`
		NotifyURL  string `json:"notify_url"`
		Amount     struct {
			Total    int64
			Currency string
		}
		Payer struct{ OpenID string }
	}
	_, bad := time.Parse(time.RFC3339, "x")
	if err := json.Unmarshal(body, &in); err == nil {
		_, bad = time.Parse(time.RFC3339, in.TimeExpire)
	}
	o := orders[in.OutTradeNo]
	switch {
	case bad != nil || in.AppID != WeChatApp || in.MchID != WeChatMch || in.NotifyURL == "" || in.Amount.Currency != "CNY" || len(in.OutTradeNo) > 32:
		return c.say(http.StatusBadRequest, map[string]any{"code": "PARAM_ERROR"})
	case path == "pay/transactions/jsapi" && in.Payer.OpenID == "":
		return c.say(http.StatusBadRequest, map[string]any{"code": "PARAM_ERROR"})
	case o != nil && o.Fen != in.Amount.Total:
		return c.say(http.StatusBadRequest, map[string]any{"code": "INVALID_REQUEST"})
	case o != nil && !o.PaidAt.IsZero():
		return c.say(http.StatusBadRequest, map[string]any{"code": "ORDERPAID"})
	case o == nil:
		orders[in.OutTradeNo] = &Order{ID: in.OutTradeNo, Fen: in.Amount.Total}
	}
	if path == "pay/transactions/jsapi" {
		return c.say(http.StatusOK, map[string]any{"prepay_id": "wx26112221580621e9b071c00d9e093b0000"})
	}
	return c.say(http.StatusOK, map[string]any{"code_url": "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"})
}

func (c *WeChat) close(orders map[string]*Order, id string) func(http.ResponseWriter) {
	switch o := orders[id]; {
	case o == nil:
		return c.say(http.StatusNotFound, map[string]any{"code": "ORDER_NOT_EXIST"})
	case !o.PaidAt.IsZero():
		return c.say(http.StatusBadRequest, map[string]any{"code": "ORDERPAID"})
	default:
		o.Closed = true
	}
	return c.say(http.StatusNoContent, nil)
}

func (c *WeChat) query(orders map[string]*Order, id string) func(http.ResponseWriter) {
	o := orders[id]
	if o == nil {
		return c.say(http.StatusNotFound, map[string]any{"code": "ORDER_NOT_EXIST"})
	}
	return c.say(http.StatusOK, Transaction(*o))
}

// Transaction is how the channel writes an order down.
func Transaction(o Order) map[string]any {
	t := map[string]any{
		"appid": WeChatApp, "mchid": WeChatMch, "out_trade_no": o.ID, "trade_state": "NOTPAY",
		"amount": map[string]any{"total": o.Fen, "currency": "CNY", "payer_total": o.Fen, "payer_currency": "CNY"},
	}
	switch {
	case o.Refunded > 0:
		t["trade_state"] = "REFUND"
	case !o.PaidAt.IsZero():
		t["trade_state"] = "SUCCESS"
	case o.Closed:
		t["trade_state"] = "CLOSED"
	}
	if !o.PaidAt.IsZero() {
		t["transaction_id"], t["success_time"] = o.Trade, o.PaidAt.In(Campus).Format(time.RFC3339)
	}
	return t
}

// Notice is one of a payment, as it is sent now. change may spoil what it says.
func (c *WeChat) Notice(id string, change func(map[string]any)) (http.Header, []byte) {
	o, _ := c.Order(id)
	o.Refunded = 0 // it is of the payment
	t := Transaction(o)
	if change != nil {
		change(t)
	}
	return c.Sealed("TRANSACTION.SUCCESS", t)
}

// RefundNotice is one of a refund.
func (c *WeChat) RefundNotice(id string) (http.Header, []byte) {
	o, _ := c.Order(id)
	return c.Sealed("REFUND.SUCCESS", map[string]any{
		"mchid": WeChatMch, "out_trade_no": o.ID, "transaction_id": o.Trade, "refund_status": "SUCCESS",
		"success_time": o.RefundAt.In(Campus).Format(time.RFC3339),
		"amount":       map[string]any{"total": o.Fen, "refund": o.Refunded, "payer_total": o.Fen, "payer_refund": o.Refunded},
	})
}

// Sealed seals and signs a notice.
func (c *WeChat) Sealed(event string, v any) (http.Header, []byte) {
	block, err := aes.NewCipher([]byte(WeChatV3Key))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	nonce := []byte("fdasflkja484")
	body := mustJSON(map[string]any{
		"id": "EV-2018022511223320873", "create_time": c.Now().Format(time.RFC3339), "resource_type": "encrypt-resource", "event_type": event,
		"summary": "支付成功", "resource": map[string]any{
			"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "associated_data": "transaction", "nonce": string(nonce),
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, nonce, mustJSON(v), []byte("transaction"))),
		},
	})
	return c.headers(body, c.Now()), body
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// where says where the bill of a day is.
func (c *WeChat) where(day string) func(http.ResponseWriter) {
	// Not c.file, which waits for the books that the caller holds.
	return func(w http.ResponseWriter) {
		file := c.file(day)
		if file == nil {
			c.answer(w, http.StatusBadRequest, map[string]any{"code": "NO_STATEMENT_EXIST"})
			return
		}
		sum := sha1.Sum(file)
		if c.SpoilSum {
			sum[0]++
		}
		c.answer(w, http.StatusOK, map[string]any{
			"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]), "download_url": c.Server.URL + "/v3/billdownload/file?token=" + day,
		})
	}
}

// file is the bill of a day; nil = nothing happened on it.
func (c *WeChat) file(day string) []byte {
	from, err := time.ParseInLocation(time.DateOnly, day, Campus)
	if err != nil {
		return nil
	}
	paid, refunded := c.of(from)
	if len(paid)+len(refunded) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("\ufeff交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,退款金额,商品名称,订单金额,申请退款金额\r\n")
	for _, o := range paid {
		fmt.Fprintf(&b, "`%s,`%s,`%s,`%s,`%s,`SUCCESS,`CNY,`%s,`0.00,`校园卡充值,`%s,`0.00\r\n",
			o.PaidAt.In(Campus).Format(time.DateTime), WeChatApp, WeChatMch, o.Trade, o.ID, yuan(o.Fen), yuan(o.Fen))
	}
	for _, o := range refunded {
		fmt.Fprintf(&b, "`%s,`%s,`%s,`%s,`%s,`REFUND,`CNY,`0.00,`%s,`校园卡充值,`0.00,`%s\r\n",
			o.RefundAt.In(Campus).Format(time.DateTime), WeChatApp, WeChatMch, o.Trade, o.ID, yuan(o.Refunded), yuan(o.Refunded))
	}
	b.WriteString("总交易单数,应结订单总金额,退款总金额\r\n`1,`0.00,`0.00\r\n")
	return []byte(b.String())
}
