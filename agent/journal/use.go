package journal

import (
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// errFound ends a walk through the journal.
var errFound = errors.New("found")

func (t *tx) Use(u lane.Use) error {
	var firstAt, firstGate, firstSeq, recentAt, recentReason, recentSeq any
	if u.Counts || u.Claimed {
		firstAt, firstGate, firstSeq = u.At, int64(u.Gate), int64(u.Seq)
	}
	if u.Own {
		recentAt, recentReason, recentSeq = u.At, int64(u.Reason), int64(u.Seq)
	}
	return t.tx.Exec(`INSERT INTO uses (pass, count, claimed, first_at, first_gate, first_seq,
			recent_at, recent_reason, recent_seq, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (pass) DO UPDATE SET
			count = uses.count + excluded.count,
			claimed = uses.claimed + excluded.claimed,
			first_at = coalesce(uses.first_at, excluded.first_at),
			first_gate = coalesce(uses.first_gate, excluded.first_gate),
			first_seq = coalesce(uses.first_seq, excluded.first_seq),
			recent_at = coalesce(excluded.recent_at, uses.recent_at),
			recent_reason = coalesce(excluded.recent_reason, uses.recent_reason),
			recent_seq = coalesce(excluded.recent_seq, uses.recent_seq),
			expires = max(excluded.expires, uses.expires)`,
		u.Pass[:], u.Counts, u.Claimed, firstAt, firstGate, firstSeq, recentAt, recentReason, recentSeq, u.Expires)
}

func (t *tx) Unuse(u lane.Use) error {
	if err := t.tx.Exec("UPDATE events SET annulled = $1 WHERE seq = $2", int64(t.head.seq), int64(u.Seq)); err != nil {
		return err
	}
	err := t.tx.Exec(`UPDATE uses SET recent_at = NULL, recent_reason = NULL, recent_seq = NULL
		WHERE pass = $1 AND recent_seq = $2`, u.Pass[:], int64(u.Seq))
	if err != nil || !u.Counts && !u.Claimed {
		return err
	}
	// Never below zero: the row may have been pruned with the pass's expiry.
	err = t.tx.Exec("UPDATE uses SET count = max(count - $2, 0), claimed = max(claimed - $3, 0) WHERE pass = $1",
		u.Pass[:], u.Counts, u.Claimed)
	if err == nil && u.Claimed {
		err = t.unreport(u)
	}
	if err != nil {
		return err
	}
	var first int64
	ok, err := t.tx.Get("SELECT coalesce(first_seq, 0) FROM uses WHERE pass = $1", []any{u.Pass[:]}, &first)
	if err != nil || !ok || uint64(first) != u.Seq {
		return err
	}
	next, err := t.firstAfter(u.Pass, u.Seq)
	if err != nil {
		return err
	}
	if next == nil {
		return t.tx.Exec("UPDATE uses SET first_at = NULL, first_gate = NULL, first_seq = NULL WHERE pass = $1", u.Pass[:])
	}
	return t.tx.Exec("UPDATE uses SET first_at = $2, first_gate = $3, first_seq = $4 WHERE pass = $1",
		u.Pass[:], next.At, int64(next.Gate), int64(next.Seq))
}

// unreport takes a use that another decided out of the server's count too,
// where the server holds the event and so may know of it: the same person may
// come again before the server says so. Its next count replaces ours. What this
// journal counted itself needs none of this: of that, its own row is the word.
func (t *tx) unreport(u lane.Use) error {
	return t.tx.Exec(`UPDATE elsewhere SET count = count - 1
		WHERE pass = $1 AND gone = 0 AND count > mine
		AND gen = (SELECT max(x.gen) FROM elsewhere x JOIN snapshot s ON x.gen BETWEEN s.base AND s.current WHERE x.pass = $1)
		AND $2 <= (SELECT acked FROM progress WHERE id = 1)`, u.Pass[:], int64(u.Seq))
}

// firstAfter finds the next use of a pass. Annuls of a first use are rare and
// at most minutes old, so the events since are walked through.
func (t *tx) firstAfter(pass signing.PassID, seq uint64) (next *lane.Use, err error) {
	err = t.tx.Each(`SELECT body FROM events WHERE seq > $1 AND pass = $2 AND annulled IS NULL
		AND (opens = 1 OR counts = 1) ORDER BY seq`, []any{int64(seq), pass[:]},
		func(scan func(...any) error) error {
			var body []byte
			var e wire.Event
			if err := scan(&body); err != nil {
				return err
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return fmt.Errorf("event body: %w", err)
			}
			gate := e.Gate
			switch {
			case e.Type == wire.EventGrant:
				gate = e.For
			case e.Type == wire.EventScan && e.Case != nil && e.Case.Lane.Direction != verdict.Exit:
			default:
				return nil
			}
			next = &lane.Use{At: e.At, Gate: gate, Seq: e.ID.Seq}
			return errFound
		})
	if errors.Is(err, errFound) {
		err = nil
	}
	return next, err
}
