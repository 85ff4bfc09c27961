package printing_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/printing"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/devices/escpos"
	"campusgate/devices/escpos/paper"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// printer keeps slips as a receipt printer prints them.
type printer struct {
	mu     sync.Mutex
	slips  []string
	fault  error // of the next ones
	hold   chan struct{}
	probes int
}

func (p *printer) Print(ctx context.Context, s devices.Slip) error {
	if p.hold != nil {
		<-p.hold
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := escpos.Render(s, escpos.Columns58)
	if err != nil {
		return err
	}
	if p.fault != nil && !errors.Is(p.fault, devices.ErrMaybePrinted) {
		return p.fault
	}
	slips, err := paper.Read(data, escpos.Columns58)
	if err != nil {
		return err
	}
	p.slips = append(p.slips, slips[0].Text())
	return p.fault
}

func (p *printer) Probe(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probes++
	return "P", p.fault
}

func (p *printer) set(fault error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

func (p *printer) printed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.slips...)
}

// book is a Store in memory, and a counter of a till.
type book struct {
	mu      sync.Mutex
	prints  map[string]wire.Printed
	fault   error // of BeginPrint
	endLost bool  // EndPrint fails
	charges []desk.Result
	batches []till.Batch
	heard   chan desk.Result
}

func (b *book) BeginPrint(id string, _ int64) (wire.Printed, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil {
		return wire.Printed{}, false, b.fault
	}
	if p, known := b.prints[id]; known {
		return p, false, nil
	}
	b.prints[id] = wire.Printed{ID: id, State: wire.PrintUnknown, Reason: wire.PrintInterrupted}
	return wire.Printed{}, true, nil
}

func (b *book) EndPrint(p wire.Printed) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.endLost {
		return errors.New("disk full")
	}
	b.prints[p.ID] = p
	return nil
}

func (b *book) View(context.Context) (till.View, error) {
	return till.View{Till: &till.Rules{Name: "3 号窗", Merchant: "第一食堂家常菜"}}, nil
}

func (b *book) Charge(_ context.Context, event wire.EventID) (desk.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.charges {
		if *r.Event == event {
			return r, nil
		}
	}
	return desk.Result{}, till.ErrNoCharge
}

func (b *book) Batches(context.Context, int) ([]till.Batch, error) { return b.batches, nil }

func (b *book) Subscribe() (<-chan desk.Result, func()) { return b.heard, func() {} }

func (b *book) take(r desk.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.charges {
		if *b.charges[i].Event == *r.Event {
			b.charges[i] = r
			return
		}
	}
	b.charges = append(b.charges, r)
}

// counter is a press with a printer and a till.
type counter struct {
	*printing.Press
	p *printer
	b *book
}

// running starts a press in a synctest bubble.
func running(t *testing.T, always bool) counter {
	t.Helper()
	c := counter{p: &printer{}, b: &book{prints: map[string]wire.Printed{}, heard: make(chan desk.Result, 64)}}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	c.Press = printing.New(printing.Config{
		Printer: c.p, Store: c.b, Till: c.b, Zone: zone, Always: always, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Changed: func() {},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		run.Wait()
	})
	return c
}

// paid is an accepted charge of now.
func paid(seq uint64) desk.Result {
	id := wire.EventID{Agent: 7, Epoch: 1, Seq: seq}
	return desk.Result{
		Event: &id, At: time.Now().UnixMilli(), Reason: verdict.Granted, Opens: true,
		Charge: &desk.Charge{
			AmountFen: 2650, Items: []wire.ChargeItem{{Key: 3, Name: "红烧肉", PriceFen: 1250, Quantity: 2}, {Key: 1, Name: "米饭", PriceFen: 150, Quantity: 1}},
			BalanceFen: new(int64(8640)), Holder: "**远", Day: "2026-11-22", Batch: 3, Flow: 1000 + seq, Event: &id,
		},
	}
}

// lines gives a slip's lines, blanks between columns made one.
func lines(slip string) string {
	var b strings.Builder
	for l := range strings.Lines(slip) {
		b.WriteString(strings.Join(strings.Fields(l), " ") + "\n")
	}
	return b.String()
}

