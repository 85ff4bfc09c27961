package wechat_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/recharge/internal/counterpart"
	"campusgate/server/recharge/rsakey"
	"campusgate/server/recharge/wechat"
)

const order = "RABCDEFGHIJKLMNOPQRSTUVWXY2"

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, counterpart.Campus)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair is the channel and the other side, at noon.
func pair(t testing.TB, ids ...string) (*wechat.Channel, *counterpart.WeChat) {
	t.Helper()
	other := counterpart.NewWeChat(t, rand.Reader, func() time.Time { return noon })
	return channel(t, other, ids...), other
}

// channel holds the platform's keys that are named; none = both.
func channel(t testing.TB, other *counterpart.WeChat, ids ...string) *wechat.Channel {
	t.Helper()
	if len(ids) == 0 {
		ids = []string{counterpart.PlatformOld, counterpart.PlatformNew}
	}
	keys := map[string]*rsa.PublicKey{}
	for _, id := range ids {
		keys[id] = &other.Platform[id].PublicKey
	}
	c, err := wechat.New(wechat.Config{
		AppID: counterpart.WeChatApp, MchID: counterpart.WeChatMch, Serial: counterpart.WeChatSerial, Key: other.Merchant,
		APIv3Key: []byte(counterpart.WeChatV3Key), Platform: keys, NotifyURL: "https://gate.example.edu/n", BaseURL: other.Server.URL,
		Now: func() time.Time { return noon }, Rand: rand.Reader, Location: counterpart.Campus,
	})
	ok(t, err)
	return c
}

func request(way string) recharge.Request {
	r := recharge.Request{Order: order, Fen: 3000, Way: way, Title: "校园卡充值", Expires: noon.Add(30 * time.Minute)}
	if way == recharge.JSAPI {
		r.Payer = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	}
	return r
}

func TestCreate_GivesBothWaysToPay(t *testing.T) {
	c, other := pair(t)
	p, err := c.Create(t.Context(), request(recharge.Native))
	ok(t, err)
	if p.Kind != recharge.Native || !strings.HasPrefix(p.Text, "weixin://") {
		t.Errorf("native: %+v", p)
	}
	p, err = c.Create(t.Context(), request(recharge.JSAPI))
	ok(t, err)
	in := p.Params
	signed := in["appId"] + "\n" + in["timeStamp"] + "\n" + in["nonceStr"] + "\n" + in["package"] + "\n"
	if in["signType"] != "RSA" || !strings.HasPrefix(in["package"], "prepay_id=wx") || !rsakey.Verify(&other.Merchant.PublicKey, signed, in["paySign"]) {
		t.Errorf("inside the app: %+v", in)
	}
	other2 := request(recharge.Native)
	other2.Fen++
	if _, err := c.Create(t.Context(), other2); !errors.Is(err, recharge.ErrRefused) {
		t.Errorf("the same order with another amount: %v", err)
	}
}

func TestQueryAndClose_TellWhatBecameOfAnOrder(t *testing.T) {
	c, other := pair(t)
	want := func(event recharge.Event) recharge.Notice {
		t.Helper()
		n, err := c.Query(t.Context(), order)
		if err != nil || n.Event != event || n.Order != order || n.Foreign {
			t.Errorf("%+v %v, want %s", n, err, event)
		}
		return n
	}
	want(recharge.Waiting) // they never heard of it
	ok(t, c.Close(t.Context(), order))
	_, err := c.Create(t.Context(), request(recharge.Native))
	ok(t, err)
	want(recharge.Waiting)
	other.Pay(order)
	if n := want(recharge.Paid); n.Fen != 3000 || n.Currency != "CNY" || n.At != noon.UnixMilli() || n.Trade == "" {
		t.Errorf("paid: %+v", n)
	}
	if err := c.Close(t.Context(), order); !errors.Is(err, recharge.ErrRefused) {
		t.Errorf("a paid order was closed: %v", err)
	}
	other.Refund(order, 3000)
	want(recharge.Refunded)
	other.Put(counterpart.Order{ID: order, Fen: 3000})
	ok(t, c.Close(t.Context(), order))
	want(recharge.Closed)
}

