package till

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Store runs a function in one durable transaction: when Update returns nil,
// what the function wrote is on the disk.
type Store interface {
	Update(do func(Book) error) error
}

// Deps is what a Desk needs of the rest of the agent. All but Ask, Past and the
// last three must be set; the functions must be safe for concurrent use.
type Deps struct {
	Store   Store
	Ledger  Ledger
	Keyring func() *signing.Keyring
	// Till is the rules in force; nil = none are known.
	Till func() *wire.Till
	// Guard gives who may work here.
	Guard func(number string) (wire.Guard, bool)
	// Confirmed is when the snapshot was last known current, in unix ms of the
	// corrected clock; Corrected is that clock.
	Confirmed func() int64
	Corrected func() int64
	// Ask puts a question to the server. Without an answer it gives the state
	// silent; so does a Desk that was given no Ask.
	Ask func(ctx context.Context, c wire.Claim) wire.Answer
	// Online says whether the server can be reached.
	Online func() bool
	// Past are the latest events, newest first, to show after a restart.
	Past []desk.Past
	Now  func() time.Time // the computer's clock; time.Now where nil
	Rand io.Reader        // crypto/rand where nil
	Log  *slog.Logger     // discards where nil
}

// Ledger is what the journal tells of charges outside a transaction.
type Ledger interface {
	// Charges gives the accepted charges of the last batch, newest first.
	Charges(ctx context.Context, limit int) ([]desk.Past, error)
	// Batches gives the latest batches, newest first.
	Batches(ctx context.Context, limit int) ([]Batch, error)
	// Backlog is what the server does not hold yet.
	Backlog(ctx context.Context) (Backlog, error)
}

// Desk runs a Core. All methods are safe for concurrent use.
type Desk struct {
	*desk.Desk
	deps    Deps
	zone    *time.Location
	sale    atomic.Pointer[Sale]
	changed chan struct{}
}

// NewDesk makes a desk and reads clock and shift from the store. Nothing happens
// before Run.
func NewDesk(cfg Config, deps Deps) (*Desk, error) {
	if deps.Store == nil || deps.Keyring == nil || deps.Till == nil {
		return nil, errors.New("till: a desk needs a store, a keyring and rules")
	}
	var core *Core
	err := deps.Store.Update(func(book Book) (err error) {
		core, err = NewCore(cfg, book)
		return err
	})
	if err != nil {
		return nil, err
	}
	var past []desk.Result
	for i := range deps.Past {
		if r, ok := ResultOf(&deps.Past[i]); ok {
			past = append(past, r)
		}
	}
	d := &Desk{deps: deps, zone: cfg.Zone, changed: make(chan struct{}, 1)}
	d.Desk, err = desk.New(desk.Deps{
		Settle: func(batch []desk.Input) ([][]desk.Effect, error) {
			return desk.Settle(deps.Store.Update, core, batch)
		},
		Perform: d.perform, Shift: core.OnDuty(), Past: past,
		Keyring: deps.Keyring, Till: deps.Till,
		Ask: deps.Ask, Online: deps.Online, Now: deps.Now, Rand: deps.Rand, Log: deps.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("till: %w", err)
	}
	return d, nil
}

// perform notes which sale is armed, and that there is something new to see.
func (d *Desk) perform(e desk.Effect) {
	switch e := e.(type) {
	case Armed:
		d.sale.Store(e.Sale)
	case desk.Show, desk.Shifted, Moved:
	default:
		return
	}
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Changed delivers one value after View may have changed. There is one channel,
// for one receiver.
func (d *Desk) Changed() <-chan struct{} { return d.changed }

// Arm makes a sale the next one, in place of another. Errors are ErrSale,
// desk.ErrBusy and desk.ErrStore.
func (d *Desk) Arm(ctx context.Context, o Order) error {
	_, err := d.Do(ctx, Arm{Stamp: d.Stamp(), Order: o, Till: d.Till()})
	return err
}

// Disarm takes the armed sale back.
func (d *Desk) Disarm(ctx context.Context) error {
	_, err := d.Do(ctx, Disarm{d.Stamp()})
	return err
}

// Confirm answers whether the same holder pays once more. Errors are
// desk.ErrNoScan, desk.ErrNotWaiting, desk.ErrBusy and desk.ErrStore.
func (d *Desk) Confirm(ctx context.Context, id string, refuse bool) (desk.Result, error) {
	r, err := d.Do(ctx, Confirm{Stamp: d.Stamp(), ID: id, Refuse: refuse})
	if errors.Is(err, desk.ErrNotWaiting) && !d.Has(id) {
		err = desk.ErrNoScan
	}
	return r, err
}

// Void takes a charge of the open batch back, for a supervisor whose PIN the
// caller has checked. Errors are ErrNoCharge, ErrNotVoidable, desk.ErrBusy and
// desk.ErrStore.
func (d *Desk) Void(ctx context.Context, event wire.EventID, by string) (desk.Result, error) {
	return d.Do(ctx, Void{Stamp: d.Stamp(), Event: event, By: by})
}

// MoveBatch opens or closes the batch, for somebody whose PIN the caller has
// checked, or with "" for who is on duty. Errors are ErrBatch, desk.ErrNoShift,
// desk.ErrBusy and desk.ErrStore.
func (d *Desk) MoveBatch(ctx context.Context, move wire.BatchMove, by string) (Batch, error) {
	if _, err := d.Do(ctx, MoveBatch{Stamp: d.Stamp(), Move: move, By: by}); err != nil {
		return Batch{}, err
	}
	list, err := d.Batches(ctx, 1)
	if err != nil || len(list) == 0 {
		return Batch{}, fmt.Errorf("%w: batch: %w", desk.ErrStore, err)
	}
	return list[0], nil
}

// Charges gives the accepted charges of the last batch, newest first.
func (d *Desk) Charges(ctx context.Context, limit int) ([]desk.Result, error) {
	past, err := d.deps.Ledger.Charges(ctx, limit)
	list := make([]desk.Result, 0, len(past))
	for i := range past {
		if r, ok := ResultOf(&past[i]); ok {
			list = append(list, r)
		}
	}
	return list, err
}

// Batches gives the latest batches, newest first.
func (d *Desk) Batches(ctx context.Context, limit int) ([]Batch, error) {
	return d.deps.Ledger.Batches(ctx, limit)
}

// Claimed answers no other gate: a till owns no passes.
func (d *Desk) Claimed(_ context.Context, c wire.Claim) wire.Answer {
	return wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
}
