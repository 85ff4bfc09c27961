package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Conflict is a pass with more admissions than it allows. There is one for a
// pass; a further admission makes it a new one, which nobody has seen and which
// nobody was told of.
type Conflict struct {
	Pass       signing.PassID
	Ref        string // of the admission that made it; with Pass its name for ever
	DetectedAt int64
	Allowed    uint32
	Admissions []Admission // that stand, in order of time

	SeenAt int64 // 0 = by nobody
	SeenBy string
	Remark string

	Attempts int // to tell the webhook
}

// ID is the conflict's name for ever: who was told of it twice knows by this.
func (c *Conflict) ID() string { return c.Pass.String() + "/" + c.Ref }

// Admission is one counted use of a pass. What the journal of the gate where
// the person went through says of it is empty until that has come, and again
// once it was pruned.
type Admission struct {
	Ref      string // the event that counted it, or the claim that the server granted
	Gate     uint16
	GateName string
	At       int64

	Event   wire.EventID // the gate's own scan
	Mode    verdict.Mode // of the gate's policy, then
	Offline bool
	Guard   string         // number of the guard on shift
	Opinion verdict.Reason // the auditor's of the scan; 0 = none yet
}

// findConflicts records the passes of the uses counted from a revision on that
// now have more than they allow. Where uses of a pass differ on that, the least
// holds, as for the auditor.
func (t *Tx) findConflicts(from int64) error {
	return t.Exec(`INSERT INTO conflicts (pass, ref, detected_at)
		SELECT n.pass, n.ref, $1 FROM uses n
		WHERE n.revision >= $2 AND
			(SELECT count(*) > min(u.allowed) FROM uses u WHERE u.pass = n.pass AND u.annulled_at IS NULL)
		ORDER BY n.revision
		ON CONFLICT (pass) DO UPDATE SET ref = excluded.ref, detected_at = excluded.detected_at,
			seen_at = NULL, seen_by = '', remark = '', told_at = NULL, attempts = 0, next_at = 0, failure = ''`, t.now, from)
}

// endConflict forgets a conflict that is none any more.
func (t *Tx) endConflict(pass signing.PassID) error {
	return t.Exec(`DELETE FROM conflicts WHERE pass = $1 AND NOT coalesce(
		(SELECT count(*) > min(allowed) FROM uses WHERE pass = $2 AND annulled_at IS NULL), 0)`, pass[:], pass[:])
}

// Conflicts gives the newest conflicts, at most limit.
func (s *Store) Conflicts(ctx context.Context, limit int) ([]Conflict, error) {
	return s.conflicts(ctx, "ORDER BY detected_at DESC, pass LIMIT $1", limit)
}

// Unseen gives the newest conflicts that nobody has looked into, at most limit.
func (s *Store) Unseen(ctx context.Context, limit int) ([]Conflict, error) {
	return s.conflicts(ctx, "WHERE seen_at IS NULL ORDER BY detected_at DESC, pass LIMIT $1", limit)
}

// Untold gives the conflicts that the webhook is to be told of by a time, those
// with the fewest attempts first.
func (s *Store) Untold(ctx context.Context, by int64, limit int) ([]Conflict, error) {
	return s.conflicts(ctx, `WHERE told_at IS NULL AND next_at <= $1 AND EXISTS
		(SELECT 1 FROM uses WHERE uses.pass = conflicts.pass AND annulled_at IS NULL)
		ORDER BY attempts, next_at, detected_at, pass LIMIT $2`, by, limit)
}

// conflicts gives those that a query on table conflicts chooses, in its order.
func (s *Store) conflicts(ctx context.Context, which string, args ...any) ([]Conflict, error) {
	all, err := List(ctx, s.read, scanConflict, `SELECT pass, ref, detected_at, coalesce(seen_at, 0), seen_by, remark, attempts
		FROM conflicts `+which, args...)
	if err != nil {
		return nil, err
	}
	found := all[:0]
	for _, c := range all {
		if err := s.admissions(ctx, &c); err != nil {
			return nil, err
		}
		if len(c.Admissions) > 0 { // otherwise the pass was forgotten
			found = append(found, c)
		}
	}
	return found, nil
}

