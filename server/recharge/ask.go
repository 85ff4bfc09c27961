package recharge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"campusgate/server/store"
)

// pauses are how long it takes until a channel is asked again what became of an
// order; the last one repeats. The first notice comes within seconds as a rule,
// so the first question waits for it.
var pauses = []time.Duration{
	30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// due is how many orders one Tick asks for.
const due = 100

// Tick asks the channels for the orders whose turn it is. It is meant to run
// every few seconds. A channel that fails does not stop the others.
func (s *Service) Tick(ctx context.Context) error {
	orders, err := store.List(ctx, s.Store.Reader(), scanOrder, orderColumns+" WHERE ask_at <= $1 ORDER BY ask_at LIMIT $2", s.Now().UnixMilli(), due)
	if err != nil {
		return err
	}
	failed := map[string]error{}
	for _, o := range orders {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// A channel that does not answer is not waited for a hundred times.
		if failed[o.Channel] == nil {
			failed[o.Channel] = s.ask(ctx, o)
		}
	}
	return errors.Join(slices.Collect(maps.Values(failed))...)
}

// Refresh asks the channel for an order that waits, unless it was asked just
// now, and gives the order as it is then. A channel that does not answer is no
// error: the order waits.
func (s *Service) Refresh(ctx context.Context, id string) (Order, error) {
	o, err := s.Find(ctx, id)
	if err != nil || o.State() != StateCreated || s.Now().UnixMilli()-o.askedAt < settled.Milliseconds() {
		return o, err
	}
	if err := s.ask(ctx, o); err != nil && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrRefused) {
		return o, err
	}
	return s.Find(ctx, id)
}

// Ask asks the channel now, whatever became of the order, and gives the order as
// it is then. Errors: store.ErrNotFound, ErrOff, ErrUnavailable, ErrRefused when
// it is too old and the channel does not close it.
func (s *Service) Ask(ctx context.Context, id string) (Order, error) {
	o, err := s.Find(ctx, id)
	if err != nil {
		return o, err
	}
	if s.channels[o.Channel] == nil {
		return o, ErrOff
	}
	if err := s.ask(ctx, o); err != nil {
		return o, err
	}
	return s.Find(ctx, id)
}

// ask brings one order forward by what its channel says. An order that is too
// old is closed there first; when that is refused, it was paid in between, and
// the next question finds that out.
func (s *Service) ask(ctx context.Context, o Order) error {
	next := pauses[min(o.asked, len(pauses)-1)]
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		return t.Exec("UPDATE recharges SET asked = asked + 1, asked_at = $1, ask_at = $2 WHERE id = $3 AND ask_at IS NOT NULL",
			t.Now(), t.Now()+next.Milliseconds(), o.ID)
	})
	if err != nil {
		return err
	}
	ch := s.channels[o.Channel]
	if ch == nil {
		return nil // switched off; what was paid is in its bill when it is on again
	}
	n, err := s.query(ctx, ch, o.ID)
	if err != nil {
		return err
	}
	if n.Event == Waiting && s.Now().UnixMilli() >= o.ExpiresAt {
		if err := ch.Close(ctx, o.ID); err != nil {
			return err
		}
		n = Notice{Event: Closed, Order: o.ID}
	}
	_, err = s.take(ctx, o.Channel, n)
	return err
}

// query asks, and makes sure that the answer is about the order.
func (s *Service) query(ctx context.Context, ch Channel, order string) (Notice, error) {
	n, err := ch.Query(ctx, order)
	if err == nil && n.Event != Waiting && n.Order != order {
		err = ErrUnavailable
	}
	return n, err
}
