package alipay_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/recharge/alipay"
	"campusgate/server/recharge/internal/counterpart"
)

const order = "RABCDEFGHIJKLMNOPQRSTUVWXY2"

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, counterpart.Campus)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pair(t testing.TB) (*alipay.Channel, *counterpart.Alipay) {
	t.Helper()
	now := func() time.Time { return noon }
	other := counterpart.NewAlipay(t, rand.Reader, now)
	c, err := alipay.New(alipay.Config{
		AppID: counterpart.AlipayApp, SellerID: counterpart.AlipaySeller, Key: other.Merchant, PublicKey: &other.Own.PublicKey,
		NotifyURL: "https://gate.example.edu/n", BaseURL: other.Server.URL + "/gateway.do", Now: now, Location: counterpart.Campus,
	})
	ok(t, err)
	return c, other
}

func TestCreate_GivesAPageForPhonesAndOneForComputers(t *testing.T) {
	c, other := pair(t)
	for _, way := range []string{recharge.WAP, recharge.Page} {
		p, err := c.Create(t.Context(), recharge.Request{Order: order, Fen: 3005, Way: way, Title: "校园卡充值", Expires: noon.Add(time.Hour), Back: "https://x.example/m"})
		ok(t, err)
		o, err := other.Open(p.URL)
		if p.Kind != recharge.Page || err != nil || o.Fen != 3005 || o.ID != order {
			t.Errorf("%s: %+v %v %v", way, p, o, err)
		}
	}
}

func TestQueryAndClose_TellWhatBecameOfAnOrder(t *testing.T) {
	c, other := pair(t)
	want := func(event recharge.Event, refund int64) recharge.Notice {
		t.Helper()
		n, err := c.Query(t.Context(), order)
		if err != nil || n.Event != event || n.Order != order || n.RefundFen != refund {
			t.Errorf("%+v %v, want %s", n, err, event)
		}
		return n
	}
	want(recharge.Waiting, 0)
	ok(t, c.Close(t.Context(), order))
	other.Put(counterpart.Order{ID: order, Fen: 3005})
	want(recharge.Waiting, 0)
	other.Pay(order)
	if n := want(recharge.Paid, 0); n.Fen != 3005 || n.Currency != "CNY" || n.At != noon.UnixMilli() || n.Trade == "" {
		t.Errorf("paid: %+v", n)
	}
	if err := c.Close(t.Context(), order); !errors.Is(err, recharge.ErrRefused) {
		t.Errorf("a paid order was closed: %v", err)
	}
	other.Refund(order, 5)
	want(recharge.Paid, 0)
	other.Refund(order, 3000)
	want(recharge.Refunded, 3005)
	other.Put(counterpart.Order{ID: order, Fen: 3005})
	ok(t, c.Close(t.Context(), order))
	want(recharge.Closed, 0)
}

func TestCalls_TrustOnlyWhatTheChannelSigned(t *testing.T) {
	c, other := pair(t)
	other.Put(counterpart.Order{ID: order, Fen: 3000, PaidAt: noon})
	for _, broken := range []func(string) (bool, bool){
		func(string) (bool, bool) { return false, true }, func(string) (bool, bool) { return true, true },
	} {
		other.SetFault(broken)
		for range 2 {
			if _, err := c.Query(t.Context(), order); !errors.Is(err, recharge.ErrUnavailable) {
				t.Error(err)
			}
		}
	}
	other.SetFault(nil)
	other.Own = counterpart.Key(t, rand.Reader, "another")
	if n, err := c.Query(t.Context(), order); !errors.Is(err, recharge.ErrUnavailable) || n.Event != "" {
		t.Errorf("signed by another: %+v %v", n, err)
	}
}

