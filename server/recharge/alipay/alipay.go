// Package alipay is the payment channel 支付宝: its pages for computers and
// phones, signed notices, queries, and the daily bill. Everything is signed RSA2:
// SHA-256 with RSA over the parameters in the order of their names.
package alipay

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/recharge/rsakey"
)

// ID is what the channel is called, also in ledger accounts.
const ID = "alipay"

// BaseURL is the gateway, unless a Config says otherwise.
const BaseURL = "https://openapi.alipay.com/gateway.do"

const (
	callTimeout = 8 * time.Second
	maxAnswer   = 256 << 10
	maxNotice   = 32 << 10
	maxFields   = 200
)

// Config is a contract with the channel. All fields are required.
type Config struct {
	AppID     string
	SellerID  string // 2088…
	Key       *rsa.PrivateKey
	PublicKey *rsa.PublicKey // of the channel, not ours
	NotifyURL string
	BaseURL   string
	Now       func() time.Time
	Location  *time.Location
}

// Channel is a recharge.Channel. Safe for concurrent use.
type Channel struct {
	Config
	client *http.Client
}

var _ recharge.Channel = (*Channel)(nil)

// New makes a Channel. Errors name what is missing.
func New(c Config) (*Channel, error) {
	if c.AppID == "" || c.SellerID == "" || c.Key == nil || c.PublicKey == nil {
		return nil, errors.New("alipay: app_id, seller_id, private_key and public_key belong together")
	}
	return &Channel{c, &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Info describes the channel.
func (c *Channel) Info() recharge.Info {
	return recharge.Info{ID: ID, Name: recharge.Name{ZH: "支付宝", EN: "Alipay"}, Ways: []string{recharge.WAP, recharge.Page}}
}

// Create gives the address of the page that pays. Nothing is asked of the
// channel: it makes the order when somebody opens that page.
func (c *Channel) Create(_ context.Context, r recharge.Request) (recharge.Pay, error) {
	method, product := "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"
	if r.Way == recharge.WAP {
		method, product = "alipay.trade.wap.pay", "QUICK_WAP_WAY"
	}
	p, err := c.params(method, map[string]string{
		"out_trade_no": r.Order, "total_amount": recharge.Yuan(r.Fen), "subject": r.Title, "product_code": product,
		"seller_id": c.SellerID, "time_expire": r.Expires.In(c.Location).Format(time.DateTime),
	}, map[string]string{"notify_url": c.NotifyURL, "return_url": r.Back})
	if err != nil {
		return recharge.Pay{}, err
	}
	return recharge.Pay{Kind: recharge.Page, URL: c.BaseURL + "?" + p.Encode()}, nil
}

// params are a signed call.
func (c *Channel) params(method string, content any, more map[string]string) (url.Values, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"app_id": c.AppID, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2", "version": "1.0",
		"timestamp": c.Now().In(c.Location).Format(time.DateTime), "biz_content": string(body),
	}
	maps.Copy(all, more)
	if all["sign"], err = rsakey.Sign(c.Key, joined(all)); err != nil {
		return nil, err
	}
	p := url.Values{}
	for k, v := range all {
		p.Set(k, v)
	}
	return p, nil
}

// joined is what is signed: k=v&k=v in the order of the names.
func joined(all map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, k+"="+all[k])
	}
	return strings.Join(parts, "&")
}

// trade is an order as the channel tells of it, in answers and notices.
type trade struct {
	Code        string `json:"code"`
	SubCode     string `json:"sub_code"`
	OutTradeNo  string `json:"out_trade_no"`
	TradeNo     string `json:"trade_no"`
	TradeStatus string `json:"trade_status"`
	TotalAmount string `json:"total_amount"`
	SendPayDate string `json:"send_pay_date"` // set once it was paid
}

const tradeUnknown = "ACQ.TRADE_NOT_EXIST"

