package store

import (
	"context"
	"database/sql"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Event is an uploaded event. Position is its place in the order of arrival.
type Event struct {
	Position   int64
	ID         wire.EventID
	Hash       wire.Hash
	Body       []byte
	At         int64
	ReceivedAt int64
	Gate       uint16
	Type       wire.EventType
	Pass       signing.PassID
	Reason     verdict.Reason // the gate's
	Offline    bool
	Claim      string
	Opinion    verdict.Reason // the server's; 0 = none yet, or not a scan
	JudgedAt   int64
}

const eventColumns = `SELECT position, agent, epoch, seq, hash, body, at, received_at, gate, type, pass, reason, offline,
	coalesce(claim, ''), coalesce(opinion, 0), coalesce(judged_at, 0) FROM events`

func scanEvent(rows *sql.Rows) (e Event, err error) {
	var hash, pass []byte
	err = rows.Scan(&e.Position, &e.ID.Agent, &e.ID.Epoch, &e.ID.Seq, &hash, &e.Body, &e.At, &e.ReceivedAt, &e.Gate, &e.Type,
		&pass, &e.Reason, &e.Offline, &e.Claim, &e.Opinion, &e.JudgedAt)
	copy(e.Hash[:], hash)
	copy(e.Pass[:], pass)
	return e, err
}

// Events gives at most limit events after a position, in order of arrival.
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	return List(ctx, s.read, scanEvent, eventColumns+" WHERE position > $1 ORDER BY position LIMIT 0+$2", after, limit)
}

// prunePart is how many events one change looks at.
const prunePart = 1000

// PruneEvents forgets events that arrived before a time (ms), have been judged
// and, where they tell of money, were posted. Register entries, and annulments,
// which may be of one, are kept from another time on. A negative time is never.
// What was counted stays with the passes. It gives how many went.
func (s *Store) PruneEvents(ctx context.Context, before, registers int64) (gone int, err error) {
	for after, more := int64(0), true; more; {
		var n int64
		err := s.Change(ctx, func(t *Tx) (err error) {
			n, after, more, err = t.pruneEvents(after, before, registers)
			return err
		})
		if err != nil {
			return gone, err
		}
		gone += int(n)
	}
	return gone, nil
}

// pruneEvents looks at the events after a position and gives the last of them.
// They lie in the order of their arrival.
func (t *Tx) pruneEvents(after, before, registers int64) (gone, last int64, more bool, err error) {
	judged, err := counter(t.ctx, t, "judged")
	if err != nil {
		return 0, after, false, err
	}
	posted, err := counter(t.ctx, t, "charges_followed")
	if err != nil {
		return 0, after, false, err
	}
	old, err := List(t.ctx, t, func(rows *sql.Rows) (position int64, err error) {
		err = rows.Scan(&position)
		return position, err
	}, `SELECT position FROM (SELECT position, received_at FROM events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3)
		WHERE received_at < $4 ORDER BY position`, after, judged, prunePart, before)
	if err != nil || len(old) == 0 {
		return 0, after, false, err
	}
	last = old[len(old)-1]
	gone, err = t.Affect(`DELETE FROM events WHERE position > $1 AND position <= $2 AND received_at < $3
		AND (position <= $4 OR type NOT IN ('charge', 'void', 'batch'))
		AND (received_at < $5 OR type NOT IN ('register', 'annul'))`, after, last, before, posted, registers)
	return gone, last, len(old) == prunePart, err
}

// EmptyLog moves what was written into the file and empties the log, so that
// nothing is left there of what was overwritten. Where somebody still reads an
// older state it does nothing, and the next call does it.
func (s *Store) EmptyLog(ctx context.Context) error {
	_, err := s.read.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// Quarantined is a record that did not fit: see Ingest.
type Quarantined struct {
	ID         int64
	Event      wire.EventID
	Hash       []byte
	Body       []byte
	Problem    string
	ReceivedAt int64
}

// Quarantine gives at most limit records after an id, oldest first.
func (s *Store) Quarantine(ctx context.Context, after int64, limit int) ([]Quarantined, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (q Quarantined, err error) {
		err = rows.Scan(&q.ID, &q.Event.Agent, &q.Event.Epoch, &q.Event.Seq, &q.Hash, &q.Body, &q.Problem, &q.ReceivedAt)
		return q, err
	}, `SELECT id, agent, epoch, seq, hash, body, problem, received_at FROM quarantine
		WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}
