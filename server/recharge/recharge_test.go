package recharge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/recharge/alipay"
	"campusgate/server/recharge/internal/counterpart"
	"campusgate/server/recharge/trial"
	"campusgate/server/recharge/wechat"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

func TestPlace_TheSameIDIsTheSameOrder(t *testing.T) {
	w := newWorld(t)
	first := w.place(t, "key-00000001", 3000)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if o := w.place(t, "key-00000001", 3000); o.ID != first.ID || o.Pay == nil || o.Pay.Text != first.Pay.Text {
				t.Errorf("%+v", o)
			}
		})
	}
	wait.Wait()
	if n := w.wechat.Calls("create"); n != 1 {
		t.Errorf("the channel was told %d times", n)
	}
	for _, p := range []recharge.Placing{
		{Person: lin, Key: "key-00000001", Fen: 3001, Channel: wechat.ID, Way: recharge.Native},
		{Person: lin, Key: "key-00000001", Fen: 3000, Channel: alipay.ID, Way: recharge.WAP},
		{Person: lin, Key: "key-00000001", Fen: 3000, Channel: wechat.ID, Way: recharge.Native, Account: "10000025"},
	} {
		if _, err := w.Place(t.Context(), p); !errors.Is(err, recharge.ErrKey) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	other, err := w.Place(t.Context(), recharge.Placing{Person: xu, Key: "key-00000001", Fen: 3000, Channel: wechat.ID, Way: recharge.Native})
	if err != nil || other.ID == first.ID {
		t.Errorf("another person's order under the same key: %v", err)
	}
	if _, err := w.Mine(t.Context(), xu, first.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else's order: %v", err)
	}
}

