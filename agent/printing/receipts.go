package printing

import (
	"context"
	"errors"
	"slices"
	"time"

	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// ErrNoBatch: the till has no batch of that number any more.
var ErrNoBatch = errors.New("no such batch")

// remembered is how many receipts a press knows to have printed.
const remembered = 4096

// copyOf names one receipt: that of a charge, or of the void of it.
type copyOf struct {
	event wire.EventID
	void  bool
}

// memory knows the latest receipts that were printed.
type memory struct {
	known map[copyOf]bool
	order []copyOf
}

func (m *memory) add(c copyOf) {
	if m.known[c] {
		return
	}
	if m.known == nil {
		m.known = map[copyOf]bool{}
	}
	if len(m.order) == remembered {
		delete(m.known, m.order[0])
		m.order = append(m.order[:0], m.order[1:]...)
	}
	m.known[c] = true
	m.order = append(m.order, c)
}

// Charge prints the receipt of a charge, as it is now, and says on it when it was
// printed before. Errors are till.ErrNoCharge, ErrBusy, the printer's and the
// store's.
func (p *Press) Charge(ctx context.Context, event wire.EventID) error {
	return p.wait(ctx, func(ctx context.Context) error { return p.charge(ctx, event) })
}

// charge belongs to Run.
func (p *Press) charge(ctx context.Context, event wire.EventID) error {
	r, err := p.Till.Charge(ctx, event)
	if err != nil {
		return err
	}
	v, err := p.Till.View(ctx)
	if err != nil {
		return err
	}
	c := copyOf{event, r.Annulled}
	p.mu.Lock()
	// One from before this press began may have been printed by the last one.
	again := p.printed.known[c] || r.At < p.started
	p.mu.Unlock()
	err = p.print(ctx, receipt(&v, &r, again, p.Zone))
	if err == nil || errors.Is(err, devices.ErrMaybePrinted) {
		p.mu.Lock()
		p.printed.add(c)
		p.mu.Unlock()
	}
	return err
}

// Batch prints the report of a batch. Errors are ErrNoBatch, ErrBusy, the
// printer's and the store's.
func (p *Press) Batch(ctx context.Context, number uint32) error {
	return p.wait(ctx, func(ctx context.Context) error {
		list, err := p.Till.Batches(ctx, 200)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(b till.Batch) bool { return b.Number == number })
		if i < 0 {
			return ErrNoBatch
		}
		v, err := p.Till.View(ctx)
		if err != nil {
			return err
		}
		return p.print(ctx, report(&v, &list[i], p.Now(), p.Zone))
	})
}

// follow has a receipt printed of each charge and each void.
func (p *Press) follow(ctx context.Context) {
	var seen memory // an attempt is told again when something is learnt of it
	for ctx.Err() == nil {
		results, stop := p.Till.Subscribe()
		for open := true; open; {
			select {
			case <-ctx.Done():
				open = false
			case r, ok := <-results:
				if open = ok; !ok || r.Charge == nil || r.Event == nil || r.Reason != verdict.Granted || r.Repeat {
					continue
				}
				c := copyOf{*r.Event, r.Annulled}
				if seen.known[c] {
					continue
				}
				seen.add(c)
				p.receipt(ctx, c.event)
			}
		}
		stop()
		select { // it was too far behind, or the till stops
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// receipt queues the receipt of a charge that nobody asked for, and does not
// wait.
func (p *Press) receipt(ctx context.Context, event wire.EventID) {
	limited, cancel := context.WithTimeout(ctx, autoLimit)
	_, err := p.put(limited, func(ctx context.Context) error {
		defer cancel()
		err := p.charge(ctx, event)
		if err != nil {
			p.Log.Warn("receipt not printed", "event", event, "error", err)
		}
		return err
	})
	if err != nil {
		cancel()
		p.Log.Warn("receipt not printed", "event", event, "error", err)
	}
}