func scanConflict(rows *sql.Rows) (c Conflict, err error) {
	var pass []byte
	err = rows.Scan(&pass, &c.Ref, &c.DetectedAt, &c.SeenAt, &c.SeenBy, &c.Remark, &c.Attempts)
	copy(c.Pass[:], pass)
	return c, err
}

// admissions completes a conflict. Every question is answered from an index.
func (s *Store) admissions(ctx context.Context, c *Conflict) error {
	uses, err := List(ctx, s.read, func(rows *sql.Rows) (u CountedUse, err error) {
		err = rows.Scan(&u.Ref, &u.Claim, &u.Gate, &u.At, &u.Allowed)
		return u, err
	}, `SELECT ref, coalesce(claim, ''), gate, at, allowed FROM uses
		WHERE pass = $1 AND annulled_at IS NULL ORDER BY at, arrival`, c.Pass[:])
	if err != nil {
		return err
	}
	for _, u := range uses {
		a := Admission{Ref: u.Ref, Gate: u.Gate, At: u.At}
		if c.Allowed == 0 || u.Allowed < c.Allowed {
			c.Allowed = u.Allowed
		}
		err := s.read.QueryRowContext(ctx, "SELECT coalesce(max(name), '') FROM gates WHERE id = $1", u.Gate).Scan(&a.GateName)
		if err != nil {
			return err
		}
		events, err := s.EventsOfUse(ctx, u)
		if err != nil {
			return err
		}
		a.describe(events)
		c.Admissions = append(c.Admissions, a)
	}
	return nil
}

// describe takes from a use's scans the one that let the person in.
func (a *Admission) describe(events []Event) {
	for i := range events {
		e := &events[i]
		if e.Gate != a.Gate || !e.Reason.Opens() {
			continue
		}
		var body struct {
			Guard string `json:"guard"`
			Case  struct {
				Policy struct {
					Mode verdict.Mode `json:"mode"`
				} `json:"policy"`
			} `json:"case"`
		}
		a.Event, a.Offline, a.Opinion = e.ID, e.Offline, e.Opinion
		if json.Unmarshal(e.Body, &body) == nil { // it was read before it was stored
			a.Mode, a.Guard = body.Case.Policy.Mode, body.Guard
		}
		return
	}
}

// SeeConflict notes that somebody looked into a conflict, with a remark.
// ErrNotFound when there is none with that id, or no more.
func (s *Store) SeeConflict(ctx context.Context, actor string, pass signing.PassID, ref, remark string) error {
	var n int64
	err := s.Change(ctx, func(t *Tx) (err error) {
		n, err = t.Affect(`UPDATE conflicts SET seen_at = $1, seen_by = $2, remark = $3 WHERE pass = $4 AND ref = $5`,
			t.now, actor, remark, pass[:], ref)
		if err != nil || n == 0 {
			return err
		}
		return t.Trail(actor, "conflict.seen", pass.String(), map[string]any{"ref": ref})
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: conflict %s/%s", ErrNotFound, pass, ref)
	}
	return err
}

// ToldOf notes that the webhook took a conflict. A newer one of the same pass
// stays to be told.
func (s *Store) ToldOf(ctx context.Context, c *Conflict) error {
	return s.Change(ctx, func(t *Tx) error {
		return t.Exec(`UPDATE conflicts SET told_at = $1, attempts = attempts + 1, failure = '' WHERE pass = $2 AND ref = $3`,
			t.now, c.Pass[:], c.Ref)
	})
}

// TellAgain notes why the webhook did not say that it took a conflict, and when
// to try again (ms).
func (s *Store) TellAgain(ctx context.Context, c *Conflict, next int64, failure string) error {
	return s.Change(ctx, func(t *Tx) error {
		return t.Exec(`UPDATE conflicts SET attempts = attempts + 1, next_at = $1, failure = $2
			WHERE pass = $3 AND ref = $4 AND told_at IS NULL`, next, failure, c.Pass[:], c.Ref)
	})
}

// Telling says how many conflicts the webhook has yet to take, and why it did
// not take one of them.
func (s *Store) Telling(ctx context.Context) (untold int, failure string, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*), coalesce(max(failure), '') FROM conflicts WHERE told_at IS NULL").
		Scan(&untold, &failure)
	return untold, failure, err
}
