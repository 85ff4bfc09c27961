package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/recharge/wechat"
	"campusgate/server/store"
)

// holder signs somebody in who has a card.
func (w *world) holder(t testing.TB, number, name string) (who string, account uint64) {
	t.Helper()
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.staff.AddPerson(tx, "test", people.Person{ID: number, Name: name, Kind: people.Staff})
		return err
	}))
	c, err := w.cards.Open(t.Context(), "test", number)
	ok(t, err)
	_, err = w.cards.Bind(t.Context(), number, name, number)
	ok(t, err)
	return w.enter(t, number), c.Account
}

func order(id string, fen int64) map[string]any {
	return map[string]any{"id": id, "amount_fen": fen, "channel": "trial", "way": "trial"}
}

func (w *world) options(t testing.TB, who, query string) (o api.RechargeOptions) {
	t.Helper()
	w.as(t, who, 200, "GET", "/api/v1/recharge/options"+query, nil, &o)
	return o
}

func TestOptions_CM074_CM075_CM076_CM088_BeforePayingOneSeesWhoseAccountItIs(t *testing.T) {
	w := newWorld(t)
	lin, _ := w.holder(t, "T2001", "林晓岚")
	xu, _ := w.holder(t, "T2002", "许文")
	o, other := w.options(t, lin, ""), w.options(t, xu, "")
	t.Run("CM-074 name and account number", func(t *testing.T) {
		if o.HolderMasked != "**岚" || len(o.Account) < 8 || o.Account == other.Account {
			t.Errorf("%+v", o)
		}
		if got := w.options(t, lin, "?account="+other.Account); got.HolderMasked != "*文" || got.Account != other.Account {
			t.Errorf("somebody else's: %+v", got)
		}
		body := order("order-0001", 3000)
		body["account"] = other.Account
		var r api.Recharge
		if w.as(t, lin, 201, "POST", "/api/v1/recharges", body, &r); r.Account != other.Account || r.HolderMasked != "*文" || r.State != "created" {
			t.Errorf("%+v", r)
		}
		for _, number := range []string{"10000001", "x", "%27%20OR%201=1"} {
			w.refused(t, w.call(t, lin, "GET", "/api/v1/recharge/options?account="+number, nil), 404, "NO_CARD")
		}
	})
	t.Run("CM-075 amounts", func(t *testing.T) {
		if !slices.Equal(o.AmountsFen, []int64{1000, 2000, 3000, 5000, 10000, 20000}) {
			t.Errorf("%v", o.AmountsFen)
		}
	})
	t.Run("CM-076 the warning", func(t *testing.T) {
		if o.Warning.ZH != "请确保“账户账号”正确再充值!如有疑问,请咨询“财务资产处”" || o.Warning.EN == "" {
			t.Errorf("%+v", o.Warning)
		}
	})
	t.Run("CM-088 another amount", func(t *testing.T) {
		var r api.Recharge
		if w.as(t, lin, 201, "POST", "/api/v1/recharges", order("order-0002", 1234), &r); r.AmountFen != 1234 {
			t.Errorf("%+v", r)
		}
		for _, fen := range []int64{o.MinFen - 1, o.MaxFen + 1} {
			w.refused(t, w.call(t, lin, "POST", "/api/v1/recharges", order("order-0003", fen)), 422, "invalid")
		}
	})
	nobody := w.someone(t, "T2009")
	w.refused(t, w.call(t, nobody, "GET", "/api/v1/recharge/options", nil), 404, "NO_CARD")
	w.refused(t, w.call(t, nobody, "POST", "/api/v1/recharges", order("order-0001", 3000)), 404, "NO_CARD")
}

