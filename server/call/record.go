package call

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Call is what is recorded of a call. Times are unix ms; 0 = never.
type Call struct {
	ID           string
	Gate         uint16
	Lane         string
	Reason       wire.CallReason
	At           int64 // when the server heard it
	State        wire.CallState
	AnsweredGate uint16 // whose guard answered; 0 = nobody
	Guard        string // number of who answered
	AnsweredAt   int64
	EndedAt      int64  // 0 = open
	Verdict      string // of the scan that was settled
}

// ErrAnswers: a gate cannot answer for itself, and must exist.
var ErrAnswers = errors.New("gates that answer calls are other gates of this site")

// maxAnswers bounds the gates that are named for one.
const maxAnswers = 64

// note has a call written.
func (s *Service) note(o *open) {
	s.mu.Lock()
	s.dirty[o.call.ID] = o.call
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// save writes what was noted, until ctx ends and once more then. What could not
// be written is tried again within a second.
func (s *Service) save(ctx context.Context) {
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	for {
		select {
		case <-s.wake:
		case <-retry.C:
		case <-ctx.Done():
		}
		if err := s.write(context.WithoutCancel(ctx)); err != nil {
			s.Log.Error("calls not recorded", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func (s *Service) write(ctx context.Context) error {
	s.mu.Lock()
	batch := s.dirty
	s.dirty = map[string]Call{}
	s.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, saving)
	defer cancel()
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		for _, c := range batch {
			if err := put(t, &c); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range batch {
		if _, newer := s.dirty[id]; !newer {
			s.dirty[id] = c
		}
	}
	return err
}

func put(t *store.Tx, c *Call) error {
	return t.Exec(`INSERT INTO calls (id, gate, lane, reason, at, state, answered_gate, guard, answered_at, ended_at, verdict)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), nullif($8, ''), nullif($9, 0), nullif($10, 0), nullif($11, ''))
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, answered_gate = excluded.answered_gate, guard = excluded.guard,
			answered_at = excluded.answered_at, ended_at = excluded.ended_at, verdict = excluded.verdict`,
		c.ID, c.Gate, c.Lane, string(c.Reason), c.At, string(c.State), c.AnsweredGate, c.Guard, c.AnsweredAt, c.EndedAt, c.Verdict)
}

// Tick ends the records of calls that were open when the server stopped, and
// whose kiosk has not said them again.
func (s *Service) Tick(ctx context.Context) error {
	return s.Store.Change(ctx, func(t *store.Tx) error {
		return t.Exec(`UPDATE calls SET state = $1, ended_at = at + $2 WHERE ended_at IS NULL AND at < $3`,
			string(wire.CallMissed), wire.RingMS, t.Now()-kept)
	})
}

// List gives the latest calls, newest first.
func (s *Service) List(ctx context.Context, limit int) ([]Call, error) {
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (c Call, err error) {
		err = rows.Scan(&c.ID, &c.Gate, &c.Lane, &c.Reason, &c.At, &c.State, &c.AnsweredGate, &c.Guard, &c.AnsweredAt, &c.EndedAt, &c.Verdict)
		return c, err
	}, `SELECT id, gate, lane, reason, at, state, coalesce(answered_gate, 0), coalesce(guard, ''), coalesce(answered_at, 0),
		coalesce(ended_at, 0), coalesce(verdict, '') FROM calls ORDER BY at DESC, id DESC LIMIT $1`, limit)
}

// Answers gives the gates that were named for a gate; none = those of its zone
// answer.
func (s *Service) Answers(ctx context.Context, gate uint16) ([]uint16, error) {
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (id uint16, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT answered_by FROM call_answers WHERE gate = $1 ORDER BY answered_by", gate)
}

// SetAnswers names the gates that answer for a gate; none = those of its zone.
// ErrAnswers, store.ErrNotFound.
func (s *Service) SetAnswers(ctx context.Context, actor string, gate uint16, by []uint16) error {
	gates, err := s.Store.Gates(ctx)
	if err != nil {
		return err
	}
	known := func(id uint16) bool {
		return slices.ContainsFunc(gates, func(g store.Gate) bool { return g.ID == id })
	}
	if !known(gate) {
		return fmt.Errorf("%w: gate %d", store.ErrNotFound, gate)
	}
	by = slices.Compact(slices.Sorted(slices.Values(by)))
	for _, id := range by {
		if id == gate || !known(id) {
			return fmt.Errorf("%w: gate %d", ErrAnswers, id)
		}
	}
	if len(by) > maxAnswers {
		return fmt.Errorf("%w: at most %d", ErrAnswers, maxAnswers)
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		if err := t.Exec("DELETE FROM call_answers WHERE gate = $1", gate); err != nil {
			return err
		}
		for _, id := range by {
			if err := t.Exec("INSERT INTO call_answers (gate, answered_by) VALUES ($1, $2)", gate, id); err != nil {
				return err
			}
		}
		return t.Trail(actor, "gate.calls", fmt.Sprintf("gate %d", gate), map[string]any{"answered_by": by})
	})
}

// answers is who answers for a gate, as of now. When the database does not say,
// nobody does.
func (s *Service) answers(ctx context.Context, gate uint16) map[uint16]bool {
	found := map[uint16]bool{}
	named, err := s.Answers(ctx, gate)
	var gates []store.Gate
	if err == nil {
		gates, err = s.Store.Gates(ctx)
	}
	if err != nil {
		s.Log.Error("who answers a call is not known", "gate", gate, "error", err)
		return found
	}
	for _, id := range named {
		found[id] = true
	}
	if len(named) > 0 {
		return found
	}
	zone := -1
	for _, g := range gates {
		if g.ID == gate {
			zone = g.Zone
		}
	}
	for _, g := range gates {
		found[g.ID] = g.Zone == zone
	}
	return found
}
