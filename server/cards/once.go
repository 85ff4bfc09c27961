package cards

import (
	"cmp"
	"context"
	"strconv"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

func accountText(account uint64) string { return strconv.FormatUint(account, 10) }

// once adjusts the money of a card, also of one that is closed, under an id that
// is used once: where it was used, for this card and amount (0 = any), nothing
// is made; ErrBatch for another.
func (s *Service) once(ctx context.Context, account uint64, id string, fen int64,
	adjust func(*store.Tx, Account) (tr ledger.Transfer, refusal, fault error),
) error {
	return s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		c, err := s.Find(t.Context(), t, account)
		if err == ErrNoCard {
			return err, nil
		} else if err != nil {
			return nil, err
		}
		old, known, err := s.Ledger.Find(t.Context(), t, id)
		switch {
		case err != nil:
			return nil, err
		case known && (old.Card != account || fen != 0 && old.AmountFen != fen):
			return ErrBatch, nil
		case known:
			return nil, nil
		}
		tr, refusal, fault := adjust(t, c)
		if refusal != nil || fault != nil {
			return refusal, fault
		}
		tr.ID, tr.Kind = id, ledger.KindAdjust
		refusal, fault = s.post(t, c, tr, nil)
		return nil, cmp.Or(fault, refusal) // adjust has written: all of it or nothing
	})
}
