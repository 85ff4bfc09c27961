package console_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/shift"
	"campusgate/agent/till"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// The till's own desk is one that the console can use.
var _ console.Till = (*till.Desk)(nil)

// counter is a console.Till that follows a script: the text of a code says what
// becomes of a payment.
type counter struct {
	*actor
	gauge   *gauge
	changed chan struct{}

	mu      sync.Mutex
	view    till.View
	charges []desk.Result // of the batch, newest first
	waiting *desk.Result  // for the cashier's answer

	printer    bool
	printFault error // of the next slips
}

// The people of the script are invented.
var (
	cashier    = till.Cashier{Number: "100231", Name: "顾清和"}
	supervisor = "100007"
	dishes     = []wire.MenuKey{
		{Key: 1, Name: "米饭", NameEn: "Rice", PriceFen: 100},
		{Key: 2, Name: "紫菜蛋花汤", NameEn: "Seaweed and egg soup", PriceFen: 250},
		{Key: 3, Name: "红烧肉", NameEn: "Braised pork", PriceFen: 1250},
		{Key: 12, Name: "番茄炒蛋", NameEn: "Tomato and egg", PriceFen: 600},
		{Key: 99, Name: "教工套餐（含例汤与水果）", NameEn: "Staff meal with soup and fruit", PriceFen: 2800},
	}
)

// newCounter is a till in the middle of its third batch. Codes pay; NOMONEY and
// AGAIN say what else becomes of them.
func newCounter() *counter {
	now := time.Now().UnixMilli()
	c := &counter{actor: newDesk(), gauge: newGauge(), changed: make(chan struct{}, 1), view: till.View{
		Till: &till.Rules{
			Name: "3 号窗", Merchant: "第一食堂家常菜", Version: "v1", Entry: wire.EntryAmount, FixedFen: 800,
			Menu: dishes, Periods: []wire.MealPeriod{},
		},
		Mode: "terminal", Day: "2026-11-22",
		Period:  &till.Period{ID: "lunch", Name: "午餐", NameEn: "Lunch", PriceFen: 1200, Until: now + 3_600_000},
		Batch:   till.Batch{Number: 3, Open: true, OpenedAt: now - 7_200_000, Charges: 128, Voids: 2, TotalFen: 153_650, Flow: 1000},
		Cashier: &cashier,
	}}
	c.gauge.set(func(s *console.Status) {
		s.Mode, s.Gate.Name = "terminal", "3 号窗"
		s.Lanes[0].Name, s.Lanes[0].Barrier = "窗口", console.Barrier{Driver: "none", State: "none"}
	})
	c.script["CP1:PAYS"] = desk.Result{Reason: verdict.Granted, Charge: &desk.Charge{BalanceFen: new(int64(8640)), Holder: "**远"}}
	c.script["CP1:NOMONEY"] = desk.Result{Reason: verdict.InsufficientBalance, Charge: &desk.Charge{Holder: "*明"}}
	c.script["CP1:AGAIN"] = desk.Result{Reason: verdict.NeedsInput, Need: verdict.NeedConfirm, Charge: &desk.Charge{Holder: "**远"}}
	return c
}

// tell changes the view and says so.
func (c *counter) tell(change func(*till.View)) {
	c.mu.Lock()
	change(&c.view)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *counter) note(format string, args ...any) {
	c.actor.mu.Lock()
	defer c.actor.mu.Unlock()
	c.calls = append(c.calls, fmt.Sprintf(format, args...))
}

func (c *counter) View(context.Context) (till.View, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.view, nil
}

func (c *counter) Changed() <-chan struct{} { return c.changed }