func TestCharge_TheReceiptSaysAllOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, false)
		time.Sleep(time.Hour)
		r := paid(1)
		c.b.take(r)
		if err := c.Charge(t.Context(), *r.Event); err != nil {
			t.Fatal(err)
		}
		rule := strings.Repeat("-", 32) + "\n"
		want := "第一食堂家常菜\n收款小票 Receipt\n" + rule +
			"收款台 Till 3 号窗\n时间 Time 2000-01-01 09:00:00\n营业日 Business day 2026-11-22\n班次 Batch 3\n流水号 Flow no. 1001\n持卡人 Holder **远\n" + rule +
			"红烧肉 2 x 12.50\n米饭 1 x 1.50\n合计 Total\n￥26.50\n余额 Balance ￥86.40\n谢谢 Thank you\n"
		if got := lines(c.p.printed()[0]); got != want {
			t.Errorf("got\n%s want\n%s", got, want)
		}
		// Again it says that it is a copy.
		if err := c.Charge(t.Context(), *r.Event); err != nil {
			t.Fatal(err)
		}
		if got := lines(c.p.printed()[1]); got != strings.Replace(want, "Receipt\n"+rule, "Receipt\n"+rule+"** 补打 REPRINT **\n", 1) {
			t.Errorf("again\n%s", got)
		}
		// Its void is another slip, and without what is no longer known.
		r.Annulled, r.Charge.Voided, r.Charge.BalanceFen, r.Charge.Holder, r.Charge.Offline = true, true, nil, "", true
		c.b.take(r)
		if err := c.Charge(t.Context(), *r.Event); err != nil {
			t.Fatal(err)
		}
		got := lines(c.p.printed()[2])
		for _, say := range []string{"撤销小票 Void\n", "￥-26.50\n", "离线收款 Taken offline\n", "Voided\n"} {
			if !strings.Contains(got, say) {
				t.Errorf("the void does not say %q:\n%s", say, got)
			}
		}
		for _, not := range []string{"REPRINT", "Balance", "Holder"} {
			if strings.Contains(got, not) {
				t.Errorf("the void says %q:\n%s", not, got)
			}
		}
		if err := c.Charge(t.Context(), wire.EventID{Agent: 7, Epoch: 1, Seq: 99}); !errors.Is(err, till.ErrNoCharge) {
			t.Error(err)
		}
	})
}

func TestCharge_OneOfBeforeTheStartMayBeACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := paid(1)
		time.Sleep(time.Minute)
		c := running(t, false)
		c.b.take(r)
		if err := c.Charge(t.Context(), *r.Event); err != nil {
			t.Fatal(err)
		}
		if got := c.p.printed()[0]; !strings.Contains(got, "REPRINT") {
			t.Errorf("%s", got)
		}
	})
}

func TestCharge_AFaultCountsAsPrintedWhereItMayHaveBeen(t *testing.T) {
	for fault, reprint := range map[error]bool{
		devices.ErrPaperOut: false,
		fmt.Errorf("%w: %w", devices.ErrMaybePrinted, devices.ErrPaperOut): true,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := running(t, false)
			time.Sleep(time.Second)
			r := paid(1)
			c.b.take(r)
			c.p.set(fault)
			if err := c.Charge(t.Context(), *r.Event); !errors.Is(err, devices.ErrPaperOut) {
				t.Fatal(err)
			}
			if h, reason := c.Health(); h.State != devices.Lost || reason != wire.PrintPaperOut || h.Detail == "" {
				t.Errorf("%+v %s", h, reason)
			}
			c.p.set(nil)
			if err := c.Charge(t.Context(), *r.Event); err != nil {
				t.Fatal(err)
			}
			list := c.p.printed()
			if got := strings.Contains(list[len(list)-1], "REPRINT"); got != reprint {
				t.Errorf("%v: a reprint %t", fault, got)
			}
			if h, _ := c.Health(); h.State != devices.OK {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestBatch_TheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, false)
		at := time.Now().UnixMilli()
		c.b.batches = []till.Batch{
			{Number: 4, Open: true, OpenedAt: at, OpenedBy: "100231", Charges: 2, TotalFen: 500, Flow: 1003},
			{Number: 3, OpenedAt: at, OpenedBy: "100231", ClosedAt: at + 3_600_000, ClosedBy: "100007", Charges: 129, Voids: 3, TotalFen: 153_650, Flow: 1001},
		}
		for _, n := range []uint32{3, 4} {
			if err := c.Batch(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Batch(t.Context(), 5); !errors.Is(err, printing.ErrNoBatch) {
			t.Error(err)
		}
		closed, open := lines(c.p.printed()[0]), lines(c.p.printed()[1])
		for _, say := range []string{"班次 Batch 3\n", "结班人 By 100007\n", "收款笔数 Charges 129\n", "撤销笔数 Voids 3\n", "￥1536.50\n", "签字 Signature ________________\n", "末流水号 Last no. 1001\n"} {
			if !strings.Contains(closed, say) {
				t.Errorf("%q is missing:\n%s", say, closed)
			}
		}
		if strings.Contains(closed, "尚未结班") || !strings.Contains(open, "尚未结班 Not closed yet\n") {
			t.Errorf("open or closed:\n%s\n%s", closed, open)
		}
	})
}

func TestFollow_EachChargeAndEachVoidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, true)
		time.Sleep(time.Second)
		r := paid(1)
		waiting := r
		waiting.Event, waiting.Reason, waiting.Need = nil, verdict.NeedsInput, verdict.NeedConfirm
		refused := paid(2)
		refused.Reason = verdict.InsufficientBalance
		repeat := paid(3)
		repeat.Repeat = true
		c.b.take(r)
		for _, r := range []desk.Result{waiting, refused, repeat, r, r} {
			c.b.heard <- r
		}
		synctest.Wait()
		if got := c.p.printed(); len(got) != 1 || !strings.Contains(got[0], "1001") || strings.Contains(got[0], "REPRINT") {
			t.Fatalf("%q", got)
		}
		r.Annulled = true
		c.b.take(r)
		c.b.heard <- r
		synctest.Wait()
		if got := c.p.printed(); len(got) != 2 || !strings.Contains(got[1], "Void") {
			t.Fatalf("%q", got)
		}
	})
}

