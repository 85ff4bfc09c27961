package recharge_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/recharge/alipay"
	"campusgate/server/recharge/internal/counterpart"
	"campusgate/server/recharge/wechat"
	"campusgate/server/store"
)

const day = "2026-11-21"

func TestBill_NamesWhatIsMissingHereOrThereOrDiffers(t *testing.T) {
	w := newWorld(t)
	paid, lost, differs := w.place(t, "key-00000001", 3000), w.place(t, "key-00000002", 2000), w.place(t, "key-00000003", 1000)
	for _, o := range []recharge.Order{paid, lost} {
		w.wechat.Pay(o.ID)
	}
	h, body := w.wechat.Notice(paid.ID, nil)
	w.hand(wechat.ID, h, body)
	w.wechat.Put(counterpart.Order{ID: differs.ID, Fen: 999, PaidAt: w.clock(), Trade: "4"})
	w.wechat.Put(counterpart.Order{ID: "STRANGER1", Fen: 777, PaidAt: w.clock(), Trade: "5"})
	gone := w.place(t, "key-00000004", 5000) // paid, and then not in their bill
	w.wechat.Pay(gone.ID)
	h, body = w.wechat.Notice(gone.ID, nil)
	w.hand(wechat.ID, h, body)
	had, _ := w.wechat.Order(gone.ID)
	had.PaidAt = had.PaidAt.AddDate(0, 0, -9)
	w.wechat.Put(had)

	if _, err := w.FetchBill(t.Context(), "test", wechat.ID, day); !errors.Is(err, recharge.ErrInvalid) {
		t.Errorf("a day that has not ended: %v", err)
	}
	w.pass(24 * time.Hour)
	for range 2 { // again, it finds the same, but for what it has mended
		b, err := w.FetchBill(t.Context(), "test", wechat.ID, day)
		ok(t, err)
		want := []recharge.Difference{
			{Kind: recharge.Differs, Order: differs.ID, Trade: "4", BillFen: 999, OurFen: 1000},
			{Kind: recharge.MissingHere, Order: "STRANGER1", Trade: "5", BillFen: 777},
			{Kind: recharge.MissingThere, Order: gone.ID, Trade: had.Trade, OurFen: 5000},
		}
		stored, err := w.Bill(t.Context(), wechat.ID, day)
		ok(t, err)
		if !slices.Equal(stored.Differences, want) || stored.Matched != 2 || stored.Lines != 4 || stored.PaidFen != 6776 || stored.FetchedBy != "test" {
			t.Errorf("stored %+v", stored)
		}
		if len(b.Differences) != 3 {
			t.Errorf("given %+v", b)
		}
	}
	w.state(t, lost.ID, recharge.StatePaid)
	w.state(t, differs.ID, recharge.StateCreated)
	w.balance(t, 1, 10000)
}

func TestBill_CreditsNothingThatTheChannelDoesNotConfirm(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.wechat.Pay(o.ID)
	w.pass(24 * time.Hour)
	for _, done := range []bool{false, true} {
		w.wechat.SetFault(func(call string) (bool, bool) { return done, call == "query" })
		if _, err := w.FetchBill(t.Context(), "test", wechat.ID, day); !errors.Is(err, recharge.ErrUnavailable) {
			t.Errorf("done %v: %v", done, err)
		}
		w.balance(t, 1, 0)
	}
	w.wechat.SetFault(nil)
	w.wechat.SpoilSum = true
	if _, err := w.FetchBill(t.Context(), "test", wechat.ID, day); !errors.Is(err, recharge.ErrUnavailable) {
		t.Errorf("a spoiled file: %v", err)
	}
	w.wechat.SpoilSum = false
	b, err := w.FetchBill(t.Context(), "test", wechat.ID, day)
	ok(t, err)
	if b.Recovered != 1 || b.Matched != 1 || len(b.Differences) != 0 {
		t.Errorf("%+v", b)
	}
	w.balance(t, 1, 3000)
}