func TestCallback_RefusesWhatTheChannelDidNotSign(t *testing.T) {
	c, other := pair(t)
	other.Put(counterpart.Order{ID: order, Fen: 3005, PaidAt: noon, Trade: "2026112122"})
	h, body := other.Notice(order, nil)
	n, err := c.Callback(h, body, noon.Add(24*time.Hour)) // it may come a day late
	if want := (recharge.Notice{Event: recharge.Paid, Order: order, Trade: "2026112122", Fen: 3005, Currency: "CNY", At: noon.UnixMilli()}); err != nil || n != want {
		t.Fatalf("%+v %v", n, err)
	}
	for name, spoil := range map[string]func(url.Values) string{
		"another amount":  func(f url.Values) string { f.Set("total_amount", "3000.05"); return f.Encode() },
		"a field more":    func(f url.Values) string { f.Set("x", "y"); return f.Encode() },
		"a field less":    func(f url.Values) string { f.Del("buyer_id"); return f.Encode() },
		"RSA":             func(f url.Values) string { f.Set("sign_type", "RSA"); return f.Encode() },
		"no kind":         func(f url.Values) string { f.Del("sign_type"); return f.Encode() },
		"no signature":    func(f url.Values) string { f.Del("sign"); return f.Encode() },
		"a name twice":    func(f url.Values) string { return f.Encode() + "&total_amount=3000.05" },
		"bad UTF-8":       func(f url.Values) string { return f.Encode() + "\xff" },
		"a broken escape": func(f url.Values) string { return f.Encode() + "&a=%zz" },
		"too long":        func(f url.Values) string { return f.Encode() + "&a=" + strings.Repeat("x", 40000) },
	} {
		_, body := other.Notice(order, nil)
		f, err := url.ParseQuery(string(body))
		ok(t, err)
		if _, err := c.Callback(nil, []byte(spoil(f)), noon); !errors.Is(err, recharge.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(url.Values){
		"three decimals": func(f url.Values) { f.Set("total_amount", "30.050") },
		"an exponent":    func(f url.Values) { f.Set("total_amount", "3e1") },
		"no amount":      func(f url.Values) { f.Del("total_amount") },
		"no status":      func(f url.Values) { f.Set("trade_status", "") },
		"minus":          func(f url.Values) { f.Set("refund_fee", "-1.00") },
	} {
		h, body := other.Notice(order, change)
		if _, err := c.Callback(h, body, noon); !errors.Is(err, recharge.ErrForged) {
			t.Errorf("signed, with %s: %v", name, err)
		}
	}
}

func TestCallback_SaysWhoseOrderItIsAndWhatBecameOfIt(t *testing.T) {
	c, other := pair(t)
	for _, field := range []string{"app_id", "seller_id"} {
		other.Put(counterpart.Order{ID: order, Fen: 3005, PaidAt: noon})
		h, body := other.Notice(order, func(f url.Values) { f.Set(field, "2088999") })
		if n, err := c.Callback(h, body, noon); err != nil || !n.Foreign {
			t.Errorf("%s: %+v %v", field, n, err)
		}
	}
	for _, k := range []struct {
		o      counterpart.Order
		event  recharge.Event
		refund int64
	}{
		{counterpart.Order{}, recharge.Waiting, 0},
		{counterpart.Order{Closed: true}, recharge.Closed, 0},
		{counterpart.Order{PaidAt: noon, Refunded: 5, RefundAt: noon}, recharge.Refunded, 5},
		{counterpart.Order{PaidAt: noon, Refunded: 3005, RefundAt: noon}, recharge.Refunded, 3005},
	} {
		k.o.ID, k.o.Fen = order, 3005
		other.Put(k.o)
		h, body := other.Notice(order, nil)
		if n, err := c.Callback(h, body, noon); err != nil || n.Event != k.event || n.RefundFen != k.refund || n.Foreign {
			t.Errorf("%+v: %+v %v", k.o, n, err)
		}
	}
	if a := c.Answer(true); a.Body != "success" || a.Status != http.StatusOK {
		t.Errorf("%+v", a)
	}
	if c.Answer(false).Body == "success" {
		t.Error("what was not stored is answered with success")
	}
}

func TestBill_IsReadFromTheArchive(t *testing.T) {
	c, other := pair(t)
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, counterpart.Campus)
	if rows, err := c.Bill(t.Context(), day); err != nil || len(rows) != 0 {
		t.Errorf("a day with nothing: %v %v", rows, err)
	}
	other.Put(counterpart.Order{ID: "A", Fen: 3005, PaidAt: noon, Trade: "1"})
	other.Put(counterpart.Order{ID: "B", Fen: 2000, PaidAt: noon, Trade: "2", Refunded: 700, RefundAt: noon})
	other.Put(counterpart.Order{ID: "C", Fen: 2000, PaidAt: noon.AddDate(0, 0, 1), Trade: "3"})
	rows, err := c.Bill(t.Context(), day)
	ok(t, err)
	want := []recharge.Row{
		{Order: "A", Trade: "1", Fen: 3005, At: noon.UnixMilli()},
		{Order: "B", Trade: "2", Fen: 2000, At: noon.UnixMilli()},
		{Order: "B", Trade: "2", Fen: -700, RefundFen: 700, At: noon.UnixMilli()},
	}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", rows, want)
	}
}

func FuzzCallback(f *testing.F) {
	c, other := pair(f)
	for _, o := range []counterpart.Order{{}, {PaidAt: noon}, {PaidAt: noon, Refunded: 5, RefundAt: noon}, {Closed: true}} {
		o.ID, o.Fen = order, 3005
		other.Put(o)
		_, body := other.Notice(order, nil)
		f.Add(body)
	}
	f.Add([]byte("sign=&sign_type=RSA2&=&=%"))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := c.Callback(nil, body, noon)
		if err == nil && (n.Order != order || n.Fen != 3005) || err != nil && !errors.Is(err, recharge.ErrForged) {
			t.Errorf("%+v %v", n, err)
		}
	})
}
