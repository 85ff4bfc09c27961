package cards

import (
	"context"
	"database/sql"

	"campusgate/server/store"
)

// Ends says when each subsidy ends that a card was granted: unix ms, by batch.
func (s *Service) Ends(ctx context.Context, src store.Source, account uint64) (map[string]int64, error) {
	ends := map[string]int64{}
	_, err := store.List(ctx, src, func(rows *sql.Rows) (struct{}, error) {
		var batch string
		var at int64
		err := rows.Scan(&batch, &at)
		ends[batch] = at
		return struct{}{}, err
	}, "SELECT batch, expires_at FROM subsidy_grants WHERE account = $1 AND granted_at IS NOT NULL", int64(account))
	return ends, err
}
