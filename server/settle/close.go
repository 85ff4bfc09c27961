package settle

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"campusgate/server/store"
)

// openDay refuses a day that nothing can be done with any more.
func (s *Service) openDay(ctx context.Context, t *store.Tx, day string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fmt.Errorf("%w: %q", ErrDay, day)
	}
	var closed bool
	if err := t.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM days WHERE day >= $1)", day).Scan(&closed); err != nil {
		return err
	}
	if closed {
		return fmt.Errorf("%w: %s", ErrClosed, day)
	}
	return nil
}

// ripe refuses a day whose turn has not come.
func (s *Service) ripe(ctx context.Context, t *store.Tx, day string) error {
	if err := s.openDay(ctx, t, day); err != nil {
		return err
	}
	today, err := s.Today(ctx, t, time.UnixMilli(t.Now()))
	if err != nil {
		return err
	}
	if day >= today {
		return fmt.Errorf("%w: %s is not over", ErrOpen, day)
	}
	open, err := s.Open(ctx, t)
	if err != nil {
		return err
	}
	if open != "" && open < day {
		return fmt.Errorf("%w: %s is still open", ErrOpen, open)
	}
	return nil
}

// Close closes a day, or says why it cannot be: ErrDay, ErrOpen, ErrClosed, and
// *Unaccounted with the gaps or the differences that nobody has answered for.
// What the subsidy bore is set right after it, see FinishSplits.
func (s *Service) Close(ctx context.Context, actor, day string) (*DayReport, error) {
	var refusal error
	var r *DayReport
	err := s.Store.Change(ctx, func(t *store.Tx) (err error) {
		if refusal = s.ripe(t.Context(), t, day); refusal != nil {
			return nil
		}
		if r, err = s.report(t.Context(), t, day); err != nil {
			return err
		}
		if refusal = r.unaccounted(); refusal != nil {
			return nil
		}
		return s.close(t, actor, r)
	})
	switch {
	case err != nil:
		return nil, err
	case refusal != nil:
		return nil, refusal
	}
	if err := s.FinishSplits(ctx); err != nil {
		return nil, err
	}
	return s.Report(ctx, day)
}

// unaccounted is what nobody has answered for; nil = nothing.
func (r *DayReport) unaccounted() error {
	u := &Unaccounted{Err: ErrGaps}
	for _, g := range r.Gaps {
		if g.Waived == nil {
			u.Gaps = append(u.Gaps, g)
		}
	}
	if len(u.Gaps) > 0 {
		return u
	}
	u.Err = ErrDifferences
	for _, d := range r.Differences {
		if d.Accepted == nil {
			u.Differences = append(u.Differences, d)
		}
	}
	if len(u.Differences) > 0 {
		return u
	}
	return nil
}

