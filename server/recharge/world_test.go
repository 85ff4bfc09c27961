package recharge_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/recharge/alipay"
	"campusgate/server/recharge/internal/counterpart"
	"campusgate/server/recharge/trial"
	"campusgate/server/recharge/wechat"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/wire"
)

const (
	lin = "20260001" // a person with account 1
	xu  = "20260002" // account 2
)

// sides are the counterparts: their keys take long to make, and are shared by
// the runs of a property.
type sides struct {
	wechat *counterpart.WeChat
	alipay *counterpart.Alipay
	now    *atomic.Int64
}

func newSides(t testing.TB) *sides {
	t.Helper()
	s := &sides{now: &atomic.Int64{}}
	s.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, counterpart.Campus).UnixMilli())
	clock := func() time.Time { return time.UnixMilli(s.now.Load()) }
	s.wechat, s.alipay = counterpart.NewWeChat(t, rand.Reader, clock), counterpart.NewAlipay(t, rand.Reader, clock)
	return s
}

// world is the service over a real database and a real ledger.
type world struct {
	*recharge.Service
	*sides
	db     *store.Store
	money  *ledger.Ledger
	cards  *holders
	trial  *trial.Channel
	log    *bytes.Buffer
	alarms []string
	told   map[string]string // what a program of the campus is told: kind and counts by id

	mu    sync.Mutex
	fault func() (bool, error)
}

// holders are card accounts.
type holders struct {
	mu    sync.Mutex
	cards map[uint64]recharge.Card
}

func (h *holders) set(account uint64, state wire.CardState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.cards[account]
	c.State = state
	h.cards[account] = c
}

func (h *holders) find(is func(recharge.Card) bool) (recharge.Card, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.cards {
		if is(c) {
			return c, nil
		}
	}
	return recharge.Card{}, recharge.ErrNoCard
}

func (h *holders) OfPerson(_ context.Context, _ store.Source, person string) (recharge.Card, error) {
	return h.find(func(c recharge.Card) bool { return fmt.Sprintf("2026000%d", c.Account) == person })
}

func (h *holders) Find(_ context.Context, _ store.Source, account uint64) (recharge.Card, error) {
	return h.find(func(c recharge.Card) bool { return c.Account == account })
}

func (h *holders) Named(_ context.Context, _ store.Source, number string) (recharge.Card, error) {
	return h.find(func(c recharge.Card) bool { return c.Number == number })
}

// fatal is what fails a test: testing's, or rapid's.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := open(t, newSides(t), t.TempDir())
	t.Cleanup(func() { ok(t, w.db.Close()) })
	return w
}

func (w *world) clock() time.Time { return time.UnixMilli(w.now.Load()) }

func (w *world) pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

func open(t fatal, s *sides, dir string) *world {
	t.Helper()
	w := &world{sides: s, log: &bytes.Buffer{}, cards: &holders{cards: map[uint64]recharge.Card{
		1: {Account: 1, Number: "10000017", Holder: "**岚", State: wire.CardActive},
		2: {Account: 2, Number: "10000025", Holder: "*文", State: wire.CardActive},
	}}}
	w.db, _ = storetest.Found(t, dir, store.Options{Now: w.clock, Random: rand.Reader, Fault: func() (bool, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.fault == nil {
			return true, nil
		}
		return w.fault()
	}})
	w.money = ledger.New(ledger.Config{Store: w.db, Now: w.clock, Location: counterpart.Campus, Alarm: func(what string) { w.alarms = append(w.alarms, what) }})
	w.trial = &trial.Channel{Store: w.db}
	chat, err := wechat.New(wechat.Config{
		AppID: counterpart.WeChatApp, MchID: counterpart.WeChatMch, Serial: counterpart.WeChatSerial, Key: s.wechat.Merchant,
		APIv3Key: []byte(counterpart.WeChatV3Key), NotifyURL: "https://gate.example.edu/n", BaseURL: s.wechat.Server.URL,
		Platform: map[string]*rsa.PublicKey{
			counterpart.PlatformOld: &s.wechat.Platform[counterpart.PlatformOld].PublicKey,
			counterpart.PlatformNew: &s.wechat.Platform[counterpart.PlatformNew].PublicKey,
		},
		Now: w.clock, Rand: rand.Reader, Location: counterpart.Campus,
	})
	ok(t, err)
	ali, err := alipay.New(alipay.Config{
		AppID: counterpart.AlipayApp, SellerID: counterpart.AlipaySeller, Key: s.alipay.Merchant, PublicKey: &s.alipay.Own.PublicKey,
		NotifyURL: "https://gate.example.edu/n", BaseURL: s.alipay.Server.URL + "/gateway.do", Now: w.clock, Location: counterpart.Campus,
	})
	ok(t, err)
	w.Service = recharge.New(recharge.Config{
		Store: w.db, Ledger: w.money, Cards: w.cards, Channels: []recharge.Channel{chat, ali, w.trial}, Now: w.clock, Location: counterpart.Campus,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Amounts: recharge.DefaultAmounts(), Min: recharge.DefaultMin, Max: recharge.DefaultMax,
		Alarm: w.alarm,
	})
	return w
}

// spoil makes commits go wrong: undone, or done and not said so. nil = no more.
func (w *world) spoil(fault func() (bool, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
}

var errDisk = errors.New("disk")

// place orders by WeChat's QR code; a channel and a way may be named.
func (w *world) place(t fatal, key string, fen int64, more ...string) recharge.Order {
	t.Helper()
	p := recharge.Placing{Person: lin, Key: key, Fen: fen, Channel: wechat.ID, Way: recharge.Native}
	if len(more) > 0 {
		p.Channel, p.Way = more[0], more[1]
	}
	o, err := w.Place(context.Background(), p)
	ok(t, err)
	return o
}

// hand takes a notice in and reports whether the channel is told so.
func (w *world) hand(channel string, h http.Header, body []byte) bool {
	a, known := w.Callback(context.Background(), channel, h, body)
	return known && (a.Body == "success" || a.Status == http.StatusNoContent)
}

func (w *world) find(t fatal, id string) recharge.Order {
	t.Helper()
	o, err := w.Find(context.Background(), id)
	ok(t, err)
	return o
}

func (w *world) state(t fatal, id string, want recharge.State) recharge.Order {
	t.Helper()
	o := w.find(t, id)
	if o.State() != want {
		t.Fatalf("order is %s, want %s", o.State(), want)
	}
	return o
}

func (w *world) balance(t fatal, account uint64, want int64) {
	t.Helper()
	b, err := w.money.Balance(context.Background(), w.db.Reader(), account)
	ok(t, err)
	if b.Total() != want {
		t.Fatalf("account %d has %d fen, want %d", account, b.Total(), want)
	}
}

func (w *world) account(t fatal, a ledger.Account, want int64) {
	t.Helper()
	fen, err := w.money.BalanceOf(context.Background(), w.db.Reader(), a)
	ok(t, err)
	if fen != want {
		t.Fatalf("%s has %d fen, want %d", a, fen, want)
	}
}

// issues gives the kinds of the open issues, newest first.
func (w *world) issues(t fatal) []string {
	t.Helper()
	found, _, err := w.Issues(context.Background(), false, 50, 0)
	ok(t, err)
	kinds := []string{}
	for _, i := range found {
		kinds = append(kinds, i.Kind)
	}
	return kinds
}
