package ledger

import (
	"context"
	"database/sql"

	"campusgate/server/store"
)

// Hold promises money to a till that asked for it, in the caller's change, when
// so much is free. free is what is free after the answer. The same hold again
// gets the same answer for ever, also after its end; under an id that was asked
// with other content nothing is granted.
func (l *Ledger) Hold(t *store.Tx, h Hold) (granted bool, free int64, err error) {
	b, err := l.Balance(t.Context(), t, h.Card)
	if err != nil {
		return false, 0, err
	}
	free = b.Free()
	ended := sql.NullInt64{Int64: t.Now(), Valid: true}
	if h.Fen > 0 && h.Fen <= free {
		granted, ended.Valid = true, false
		free -= h.Fen
	}
	n, err := t.Affect(`INSERT INTO holds (id, card, fen, granted, made_at, expires_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO NOTHING`, h.ID, int64(h.Card), h.Fen, granted, t.Now(), h.Expires, ended)
	if err != nil || n > 0 {
		return granted, free, err
	}
	var old Hold
	err = t.QueryRowContext(t.Context(), "SELECT card, fen, granted FROM holds WHERE id = $1", h.ID).Scan(&old.Card, &old.Fen, &granted)
	return err == nil && granted && old.Card == h.Card && old.Fen == h.Fen, b.Free(), err
}

// Release ends a hold: its charge is posted in the same change, or it was given
// up. One that has ended, or never was, is no fault: then nothing was held.
func (l *Ledger) Release(t *store.Tx, id string) (held bool, err error) {
	n, err := t.Affect("UPDATE holds SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL", t.Now(), id)
	return n > 0, err
}

// Lapse ends the holds that are past their time. Until it runs they hold. It reads
// those that are open, of which the index has no others.
func (l *Ledger) Lapse(ctx context.Context) error {
	return l.Store.Change(ctx, func(t *store.Tx) error {
		return t.Exec(`UPDATE holds SET ended_at = $1 WHERE id IN
			(SELECT id FROM holds INDEXED BY holds_card WHERE ended_at IS NULL AND expires_at <= $2)`, t.Now(), t.Now())
	})
}