// Query asks what became of an order. The answer names neither app nor seller:
// the channel looks only among ours.
func (c *Channel) Query(ctx context.Context, order string) (recharge.Notice, error) {
	var tr trade
	if err := c.call(ctx, "alipay.trade.query", map[string]string{"out_trade_no": order}, &tr); err != nil {
		return recharge.Notice{}, err
	}
	if tr.Code != "10000" {
		if tr.SubCode == tradeUnknown {
			return recharge.Notice{Event: recharge.Waiting, Order: order}, nil
		}
		return recharge.Notice{}, fmt.Errorf("%w: alipay: code %q", recharge.ErrUnavailable, short(tr.Code))
	}
	fen, ok := recharge.ParseYuan(tr.TotalAmount)
	if !ok {
		return recharge.Notice{}, fmt.Errorf("%w: an amount that cannot be read", recharge.ErrUnavailable)
	}
	n := recharge.Notice{Order: tr.OutTradeNo, Trade: tr.TradeNo, Fen: fen, Currency: "CNY", At: c.moment(tr.SendPayDate)}
	switch tr.TradeStatus {
	case "WAIT_BUYER_PAY":
		n.Event = recharge.Waiting
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		n.Event = recharge.Paid
	case "TRADE_CLOSED":
		// Never paid; or paid, and given back whole.
		if n.Event = recharge.Closed; tr.SendPayDate != "" {
			n.Event, n.RefundFen = recharge.Refunded, fen
		}
	default:
		return n, fmt.Errorf("%w: an unknown trade status", recharge.ErrUnavailable)
	}
	return n, nil
}

// Close ends an order that was not paid.
func (c *Channel) Close(ctx context.Context, order string) error {
	var tr trade
	err := c.call(ctx, "alipay.trade.close", map[string]string{"out_trade_no": order}, &tr)
	switch {
	case err != nil:
		return err
	case tr.Code == "10000", tr.SubCode == tradeUnknown:
		return nil
	case tr.Code == "40004":
		return fmt.Errorf("%w: alipay: %q", recharge.ErrRefused, short(tr.SubCode))
	}
	return fmt.Errorf("%w: alipay: code %q", recharge.ErrUnavailable, short(tr.Code))
}

func short(text string) string { return text[:min(len(text), 64)] }

func (c *Channel) moment(text string) int64 {
	at, err := time.ParseInLocation(time.DateTime, text, c.Location)
	if err != nil {
		return 0
	}
	return at.UnixMilli()
}

// call makes a signed call. The answer is verified as it came, byte by byte.
func (c *Channel) call(ctx context.Context, method string, content, out any) error {
	p, err := c.params(method, content, nil)
	if err != nil {
		return err
	}
	status, body, err := c.fetch(ctx, http.MethodPost, c.BaseURL, p.Encode(), maxAnswer)
	if err != nil {
		return err
	}
	var answer map[string]json.RawMessage
	var signature string
	if status != http.StatusOK || json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer["sign"], &signature) != nil {
		return fmt.Errorf("%w: status %d, no signed answer", recharge.ErrUnavailable, status)
	}
	said := answer[strings.ReplaceAll(method, ".", "_")+"_response"]
	if !rsakey.Verify(c.PublicKey, string(said), signature) || json.Unmarshal(said, out) != nil {
		return fmt.Errorf("%w: the signature of the answer does not hold", recharge.ErrUnavailable)
	}
	return nil
}

// fetch makes a call. Errors name neither address nor body.
func (c *Channel) fetch(ctx context.Context, method, address, form string, limit int64) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return 0, nil, fmt.Errorf("%w: a call that cannot be made", recharge.ErrUnavailable)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: no answer", recharge.ErrUnavailable)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil || int64(len(body)) > limit {
		return 0, nil, fmt.Errorf("%w: half an answer, or too long a one", recharge.ErrUnavailable)
	}
	return res.StatusCode, body, nil
}