func TestBill_RefundsInItAreTakenIn(t *testing.T) {
	for _, c := range []struct {
		channel, way string
		refund       int64
		state        recharge.State
		left         int64
		issues       []string
	}{
		{wechat.ID, recharge.Native, 3000, recharge.StateRefunded, 0, []string{}},
		{alipay.ID, recharge.WAP, 3000, recharge.StateRefunded, 0, []string{}},
		{wechat.ID, recharge.Native, 100, recharge.StatePaid, 3000, []string{recharge.PartRefund}},
		{alipay.ID, recharge.WAP, 100, recharge.StatePaid, 3000, []string{recharge.PartRefund}},
	} {
		for _, credited := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %d credited %v", c.channel, c.refund, credited), func(t *testing.T) {
				w := newWorld(t)
				o := w.place(t, "key-00000001", 3000, c.channel, c.way)
				books := &w.wechat.Books
				if c.channel == alipay.ID {
					books = &w.alipay.Books
					_, err := w.alipay.Open(o.Pay.URL)
					ok(t, err)
				}
				books.Pay(o.ID)
				if credited {
					_, err := w.Ask(t.Context(), o.ID)
					ok(t, err)
				}
				books.Refund(o.ID, c.refund)
				w.pass(24 * time.Hour)
				b, err := w.FetchBill(t.Context(), "test", c.channel, day)
				ok(t, err)
				w.state(t, o.ID, c.state)
				w.balance(t, 1, c.left)
				if b.RefundedFen != c.refund || b.PaidFen != 3000 || len(b.Differences) != 0 || !slices.Equal(w.issues(t), c.issues) {
					t.Errorf("%+v, issues %v", b, w.issues(t))
				}
			})
		}
	}
}

func TestTickBills_FetchesEachDayOnce(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.wechat.Pay(o.ID)
	w.pass(21 * time.Hour) // nine in the morning: not ready
	ok(t, w.TickBills(t.Context()))
	if _, err := w.Bill(t.Context(), wechat.ID, day); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("fetched too early: %v", err)
	}
	w.pass(2 * time.Hour)
	w.wechat.SetFault(func(string) (bool, bool) { return true, true })
	if err := w.TickBills(t.Context()); !errors.Is(err, recharge.ErrUnavailable) {
		t.Errorf("no answer: %v", err)
	}
	w.wechat.SetFault(nil)
	before := w.alipay.Calls("bill")
	ok(t, w.TickBills(t.Context()))
	if _, err := w.Bill(t.Context(), wechat.ID, day); err != nil {
		t.Error(err)
	}
	if n := w.alipay.Calls("bill"); n != before {
		t.Errorf("a bill that is there was fetched again")
	}
	w.state(t, o.ID, recharge.StatePaid)
	all, err := w.Bills(t.Context(), "", day, 10, 0)
	if err != nil || len(all) != 3 {
		t.Errorf("%d bills of the day, %v", len(all), err)
	}
}

func TestBill_WhatWentBackOnALaterDayIsSettledByThatDaysBill(t *testing.T) {
	w := newWorld(t)
	o := w.place(t, "key-00000001", 3000)
	w.wechat.Pay(o.ID) // nobody tells us
	w.pass(24 * time.Hour)
	w.wechat.Refund(o.ID, 3000)
	settled := func(fetch string, want bool) {
		t.Helper()
		_, err := w.FetchBill(t.Context(), "test", wechat.ID, fetch)
		ok(t, err)
		b, err := w.Bill(t.Context(), wechat.ID, day)
		if err != nil || len(b.Differences) != 1 || b.Differences[0].Kind != recharge.MissingHere || b.Differences[0].Settled != want {
			t.Errorf("%+v %v", b, err)
		}
		w.balance(t, 1, 0)
	}
	settled(day, false) // how much went back is not known: nothing is credited
	w.pass(24 * time.Hour)
	settled("2026-11-22", true)
	w.state(t, o.ID, recharge.StateRefunded)
}
