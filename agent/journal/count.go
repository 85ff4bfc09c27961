package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Statistics are numbers of a journal that say nothing of anybody.
type Statistics struct {
	First  uint64 `json:"first"` // the oldest event that is kept; 0 = none is
	Last   uint64 `json:"last"`
	Acked  uint64 `json:"acked"` // the server holds every event up to here
	Queue  uint64 `json:"queue"`
	Events uint64 `json:"events"`
	// Gaps is how many numbers between First and Last are missing: none, unless
	// the journal was altered or damaged.
	Gaps   uint64 `json:"gaps"`
	FromAt int64  `json:"from_at"` // unix ms of the first and the last
	ToAt   int64  `json:"to_at"`
	// ByReason counts events by their type and the reason of their verdict:
	// "scan granted".
	ByReason map[string]uint64 `json:"by_reason"`
}

// kinds are the types of event that are counted by name.
var kinds = []wire.EventType{
	wire.EventScan, wire.EventGrant, wire.EventAnnul, wire.EventEntry, wire.EventRegister, wire.EventShift,
	wire.EventCharge, wire.EventVoid, wire.EventBatch, wire.EventRelease,
}

// Statistics counts what the journal keeps.
func (j *Journal) Statistics(ctx context.Context) (s Statistics, err error) {
	s = Statistics{Acked: j.acked.Load(), Queue: j.Queue(), ByReason: map[string]uint64{}}
	row := j.db.Read().QueryRowContext(ctx, `SELECT count(*), coalesce(min(seq), 0), coalesce(max(seq), 0),
		coalesce(min(at), 0), coalesce(max(at), 0) FROM events`)
	if err := row.Scan(&s.Events, &s.First, &s.Last, &s.FromAt, &s.ToAt); err != nil {
		return s, fmt.Errorf("count events: %w", err)
	}
	if s.Events > 0 {
		s.Gaps = s.Last - s.First + 1 - s.Events
	}
	rows, err := j.db.Read().QueryContext(ctx, `SELECT coalesce(CAST(body AS TEXT) ->> '$.type', ''),
		coalesce(CAST(body AS TEXT) ->> '$.verdict.reason', ''), count(*) FROM events GROUP BY 1, 2`)
	if err != nil {
		return s, fmt.Errorf("count events: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var kind, reason string
		var n uint64
		if err := rows.Scan(&kind, &reason, &n); err != nil {
			return s, fmt.Errorf("count events: %w", err)
		}
		// Only words of ours: a damaged body may hold anything.
		if !slices.Contains(kinds, wire.EventType(kind)) {
			kind = "other"
		}
		if r, err := verdict.ParseReason(reason); err == nil {
			kind += " " + r.String()
		}
		s.ByReason[kind] += n
	}
	return s, rows.Err()
}