func TestCalls_TrustOnlyWhatThePlatformSigned(t *testing.T) {
	c, other := pair(t)
	other.Put(counterpart.Order{ID: order, Fen: 3000, PaidAt: noon, Trade: "4200"})
	other.Serial = counterpart.PlatformNew // a key that changes while we run is held already
	if n, err := c.Query(t.Context(), order); err != nil || n.Event != recharge.Paid {
		t.Errorf("new key: %+v %v", n, err)
	}
	old := channel(t, other, counterpart.PlatformOld)
	if n, err := old.Query(t.Context(), order); !errors.Is(err, recharge.ErrUnavailable) || n.Event != "" {
		t.Errorf("a key that we do not have: %+v %v", n, err)
	}
	for name, broken := range map[string]func(string) (bool, bool){
		"failed": func(string) (bool, bool) { return false, true }, "failed but done": func(string) (bool, bool) { return true, true },
	} {
		other.SetFault(broken)
		for range 2 { // an answer of 500, and none
			if _, err := c.Create(t.Context(), request(recharge.Native)); !errors.Is(err, recharge.ErrUnavailable) || errors.Is(err, recharge.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestCallback_RefusesWhatThePlatformDidNotSendNow(t *testing.T) {
	c, other := pair(t)
	other.Put(counterpart.Order{ID: order, Fen: 3000, PaidAt: noon, Trade: "4200"})
	good := func() (http.Header, []byte) { return other.Notice(order, nil) }
	h, body := good()
	n, err := c.Callback(h, body, noon)
	if want := (recharge.Notice{Event: recharge.Paid, Order: order, Trade: "4200", Fen: 3000, Currency: "CNY", At: noon.UnixMilli()}); err != nil || n != want {
		t.Fatalf("%+v %v", n, err)
	}
	for name, spoil := range map[string]func(h http.Header, body []byte) (http.Header, []byte, time.Time){
		"300 s old": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			return h, b, noon.Add(300 * time.Second)
		},
		"300 s ahead": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			return h, b, noon.Add(-300 * time.Second)
		},
		"a day old": func(h http.Header, b []byte) (http.Header, []byte, time.Time) { return h, b, noon.Add(24 * time.Hour) },
		"one bit of the body": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			b[len(b)/2] ^= 1
			return h, b, noon
		},
		"white space after the body": func(h http.Header, b []byte) (http.Header, []byte, time.Time) { return h, append(b, ' '), noon },
		"another time": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			h.Set("Wechatpay-Timestamp", fmt.Sprint(noon.Unix()+1))
			return h, b, noon
		},
		"another nonce": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			h.Set("Wechatpay-Nonce", "x")
			return h, b, noon
		},
		"the other key's name": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			h.Set("Wechatpay-Serial", counterpart.PlatformNew)
			return h, b, noon
		},
		"an unknown key": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			h.Set("Wechatpay-Serial", "PUB_KEY_ID_X")
			return h, b, noon
		},
		"a probe": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature"))
			return h, b, noon
		},
		"no headers": func(_ http.Header, b []byte) (http.Header, []byte, time.Time) { return http.Header{}, b, noon },
		"a padded time": func(h http.Header, b []byte) (http.Header, []byte, time.Time) {
			h.Set("Wechatpay-Timestamp", "0"+h.Get("Wechatpay-Timestamp"))
			return h, b, noon
		},
	} {
		if _, err := c.Callback(spoil(good())); !errors.Is(err, recharge.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, at := range map[string]time.Time{"299 s old": noon.Add(299 * time.Second), "299 s ahead": noon.Add(-299 * time.Second)} {
		h, body := good()
		if _, err := c.Callback(h, body, at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCallback_SaysWhoseOrderItIs(t *testing.T) {
	c, other := pair(t)
	other.Put(counterpart.Order{ID: order, Fen: 3000, PaidAt: noon, Trade: "4200", Refunded: 1000, RefundAt: noon})
	for _, field := range []string{"appid", "mchid"} {
		h, body := other.Notice(order, func(tr map[string]any) { tr[field] = "another" })
		if n, err := c.Callback(h, body, noon); err != nil || !n.Foreign {
			t.Errorf("%s: %+v %v", field, n, err)
		}
	}
	h, body := other.RefundNotice(order)
	n, err := c.Callback(h, body, noon)
	if err != nil || n.Event != recharge.Refunded || n.RefundFen != 1000 || n.Fen != 3000 || n.Foreign {
		t.Errorf("refund: %+v %v", n, err)
	}
	for event, v := range map[string]any{"TRANSACTION.SUCCESS": "x", "REFUND.SUCCESS": 1, "OTHER": map[string]any{}, "TRANSACTION.X": map[string]any{"trade_state": "NEW"}} {
		h, body := other.Sealed(event, v)
		if _, err := c.Callback(h, body, noon); !errors.Is(err, recharge.ErrForged) {
			t.Errorf("%s %v: %v", event, v, err)
		}
	}
	h, body = other.Sealed("REFUND.ABNORMAL", map[string]any{"mchid": counterpart.WeChatMch, "out_trade_no": order, "refund_status": "ABNORMAL"})
	if n, err := c.Callback(h, body, noon); err != nil || n.Event != recharge.Waiting {
		t.Errorf("a refund that came to nothing: %+v %v", n, err)
	}
}

// TestCallback_KnownAnswer holds a notice that was made once, with keys that
// were made for it, against what it says.
func TestCallback_KnownAnswer(t *testing.T) {
	text, err := os.ReadFile("testdata/notice.json")
	ok(t, err)
	var v struct {
		Platform, Serial, V3Key, AppID, MchID string
		Header                                map[string]string
		Body                                  string
		Now                                   int64
		Want                                  recharge.Notice
	}
	ok(t, json.Unmarshal(text, &v))
	key, err := rsakey.Public([]byte(v.Platform))
	ok(t, err)
	c, err := wechat.New(wechat.Config{
		AppID: v.AppID, MchID: v.MchID, Serial: "x", Key: counterpart.Key(t, rand.Reader, "another"), APIv3Key: []byte(v.V3Key),
		Platform: map[string]*rsa.PublicKey{v.Serial: key},
	})
	ok(t, err)
	h := http.Header{}
	for name, value := range v.Header {
		h.Set(name, value)
	}
	n, err := c.Callback(h, []byte(v.Body), time.Unix(v.Now, 0))
	if err != nil || n != v.Want {
		t.Errorf("%+v %v, want %+v", n, err, v.Want)
	}
}

func TestBill_IsReadAndHeldAgainstItsSum(t *testing.T) {
	c, other := pair(t)
	if rows, err := c.Bill(t.Context(), noon.Truncate(24*time.Hour).Add(-8*time.Hour)); err != nil || len(rows) != 0 {
		t.Errorf("a day with nothing: %v %v", rows, err)
	}
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, counterpart.Campus)
	other.Put(counterpart.Order{ID: "A", Fen: 3005, PaidAt: noon, Trade: "1"})
	other.Put(counterpart.Order{ID: "B", Fen: 2000, PaidAt: noon, Trade: "2", Refunded: 2000, RefundAt: noon})
	rows, err := c.Bill(t.Context(), day)
	ok(t, err)
	want := []recharge.Row{
		{Order: "A", Trade: "1", Fen: 3005, At: noon.UnixMilli()},
		{Order: "B", Trade: "2", Fen: 2000, At: noon.UnixMilli()},
		{Order: "B", Trade: "2", RefundFen: 2000, At: noon.UnixMilli()},
	}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", rows, want)
	}
	other.SpoilSum = true
	if _, err := c.Bill(t.Context(), day); !errors.Is(err, recharge.ErrUnavailable) {
		t.Errorf("a file with another sum: %v", err)
	}
}

func FuzzCallback(f *testing.F) {
	c, other := pair(f)
	other.Put(counterpart.Order{ID: order, Fen: 3000, PaidAt: noon, Trade: "4200", Refunded: 3000, RefundAt: noon})
	add := func(h http.Header, body []byte) {
		f.Add(h.Get("Wechatpay-Serial"), h.Get("Wechatpay-Timestamp"), h.Get("Wechatpay-Nonce"), h.Get("Wechatpay-Signature"), body)
		// One that is signed and does not open is a seed too.
	}
	add(other.Notice(order, nil))
	add(other.RefundNotice(order))
	add(http.Header{}, []byte(`{"resource":{}}`))
	f.Fuzz(func(t *testing.T, serial, at, nonce, signature string, body []byte) {
		h := http.Header{}
		h.Set("Wechatpay-Serial", serial)
		h.Set("Wechatpay-Timestamp", at)
		h.Set("Wechatpay-Nonce", nonce)
		h.Set("Wechatpay-Signature", signature)
		n, err := c.Callback(h, body, noon)
		if err == nil && (n.Order != order || n.Fen != 3000) || err != nil && !errors.Is(err, recharge.ErrForged) {
			t.Errorf("%+v %v", n, err)
		}
		// What is inside the signature is read by the same function: let it be anything.
		h2, sealed := other.Sealed("TRANSACTION.SUCCESS", json.RawMessage(quoted(body)))
		if _, err := c.Callback(h2, sealed, noon); err != nil && !errors.Is(err, recharge.ErrForged) {
			t.Errorf("inside: %v", err)
		}
	})
}

// quoted is the bytes where they are JSON, and a JSON text of them otherwise.
func quoted(b []byte) []byte {
	if json.Valid(b) {
		return b
	}
	q, _ := json.Marshal(string(b))
	return q
}

func TestNew_NamesWhatIsMissing(t *testing.T) {
	key := counterpart.Key(t, rand.Reader, "another")
	full := wechat.Config{AppID: "a", MchID: "m", Serial: "s", Key: key, APIv3Key: make([]byte, 32), Platform: map[string]*rsa.PublicKey{"p": &key.PublicKey}}
	if _, err := wechat.New(full); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*wechat.Config){
		"private_key": func(c *wechat.Config) { c.Key = nil }, "api_v3_key": func(c *wechat.Config) { c.APIv3Key = c.APIv3Key[1:] },
		"platform": func(c *wechat.Config) { c.Platform = nil },
	} {
		c := full
		spoil(&c)
		if _, err := wechat.New(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
