//go:build linux

package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/devices/escpos/paper"
	"campusgate/signing/verdict"
)

// A till with a printer on the network: receipts by themselves, again on a key,
// the report, and what a broken printer does to a charge, which is nothing.
func TestAgent_ATillPrintsItsReceipts(t *testing.T) {
	s := newStation(t)
	s.becomeTill()
	var d paper.Device
	address, stop, err := d.Listen()
	check(t, err)
	defer stop()
	printer := "printer: {driver: escpos, path: '" + address + "', columns: 48, receipts: always}"
	r := s.start(s.settings("  - name: 收款台\n", cash, printer), deps(0))
	r.until("the printer is ok", printerIs(devices.OK))
	r.call("POST", "/shift", login{"C01", "470318"}, 200, nil)
	r.call("PUT", "/till/sale", till.Order{Entry: "menu", Items: []till.Pressed{{Key: 12, Quantity: 2}}}, 200, nil)
	paid := r.present(s.payment(1))
	if paid.Reason != verdict.Granted || paid.Event == nil {
		t.Fatalf("%+v", paid)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	slips := must[[]*paper.Slip](t)(d.Slips(ctx, 1, 48))
	said := slips[0].Text()
	for _, want := range []string{"一食堂\n", "一食堂三号窗口", "红烧肉", "2 x 8.50", "￥17.00", "流水号 Flow no.", "离线收款 Taken offline"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not on the receipt:\n%s", want, said)
		}
	}
	print := "/till/charges/" + paid.Event.String() + "/print"
	r.call("POST", print, struct{}{}, 200, nil)
	r.call("POST", "/till/batches/1/print", struct{}{}, 200, nil)
	slips = must[[]*paper.Slip](t)(d.Slips(ctx, 3, 48))
	if !strings.Contains(slips[1].Text(), "补打 REPRINT") || strings.Contains(said, "补打") || !strings.Contains(slips[2].Text(), "结班小票 Batch report") {
		t.Errorf("%s\n%s", slips[1].Text(), slips[2].Text())
	}
	r.refused("POST", "/till/charges/13-1-99/print", struct{}{}, 404, "unknown_charge")
	r.refused("POST", "/till/charges/=1+1/print", struct{}{}, 404, "unknown_charge")
	r.refused("POST", "/till/batches/9/print", struct{}{}, 404, "unknown_batch")
	r.refused("POST", "/till/batches/x/print", struct{}{}, 404, "unknown_batch")

	d.Set(paper.State{PaperOut: true})
	r.call("PUT", "/till/sale", till.Order{Entry: "amount", AmountFen: 1_000}, 200, nil)
	began := time.Now()
	if got := r.present(s.payment(2)); got.Reason != verdict.Granted {
		t.Fatalf("%+v", got)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("a charge took %v while the printer had no paper", took)
	}
	st := r.until("the printer is lost", printerIs(devices.Lost))
	if st.Printer.Reason != "paper_out" || st.Printer.Driver != "escpos" || st.Printer.Detail == "" {
		t.Errorf("%+v", st.Printer)
	}
	r.refused("POST", print, struct{}{}, 503, "paper_out")
	d.Set(paper.State{CoverOpen: true})
	r.refused("POST", print, struct{}{}, 503, "cover_open")
	d.Set(paper.State{EmptyAfter: len(d.Bytes()) + 100})
	r.refused("POST", print, struct{}{}, 503, "maybe_printed")
	d.Set(paper.State{})
	r.call("POST", print, struct{}{}, 200, nil)
	r.until("the printer is ok", printerIs(devices.OK))
	stop()
	r.refused("POST", print, struct{}{}, 503, "not_printed")
	r.end()
}

func printerIs(state string) func(console.Status) bool {
	return func(st console.Status) bool { return st.Printer != nil && st.Printer.State == state }
}

func TestAgent_WithoutAPrinterNothingIsPrinted(t *testing.T) {
	s := newStation(t)
	s.becomeTill()
	r := s.start(s.settings("  - name: 收款台\n", cash), deps(0))
	if st := r.until("any", func(console.Status) bool { return true }); st.Printer != nil {
		t.Errorf("%+v", st.Printer)
	}
	r.refused("POST", "/till/charges/13-1-1/print", struct{}{}, 409, "no_printer")
	r.refused("POST", "/till/batches/1/print", struct{}{}, 409, "no_printer")
	r.end()
}