func TestRecharge_CM073_CM089_ChooseAnAmountPayAndAskWhetherItArrived(t *testing.T) {
	w := newWorld(t)
	lin, account := w.holder(t, "T2001", "林晓岚")
	xu, _ := w.holder(t, "T2002", "许文")
	var r api.Recharge
	w.as(t, lin, 201, "POST", "/api/v1/recharges", order("order-0001", 3000), &r)
	if r.Pay == nil || r.Pay.Kind != "trial" || r.State != "created" {
		t.Fatalf("%+v", r)
	}
	path := "/api/v1/recharges/" + r.Order
	w.refused(t, w.call(t, xu, "GET", path, nil), 404, "not_found")
	w.refused(t, w.call(t, xu, "POST", path+"/trial", map[string]any{"ok": true}), 404, "not_found")
	if w.as(t, lin, 200, "GET", path, nil, &r); r.State != "created" {
		t.Errorf("%+v", r)
	}
	for range 2 {
		if w.as(t, lin, 200, "POST", path+"/trial", map[string]any{"ok": true}, &r); r.State != "paid" || r.Pay != nil {
			t.Errorf("%+v", r)
		}
	}
	b, err := w.money.Balance(t.Context(), w.db.Reader(), account)
	if err != nil || b.Total() != 3000 {
		t.Errorf("%+v %v", b, err)
	}
	w.as(t, lin, 201, "POST", "/api/v1/recharges", order("order-0001", 3000), &r)
	if r.State != "paid" {
		t.Errorf("the same order again: %+v", r)
	}
	w.refused(t, w.call(t, lin, "POST", "/api/v1/recharges", order("order-0001", 5000)), 409, "ID_REUSED")
	w.now.Add(1000)
	w.as(t, lin, 201, "POST", "/api/v1/recharges", order("order-0002", 1000), &r)
	w.as(t, lin, 200, "POST", "/api/v1/recharges/"+r.Order+"/trial", map[string]any{"ok": false}, &r)
	if r.State != "failed" {
		t.Errorf("%+v", r)
	}
	var mine struct {
		Items []api.Recharge
		Next  int64
	}
	w.as(t, lin, 200, "GET", "/api/v1/recharges?limit=1", nil, &mine)
	if len(mine.Items) != 1 || mine.Items[0].State != "failed" || mine.Next == 0 {
		t.Errorf("%+v", mine)
	}
	w.as(t, lin, 200, "GET", fmt.Sprintf("/api/v1/recharges?before=%d", mine.Next), nil, &mine)
	if len(mine.Items) != 1 || mine.Items[0].AmountFen != 3000 || mine.Next != 0 {
		t.Errorf("%+v", mine)
	}
	var all struct {
		Items []api.OfficeRecharge
		Total int
	}
	clerk := w.someone(t, "T2008", people.Post{Role: people.CardOffice})
	for query, want := range map[string]int{"": 2, "?state=paid": 1, "?state=failed&channel=trial": 1, "?channel=wechat": 0, "?day=2026-11-21": 2, "?day=2026-11-20": 0} {
		if w.as(t, clerk, 200, "GET", "/api/v1/recharges/all"+query, nil, &all); all.Total != want || len(all.Items) != want {
			t.Errorf("%s: %+v", query, all)
		}
	}
	w.refused(t, w.call(t, lin, "GET", "/api/v1/recharges/all", nil), 403, "forbidden")
	body := order("order-0009", 3000)
	body["channel"], body["way"] = "wechat", "native"
	w.refused(t, w.call(t, lin, "POST", "/api/v1/recharges", body), 409, "CHANNEL_OFF")
	if log := w.log.String(); strings.Contains(log, "T2001") || strings.Contains(log, "林") {
		t.Error("the log names somebody")
	}
}

func TestBills_OverHTTP(t *testing.T) {
	w := newWorld(t)
	lin, _ := w.holder(t, "T2001", "林晓岚")
	var r api.Recharge
	w.as(t, lin, 201, "POST", "/api/v1/recharges", order("order-0001", 3000), &r)
	ok(t, w.trial.Press(t.Context(), r.Order, true)) // and nobody asks
	w.now.Add((24 * time.Hour).Milliseconds())
	var b api.Bill
	w.want(t, 200, "POST", "/api/v1/bills/trial/2026-11-21", map[string]any{}, &b)
	if b.Recovered != 1 || b.Matched != 1 || len(b.MissingHere)+len(b.MissingThere)+len(b.Differs) != 0 {
		t.Errorf("%+v", b)
	}
	var list struct{ Items []api.Bill }
	if w.want(t, 200, "GET", "/api/v1/bills?channel=trial&day=2026-11-21", nil, &list); len(list.Items) != 1 || list.Items[0].PaidFen != 3000 {
		t.Errorf("%+v", list)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/bills/trial/2026-11-29", map[string]any{}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/bills/bank/2026-11-21", map[string]any{}), 409, "CHANNEL_OFF")
	var issues struct{ Items []api.RechargeIssue }
	if w.want(t, 200, "GET", "/api/v1/recharges/issues?all=true", nil, &issues); len(issues.Items) != 0 {
		t.Errorf("%+v", issues)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/recharges/issues/7/resolve", map[string]any{"note": "x"}), 404, "not_found")
}

