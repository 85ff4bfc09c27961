package cards

import (
	"context"

	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/code"
	"campusgate/signing/wire"
)

// edit changes a card that is not closed, and gives it as it then is. A refusal
// comes before anything was written.
func (s *Service) edit(ctx context.Context, account uint64, fn func(*store.Tx, Account) (refusal, fault error)) (Account, error) {
	var c Account
	err := s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		var err error
		if c, err = s.Find(t.Context(), t, account); err == ErrNoCard {
			return err, nil
		} else if err != nil {
			return nil, err
		}
		if c.ClosedAt != 0 {
			return ErrClosed, nil
		}
		if refusal, fault = fn(t, c); refusal != nil || fault != nil {
			return refusal, fault
		}
		c, err = s.Find(t.Context(), t, account)
		return nil, err
	})
	if err != nil {
		return Account{}, err
	}
	return c, nil
}

// margin is how long tills are told of a card after its last credential ended:
// clocks differ.
const margin = 24 * 3600 // seconds

// tell says to the tills how a card stands: one that is not in order, and one
// whose earlier credentials are withdrawn, as long as any can still be shown. A
// card in order is nobody's business.
func (s *Service) tell(t *store.Tx, c Account) error {
	// Codes for browsers without a key store are kept nowhere and end soon.
	last := c.EpochAt/1000 + code.ServerLife
	below := c.Epoch
	if c.State != wire.CardActive {
		last, below = t.Now()/1000+code.ServerLife, c.Epoch+1
	}
	var expires int64
	err := t.QueryRowContext(t.Context(), "SELECT coalesce(max(expires), 0) FROM card_phones WHERE account = $1 AND epoch < $2",
		int64(c.Account), below).Scan(&expires)
	if err != nil {
		return err
	}
	last = max(last, expires)
	if c.State == wire.CardActive && (c.Epoch == 1 || last <= t.Now()/1000) {
		return t.RemoveCard(c.Account)
	}
	at := c.StateAt
	if c.State == wire.CardActive {
		at = c.EpochAt
	}
	return t.PutCard(c.Account, wire.Card{State: c.State, Epoch: c.Epoch, At: at, Expires: last + margin})
}

// told reads a card anew and tells the tills.
func (s *Service) told(t *store.Tx, account uint64) error {
	c, err := s.Find(t.Context(), t, account)
	if err != nil {
		return err
	}
	return s.tell(t, c)
}

// raise withdraws every credential of a card.
func (s *Service) raise(t *store.Tx, c *Account) error {
	c.Epoch, c.EpochAt = c.Epoch+1, t.Now()
	err := t.Exec("UPDATE cards SET epoch = $1, epoch_at = $2 WHERE account = $3", c.Epoch, c.EpochAt, int64(c.Account))
	if err != nil {
		return err
	}
	return s.tell(t, *c)
}

// ReportLoss stops a card from this moment, by its holder or the office; a lost
// one stays lost since the first time.
func (s *Service) ReportLoss(ctx context.Context, actor string, account uint64, reason string) (Account, error) {
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.LostAt != 0 {
			return nil, nil
		}
		err := t.Exec("UPDATE cards SET lost_at = $1, state_at = $2 WHERE account = $3", t.Now(), t.Now(), int64(account))
		if err != nil {
			return nil, err
		}
		// Lost twice within a millisecond it is lost once.
		err = t.Exec(`INSERT INTO card_losses (account, lost_at) VALUES ($1, $2)
			ON CONFLICT (account, lost_at) DO UPDATE SET over_at = NULL`, int64(account), t.Now())
		if err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.lost", c, map[string]any{"reason": reason}); err != nil {
			return nil, err
		}
		return nil, s.told(t, account)
	})
}

// LiftLoss makes a lost card good again for its holder, who knows its password:
// see CheckPassword. ErrState when it is not lost.
func (s *Service) LiftLoss(ctx context.Context, actor string, account uint64, password string) (Account, error) {
	c, err := s.Find(ctx, s.Store.Reader(), account)
	if err != nil {
		return Account{}, err
	}
	if c.ClosedAt != 0 {
		return Account{}, ErrClosed
	}
	if c.LostAt == 0 {
		return Account{}, wrongState(c)
	}
	if err := s.CheckPassword(ctx, account, password); err != nil {
		return Account{}, err
	}
	return s.Lift(ctx, actor, account, "")
}

// Lift is LiftLoss by the office, which has seen who the holder is.
func (s *Service) Lift(ctx context.Context, actor string, account uint64, reason string) (Account, error) {
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.LostAt == 0 {
			return wrongState(c), nil
		}
		if err := found(t, account); err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.lift", c, map[string]any{"reason": reason}); err != nil {
			return nil, err
		}
		return nil, s.told(t, account)
	})
}

// found ends a loss.
func found(t *store.Tx, account uint64) error {
	if err := t.Exec("UPDATE cards SET lost_at = NULL, state_at = $1 WHERE account = $2", t.Now(), int64(account)); err != nil {
		return err
	}
	return t.Exec("UPDATE card_losses SET over_at = $1 WHERE account = $2 AND over_at IS NULL", t.Now(), int64(account))
}

