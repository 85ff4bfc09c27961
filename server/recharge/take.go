package recharge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

const currency = "CNY"

// Callback takes a notice in as it came, and gives what to answer the channel.
// ok is false when there is no such channel. A notice that was forged, or does
// not agree with what we have, is not taken; the answer says so.
func (s *Service) Callback(ctx context.Context, channel string, header http.Header, body []byte) (a Answer, ok bool) {
	ch := s.channels[channel]
	if ch == nil {
		return Answer{}, false
	}
	n, err := ch.Callback(header, body, s.Now())
	if err != nil {
		s.Log.Warn("recharge: notice refused", "channel", channel, "err", err)
		return ch.Answer(false), true
	}
	agreed, err := s.take(ctx, channel, n)
	if err != nil {
		s.Log.Error("recharge: notice not stored", "channel", channel, "err", err)
	}
	return ch.Answer(err == nil && agreed), true
}

// take is the one way by which anything that a channel said changes an order.
func (s *Service) take(ctx context.Context, channel string, n Notice) (agreed bool, err error) {
	var found []Issue
	err = s.Store.Change(ctx, func(t *store.Tx) (err error) {
		found, err = s.apply(t, channel, n)
		return err
	})
	if err != nil {
		return false, err
	}
	agreed = true
	for _, i := range found {
		agreed = agreed && i.Kind != Mismatch
		if i.isNew {
			s.Log.Error("recharge: a person has to look", "kind", i.Kind, "channel", channel, "issue", i.ID)
		}
	}
	return agreed, nil
}

// apply brings an order forward. It may be called with anything, any number of
// times and in any order. What it finds is stored already.
func (s *Service) apply(t *store.Tx, channel string, n Notice) (found []Issue, err error) {
	report := func(kind, what string) error {
		i, err := raise(t, Issue{Kind: kind, Channel: channel, Order: n.Order, What: what, Fen: n.Fen})
		found = append(found, i)
		if err != nil || !i.isNew {
			return err
		}
		id := fmt.Sprintf("recharge/%d", i.ID)
		return s.Alarm(t, id, id, "recharge", map[string]any{
			"issue": i.Kind, "channel": i.Channel, "order": i.Order, "what": i.What, "amount_fen": i.Fen, "at": t.Now(),
		})
	}
	if n.Event == Waiting {
		return nil, nil
	}
	o, err := find(t.Context(), t, n.Order)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return found, report(Mismatch, "no such order")
	case err != nil:
		return nil, err
	case n.Foreign:
		return found, report(Mismatch, "another merchant's")
	case o.Channel != channel:
		return found, report(Mismatch, "order of another channel")
	case n.Event == Closed || n.Event == Failed:
		return nil, s.shut(t, o, n.Event == Failed)
	case n.Fen != o.Fen || n.Currency != currency:
		return found, report(Mismatch, fmt.Sprintf("%s %s instead of %s %s", Yuan(n.Fen), clean(n.Currency), Yuan(o.Fen), currency))
	}
	switch n.Event {
	case Paid:
		return found, s.credit(t, o, n, report)
	case Refunded:
		return found, s.refund(t, o, n, report)
	case Waiting, Closed, Failed: // dealt with above
	}
	return nil, fmt.Errorf("event %q", n.Event)
}

// shut ends the wait for an order that nobody can pay any more.
func (s *Service) shut(t *store.Tx, o Order, failed bool) error {
	if o.State() != StateCreated {
		return nil
	}
	return t.Exec("UPDATE recharges SET closed_at = $1, failed = $2, ask_at = NULL WHERE id = $3", t.Now(), failed, o.ID)
}