func (s *Service) close(t *store.Tx, actor string, r *DayReport) error {
	for _, total := range r.Totals {
		err := t.Exec(`INSERT INTO day_totals (day, merchant, gate, period, late, charges, voids, fen)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			r.Day, total.Merchant, total.Gate, total.Period, total.Late, total.Charges, total.Voids, total.Fen)
		if err != nil {
			return err
		}
	}
	// Up to the last record of the day: what follows is looked for when the next
	// day is closed.
	err := t.Exec(`INSERT INTO settled_journals (agent, epoch, flow)
		SELECT agent, epoch, max(flow) FROM charges WHERE day <= $1 AND kind <> 'declined' GROUP BY agent, epoch
		ON CONFLICT (agent, epoch) DO UPDATE SET flow = max(settled_journals.flow, excluded.flow)`, r.Day)
	if err != nil {
		return err
	}
	err = t.Exec(`INSERT INTO settled_journals (agent, epoch, flow)
		SELECT agent, epoch, max(flow_to) FROM waivers WHERE day = $1 GROUP BY agent, epoch
		ON CONFLICT (agent, epoch) DO UPDATE SET flow = max(settled_journals.flow, excluded.flow)`, r.Day)
	if err != nil {
		return err
	}
	r.State, r.ClosedAt, r.ClosedBy = StateClosed, t.Now(), actor
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = t.Exec("INSERT INTO days (day, closed_at, closed_by, report) VALUES ($1, $2, $3, $4)", r.Day, r.ClosedAt, actor, string(text))
	if err != nil {
		return err
	}
	err = t.Exec("INSERT INTO splitting (day, seq, card) SELECT $1, coalesce(max(seq), 0), 0 FROM transfers", r.Day)
	if err != nil {
		return err
	}
	return t.Trail(actor, "day.closed", r.Day, map[string]any{
		"fen": r.Checks.MerchantFen, "waived": len(r.Gaps), "accepted": len(r.Differences),
	})
}

// Accept lets a day be closed with a difference, which is the actor's from then
// on. ErrNothing where the day has no such difference, ErrClosed.
func (s *Service) Accept(ctx context.Context, actor, day, what, ref, reason string) (*DayReport, error) {
	var refusal error
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		if refusal = s.openDay(t.Context(), t, day); refusal != nil {
			return nil
		}
		r, err := s.report(t.Context(), t, day)
		if err != nil {
			return err
		}
		for _, d := range r.Differences {
			if d.What != what || d.Ref != ref {
				continue
			}
			err := t.Exec(`INSERT INTO differences (day, what, ref, till_fen, server_fen, merchant_fen, reason, owner, accepted_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
				ON CONFLICT (day, what, ref) DO UPDATE SET till_fen = excluded.till_fen, server_fen = excluded.server_fen,
					merchant_fen = excluded.merchant_fen, reason = excluded.reason, owner = excluded.owner, accepted_at = excluded.accepted_at`,
				day, what, ref, d.TillFen, d.ServerFen, d.MerchantFen, reason, actor, t.Now())
			if err != nil {
				return err
			}
			return t.Trail(actor, "difference.accepted", day, map[string]any{"what": what, "ref": ref, "reason": reason})
		}
		refusal = fmt.Errorf("%w: %s has no difference %s %s", ErrNothing, day, what, ref)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case refusal != nil:
		return nil, refusal
	}
	return s.Report(ctx, day)
}

// BusinessDay is a line of the list of days.
type BusinessDay struct {
	Day       string `json:"day"`
	State     string `json:"state"`
	ClosedAt  int64  `json:"closed_at,omitempty"`
	ClosedBy  string `json:"closed_by,omitempty"`
	Charges   int    `json:"charges"`
	Fen       int64  `json:"fen"` // charges less voids, settled with it
	LateFen   int64  `json:"late_fen"`
	RefundFen int64  `json:"refund_fen"`
}

// Days lists the latest days with charges, refunds or a close, newest first.
func (s *Service) Days(ctx context.Context, limit int) ([]BusinessDay, error) {
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (d BusinessDay, err error) {
		d.State = StateOpen
		err = rows.Scan(&d.Day, &d.ClosedAt, &d.ClosedBy, &d.Charges, &d.Fen, &d.LateFen, &d.RefundFen)
		if d.ClosedAt != 0 {
			d.State = StateClosed
		}
		return d, err
	}, `SELECT a.day, coalesce(d.closed_at, 0), coalesce(d.closed_by, ''),
		(SELECT count(*) FROM charges WHERE settle_day = a.day AND kind = 'charge' AND transfer IS NOT NULL),
		(SELECT coalesce(sum(`+moved+`), 0) FROM charges WHERE settle_day = a.day AND transfer IS NOT NULL),
		(SELECT coalesce(sum(`+moved+`), 0) FROM charges WHERE settle_day = a.day AND late = 1 AND transfer IS NOT NULL),
		(SELECT coalesce(sum(fen), 0) FROM refunds WHERE settle_day = a.day)
		FROM (SELECT settle_day AS day FROM charges WHERE kind <> 'declined' UNION SELECT settle_day FROM refunds UNION SELECT day FROM days
			ORDER BY 1 DESC LIMIT $1) a
		LEFT JOIN days d ON d.day = a.day ORDER BY a.day DESC`, limit)
}
