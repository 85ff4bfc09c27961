package recharge_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/recharge/alipay"
	"campusgate/server/recharge/internal/counterpart"
	"campusgate/server/recharge/wechat"
)

// sent is a notice that the channel sent once, and may send again.
type sent struct {
	channel string
	header  http.Header
	body    []byte
}

// story is a run of the property: what was ordered, and what was sent.
type story struct {
	*world
	orders []recharge.Order
	sent   []sent
}

// books of the channel of an order.
func (s *story) books(o recharge.Order) *counterpart.Books {
	if o.Channel == wechat.ID {
		return &s.wechat.Books
	}
	return &s.alipay.Books
}

// send makes a notice of how an order stands now; spoiled ones are genuine and
// say something else.
func (s *story) send(o recharge.Order, refund, spoiled bool) {
	had, there := s.books(o).Order(o.ID)
	if !there || had.PaidAt.IsZero() && !spoiled || refund && had.Refunded == 0 {
		return
	}
	var n sent
	switch {
	case o.Channel == alipay.ID:
		n.header, n.body = s.alipay.Notice(o.ID, nil)
		if spoiled {
			n.header, n.body = s.alipay.Notice(o.ID, func(f url.Values) {
				f.Set("total_amount", "499.99")
				f.Set("trade_status", "TRADE_SUCCESS")
			})
		}
	case refund:
		n.header, n.body = s.wechat.RefundNotice(o.ID)
	case spoiled:
		n.header, n.body = s.wechat.Notice(o.ID, func(tr map[string]any) { tr["mchid"], tr["trade_state"] = "1999999999", "SUCCESS" })
	default:
		n.header, n.body = s.wechat.Notice(o.ID, nil)
	}
	n.channel = o.Channel
	s.sent = append(s.sent, n)
	s.hand(n.channel, n.header, n.body)
}

// holdsSoFar: nothing is credited that was not paid, and nothing twice.
func (s *story) holdsSoFar(t *rapid.T) {
	var credited int64
	clearing := map[string]int64{}
	for _, o := range s.orders {
		now, err := s.Find(context.Background(), o.ID)
		ok(t, err)
		had, there := s.books(o).Order(o.ID)
		switch {
		case now.State() == recharge.StatePaid && (!there || had.PaidAt.IsZero()):
			t.Fatalf("%s was credited and never paid", o.ID)
		case now.State() == recharge.StatePaid:
			credited += o.Fen
			clearing[o.Channel] -= o.Fen
		}
	}
	s.balance(t, 1, credited)
	for _, id := range []string{wechat.ID, alipay.ID} {
		s.account(t, ledger.Clearing(id), clearing[id])
	}
}

// settle lets all go well at last: the channels are asked, and their bills
// fetched.
func (s *story) settle(t *rapid.T) {
	s.wechat.SetFault(nil)
	s.alipay.SetFault(nil)
	s.spoil(nil)
	ctx := context.Background()
	for range 8 {
		s.pass(time.Hour)
		ok(t, s.Tick(ctx))
	}
	first := time.Date(2026, 11, 21, 0, 0, 0, 0, counterpart.Campus)
	s.pass(24 * time.Hour)
	for day := first; day.AddDate(0, 0, 1).Before(s.clock()); day = day.AddDate(0, 0, 1) {
		for _, id := range []string{wechat.ID, alipay.ID} {
			_, err := s.FetchBill(ctx, "test", id, day.Format(time.DateOnly))
			ok(t, err)
		}
	}
	// What had gone back on a later day was missing here until that day's bill.
	bills, err := s.Bills(ctx, "", "", 100, 0)
	ok(t, err)
	for _, b := range bills {
		for _, d := range b.Differences {
			if !d.Settled {
				t.Fatalf("%s %s: %+v", b.Channel, b.Day, d)
			}
		}
	}
	for _, o := range s.orders {
		now, err := s.Find(ctx, o.ID)
		ok(t, err)
		want := recharge.StateClosed
		if had, there := s.books(o).Order(o.ID); there && had.Refunded > 0 {
			want = recharge.StateRefunded
		} else if there && !had.PaidAt.IsZero() {
			want = recharge.StatePaid
		}
		if now.State() != want {
			t.Fatalf("%s of %s is %s at the end, want %s", o.ID, o.Channel, now.State(), want)
		}
	}
	r, err := s.money.Verify(ctx, nil)
	ok(t, err)
	if r.FaultsAll > 0 || r.SumFen != 0 || len(s.alarms) > 0 {
		t.Fatalf("ledger: %+v %v", r, s.alarms)
	}
}

