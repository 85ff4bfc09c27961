package charges

import (
	"context"
	"database/sql"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/store"
)

// quarter is as fine as the offsets of time zones are.
const quarter = 15 * 60 * 1000

// hourly adds up by the hour of the campus, in the order of the day. The
// database adds up quarters of an hour, since it does not know the campus's
// clock.
func (s *Service) hourly(ctx context.Context, sight canteen.Sight, day string) ([]Turnover, error) {
	type part struct {
		Turnover
		at int64
	}
	parts, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (p part, err error) {
		err = rows.Scan(&p.at, &p.Charges, &p.Voids, &p.FenIn, &p.FenBack)
		return p, err
	}, `SELECT c.at / 900000, sum(c.kind = 'charge'), sum(c.kind = 'void'),
		sum(CASE c.kind WHEN 'charge' THEN c.amount_fen ELSE 0 END), sum(CASE c.kind WHEN 'void' THEN c.amount_fen ELSE 0 END)
		FROM charges c WHERE `+seen+" AND c.day = $3 AND c.kind IN ('charge', 'void') AND c.transfer IS NOT NULL GROUP BY 1 ORDER BY 1",
		sight.All, sight.Person, day)
	hours := []Turnover{}
	for _, p := range parts {
		key := time.UnixMilli(p.at * quarter).In(s.Location).Format("15")
		if n := len(hours); n == 0 || hours[n-1].Key != key {
			hours = append(hours, Turnover{Key: key})
		}
		h := &hours[len(hours)-1]
		h.Charges += p.Charges
		h.Voids += p.Voids
		h.FenIn += p.FenIn
		h.FenBack += p.FenBack
	}
	return hours, err
}