// WasLost says whether a card was reported lost at a time in the past, in ms. What
// came in the moment of the report may have come before it.
func (s *Service) WasLost(ctx context.Context, src store.Source, account uint64, at int64) (lost bool, err error) {
	err = src.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM card_losses
		WHERE account = $1 AND lost_at < $2 AND coalesce(over_at, $3) > $4)`, int64(account), at, at+1, at).Scan(&lost)
	return lost, err
}

func wrongState(c Account) error { return refuse(ErrState, "state", string(c.State)) }

// Freeze stops a card by the office, for a reason that its holder may ask for.
func (s *Service) Freeze(ctx context.Context, actor string, account uint64, reason string) (Account, error) {
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.FrozenAt != 0 {
			return nil, nil
		}
		err := t.Exec("UPDATE cards SET frozen_at = $1, freeze_reason = $2, state_at = $3 WHERE account = $4",
			t.Now(), reason, t.Now(), int64(account))
		if err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.frozen", c, map[string]any{"reason": reason}); err != nil {
			return nil, err
		}
		return nil, s.told(t, account)
	})
}

// Unfreeze ends what Freeze began; ErrState when the card is not frozen.
func (s *Service) Unfreeze(ctx context.Context, actor string, account uint64, reason string) (Account, error) {
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.FrozenAt == 0 {
			return wrongState(c), nil
		}
		err := t.Exec("UPDATE cards SET frozen_at = NULL, freeze_reason = NULL, state_at = $1 WHERE account = $2", t.Now(), int64(account))
		if err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.unfrozen", c, map[string]any{"reason": reason}); err != nil {
			return nil, err
		}
		return nil, s.told(t, account)
	})
}

// Reissue withdraws every credential of a card: its holder enrols a phone anew.
// A lost card is found by that; a frozen one stays frozen. Account and money are
// the same, and so is what tills have yet to report.
func (s *Service) Reissue(ctx context.Context, actor string, account uint64, reason string) (Account, error) {
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.LostAt != 0 {
			if err := found(t, account); err != nil {
				return nil, err
			}
		}
		if err := trail(t, actor, "card.reissued", c, map[string]any{"reason": reason, "epoch": c.Epoch + 1}); err != nil {
			return nil, err
		}
		now, err := s.Find(t.Context(), t, account)
		if err != nil {
			return nil, err
		}
		return nil, s.raise(t, &now)
	})
}

// Close ends a card for good. Its holder's money must have been paid out at the
// cash desk before (ErrBalance), nothing be promised to a till, and no debt be
// left (ErrDebt); what is left of subsidies goes back.
func (s *Service) Close(ctx context.Context, actor string, account uint64, reason string) (Account, error) {
	var c Account
	err := s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		var err error
		if c, err = s.Find(t.Context(), t, account); err == ErrNoCard {
			return err, nil
		} else if err != nil {
			return nil, err
		}
		if c.ClosedAt != 0 {
			return nil, nil
		}
		b, err := s.Ledger.Balance(t.Context(), t, account)
		switch {
		case err != nil:
			return nil, err
		case b.MainFen != 0 || b.HeldFen != 0:
			return &Refusal{ErrBalance, map[string]any{"main_fen": b.MainFen, "held_fen": b.HeldFen}}, nil
		case b.DebtFen != 0:
			return refuse(ErrDebt, "debt_fen", b.DebtFen), nil
		}
		if refusal, fault = s.takeAllBack(t, c, b.SubsidyFen); refusal != nil || fault != nil {
			return refusal, fault
		}
		err = t.Exec("UPDATE cards SET closed_at = $1, state_at = $2 WHERE account = $3", t.Now(), t.Now(), int64(account))
		if err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.closed", c, map[string]any{"reason": reason}); err != nil {
			return nil, err
		}
		if err := s.told(t, account); err != nil {
			return nil, err
		}
		c, err = s.Find(t.Context(), t, account)
		return nil, err
	})
	if err != nil {
		return Account{}, err
	}
	return c, nil
}

// WriteOff takes a debt away that nobody will pay, at the expense of the campus.
// The id is the asker's; the same again changes nothing. ErrDebt when there is
// none.
func (s *Service) WriteOff(ctx context.Context, actor string, account uint64, id, reason string) error {
	return s.once(ctx, account, "writeoff/"+id, 0, func(t *store.Tx, c Account) (tr ledger.Transfer, refusal, fault error) {
		fen, err := s.Ledger.BalanceOf(t.Context(), t, ledger.Debt(account))
		if err != nil {
			return tr, nil, err
		}
		if fen == 0 {
			return tr, refuse(ErrDebt, "debt_fen", fen), nil
		}
		tr.Entries = []ledger.Entry{{Account: ledger.Debt(account), Fen: -fen}, {Account: ledger.WrittenOff, Fen: fen}}
		return tr, nil, trail(t, actor, "card.written_off", c, map[string]any{"reason": reason, "fen": -fen, "id": id})
	})
}

// TakeOver gives a card the balance that it had in an older system, once:
// ErrBatch for another amount.
func (s *Service) TakeOver(ctx context.Context, actor string, account uint64, fen int64) error {
	if fen <= 0 || amount("fen", fen) != nil {
		return fault("fen", "金额应大于零", "want an amount above zero")
	}
	return s.once(ctx, account, "opening/"+accountText(account), fen, func(t *store.Tx, c Account) (tr ledger.Transfer, refusal, fault error) {
		tr.Entries = []ledger.Entry{{Account: ledger.Opening, Fen: -fen}, {Account: ledger.Main(account), Fen: fen}}
		return tr, nil, trail(t, actor, "card.taken_over", c, map[string]any{"fen": fen})
	})
}