// TestRecharge_I11_OnceWhateverComesInWhichOrder plays random sequences of what
// payers, merchants, channels, networks and disks do.
func TestRecharge_I11_OnceWhateverComesInWhichOrder(t *testing.T) {
	both := newSides(t)
	start := both.now.Load()
	rapid.Check(t, func(t *rapid.T) {
		both.now.Store(start)
		both.wechat.SetFault(nil)
		both.alipay.SetFault(nil)
		both.wechat.Reset()
		both.alipay.Reset()
		both.wechat.Serial = counterpart.PlatformOld
		dir, err := os.MkdirTemp("", "recharge")
		ok(t, err)
		defer func() { _ = os.RemoveAll(dir) }()
		s := &story{world: open(t, both, dir)}
		defer func() { _ = s.db.Close() }()
		ctx := context.Background()
		pick := func(t *rapid.T) (recharge.Order, bool) {
			if len(s.orders) == 0 {
				return recharge.Order{}, false
			}
			return rapid.SampledFrom(s.orders).Draw(t, "order"), true
		}
		with := func(do func(*rapid.T, recharge.Order)) func(*rapid.T) {
			return func(t *rapid.T) {
				if o, there := pick(t); there {
					do(t, o)
				}
			}
		}
		fault := rapid.SampledFrom([][2]bool{{false, true}, {true, true}, {true, false}}) // failed; failed but done; went well
		t.Repeat(map[string]func(*rapid.T){
			"": s.holdsSoFar,
			"place": func(t *rapid.T) {
				if len(s.orders) >= 4 {
					return
				}
				p := recharge.Placing{Person: lin, Key: fmt.Sprintf("key-%08d", len(s.orders)), Fen: rapid.Int64Range(100, 50000).Draw(t, "fen")}
				p.Channel, p.Way = wechat.ID, recharge.Native
				if rapid.Bool().Draw(t, "alipay") {
					p.Channel, p.Way = alipay.ID, recharge.WAP
				}
				s.calm(func() { // that it is repeated when it fails has a test of its own
					o, err := s.Place(ctx, p)
					ok(t, err)
					if p.Channel == alipay.ID {
						_, err = s.alipay.Open(o.Pay.URL)
						ok(t, err)
					}
					s.orders = append(s.orders, o)
				})
			},
			"pay":             with(func(_ *rapid.T, o recharge.Order) { s.books(o).Pay(o.ID) }),
			"refund":          with(func(_ *rapid.T, o recharge.Order) { s.books(o).Refund(o.ID, o.Fen) }),
			"notice":          with(func(_ *rapid.T, o recharge.Order) { s.send(o, false, false) }),
			"notice again":    with(func(_ *rapid.T, o recharge.Order) { s.send(o, false, false) }),
			"notice, refund":  with(func(_ *rapid.T, o recharge.Order) { s.send(o, true, false) }),
			"notice, spoiled": with(func(_ *rapid.T, o recharge.Order) { s.send(o, false, true) }),
			"replay": func(t *rapid.T) {
				if len(s.sent) > 0 {
					n := rapid.SampledFrom(s.sent).Draw(t, "notice")
					s.hand(n.channel, n.header, n.body)
				}
			},
			"refresh":    with(func(_ *rapid.T, o recharge.Order) { _, _ = s.Refresh(ctx, o.ID) }),
			"tick":       func(*rapid.T) { _ = s.Tick(ctx) },
			"bills":      func(*rapid.T) { _ = s.TickBills(ctx) },
			"a minute":   func(*rapid.T) { s.pass(time.Minute) },
			"an hour":    func(*rapid.T) { s.pass(time.Hour) },
			"a day":      func(*rapid.T) { s.pass(24 * time.Hour) },
			"key change": func(*rapid.T) { s.wechat.Serial = counterpart.PlatformNew },
			"channel fault": func(t *rapid.T) {
				f := fault.Draw(t, "fault")
				for _, set := range []func(func(string) (bool, bool)){s.wechat.SetFault, s.alipay.SetFault} {
					set(func(string) (bool, bool) { return f[0], f[1] })
				}
			},
			"disk fault": func(t *rapid.T) {
				f := fault.Draw(t, "fault")
				s.spoil(func() (bool, error) {
					if f[1] {
						return f[0], errDisk
					}
					return true, nil
				})
			},
			"all well": func(*rapid.T) {
				s.spoil(nil)
				s.wechat.SetFault(nil)
				s.alipay.SetFault(nil)
			},
		})
		s.settle(t)
	})
}

// calm does something while nothing goes wrong, and lets it go wrong again.
func (s *story) calm(do func()) {
	s.mu.Lock()
	fault := s.fault
	s.fault = nil
	s.mu.Unlock()
	s.wechat.SetFault(nil)
	s.alipay.SetFault(nil)
	do()
	s.spoil(fault)
}
