package store

import (
	"context"

	"campusgate/signing/verdict"
)

// CountedUse is a row of the counted uses, in order of arrival.
type CountedUse struct {
	Ref        string // event id, or "claim:" and the claim's id
	Claim      string
	Gate       uint16
	At         int64
	AnnulledAt int64 // 0 = holds
	Allowed    uint32
}

// Opinion is the server's answer to the case of an event.
type Opinion struct {
	Position int64
	Reason   verdict.Reason
}

// Judged gives the position up to which events have been judged again.
func (s *Store) Judged(ctx context.Context) (int64, error) { return counter(ctx, s.read, "judged") }

// LastPosition gives the position of the newest event.
func (s *Store) LastPosition(ctx context.Context) (int64, error) {
	return counter(ctx, s.read, "position")
}

// SaveOpinions stores opinions and moves the position up to which events have
// been judged.
func (s *Store) SaveOpinions(ctx context.Context, opinions []Opinion, upTo int64) error {
	return s.submit(&job{ctx: ctx, rows: len(opinions), fn: func(t *Tx) error {
		for _, o := range opinions {
			err := t.Exec("UPDATE events SET opinion = $1, judged_at = $2 WHERE position = $3", int64(o.Reason), t.now, o.Position)
			if err != nil {
				return err
			}
		}
		return t.Exec("UPDATE counters SET value = $1 WHERE name = 'judged' AND value < $2", upTo, upTo)
	}}, false)
}