func (c *counter) Arm(_ context.Context, o till.Order) error {
	c.note("arm %s %d %v sticky=%v", o.Entry, o.AmountFen, o.Items, o.Sticky)
	s := &till.Sale{Entry: o.Entry, AmountFen: o.AmountFen, Items: []wire.ChargeItem{}, Armed: true, Sticky: o.Sticky}
	c.tell(func(v *till.View) {
		switch o.Entry {
		case wire.EntryFixed:
			s.AmountFen = v.Till.FixedFen
		case wire.EntryPeriod:
			s.AmountFen = v.Period.PriceFen
		case wire.EntryAmount, wire.EntryMenu: // as ordered
		}
		for _, p := range o.Items {
			for _, m := range v.Till.Menu {
				if m.Key == p.Key {
					s.Items = append(s.Items, wire.ChargeItem{Key: m.Key, Name: m.Name, PriceFen: m.PriceFen, Quantity: p.Quantity})
					s.AmountFen += m.PriceFen * int64(p.Quantity)
				}
			}
		}
		v.Sale = s
	})
	return nil
}

func (c *counter) Disarm(context.Context) error {
	c.note("disarm")
	c.tell(func(v *till.View) { v.Sale = nil })
	return nil
}

// Present pays the armed sale, or the till's price.
func (c *counter) Present(_ context.Context, where, source, text string) (desk.Result, error) {
	c.note("present %s %s", source, text)
	r, known := c.script[text]
	if !known {
		r = desk.Result{Reason: verdict.Malformed}
	}
	r.Lane, r.Source = where, source
	v, _ := c.View(context.Background())
	sale := v.Sale
	if sale == nil && v.Till.Entry == wire.EntryFixed {
		sale = &till.Sale{Entry: wire.EntryFixed, AmountFen: v.Till.FixedFen}
	}
	switch {
	case sale == nil:
		r.Reason, r.Need, r.Charge = verdict.NeedsInput, verdict.NeedAmount, nil
	case r.Charge != nil:
		told := *r.Charge
		told.AmountFen, told.Entry, told.Items, told.Day, told.Batch = sale.AmountFen, sale.Entry, sale.Items, v.Day, v.Batch.Number
		r.Charge = &told
	}
	if r.Need == verdict.NeedConfirm {
		r = c.publish(r)
		c.mu.Lock()
		c.waiting = &r
		c.mu.Unlock()
		return r, nil
	}
	return c.settle(r), nil
}

// settle counts what was paid.
func (c *counter) settle(r desk.Result) desk.Result {
	if r.Reason == verdict.Granted && !r.Repeat {
		c.tell(func(v *till.View) {
			v.Batch.Charges++
			v.Batch.Flow++
			v.Batch.TotalFen += r.Charge.AmountFen
			if v.Sale != nil && !v.Sale.Sticky {
				v.Sale = nil
			}
			id := wire.EventID{Agent: 7, Epoch: 1, Seq: v.Batch.Flow}
			r.Event, r.Charge.Event, r.Charge.Flow = &id, &id, v.Batch.Flow
		})
	}
	r = c.publish(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Reason == verdict.Granted && !r.Repeat {
		c.charges = append([]desk.Result{r}, c.charges...)
	}
	return r
}

func (c *counter) Confirm(_ context.Context, id string, refuse bool) (desk.Result, error) {
	c.note("confirm refuse=%v", refuse)
	c.mu.Lock()
	r := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	if r == nil || r.ID != id {
		return desk.Result{}, desk.ErrNotWaiting
	}
	r.Reason, r.Need, r.Repeat = verdict.Granted, "", refuse
	return c.settle(*r), nil
}

func (c *counter) Charges(_ context.Context, limit int) ([]desk.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]desk.Result{}, c.charges[:min(limit, len(c.charges))]...), nil
}

func (c *counter) Void(_ context.Context, event wire.EventID, by string) (desk.Result, error) {
	c.note("void %s by %s", event, by)
	c.mu.Lock()
	var found *desk.Result
	for i := range c.charges {
		if *c.charges[i].Event == event {
			found = &c.charges[i]
		}
	}
	if found == nil || found.Annulled {
		c.mu.Unlock()
		return desk.Result{}, till.ErrNotVoidable
	}
	voided := *found.Charge
	voided.Voided = true
	found.Annulled, found.Charge = true, &voided
	r := *found
	c.mu.Unlock()
	c.tell(func(v *till.View) {
		v.Batch.Voids++
		v.Batch.TotalFen -= r.Charge.AmountFen
	})
	return c.publish(r), nil
}

