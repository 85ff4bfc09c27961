package settle

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"campusgate/server/store"
)

// Journal is one of a till: an agent that is enrolled again begins another.
type Journal struct {
	Agent uint32 `json:"agent"`
	Epoch uint32 `json:"epoch"`
}

// Gap is a run of running numbers (流水号) of a till that are not here. From and
// To are included.
type Gap struct {
	Gate uint16 `json:"gate"`
	Journal
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Day is that of the record before it: the earliest it may belong to.
	Day string `json:"day"`
	// Fen is what the missing records come to by the till's own sums; nil where
	// nothing came after them that says so.
	Fen    *int64  `json:"fen,omitempty"`
	Waived *Waiver `json:"waived,omitempty"`
}

// Waiver is a person's word that a day may be closed without some records.
type Waiver struct {
	By     string `json:"by"`
	At     int64  `json:"at"`
	Reason string `json:"reason"`
}

func (g *Gap) String() string {
	if g.From == g.To {
		return fmt.Sprintf("till %d: %d", g.Gate, g.From)
	}
	return fmt.Sprintf("till %d: %d-%d", g.Gate, g.From, g.To)
}

// The records of each journal after those that were accounted for before, each
// beside the one before it.
const gapsQuery = `SELECT gate, agent, epoch, before, flow, coalesce(before_day, day), sum_fen - before_sum - moved
	FROM (SELECT c.gate, c.agent, c.epoch, c.flow, c.day, c.sum_fen,
		CASE c.kind WHEN 'void' THEN -c.amount_fen ELSE c.amount_fen END AS moved,
		lag(c.flow, 1, coalesce(f.flow, 0)) OVER w AS before,
		lag(c.sum_fen, 1, coalesce(p.sum_fen, 0)) OVER w AS before_sum,
		lag(c.day) OVER w AS before_day
		FROM charges c
		LEFT JOIN settled_journals f ON f.agent = c.agent AND f.epoch = c.epoch
		LEFT JOIN charges p ON p.agent = f.agent AND p.epoch = f.epoch AND p.flow = f.flow AND p.kind <> 'declined'
		WHERE c.kind <> 'declined' AND c.flow > coalesce(f.flow, 0)
		WINDOW w AS (PARTITION BY c.agent, c.epoch ORDER BY c.flow)) AS steps
	WHERE flow > before + 1 ORDER BY gate, agent, epoch, flow`

// Where each journal ends here, and how far it is known to have come: a refused
// charge and a batch say it too.
const tailsQuery = `SELECT k.gate, k.agent, k.epoch, max(k.held), max(k.flow), max(k.day)
	FROM (SELECT gate, agent, epoch, CASE kind WHEN 'declined' THEN 0 ELSE flow END AS held, flow, day FROM charges
		UNION ALL SELECT gate, agent, epoch, 0, max(coalesce(flow_from, 0), coalesce(flow_to, 0)), '' FROM batches
		UNION ALL SELECT 0, agent, epoch, flow, 0, '' FROM settled_journals) AS k
	GROUP BY k.agent, k.epoch HAVING max(k.flow) > max(k.held) ORDER BY 1, 2, 3`

// Gaps lists the numbers that are missing, of all days that are not closed, by
// till.
func (s *Service) Gaps(ctx context.Context, src store.Source) ([]Gap, error) {
	inner, err := store.List(ctx, src, func(rows *sql.Rows) (g Gap, err error) {
		var before, flow uint64
		var fen int64
		err = rows.Scan(&g.Gate, &g.Agent, &g.Epoch, &before, &flow, &g.Day, &fen)
		g.From, g.To, g.Fen = before+1, flow-1, &fen
		return g, err
	}, gapsQuery)
	if err != nil {
		return nil, err
	}
	tails, err := store.List(ctx, src, func(rows *sql.Rows) (g Gap, err error) {
		err = rows.Scan(&g.Gate, &g.Agent, &g.Epoch, &g.From, &g.To, &g.Day)
		g.From++
		return g, err
	}, tailsQuery)
	if err != nil {
		return nil, err
	}
	all := append(inner, tails...)
	for i := range all {
		if err := waiverOf(ctx, src, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// waiverOf finds the word that covers a whole gap.
func waiverOf(ctx context.Context, src store.Source, g *Gap) error {
	found, err := store.List(ctx, src, func(rows *sql.Rows) (w Waiver, err error) {
		err = rows.Scan(&w.By, &w.At, &w.Reason)
		return w, err
	}, `SELECT waived_by, waived_at, reason FROM waivers
		WHERE agent = $1 AND epoch = $2 AND flow_from <= $3 AND flow_to >= $4 ORDER BY id LIMIT 1`,
		g.Agent, g.Epoch, int64(g.From), int64(g.To))
	if err == nil && len(found) == 1 {
		g.Waived = &found[0]
	}
	return err
}

// Waive lets a day be closed without the records of a gap, on a person's word.
// ErrNothing where no such gap is, ErrClosed.
func (s *Service) Waive(ctx context.Context, actor, day string, asked Gap, reason string) (Gap, error) {
	var refusal error
	var gap Gap
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		if refusal = s.openDay(ctx, t, day); refusal != nil {
			return nil
		}
		gaps, err := s.Gaps(ctx, t)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(gaps, func(g Gap) bool {
			return g.Journal == asked.Journal && g.From == asked.From && g.To == asked.To
		})
		if at < 0 {
			refusal = fmt.Errorf("%w: no gap %d-%d in journal %d-%d", ErrNothing, asked.From, asked.To, asked.Agent, asked.Epoch)
			return nil
		}
		if gap = gaps[at]; gap.Waived != nil {
			return nil
		}
		gap.Waived = &Waiver{By: actor, At: t.Now(), Reason: reason}
		err = t.Exec(`INSERT INTO waivers (day, gate, agent, epoch, flow_from, flow_to, fen, reason, waived_by, waived_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			day, gap.Gate, gap.Agent, gap.Epoch, int64(gap.From), int64(gap.To), gap.Fen, reason, actor, t.Now())
		if err != nil {
			return err
		}
		return t.Trail(actor, "gap.waived", gap.String(), map[string]any{"day": day, "reason": reason})
	})
	if err == nil {
		err = refusal
	}
	return gap, err
}
