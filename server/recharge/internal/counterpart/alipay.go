package counterpart

import (
	"archive/zip"
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The contract with Alipay.
const (
	AlipayApp    = "2021000000000001"
	AlipaySeller = "2088000000000001"
)

// Alipay is the channel's side.
type Alipay struct {
	Books
	Server   *httptest.Server
	Merchant *rsa.PrivateKey // ours
	Own      *rsa.PrivateKey // theirs
}

// NewAlipay starts it; it stops with the test.
func NewAlipay(t testing.TB, random io.Reader, now func() time.Time) *Alipay {
	t.Helper()
	c := &Alipay{Books: Books{Now: now, orders: map[string]*Order{}}, Merchant: Key(t, random, "merchant"), Own: Key(t, random, "alipay")}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Server.Close)
	return c
}

// text is what is signed: k=v&k=v in the order of the names.
func text(f url.Values, without ...string) string {
	var parts []string
	for name, v := range f {
		if !slices.Contains(without, name) {
			parts = append(parts, name+"="+v[0])
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// genuine reports whether a call is signed by us.
func (c *Alipay) genuine(f url.Values) bool {
	return f.Get("app_id") == AlipayApp && f.Get("sign_type") == "RSA2" && f.Get("charset") == "utf-8" && f.Get("version") == "1.0" &&
		holds(&c.Merchant.PublicKey, text(f, "sign"), f.Get("sign"))
}

// Open is what a payer does with the address of the page: it makes the order.
// The error says why the page would not show.
func (c *Alipay) Open(address string) (Order, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Order{}, err
	}
	f := u.Query()
	var in map[string]string
	if err := json.Unmarshal([]byte(f.Get("biz_content")), &in); err != nil {
		return Order{}, err
	}
	products := map[string]string{"alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY", "alipay.trade.wap.pay": "QUICK_WAP_WAY"}
	if !c.genuine(f) || products[f.Get("method")] != in["product_code"] || in["product_code"] == "" || f.Get("notify_url") == "" {
		return Order{}, fmt.Errorf("not a page of ours: %s", f.Get("method"))
	}
	until, err := time.ParseInLocation(time.DateTime, in["time_expire"], Campus)
	if err != nil || !c.Now().Before(until) {
		return Order{}, fmt.Errorf("too late")
	}
	var whole, part int64
	if _, err := fmt.Sscanf(in["total_amount"], "%d.%02d", &whole, &part); err != nil {
		return Order{}, err
	}
	if o, there := c.Order(in["out_trade_no"]); there {
		return o, nil
	}
	o := Order{ID: in["out_trade_no"], Fen: whole*100 + part}
	c.Put(o)
	return o, nil
}

func (c *Alipay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if day := r.URL.Query().Get("bill"); day != "" {
		_, _ = w.Write(c.file(day))
		return
	}
	if r.ParseForm() != nil || !c.genuine(r.PostForm) {
		c.answer(w, "error", map[string]string{"code": "40002", "sub_code": "isv.invalid-signature"})
		return
	}
	method := r.PostForm.Get("method")
	var in map[string]string
	if json.Unmarshal([]byte(r.PostForm.Get("biz_content")), &in) != nil {
		c.answer(w, method, map[string]string{"code": "40004", "sub_code": "ACQ.INVALID_PARAMETER"})
		return
	}
	say := func(v any) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { c.answer(w, method, v) }
	}
	unknown := map[string]string{"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}
	switch method {
	case "alipay.trade.query":
		c.serve(w, "query", func(orders map[string]*Order) func(http.ResponseWriter) {
			if o := orders[in["out_trade_no"]]; o != nil {
				return say(queried(*o))
			}
			return say(unknown)
		})
	case "alipay.trade.close":
		c.serve(w, "close", func(orders map[string]*Order) func(http.ResponseWriter) {
			switch o := orders[in["out_trade_no"]]; {
			case o == nil:
				return say(unknown)
			case !o.PaidAt.IsZero():
				return say(map[string]string{"code": "40004", "sub_code": "ACQ.TRADE_STATUS_ERROR"})
			default:
				o.Closed = true
			}
			return say(map[string]string{"code": "10000"})
		})
	case "alipay.data.dataservice.bill.downloadurl.query":
		c.serve(w, "bill", func(map[string]*Order) func(http.ResponseWriter) {
			return say(map[string]string{"code": "10000", "bill_download_url": c.Server.URL + "/?bill=" + in["bill_date"]})
		})
	default:
		c.answer(w, method, map[string]string{"code": "40001"})
	}
}

func status(o Order) string {
	switch {
	case o.Closed || o.Refunded > 0 && o.Refunded == o.Fen:
		return "TRADE_CLOSED"
	case !o.PaidAt.IsZero():
		return "TRADE_SUCCESS"
	}
	return "WAIT_BUYER_PAY"
}

func queried(o Order) map[string]string {
	v := map[string]string{
		"code": "10000", "msg": "Success", "out_trade_no": o.ID, "trade_no": o.Trade, "trade_status": status(o), "total_amount": yuan(o.Fen),
	}
	if !o.PaidAt.IsZero() {
		v["send_pay_date"] = o.PaidAt.In(Campus).Format(time.DateTime)
	}
	return v
}

func (c *Alipay) answer(w http.ResponseWriter, method string, v any) {
	said := string(mustJSON(v))
	_, _ = fmt.Fprintf(w, `{"%s_response":%s,"sign":"%s"}`, strings.ReplaceAll(method, ".", "_"), said, sign(c.Own, said))
}

// Notice is one of how an order stands. change may spoil what it says before it
// is signed.
func (c *Alipay) Notice(id string, change func(url.Values)) (http.Header, []byte) {
	o, _ := c.Order(id)
	f := url.Values{
		"notify_time": {c.Now().In(Campus).Format(time.DateTime)}, "notify_type": {"trade_status_sync"}, "notify_id": {"91722adff935e8cfa58b3aabf4dead6ibe"},
		"app_id": {AlipayApp}, "charset": {"utf-8"}, "version": {"1.0"}, "trade_no": {o.Trade}, "out_trade_no": {o.ID}, "seller_id": {AlipaySeller},
		"trade_status": {status(o)}, "total_amount": {yuan(o.Fen)}, "subject": {"校园卡充值 & 测试=1"}, "buyer_id": {"2088102116773037"},
	}
	if !o.PaidAt.IsZero() {
		f.Set("gmt_payment", o.PaidAt.In(Campus).Format(time.DateTime))
	}
	if o.Refunded > 0 {
		f.Set("refund_fee", yuan(o.Refunded))
	}
	if change != nil {
		change(f)
	}
	f.Set("sign", sign(c.Own, text(f)))
	f.Set("sign_type", "RSA2")
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(f.Encode())
}

// file is the bill of a day: an archive of two tables in GBK.
func (c *Alipay) file(day string) []byte {
	from, err := time.ParseInLocation(time.DateOnly, day, Campus)
	if err != nil {
		return nil
	}
	paid, refunded := c.of(from)
	var b strings.Builder
	b.WriteString("#支付宝业务明细查询\r\n#账号：[20880000000000010156]\r\n#-----业务明细列表----\r\n")
	b.WriteString("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,对方账户,订单金额（元）,商家实收（元）,备注\r\n")
	line := func(o Order, kind, amount string, at time.Time) {
		fmt.Fprintf(&b, "%s\t,%s\t,%s,校园卡充值,%s,%s,lin***@example.edu\t,%s,%s,\r\n", o.Trade, o.ID, kind,
			at.In(Campus).Format(time.DateTime), at.In(Campus).Format(time.DateTime), amount, amount)
	}
	for _, o := range paid {
		line(o, "交易", yuan(o.Fen), o.PaidAt)
	}
	for _, o := range refunded {
		line(o, "退款", "-"+yuan(o.Refunded), o.RefundAt)
	}
	b.WriteString("#-----业务明细列表结束----\r\n")
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for name, content := range map[string]string{
		"20880000000000010156_业务明细.csv":     b.String(),
		"20880000000000010156_业务明细(汇总).csv": "#汇总\r\n门店编号,门店名称,交易订单总笔数\r\n,,1\r\n",
	} {
		gbk, err := simplifiedchinese.GBK.NewEncoder().String(content)
		if err != nil {
			panic(err)
		}
		f, err := archive.Create(name)
		if err != nil {
			panic(err)
		}
		if _, err := io.WriteString(f, gbk); err != nil {
			panic(err)
		}
	}
	if err := archive.Close(); err != nil {
		panic(err)
	}
	return packed.Bytes()
}