func TestPlace_RefusesWhatCannotBePaid(t *testing.T) {
	w := newWorld(t)
	good := recharge.Placing{Person: lin, Key: "key-00000001", Fen: 3000, Channel: wechat.ID, Way: recharge.Native}
	for name, c := range map[string]struct {
		spoil func(*recharge.Placing)
		want  error
	}{
		"no key":            {func(p *recharge.Placing) { p.Key = "" }, recharge.ErrInvalid},
		"a long key":        {func(p *recharge.Placing) { p.Key = strings.Repeat("k", 65) }, recharge.ErrInvalid},
		"a formula for key": {func(p *recharge.Placing) { p.Key = "=1+1;DROP" }, recharge.ErrInvalid},
		"too little":        {func(p *recharge.Placing) { p.Fen = recharge.DefaultMin - 1 }, recharge.ErrInvalid},
		"too much":          {func(p *recharge.Placing) { p.Fen = recharge.DefaultMax + 1 }, recharge.ErrInvalid},
		"minus":             {func(p *recharge.Placing) { p.Fen = -3000 }, recharge.ErrInvalid},
		"no such channel":   {func(p *recharge.Placing) { p.Channel = "bank" }, recharge.ErrOff},
		"another's way":     {func(p *recharge.Placing) { p.Way = recharge.WAP }, recharge.ErrOff},
		"no openid":         {func(p *recharge.Placing) { p.Way = recharge.JSAPI }, recharge.ErrInvalid},
		"a hostile openid":  {func(p *recharge.Placing) { p.Way, p.Payer = recharge.JSAPI, "<script>" }, recharge.ErrInvalid},
		"a needless openid": {func(p *recharge.Placing) { p.Payer = "o123" }, recharge.ErrInvalid},
		"no such account":   {func(p *recharge.Placing) { p.Account = "99999999" }, recharge.ErrNoCard},
		"no card":           {func(p *recharge.Placing) { p.Person = "20269999" }, recharge.ErrNoCard},
	} {
		p := good
		c.spoil(&p)
		if _, err := w.Place(t.Context(), p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	w.cards.set(1, wire.CardClosed)
	if _, err := w.Place(t.Context(), good); !errors.Is(err, recharge.ErrCardClosed) {
		t.Errorf("closed account: %v", err)
	}
	if _, total, err := w.List(t.Context(), recharge.Filter{Limit: 10}); err != nil || total != 0 {
		t.Errorf("%d orders were stored, %v", total, err)
	}
	w.cards.set(1, wire.CardLost) // a lost card takes money
	for i := range 20 {
		w.place(t, fmt.Sprintf("key-%08d", i), 1000, trial.ID, recharge.Trial)
	}
	good.Key = "key-another"
	if _, err := w.Place(t.Context(), good); !errors.Is(err, recharge.ErrTooMany) {
		t.Errorf("the 21st unpaid order: %v", err)
	}
}

func TestPlace_AnAnswerThatWasLostIsAskedForAgain(t *testing.T) {
	w := newWorld(t)
	p := recharge.Placing{Person: lin, Key: "key-00000001", Fen: 3000, Channel: wechat.ID, Way: recharge.Native}
	for _, done := range []bool{false, true} {
		w.wechat.SetFault(func(string) (bool, bool) { return done, true })
		if _, err := w.Place(t.Context(), p); !errors.Is(err, recharge.ErrUnavailable) {
			t.Errorf("done %v: %v", done, err)
		}
	}
	w.wechat.SetFault(nil)
	if o, err := w.Place(t.Context(), p); err != nil || o.Pay == nil {
		t.Errorf("%+v %v", o, err)
	}
	if _, total, _ := w.List(t.Context(), recharge.Filter{Limit: 10}); total != 1 {
		t.Errorf("%d orders", total)
	}
}

func TestCallback_CreditsOnceAndOnlyWhatAgrees(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.wechat.Pay(o.ID)
	for name, change := range map[string]func(map[string]any){
		"a fen less":         func(tr map[string]any) { tr["amount"] = map[string]any{"total": 2999, "currency": "CNY"} },
		"dollars":            func(tr map[string]any) { tr["amount"] = map[string]any{"total": 3000, "currency": "USD"} },
		"another merchant's": func(tr map[string]any) { tr["mchid"] = "1900000002" },
		"another app's":      func(tr map[string]any) { tr["appid"] = "wx9" },
		"an order of nobody": func(tr map[string]any) { tr["out_trade_no"] = "RZZZZZZZZZZZZZZZZZZZZZZZZZZ" },
		"a hostile order": func(tr map[string]any) {
			tr["out_trade_no"] = "=1+1'; DROP TABLE recharges;--\u202e" + strings.Repeat("x", 9999)
		},
		"a hostile currency ": func(tr map[string]any) { tr["amount"] = map[string]any{"total": 3000, "currency": "<script>"} },
	} {
		for range 2 { // the channel sends it again: one issue
			if h, body := w.wechat.Notice(o.ID, change); w.hand(wechat.ID, h, body) {
				t.Errorf("%s was taken", name)
			}
		}
	}
	w.state(t, o.ID, recharge.StateCreated)
	if kinds := w.issues(t); len(kinds) != 6 || slices.ContainsFunc(kinds, func(k string) bool { return k != recharge.Mismatch }) {
		t.Errorf("issues %v", kinds) // merchant and app are one
	}
	h, body := w.wechat.Notice(o.ID, nil)
	for range 3 {
		if !w.hand(wechat.ID, h, body) {
			t.Error("the notice was not taken")
		}
	}
	w.pass(24 * time.Hour) // and once more the next day, signed anew
	h, body = w.wechat.Notice(o.ID, nil)
	if !w.hand(wechat.ID, h, body) {
		t.Error("the late notice was not taken")
	}
	w.state(t, o.ID, recharge.StatePaid)
	w.balance(t, 1, 3000)
	w.account(t, ledger.Clearing(wechat.ID), -3000)
	h, body = w.wechat.Notice(o.ID, func(tr map[string]any) { tr["transaction_id"] = "4299" })
	w.hand(wechat.ID, h, body)
	if kinds := w.issues(t); kinds[0] != recharge.PaidTwice {
		t.Errorf("a second payment: %v", kinds)
	}
	w.balance(t, 1, 3000)
	for _, secret := range []string{counterpart.WeChatV3Key, "岚", "10000017", "script", "DROP"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestCallback_AnOrderOfOneChannelIsNotPaidThroughAnother(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.alipay.Put(counterpart.Order{ID: o.ID, Fen: 3000, PaidAt: w.clock(), Trade: "2026"})
	if h, body := w.alipay.Notice(o.ID, nil); w.hand(alipay.ID, h, body) {
		t.Error("taken")
	}
	for _, field := range []string{"app_id", "seller_id", "total_amount"} {
		p := w.place(t, "key-0000-"+strings.ReplaceAll(field, "_", "-"), 2000, alipay.ID, recharge.WAP)
		w.alipay.Put(counterpart.Order{ID: p.ID, Fen: 2000, PaidAt: w.clock(), Trade: "2027"})
		if h, body := w.alipay.Notice(p.ID, func(f url.Values) { f.Set(field, "1999") }); w.hand(alipay.ID, h, body) {
			t.Errorf("another %s was taken", field)
		}
	}
	w.balance(t, 1, 0)
	if _, known := w.Callback(t.Context(), "bank", nil, nil); known {
		t.Error("an unknown channel has an answer")
	}
}

func TestCallback_KeysChangeWhileWeRun(t *testing.T) {
	w := newWorld(t)
	for i, serial := range []string{counterpart.PlatformOld, counterpart.PlatformNew, counterpart.PlatformOld} {
		w.wechat.Serial = serial
		o := w.place(t, fmt.Sprintf("key-%08d", i), 1000)
		w.wechat.Pay(o.ID)
		if h, body := w.wechat.Notice(o.ID, nil); !w.hand(wechat.ID, h, body) {
			t.Errorf("%s: not taken", serial)
		}
	}
	o := w.place(t, "key-later", 1000)
	w.wechat.Pay(o.ID)
	w.wechat.Serial, w.wechat.Platform["PUB_KEY_ID_9"] = "PUB_KEY_ID_9", w.wechat.Platform[counterpart.PlatformOld]
	if h, body := w.wechat.Notice(o.ID, nil); w.hand(wechat.ID, h, body) {
		t.Error("a key that is not in the configuration was taken")
	}
	w.balance(t, 1, 3000)
}

func TestTick_AsksUntilItIsKnown(t *testing.T) {
	w := newWorld(t)
	paid, left := w.place(t, "key-00000001", 3000), w.place(t, "key-00000002", 2000)
	for i := range 5 {
		w.place(t, fmt.Sprintf("key-more-%d", i), 1000)
	}
	w.wechat.Pay(paid.ID) // and the notice is lost
	ok(t, w.Tick(t.Context()))
	if n := w.wechat.Calls("query"); n != 0 {
		t.Errorf("asked %d times at once", n)
	}
	w.wechat.SetFault(func(string) (bool, bool) { return true, true })
	w.pass(31 * time.Second)
	if err := w.Tick(t.Context()); !errors.Is(err, recharge.ErrUnavailable) {
		t.Errorf("no answer: %v", err)
	}
	if n := w.wechat.Calls("query"); n > 2 { // Go itself repeats a GET when a connection breaks
		t.Errorf("a channel that does not answer was asked %d times", n)
	}
	w.wechat.SetFault(nil)
	w.pass(2 * time.Minute)
	ok(t, w.Tick(t.Context()))
	w.state(t, paid.ID, recharge.StatePaid)
	w.state(t, left.ID, recharge.StateCreated)
	w.balance(t, 1, 3000)
	for range 8 {
		w.pass(time.Hour)
		ok(t, w.Tick(t.Context()))
	}
	w.state(t, left.ID, recharge.StateClosed)
	if o, _ := w.wechat.Order(left.ID); !o.Closed {
		t.Error("it is open at the channel")
	}
	asked := w.wechat.Calls("query")
	w.pass(24 * time.Hour)
	ok(t, w.Tick(t.Context()))
	if n := w.wechat.Calls("query"); n != asked {
		t.Error("asked although it is known")
	}
}

func TestTick_MoneyThatComesAfterTheCloseIsCredited(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.pass(time.Hour)
	ok(t, w.Tick(t.Context()))
	w.state(t, o.ID, recharge.StateClosed)
	w.wechat.Put(counterpart.Order{ID: o.ID, Fen: 3000, PaidAt: w.clock(), Trade: "4200"})
	if h, body := w.wechat.Notice(o.ID, nil); !w.hand(wechat.ID, h, body) {
		t.Error("not taken")
	}
	w.state(t, o.ID, recharge.StatePaid)
	w.balance(t, 1, 3000)
}

func TestCredit_ClosedAccountLeavesTheMoneyInSuspense(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.cards.set(1, wire.CardClosed)
	w.wechat.Pay(o.ID)
	h, body := w.wechat.Notice(o.ID, nil)
	for range 2 {
		if !w.hand(wechat.ID, h, body) {
			t.Error("not taken")
		}
	}
	if o := w.state(t, o.ID, recharge.StatePaid); !o.Suspended {
		t.Error("not in suspense")
	}
	w.account(t, ledger.Suspense, 3000)
	w.balance(t, 1, 0)
	found, _, err := w.Issues(t.Context(), false, 10, 0)
	ok(t, err)
	if len(found) != 1 || found[0].Kind != recharge.AccountClosed {
		t.Fatalf("issues %+v", found)
	}
	id := found[0].ID
	if list, err := w.Suspense(t.Context(), 10); err != nil || len(list) != 1 || list[0].ID != o.ID || list[0].Issue != id || list[0].Fen != 3000 {
		t.Fatalf("in suspense %+v, %v", list, err)
	}
	// A word alone closes the issue; the money can still be moved.
	_, err = w.Resolve(t.Context(), "clerk", id, "", "已联系本人")
	ok(t, err)
	if _, err := w.Resolve(t.Context(), "clerk", id, "", "again"); !errors.Is(err, store.ErrState) {
		t.Errorf("a word twice: %v", err)
	}
	if _, err := w.Resolve(t.Context(), "clerk", id, "10000017", "to the old account"); !errors.Is(err, recharge.ErrCardClosed) {
		t.Errorf("into a closed account: %v", err)
	}
	if _, err := w.Resolve(t.Context(), "clerk", id, "10000025", " "); !errors.Is(err, recharge.ErrInvalid) {
		t.Errorf("without a note: %v", err)
	}
	_, err = w.Resolve(t.Context(), "clerk", id, "10000025", "转入本人新账户")
	ok(t, err)
	w.account(t, ledger.Suspense, 0)
	w.balance(t, 2, 3000)
	if list, err := w.Suspense(t.Context(), 10); err != nil || len(list) != 0 {
		t.Fatalf("in suspense %+v, %v", list, err)
	}
	if _, err := w.Resolve(t.Context(), "clerk", id, "10000025", "again"); !errors.Is(err, store.ErrState) {
		t.Errorf("twice: %v", err)
	}
	if _, err := w.Resolve(t.Context(), "clerk", 999, "", "x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	w.balance(t, 2, 3000)
}

func TestRefund_BeforeOrAfterThePaymentComesToTheSame(t *testing.T) {
	for name, order := range map[string][]string{
		"after": {"paid", "refund"}, "before": {"refund", "paid"}, "twice": {"refund", "paid", "refund", "paid"}, "asked": {"ask", "paid", "refund"},
		"only the refund": {"refund"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.place(t, "key-00000001", 3000)
			w.wechat.Pay(o.ID)
			w.wechat.Refund(o.ID, 3000)
			for _, what := range order {
				switch what {
				case "ask":
					w.pass(time.Minute)
					ok(t, w.Tick(t.Context()))
					w.balance(t, 1, 0) // nobody may spend what may have gone back
				case "paid":
					h, body := w.wechat.Notice(o.ID, nil)
					w.hand(wechat.ID, h, body)
				case "refund":
					h, body := w.wechat.RefundNotice(o.ID)
					w.hand(wechat.ID, h, body)
				}
			}
			w.state(t, o.ID, recharge.StateRefunded)
			w.balance(t, 1, 0)
			w.account(t, ledger.Clearing(wechat.ID), 0)
		})
	}
}

func TestRefund_WhatWasSpentIsADebtAndAPartIsForTheOffice(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.wechat.Pay(o.ID)
	h, body := w.wechat.Notice(o.ID, nil)
	w.hand(wechat.ID, h, body)
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.money.Post(tx, ledger.Transfer{ID: "charge/1", Kind: ledger.KindCharge, At: tx.Now(), Day: "2026-11-21", Card: 1, Entries: []ledger.Entry{
			{Account: ledger.Main(1), Fen: -2500}, {Account: ledger.Merchant(1), Fen: 2500},
		}})
		return err
	}))
	w.wechat.Refund(o.ID, 100)
	h, body = w.wechat.RefundNotice(o.ID)
	w.hand(wechat.ID, h, body)
	if kinds := w.issues(t); !slices.Equal(kinds, []string{recharge.PartRefund}) {
		t.Errorf("issues %v", kinds)
	}
	w.balance(t, 1, 500)
	w.wechat.Refund(o.ID, 2900)
	h, body = w.wechat.RefundNotice(o.ID)
	w.hand(wechat.ID, h, body)
	w.state(t, o.ID, recharge.StateRefunded)
	w.account(t, ledger.Main(1), 0)
	w.account(t, ledger.Debt(1), -2500)
}

func TestTrial_PaysByAButton(t *testing.T) {
	w := newWorld(t)
	for _, paid := range []bool{true, false} {
		o := w.place(t, fmt.Sprintf("key-0000-%v", paid), 3000, trial.ID, recharge.Trial)
		if o.Pay == nil || o.Pay.Kind != recharge.Trial {
			t.Errorf("%+v", o.Pay)
		}
		for range 2 {
			ok(t, w.trial.Press(t.Context(), o.ID, paid))
		}
		ok(t, w.trial.Press(t.Context(), o.ID, !paid)) // the first press counts
		for range 2 {
			_, err := w.Ask(t.Context(), o.ID)
			ok(t, err)
		}
		w.state(t, o.ID, map[bool]recharge.State{true: recharge.StatePaid, false: recharge.StateFailed}[paid])
	}
	w.balance(t, 1, 3000)
	if err := w.trial.Press(t.Context(), "R", true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no order: %v", err)
	}
	o := w.place(t, "key-nobody", 1000, trial.ID, recharge.Trial)
	w.pass(time.Hour)
	ok(t, w.Tick(t.Context()))
	w.state(t, o.ID, recharge.StateClosed)
	ok(t, w.trial.Press(t.Context(), o.ID, true))
	w.balance(t, 1, 3000)
}

func TestRefresh_DoesNotAskAgainAtOnce(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	for range 5 {
		_, err := w.Refresh(context.Background(), o.ID)
		ok(t, err)
	}
	if n := w.wechat.Calls("query"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	w.pass(3 * time.Second)
	w.wechat.Pay(o.ID)
	if o, err := w.Refresh(context.Background(), o.ID); err != nil || o.State() != recharge.StatePaid {
		t.Errorf("%s %v", o.State(), err)
	}
	if bytes.Contains(w.log.Bytes(), []byte("ERROR")) {
		t.Error(w.log.String())
	}
}
