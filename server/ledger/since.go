package ledger

import (
	"context"
	"database/sql"

	"campusgate/server/store"
)

// Since gives the transfers of a card that are of a later day than day or were
// posted after seq, in the order in which they were posted, with their entries and
// without what became of them.
func (l *Ledger) Since(ctx context.Context, src store.Source, card uint64, day string, seq int64) ([]Record, error) {
	records, err := store.List(ctx, src, func(rows *sql.Rows) (Record, error) {
		r, _, err := scanRecord(rows.Scan)
		return r, err
	}, recordColumns+"WHERE t.card = $1 AND (t.day > $2 OR t.seq > $3) ORDER BY t.line", int64(card), day, seq)
	if err != nil {
		return nil, err
	}
	for i := range records {
		if records[i].Entries, err = entriesOf(ctx, src, records[i].Seq); err != nil {
			return nil, err
		}
	}
	return records, nil
}