func (c *counter) MoveBatch(_ context.Context, move wire.BatchMove, by string) (till.Batch, error) {
	c.note("batch %s by %q", move, by)
	c.tell(func(v *till.View) {
		if move == wire.BatchCloses {
			v.Batch.Open, v.Batch.ClosedAt, v.Sale = false, time.Now().UnixMilli(), nil
			return
		}
		v.Batch = till.Batch{Number: v.Batch.Number + 1, Open: true, OpenedAt: time.Now().UnixMilli(), Flow: v.Batch.Flow}
	})
	v, err := c.View(context.Background())
	return v.Batch, err
}

func (c *counter) Batches(context.Context, int) ([]till.Batch, error) {
	v, err := c.View(context.Background())
	return []till.Batch{v.Batch}, err
}

// Begin, End, On and Check make it a console.Guards with a cashier and a supervisor.
func (c *counter) Begin(_ context.Context, number, digits string) (desk.Shift, error) {
	if number != cashier.Number || digits != "470318" {
		return desk.Shift{}, shift.ErrPIN
	}
	on := desk.Shift{Number: number, Name: cashier.Name, Since: time.Now().UnixMilli()}
	c.gauge.set(func(s *console.Status) { s.Shift.Guard = &on })
	c.tell(func(v *till.View) { v.Cashier = &cashier })
	return on, nil
}

func (c *counter) End(context.Context) error {
	c.gauge.set(func(s *console.Status) { s.Shift.Guard = nil })
	c.tell(func(v *till.View) { v.Cashier = nil })
	return nil
}

func (c *counter) On() desk.Shift { return desk.Shift{} }

func (c *counter) Check(number, digits string) (wire.Guard, error) {
	switch {
	case number == supervisor && digits == "9021":
		return wire.Guard{Name: "陆知行", Supervisor: true}, nil
	case number == cashier.Number && digits == "470318":
		return wire.Guard{Name: cashier.Name}, nil
	}
	return wire.Guard{}, shift.ErrPIN
}

// asked gives the calls that begin with one of the words.
func (c *counter) asked(words ...string) (list []string) {
	for _, call := range c.actor.asked() {
		for _, w := range words {
			if strings.HasPrefix(call, w) {
				list = append(list, call)
			}
		}
	}
	return list
}

// withPrinter gives it a receipt printer.
func (c *counter) withPrinter() {
	c.printer = true
	c.gauge.set(func(s *console.Status) { s.Printer = &console.Printer{Driver: "escpos", State: "ok"} })
}

// unfit makes the printer fail.
func (c *counter) unfit(fault error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.printFault = fault
}

func (c *counter) faulty() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.printFault
}

// press is a console.Press that prints nothing.
type press struct{ c *counter }

func (p press) Charge(_ context.Context, event wire.EventID) error {
	p.c.note("print %s", event)
	return p.c.faulty()
}

func (p press) Batch(_ context.Context, number uint32) error {
	p.c.note("print batch %d", number)
	return p.c.faulty()
}

// tillPage opens a page of the till. No printer is asked: the page's wish to
// print is counted.
func tillPage(t *testing.T, c *counter, path string, screen size) *tab {
	t.Helper()
	srv := served(t, nil, c.gauge, func(cfg *console.Config) {
		cfg.Lanes, cfg.Till, cfg.Guards = nil, c, c
		if c.printer {
			cfg.Press = press{c}
		}
	})
	b := openPage(t, srv.URL+path, screen, `document.querySelector('.sale, .trouble:not([data-trouble=starting]), .customer h1')`,
		`window.printed = 0; window.print = () => { window.printed++ }`)
	if path == "/" {
		b.pad("-") // a key turns the sound on, and its banner off
		b.until(`!document.querySelector('[data-banner=sound]')`)
	}
	return b
}
