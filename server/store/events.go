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
	return List(ctx, s.read, scanEvent, eventColumns+" WHERE position > $1 ORDER BY position LIMIT $2", after, limit)
}

// PruneEvents forgets events that arrived before a time (ms), have been judged
// and, where they tell of money, were posted. What they counted stays with their
// passes.
func (s *Store) PruneEvents(ctx context.Context, before int64) error {
	return s.Change(ctx, func(t *Tx) error {
		judged, err := counter(t.ctx, t, "judged")
		if err != nil {
			return err
		}
		posted, err := counter(t.ctx, t, "charges_followed")
		if err != nil {
			return err
		}
		return t.Exec(`DELETE FROM events WHERE received_at < $1 AND position <= $2
			AND (position <= $3 OR type NOT IN ('charge', 'void', 'batch'))`, before, judged, posted)
	})
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
