// Package wechat is the payment channel 微信支付, API version 3: orders inside
// the app (JSAPI) and by QR code (Native), signed notices, queries, and the
// daily bill. Requests are signed with the merchant's key; every answer and
// notice is verified with the platform's key that it names.
package wechat

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"campusgate/server/recharge"
)

// ID is what the channel is called, also in ledger accounts.
const ID = "wechat"

// BaseURL is where the channel is, unless a Config says otherwise.
const BaseURL = "https://api.mch.weixin.qq.com"

const (
	callTimeout = 8 * time.Second
	maxAnswer   = 256 << 10
)

// Config is a contract with the channel. All fields are required.
type Config struct {
	AppID     string
	MchID     string
	Serial    string // of the merchant's certificate
	Key       *rsa.PrivateKey
	APIv3Key  []byte                    // 32 bytes, which notices are sealed with
	Platform  map[string]*rsa.PublicKey // by certificate serial or PUB_KEY_ID_…; several while keys change
	NotifyURL string
	BaseURL   string // without a slash at the end
	Now       func() time.Time
	Rand      io.Reader
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
	switch {
	case c.AppID == "" || c.MchID == "" || c.Serial == "" || c.Key == nil:
		return nil, errors.New("wechat: app_id, mch_id, serial and private_key belong together")
	case len(c.APIv3Key) != 32:
		return nil, fmt.Errorf("wechat: api_v3_key has %d bytes, want 32", len(c.APIv3Key))
	case len(c.Platform) == 0:
		return nil, errors.New("wechat: no key of the platform")
	}
	return &Channel{c, &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Info describes the channel.
func (c *Channel) Info() recharge.Info {
	return recharge.Info{ID: ID, Name: recharge.Name{ZH: "微信支付", EN: "WeChat Pay"}, Ways: []string{recharge.JSAPI, recharge.Native}}
}

type amount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
	Refund   int64  `json:"refund,omitempty"`
}

type placing struct {
	AppID       string `json:"appid"`
	MchID       string `json:"mchid"`
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	TimeExpire  string `json:"time_expire"`
	NotifyURL   string `json:"notify_url"`
	Amount      amount `json:"amount"`
	Payer       *payer `json:"payer,omitempty"`
}

type payer struct {
	OpenID string `json:"openid"`
}

// Create places the order.
func (c *Channel) Create(ctx context.Context, r recharge.Request) (recharge.Pay, error) {
	body := placing{
		AppID: c.AppID, MchID: c.MchID, Description: r.Title, OutTradeNo: r.Order, NotifyURL: c.NotifyURL,
		TimeExpire: r.Expires.In(c.Location).Format(time.RFC3339), Amount: amount{Total: r.Fen, Currency: "CNY"},
	}
	path := "/v3/pay/transactions/native"
	if r.Way == recharge.JSAPI {
		path, body.Payer = "/v3/pay/transactions/jsapi", &payer{r.Payer}
	}
	var out struct {
		PrepayID string `json:"prepay_id"`
		CodeURL  string `json:"code_url"`
	}
	if err := c.call(ctx, http.MethodPost, path, body, &out); err != nil {
		return recharge.Pay{}, err
	}
	switch {
	case r.Way == recharge.Native && strings.HasPrefix(out.CodeURL, "weixin://"):
		return recharge.Pay{Kind: recharge.Native, Text: out.CodeURL}, nil
	case r.Way == recharge.JSAPI && out.PrepayID != "":
		return c.inApp(out.PrepayID)
	}
	return recharge.Pay{}, fmt.Errorf("%w: an order without a way to pay", recharge.ErrUnavailable)
}

// inApp signs what a page inside the app hands on to pay.
func (c *Channel) inApp(prepay string) (recharge.Pay, error) {
	at, nonce, err := c.fresh()
	if err != nil {
		return recharge.Pay{}, err
	}
	p := map[string]string{"appId": c.AppID, "timeStamp": at, "nonceStr": nonce, "package": "prepay_id=" + prepay, "signType": "RSA"}
	p["paySign"], err = c.sign(p["appId"], at, nonce, p["package"])
	return recharge.Pay{Kind: recharge.JSAPI, Params: p}, err
}

func (c *Channel) orderPath(order string) string {
	return "/v3/pay/transactions/out-trade-no/" + url.PathEscape(order)
}

// transaction is an order as the channel tells of it.
type transaction struct {
	AppID         string `json:"appid"`
	MchID         string `json:"mchid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	TradeState    string `json:"trade_state"`
	SuccessTime   string `json:"success_time"`
	Amount        amount `json:"amount"`
}

func (c *Channel) notice(tr transaction) (recharge.Notice, error) {
	n := recharge.Notice{
		Order: tr.OutTradeNo, Trade: tr.TransactionID, Fen: tr.Amount.Total, Currency: tr.Amount.Currency, At: moment(tr.SuccessTime),
		Foreign: tr.AppID != c.AppID || tr.MchID != c.MchID,
	}
	switch tr.TradeState {
	case "SUCCESS":
		n.Event = recharge.Paid
	case "REFUND":
		n.Event = recharge.Refunded // of how much is not said here
	case "CLOSED", "REVOKED":
		n.Event = recharge.Closed
	case "NOTPAY", "USERPAYING", "ACCEPT":
		n.Event = recharge.Waiting
	case "PAYERROR":
		n.Event = recharge.Failed
	default:
		return n, fmt.Errorf("%w: an unknown trade state", recharge.ErrUnavailable)
	}
	return n, nil
}

func moment(text string) int64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return at.UnixMilli()
}

// Query asks what became of an order.
func (c *Channel) Query(ctx context.Context, order string) (recharge.Notice, error) {
	var tr transaction
	err := c.call(ctx, http.MethodGet, c.orderPath(order)+"?mchid="+url.QueryEscape(c.MchID), nil, &tr)
	if isRefusal(err, "ORDER_NOT_EXIST", "ORDERNOTEXIST") {
		return recharge.Notice{Event: recharge.Waiting, Order: order}, nil
	}
	if err != nil {
		return recharge.Notice{}, asUnavailable(err)
	}
	return c.notice(tr)
}

// Close ends an order that was not paid.
func (c *Channel) Close(ctx context.Context, order string) error {
	err := c.call(ctx, http.MethodPost, c.orderPath(order)+"/close", map[string]string{"mchid": c.MchID}, nil)
	if isRefusal(err, "ORDER_NOT_EXIST", "ORDERNOTEXIST", "ORDER_CLOSED", "ORDERCLOSED") {
		return nil
	}
	return err
}

// refusal is an answer of the channel that says no.
type refusal struct{ code string }

func (r *refusal) Error() string        { return "wechat: " + r.code }
func (r *refusal) Is(target error) bool { return target == recharge.ErrRefused }

func isRefusal(err error, codes ...string) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	for _, code := range codes {
		if r.code == code {
			return true
		}
	}
	return false
}

// asUnavailable is for questions, to which a refusal is no answer.
func asUnavailable(err error) error {
	if errors.Is(err, recharge.ErrRefused) {
		return fmt.Errorf("%w: %w", recharge.ErrUnavailable, err)
	}
	return err
}

// call makes a signed call and verifies its answer. out nil = none is wanted.
func (c *Channel) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	status, header, answer, err := c.send(ctx, method, path, string(body), maxAnswer)
	if err != nil {
		return err
	}
	// What is not signed by the platform is no answer, whatever it says.
	if err := c.verify(header, answer, c.Now()); err != nil {
		return fmt.Errorf("%w: status %d: %w", recharge.ErrUnavailable, status, err)
	}
	switch {
	case status >= 200 && status < 300:
		if out != nil {
			if err := json.Unmarshal(answer, out); err != nil {
				return fmt.Errorf("%w: an answer that cannot be read", recharge.ErrUnavailable)
			}
		}
		return nil
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		var no struct {
			Code string `json:"code"`
		}
		if json.Unmarshal(answer, &no) == nil && codeForm.MatchString(no.Code) {
			return &refusal{no.Code}
		}
	}
	return fmt.Errorf("%w: status %d", recharge.ErrUnavailable, status)
}

// send makes a signed call. Errors name neither address nor body.
func (c *Channel) send(ctx context.Context, method, path, body string, limit int64) (int, http.Header, []byte, error) {
	at, nonce, err := c.fresh()
	if err != nil {
		return 0, nil, nil, err
	}
	signature, err := c.sign(method, path, at, nonce, body)
	if err != nil {
		return 0, nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.BaseURL+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%w: a call that cannot be made", recharge.ErrUnavailable)
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"`,
		c.MchID, nonce, signature, at, c.Serial))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "campusgate")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%w: no answer", recharge.ErrUnavailable)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil || int64(len(answer)) > limit {
		return 0, nil, nil, fmt.Errorf("%w: half an answer, or too long a one", recharge.ErrUnavailable)
	}
	return res.StatusCode, res.Header, answer, nil
}