// credit posts what was paid. It also does for an order that was closed: the
// money has come.
func (s *Service) credit(t *store.Tx, o Order, n Notice, report func(kind, what string) error) error {
	if o.CreditedAt > 0 && o.Trade != "" && n.Trade != "" && o.Trade != n.Trade {
		return report(PaidTwice, "trade "+clean(n.Trade))
	}
	if o.CreditedAt > 0 || o.RefundedAt > 0 {
		return nil
	}
	at := or(n.At, t.Now())
	tr := ledger.Transfer{
		ID: o.Transfer(), Kind: ledger.KindRecharge, At: at, Day: s.day(at), Card: o.Account, Place: s.place(o.Channel), Data: data(o, n.Trade),
		Entries: []ledger.Entry{{Account: ledger.Clearing(o.Channel), Fen: -o.Fen}},
	}
	card, err := s.Cards.Find(t.Context(), t, o.Account)
	suspended := errors.Is(err, ErrNoCard) || card.State == wire.CardClosed
	if err != nil && !suspended {
		return err
	}
	lines := []ledger.Entry{{Account: ledger.Suspense, Fen: o.Fen}}
	if suspended {
		tr.Card = 0
	} else if lines, err = s.Ledger.Refill(t.Context(), t, o.Account, o.Fen); err != nil {
		return err
	}
	tr.Entries = append(tr.Entries, lines...)
	out, err := s.Ledger.Post(t, tr)
	if err != nil {
		return err
	}
	if out.State != ledger.Posted && out.State != ledger.Repeated {
		return report(NotPosted, "credit "+string(out.State))
	}
	if suspended {
		if err := report(AccountClosed, "paid into a closed account; the money is in suspense"); err != nil {
			return err
		}
	}
	return t.Exec("UPDATE recharges SET trade = $1, paid_at = $2, credited_at = $3, suspended = $4, ask_at = NULL WHERE id = $5",
		n.Trade, at, t.Now(), suspended, o.ID)
}

// refund takes back what the merchant gave back at the channel. Only a whole
// refund is booked by itself: the rest is for the office. One that is known
// before the payment leaves nothing to credit, which comes to the same.
func (s *Service) refund(t *store.Tx, o Order, n Notice, report func(kind, what string) error) error {
	switch {
	case o.RefundedAt > 0:
		return nil
	case n.RefundFen == 0 && o.CreditedAt > 0:
		return nil // the notice of it, or the bill, says how much
	case n.RefundFen == 0:
		// Nobody may spend what may have gone back.
		err := report(RefundUnknown, "refunded at the channel before it was credited here; the bill says how much")
		return errors.Join(err, t.Exec("UPDATE recharges SET ask_at = NULL WHERE id = $1", o.ID))
	case n.RefundFen != o.Fen:
		return report(PartRefund, Yuan(n.RefundFen)+" of "+Yuan(o.Fen)+" refunded at the channel")
	}
	if o.CreditedAt > 0 {
		done, err := s.takeBack(t, o, n, report)
		if err != nil || !done {
			return err
		}
	}
	return t.Exec("UPDATE recharges SET refunded_at = $1, trade = $2, ask_at = NULL WHERE id = $3", t.Now(), n.Trade, o.ID)
}

// takeBack posts the way back of a credit. What the holder has spent since
// becomes a debt.
func (s *Service) takeBack(t *store.Tx, o Order, n Notice, report func(kind, what string) error) (bool, error) {
	at := or(n.At, t.Now())
	tr := ledger.Transfer{
		ID: o.Transfer() + "/refund", Kind: ledger.KindRecharge, At: at, Day: s.day(t.Now()), Card: o.Account, Reverses: o.Transfer(),
		Place: s.place(o.Channel), Data: data(o, n.Trade), Entries: []ledger.Entry{{Account: ledger.Clearing(o.Channel), Fen: o.Fen}},
	}
	if o.Suspended {
		tr.Card = 0
		tr.Entries = append(tr.Entries, ledger.Entry{Account: ledger.Suspense, Fen: -o.Fen})
	} else {
		b, err := s.Ledger.Balance(t.Context(), t, o.Account)
		if err != nil {
			return false, err
		}
		fromMain := min(o.Fen, b.MainFen)
		tr.Entries = append(tr.Entries, entries(ledger.Main(o.Account), -fromMain, ledger.Debt(o.Account), fromMain-o.Fen)...)
	}
	out, err := s.Ledger.Post(t, tr)
	if err != nil {
		return false, err
	}
	if out.State != ledger.Posted && out.State != ledger.Repeated {
		return false, report(NotPosted, "refund "+string(out.State))
	}
	return true, nil
}

// entries leaves out those of nothing.
func entries(a ledger.Account, aFen int64, b ledger.Account, bFen int64) (list []ledger.Entry) {
	for _, e := range []ledger.Entry{{Account: a, Fen: aFen}, {Account: b, Fen: bFen}} {
		if e.Fen != 0 {
			list = append(list, e)
		}
	}
	return list
}

func data(o Order, trade string) json.RawMessage {
	body, err := json.Marshal(map[string]string{"order": o.ID, "channel": o.Channel, "trade": clean(trade)})
	if err != nil {
		return nil // which maps of texts never give
	}
	return body
}

func (s *Service) place(channel string) string {
	if ch := s.channels[channel]; ch != nil {
		return ch.Info().Name.ZH
	}
	return channel
}

// settled is how long a channel may take to tell of something.
const settled = 2 * time.Second
