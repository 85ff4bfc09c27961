package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"campusgate/agent/printing"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/signing/wire"
)

// printTimeout bounds how long a page waits for its paper; its own patience is
// ten seconds.
const printTimeout = 8 * time.Second

// Press is what the console needs of the receipt printer; *printing.Press is one.
type Press interface {
	// Charge prints the receipt of a charge, Batch the report of a batch.
	Charge(ctx context.Context, event wire.EventID) error
	Batch(ctx context.Context, number uint32) error
}

// postReceipt prints the receipt of a charge, once more where it was printed
// before.
func (c *Console) postReceipt(w http.ResponseWriter, r *http.Request) error {
	event, err := wire.ParseEventID(r.PathValue("event"))
	if err != nil {
		return &noCharge
	}
	return c.print(w, r, func(ctx context.Context) error { return c.press.Charge(ctx, event) })
}

// postReport prints the report of a batch.
func (c *Console) postReport(w http.ResponseWriter, r *http.Request) error {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 32)
	if err != nil {
		return &noBatch
	}
	return c.print(w, r, func(ctx context.Context) error { return c.press.Batch(ctx, uint32(number)) })
}

func (c *Console) print(w http.ResponseWriter, r *http.Request, slip func(context.Context) error) error {
	if err := c.decode(w, r, &struct{}{}); err != nil {
		return err
	}
	if c.press == nil {
		return &noPrinter
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), printTimeout)
	defer cancel()
	if err := slip(ctx); err != nil {
		return printFailure(err)
	}
	c.answer(w, http.StatusOK, map[string]string{"state": "done"})
	return nil
}

// printFailure says what is on the paper, and why not more.
func printFailure(err error) *failure {
	for _, known := range []struct {
		err error
		failure
	}{
		{till.ErrNoCharge, noCharge},
		{printing.ErrNoBatch, noBatch},
		{devices.ErrMaybePrinted, maybePrinted},
		{devices.ErrPaperOut, paperOut},
		{devices.ErrCoverOpen, coverOpen},
		{printing.ErrBusy, printerBusy},
	} {
		if errors.Is(err, known.err) {
			return known.because(err)
		}
	}
	return notPrinted.because(err)
}

// What can go wrong on the way to the paper.
var (
	noBatch      = failure{status: http.StatusNotFound, code: "unknown_batch", zh: "本机没有这个班次", en: "this till has no such batch"}
	noPrinter    = failure{status: http.StatusConflict, code: "no_printer", zh: "本机没有小票打印机", en: "there is no receipt printer here"}
	maybePrinted = failure{status: http.StatusServiceUnavailable, code: "maybe_printed", zh: "打印中断，可能已打出，请看打印机", en: "printing broke off; it may have come out, look at the printer"}
	paperOut     = failure{status: http.StatusServiceUnavailable, code: "paper_out", zh: "没有打印：打印机缺纸", en: "not printed: the printer is out of paper"}
	coverOpen    = failure{status: http.StatusServiceUnavailable, code: "cover_open", zh: "没有打印：打印机盖未合上", en: "not printed: the printer's cover is open"}
	printerBusy  = failure{status: http.StatusServiceUnavailable, code: "printer_busy", zh: "没有打印：打印机正忙", en: "not printed: the printer is busy"}
	notPrinted   = failure{status: http.StatusServiceUnavailable, code: "not_printed", zh: "没有打印：请检查打印机的电源和线", en: "not printed: check the printer's power and cable"}
)
