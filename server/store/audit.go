package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// manyArgs bounds the values that one question lists; SQLite takes 32,766.
const manyArgs = 1000

// KnownPass is what the server knows of a pass that an event names.
type KnownPass struct {
	Issued    bool  // by this database
	RevokedAt int64 // 0 = never
	Uses      []CountedUse
}

// KnownPasses gives what is known of each pass; passes of which nothing is
// known are left out. Their uses come in order of arrival.
func (s *Store) KnownPasses(ctx context.Context, passes []signing.PassID) (map[signing.PassID]KnownPass, error) {
	known := map[signing.PassID]KnownPass{}
	err := inParts(passes, func(part []signing.PassID) error {
		in, args := among(part)
		err := each(ctx, s.read, func(rows *sql.Rows) error {
			var id []byte
			var revoked sql.NullInt64
			if err := rows.Scan(&id, &revoked); err != nil {
				return err
			}
			known[signing.PassID(id)] = KnownPass{Issued: true, RevokedAt: revoked.Int64}
			return nil
		}, "SELECT id, revoked_at FROM passes WHERE id IN "+in, args...)
		if err != nil {
			return err
		}
		return each(ctx, s.read, func(rows *sql.Rows) error {
			var id []byte
			var u CountedUse
			if err := rows.Scan(&id, &u.Ref, &u.Claim, &u.Gate, &u.At, &u.AnnulledAt, &u.Allowed); err != nil {
				return err
			}
			k := known[signing.PassID(id)]
			k.Uses = append(k.Uses, u)
			known[signing.PassID(id)] = k
			return nil
		}, `SELECT pass, ref, coalesce(claim, ''), gate, at, coalesce(annulled_at, 0), allowed FROM uses
			WHERE pass IN `+in+" ORDER BY arrival", args...)
	})
	if err != nil {
		return nil, fmt.Errorf("known passes: %w", err)
	}
	return known, nil
}

// EventsOfUse gives the scans that a use stands for, in order of arrival: the
// event that counted it, or those that carry its claim. None when they have yet
// to come, or were pruned.
func (s *Store) EventsOfUse(ctx context.Context, u CountedUse) ([]Event, error) {
	if u.Claim != "" {
		return List(ctx, s.read, scanEvent, eventColumns+" WHERE claim = $1 AND type = $2 ORDER BY position",
			u.Claim, string(wire.EventScan))
	}
	id, err := wire.ParseEventID(u.Ref)
	if err != nil {
		return nil, fmt.Errorf("use of a pass: %w", err)
	}
	return List(ctx, s.read, scanEvent, eventColumns+" WHERE agent = $1 AND epoch = $2 AND seq = $3 AND type = $4",
		id.Agent, id.Epoch, int64(id.Seq), string(wire.EventScan))
}

// The index of what is disputed must answer these, since there is little of it
// among millions of events: hence the plus signs, which keep the questions from
// being answered by a walk in order of position.
const (
	disputedOf    = eventColumns + " WHERE pass IN %s AND opinion <> reason AND +position > $%d ORDER BY +position LIMIT $%d"
	disputed      = eventColumns + " WHERE opinion <> reason AND +position > $1 ORDER BY +position LIMIT $2"
	disagreements = `SELECT reason, opinion, count(*) FROM events WHERE opinion <> reason
		GROUP BY reason, opinion ORDER BY reason, opinion`
)

// DisputedOf gives events of the passes on which the opinion is not the gate's,
// at most limit of them that follow a position, in order of arrival.
func (s *Store) DisputedOf(ctx context.Context, passes []signing.PassID, after int64, limit int) ([]Event, error) {
	if len(passes) == 0 {
		return nil, nil
	}
	if len(passes) > manyArgs {
		return nil, fmt.Errorf("disputed events: asked for %d passes at once, at most %d", len(passes), manyArgs)
	}
	in, args := among(passes)
	n := len(args)
	return List(ctx, s.read, scanEvent, fmt.Sprintf(disputedOf, in, n+1, n+2), append(args, after, limit)...)
}

// Disputed gives the events on which the opinion is not the gate's, at most
// limit of them that follow a position, in order of arrival.
func (s *Store) Disputed(ctx context.Context, after int64, limit int) ([]Event, error) {
	return List(ctx, s.read, scanEvent, disputed, after, limit)
}

// Disagreement counts the held events on which gate and server differ alike.
type Disagreement struct {
	Reason  verdict.Reason // the gate's
	Opinion verdict.Reason // the server's
	Events  int64
}

// Disagreements counts the events that Disputed gives, by what was said.
func (s *Store) Disagreements(ctx context.Context) ([]Disagreement, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (d Disagreement, err error) {
		err = rows.Scan(&d.Reason, &d.Opinion, &d.Events)
		return d, err
	}, disagreements)
}

// among makes ($1, $2, …) of ids.
func among(ids []signing.PassID) (in string, args []any) {
	var b strings.Builder
	for i := range ids {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
		args = append(args, ids[i][:])
	}
	return "(" + b.String() + ")", args
}

func inParts(ids []signing.PassID, do func([]signing.PassID) error) error {
	for len(ids) > 0 {
		n := min(len(ids), manyArgs)
		if err := do(ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// each runs a query and visits every row.
func each(ctx context.Context, src Source, visit func(*sql.Rows) error, query string, args ...any) error {
	_, err := List(ctx, src, func(rows *sql.Rows) (struct{}, error) { return struct{}{}, visit(rows) }, query, args...)
	return err
}