// A printer that hangs keeps nobody waiting: receipts are left out, and asking for
// one is answered.
func TestFollow_AStuckPrinterHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, true)
		time.Sleep(time.Second)
		c.p.hold = make(chan struct{})
		for i := range uint64(40) {
			r := paid(i + 1)
			c.b.take(r)
			c.b.heard <- r
		}
		synctest.Wait()
		if len(c.b.heard) != 0 {
			t.Errorf("%d results wait to be heard", len(c.b.heard))
		}
		if err := c.Charge(t.Context(), *paid(1).Event); !errors.Is(err, printing.ErrBusy) {
			t.Errorf("with a full queue: %v", err)
		}
		time.Sleep(time.Minute) // what waits is too old now
		close(c.p.hold)
		synctest.Wait()
		if got := c.p.printed(); len(got) > 1 {
			t.Errorf("%d receipts of a minute ago", len(got))
		}
		c.p.hold = nil
		if err := c.Charge(t.Context(), *paid(40).Event); err != nil {
			t.Error(err)
		}
	})
}

func TestCharge_WhoGivesUpIsToldWhatMayComeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, false)
		r := paid(1)
		c.b.take(r)
		c.p.hold = make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var both sync.WaitGroup
		both.Go(func() {
			if err := c.Charge(ctx, *r.Event); !errors.Is(err, devices.ErrMaybePrinted) {
				t.Errorf("the one that has begun: %v", err)
			}
		})
		synctest.Wait()
		both.Go(func() {
			if err := c.Charge(ctx, *r.Event); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, devices.ErrMaybePrinted) {
				t.Errorf("the one that has not: %v", err)
			}
		})
		both.Wait()
		close(c.p.hold)
	})
}

func order(id string) wire.Print {
	return wire.Print{ID: id, Rows: []wire.PrintRow{
		{Text: "纸质通行证", Align: wire.PrintCenter, Large: true}, {QR: "HTTPS://GATE.EXAMPLE.EDU/V/ABC"}, {Rule: true}, {Text: "姓名", Right: "林晓岚"},
	}}
}

func TestOrder_AnIdIsPrintedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, false)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if got := c.Order(t.Context(), order("0190aaaa")); got != (wire.Printed{ID: "0190aaaa", State: wire.PrintDone}) && got.Reason != wire.PrintBusy {
					t.Errorf("%+v", got)
				}
			})
		}
		all.Wait()
		if got := c.p.printed(); len(got) != 1 || lines(got[0]) != "纸质通行证\n"+strings.Repeat("-", 32)+"\n姓名 林晓岚\n" {
			t.Errorf("%q", got)
		}
		// What failed stays failed: the next try has an id of its own.
		c.p.set(devices.ErrPaperOut)
		for range 2 {
			if got := c.Order(t.Context(), order("0190bbbb")); got.State != wire.PrintFailed || got.Reason != wire.PrintPaperOut {
				t.Errorf("%+v", got)
			}
			c.p.set(nil)
		}
		if n := len(c.p.printed()); n != 1 {
			t.Errorf("%d slips", n)
		}
	})
}

func TestOrder_WhatIsNotNotedIsNotPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, false)
		c.b.fault = errors.New("disk full")
		if got := c.Order(t.Context(), order("0190aaaa")); got.State != wire.PrintFailed || !strings.Contains(got.Detail, "disk full") {
			t.Errorf("%+v", got)
		}
		if n := len(c.p.printed()); n != 0 {
			t.Errorf("%d slips", n)
		}
		// Printed, and that could not be noted: never again, and nobody is told that
		// nothing came out.
		c.b.fault, c.b.endLost = nil, true
		if got := c.Order(t.Context(), order("0190aaaa")); got.State != wire.PrintDone {
			t.Errorf("%+v", got)
		}
		if got := c.Order(t.Context(), order("0190aaaa")); got.State != wire.PrintUnknown || got.Reason != wire.PrintInterrupted {
			t.Errorf("%+v", got)
		}
		if n := len(c.p.printed()); n != 1 {
			t.Errorf("%d slips", n)
		}
	})
}

func TestHealth_APrinterThatIsBackIsSeenWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, false)
		synctest.Wait()
		if h, _ := c.Health(); h.State != devices.OK {
			t.Fatalf("%+v", h)
		}
		for range 100 {
			c.p.set(devices.ErrCoverOpen)
			time.Sleep(15 * time.Second)
			synctest.Wait()
			if h, reason := c.Health(); h.State != devices.Lost || reason != wire.PrintCoverOpen {
				t.Fatalf("%+v %s", h, reason)
			}
			c.p.set(nil)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if h, reason := c.Health(); h.State != devices.OK || reason != "" {
				t.Fatalf("%+v %s", h, reason)
			}
		}
	})
}
