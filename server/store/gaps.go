package store

import (
	"context"
	"database/sql"
	"fmt"

	"campusgate/signing/wire"
)

// JournalGap is a run of events that nobody has any more.
type JournalGap struct {
	Agent   uint32 `json:"agent"`
	Epoch   uint32 `json:"epoch"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	FoundAt int64  `json:"found_at"`
}

// Skip notes that an agent no longer has the events up to begins, and goes on
// from there: the next record follows head. What is missing is a JournalGap, an entry in
// the trail and an alarm. It gives the new Acked; nothing changes where everything
// up to begins is held.
func (s *Store) Skip(ctx context.Context, agent, epoch uint32, begins uint64, head wire.Hash) (acked uint64, err error) {
	err = s.Change(ctx, func(t *Tx) error {
		acked, _, err = journal(t.ctx, t, agent, epoch)
		if err != nil || acked >= begins {
			return err
		}
		first := acked + 1
		acked = begins
		err := t.Exec(`INSERT INTO gaps (agent, epoch, first, last, found_at) VALUES ($1, $2, $3, $4, $5)`,
			agent, epoch, int64(first), int64(begins), t.now)
		if err != nil {
			return err
		}
		err = t.Exec(`INSERT INTO journals (agent, epoch, acked, head) VALUES ($1, $2, $3, $4)
			ON CONFLICT (agent, epoch) DO UPDATE SET acked = excluded.acked, head = excluded.head`, agent, epoch, int64(begins), head[:])
		if err != nil {
			return err
		}
		t.store.stats.alarms.Add(1)
		return t.Trail(fmt.Sprintf("agent %d", agent), "journal.gap", fmt.Sprintf("agent %d epoch %d", agent, epoch),
			map[string]any{"first": first, "last": begins})
	})
	return acked, err
}

// Gaps lists them, the latest first.
func (s *Store) Gaps(ctx context.Context) ([]JournalGap, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (g JournalGap, err error) {
		err = rows.Scan(&g.Agent, &g.Epoch, &g.First, &g.Last, &g.FoundAt)
		return g, err
	}, "SELECT agent, epoch, first, last, found_at FROM gaps ORDER BY found_at DESC, agent, first LIMIT 1000")
}
