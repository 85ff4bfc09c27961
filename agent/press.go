package agent

import (
	"context"
	"fmt"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/printing"
	"campusgate/devices"
	"campusgate/signing/wire"
)

// newPress makes what prints, where there is a printer.
func (a *Agent) newPress() error {
	printer, err := a.settings.Printer.printer()
	if err != nil || printer == nil {
		return err
	}
	health := a.newDevice("", kindPrinter, a.settings.Printer.Driver, "")
	cfg := printing.Config{
		Printer: printer, Store: a.journal, Always: a.settings.Printer.Receipts == "always",
		Now: func() time.Time { return time.UnixMilli(a.corrected()) }, Log: a.log,
		Changed: func() {
			h, _ := a.press.Health()
			health.report(h)
			a.touch()
		},
	}
	if a.till != nil {
		cfg.Till = a.till
		if cfg.Zone, err = time.LoadLocation(a.journal.Identity().TimeZone); err != nil {
			return fmt.Errorf("time zone of the campus: %w", err)
		}
	}
	a.press = printing.New(cfg)
	return nil
}

// order prints what the server asks for.
func (a *Agent) order(ctx context.Context, p wire.Print) wire.Printed {
	if a.press == nil {
		return wire.Printed{ID: p.ID, State: wire.PrintFailed, Reason: wire.PrintNoPrinter}
	}
	return a.press.Order(ctx, p)
}

// printerView is the printer as the pages see it; nil = there is none.
func (a *Agent) printerView() *console.Printer {
	if a.press == nil {
		return nil
	}
	h, reason := a.press.Health()
	return &console.Printer{
		Driver: a.settings.Printer.Driver, State: h.State, Since: h.Since.UnixMilli(), Reason: string(reason), Detail: h.Detail,
	}
}

// prints reports whether there is a printer that is not known to be broken.
func (a *Agent) prints() bool {
	if a.press == nil {
		return false
	}
	h, _ := a.press.Health()
	return h.State != devices.Lost
}