func TestCallback_AnswersInTheChannelsOwnForm(t *testing.T) {
	w := newWorld(t, func(w *world, d *api.Deps) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		ok(t, err)
		c, err := wechat.New(wechat.Config{
			AppID: "a", MchID: "m", Serial: "s", Key: key, APIv3Key: make([]byte, 32), Platform: map[string]*rsa.PublicKey{"p": &key.PublicKey},
			Now: w.Now, Rand: rand.Reader, Location: campusZone, BaseURL: "http://127.0.0.1:1",
		})
		ok(t, err)
		d.Recharge = w.counter(c)
	})
	send := func(channel, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/api/v1/recharge/callbacks/"+channel, strings.NewReader(body))
		ok(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := w.Client().Do(req)
		ok(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	res := send("wechat", `{"id":"x"}`)
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 400 || string(text) != `{"code":"FAIL","message":"未受理"}` {
		t.Errorf("forged: %d %s %v", res.StatusCode, text, err)
	}
	for channel, want := range map[string]int{"trial": 400, "bank": 404} {
		if res := send(channel, "{}"); res.StatusCode != want {
			t.Errorf("%s: %d", channel, res.StatusCode)
		}
	}
	if res := send("wechat", strings.Repeat("x", 70<<10)); res.StatusCode != 413 {
		t.Errorf("too long: %d", res.StatusCode)
	}
}

func TestCash_OverHTTP(t *testing.T) {
	w := newWorld(t)
	_, _ = w.holder(t, "T2001", "林晓岚")
	c, err := w.cards.OfPerson(t.Context(), w.db.Reader(), "T2001")
	ok(t, err)
	clerk := w.someone(t, "T2008", people.Post{Role: people.CardOffice})
	move := map[string]any{"id": "move-0001", "account": c.Display, "amount_fen": 5000}
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/cash/recharges", move), 409, "NO_SHIFT")
	w.refused(t, w.call(t, clerk, "GET", "/api/v1/cash/shifts/current", nil), 409, "NO_SHIFT")
	var s api.CashShift
	w.as(t, clerk, 201, "POST", "/api/v1/cash/shifts", map[string]any{"float_fen": 20000}, &s)
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/cash/shifts", map[string]any{"float_fen": 0}), 409, "SHIFT_OPEN")
	var m api.CashMove
	for range 2 {
		if w.as(t, clerk, 201, "POST", "/api/v1/cash/recharges", move, &m); m.BalanceFen != 5000 || m.Holder != "**岚" || m.Account != c.Display {
			t.Errorf("%+v", m)
		}
	}
	move["account"] = "10000001"
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/cash/recharges", move), 404, "NO_CARD")
	w.as(t, clerk, 201, "POST", "/api/v1/cash/payouts", map[string]any{"id": "move-0002", "account": c.Display}, &m)
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/cash/payouts", map[string]any{"id": "move-0003", "account": c.Display}), 409, "NOTHING_TO_PAY")
	if m.AmountFen != 5000 || m.BalanceFen != 0 || m.Kind != "payout" {
		t.Errorf("%+v", m)
	}
	w.as(t, clerk, 200, "POST", fmt.Sprintf("/api/v1/cash/shifts/%d/close", s.ID), map[string]any{"counted_fen": 20100}, &s)
	if s.State != "closed" || s.DifferenceFen != 100 || s.InFen != 5000 || s.OutFen != 5000 {
		t.Errorf("%+v", s)
	}
	var list struct{ Items []api.CashShift }
	if w.as(t, clerk, 200, "GET", "/api/v1/cash/shifts", nil, &list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
}

func TestUtilities_CM086_CM087_OverHTTP(t *testing.T) {
	w := newWorld(t)
	lin, account := w.holder(t, "T2001", "林晓岚")
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.money.Post(tx, ledger.Transfer{ID: "o", Kind: ledger.KindAdjust, At: tx.Now(), Day: "2026-11-21", Card: account, Entries: []ledger.Entry{
			{Account: ledger.Opening, Fen: -5000}, {Account: ledger.Main(account), Fen: 5000},
		}})
		return err
	}))
	var u struct{ Kinds []api.UtilityKind }
	w.as(t, lin, 200, "GET", "/api/v1/utilities", nil, &u)
	names := map[string]string{"electricity": "CM-086", "hot_water": "CM-087"}
	for i, k := range u.Kinds {
		t.Run(names[k.Kind], func(t *testing.T) {
			if !k.Available || len(k.Meters) != 1 || len(k.AmountsFen) != 6 || k.Name.ZH == "" {
				t.Fatalf("%+v", k)
			}
			body := map[string]any{"id": fmt.Sprintf("pay-0000%d", i), "meter": k.Meters[0].ID, "amount_fen": 2000}
			var p api.UtilityPayment
			for range 2 {
				if w.as(t, lin, 201, "POST", "/api/v1/utilities/"+k.Kind+"/payments", body, &p); p.State != "done" || p.AmountFen != 2000 {
					t.Errorf("%+v", p)
				}
			}
		})
	}
	if len(u.Kinds) != 2 {
		t.Fatalf("%+v", u)
	}
	body := map[string]any{"id": "pay-more-1", "meter": u.Kinds[0].Meters[0].ID, "amount_fen": 2000}
	w.refused(t, w.call(t, lin, "POST", "/api/v1/utilities/electricity/payments", body), 409, "INSUFFICIENT_BALANCE")
	w.refused(t, w.call(t, lin, "POST", "/api/v1/utilities/gas/payments", body), 404, "not_found")
	var list struct{ Items []api.UtilityPayment }
	if w.as(t, lin, 200, "GET", "/api/v1/utilities/payments", nil, &list); len(list.Items) != 2 {
		t.Errorf("%+v", list)
	}
	b, err := w.money.Balance(t.Context(), w.db.Reader(), account)
	if err != nil || b.Total() != 1000 {
		t.Errorf("%+v %v", b, err)
	}
}
