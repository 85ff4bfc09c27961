package till

import (
	"errors"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What a batch or a void can be refused for.
var (
	// ErrBatch: the batch is open already, or none is.
	ErrBatch = errors.New("the batch is not in that state")
	// ErrNoCharge: no accepted charge of this till has that id.
	ErrNoCharge = errors.New("no such charge")
	// ErrNotVoidable: voided before, or its batch is closed.
	ErrNotVoidable = errors.New("the charge cannot be voided")
)

// MoveBatch opens or closes the batch. By is the number of who answers for it,
// whose PIN the caller has checked; "" = who is on duty.
type MoveBatch struct {
	desk.Stamp
	Move wire.BatchMove
	By   string
}

// Void takes an accepted charge of the open batch back. By is the number of the
// supervisor, whose PIN the caller has checked.
type Void struct {
	desk.Stamp
	Event wire.EventID
	By    string
}

// Moved is the effect that tells of a batch that was opened or closed.
type Moved struct{ Batch Batch }

func (c *Core) moveBatch(book Book, in MoveBatch, now desk.Moment) ([]desk.Effect, error) {
	if in.By == "" {
		if in.By = c.OnDuty().Number; in.By == "" {
			return []desk.Effect{desk.Reject{Err: desk.ErrNoShift}}, nil
		}
	}
	b, err := book.Batch()
	if err != nil {
		return nil, err
	}
	if b.Open == (in.Move == wire.BatchOpens) {
		return []desk.Effect{desk.Reject{Err: ErrBatch}}, nil
	}
	effects, err := c.turn(book, b, in.By, now)
	return append(effects, desk.Done{}), err
}

// turn closes the batch where it is open, and otherwise opens the next one.
func (c *Core) turn(book Book, b Batch, by string, now desk.Moment) ([]desk.Effect, error) {
	var effects []desk.Effect
	told := wire.Batch{Move: wire.BatchOpens}
	if b.Open {
		told = wire.Batch{Move: wire.BatchCloses, Charges: b.Charges, Voids: b.Voids, TotalFen: b.TotalFen}
		b.Open, b.ClosedAt, b.ClosedBy = false, now.At, by
		effects = c.hold(nil)
	} else {
		b = Batch{Number: b.Number + 1, Open: true, OpenedAt: now.At, OpenedBy: by, Flow: b.Flow, SumFen: b.SumFen}
	}
	told.Number, told.Flow, told.SumFen = b.Number, b.Flow, b.SumFen
	e := wire.Event{Type: wire.EventBatch, Offline: now.Offline, Guard: by, Batch: &told}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	return append(effects, Moved{b}), book.SetBatch(b)
}

// begin opens a batch with a shift, where none is open.
func (c *Core) begin(book Book, in desk.BeginShift, now desk.Moment) ([]desk.Effect, error) {
	effects, err := c.BeginShift(book, in, now)
	if err != nil || in.Number == "" {
		return effects, err
	}
	b, err := book.Batch()
	if err != nil || b.Open {
		return effects, err
	}
	more, err := c.turn(book, b, in.Number, now)
	return append(more, effects...), err
}

func (c *Core) void(book Book, in Void, now desk.Moment) ([]desk.Effect, error) {
	was, ok, err := book.Charge(in.Event)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []desk.Effect{desk.Reject{Err: ErrNoCharge}}, nil
	}
	b, err := book.Batch()
	if err != nil {
		return nil, err
	}
	charge := new(*was.Event.Charge)
	if was.Annulled || !b.Open || charge.Batch != b.Number {
		return []desk.Effect{desk.Reject{Err: ErrNotVoidable}}, nil
	}
	b.Voids++
	b.take(-charge.AmountFen)
	charge.Flow, charge.SumFen = b.Flow, b.SumFen
	id := was.Event.ID
	e := wire.Event{
		Type: wire.EventVoid, Scan: was.Event.Scan, Lane: was.Event.Lane, Source: was.Event.Source, Offline: now.Offline,
		Pass: was.Event.Pass, Verdict: verdict.Verdict{Reason: verdict.Annulled}, Annuls: &id, Guard: in.By, Charge: charge,
	}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	if err := book.Void(&e); err != nil {
		return nil, err
	}
	was.Annulled = true
	r, _ := ResultOf(&was)
	return []desk.Effect{desk.Show{Result: r}, desk.Done{Result: r}}, book.SetBatch(b)
}
