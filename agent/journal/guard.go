package journal

import (
	"context"
	"fmt"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// listed is how many entries of the registers a list gives.
const listed = 200

func (t *tx) Shift() (s desk.Shift, err error) {
	_, err = t.tx.Get("SELECT number, name, since FROM shift WHERE id = 1", nil, &s.Number, &s.Name, &s.Since)
	return s, err
}

func (t *tx) SetShift(s desk.Shift) error {
	if (s == desk.Shift{}) {
		return t.tx.Exec("DELETE FROM shift")
	}
	return t.tx.Exec(`INSERT INTO shift (id, number, name, since) VALUES (1, $1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET number = excluded.number, name = excluded.name, since = excluded.since`,
		s.Number, s.Name, s.Since)
}

const registerColumns = `SELECT seq, kind, rule, person, number, relation, staff, at, coalesce(ended_at, 0) FROM registers`

func (id *Identity) scanRegister(scan func(...any) error) (r lane.Registered, err error) {
	var seq int64
	var kind string
	err = scan(&seq, &kind, &r.Rule, &r.Register.Person, &r.Register.Number, &r.Register.Relation, &r.Register.Staff,
		&r.At, &r.EndedAt)
	r.Event = wire.EventID{Agent: id.Agent, Epoch: id.Epoch, Seq: uint64(seq)}
	r.Register.Kind = verdict.RegisterKind(kind)
	return r, err
}

func (t *tx) Registered(id wire.EventID) (r lane.Registered, open bool, err error) {
	if id.Agent != t.id.Agent || id.Epoch != t.id.Epoch {
		return r, false, nil
	}
	r, err = t.id.scanRegister(func(dest ...any) (err error) {
		open, err = t.tx.Get(registerColumns+" WHERE seq = $1 AND ended IS NULL", []any{int64(id.Seq)}, dest...)
		return err
	})
	return r, open, err
}

func (t *tx) Register(e *wire.Event) error {
	r := e.Register
	switch {
	case e.Case.Lane.Direction == r.Kind.Begins():
		return t.tx.Exec(`INSERT INTO registers (seq, kind, rule, person, number, relation, staff, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			int64(e.ID.Seq), string(r.Kind), e.Verdict.Rule, r.Person, r.Number, r.Relation, r.Staff, e.At)
	case r.Ends != nil:
		return t.tx.Exec("UPDATE registers SET ended = $1, ended_at = $2 WHERE seq = $3",
			int64(e.ID.Seq), e.At, int64(r.Ends.Seq))
	}
	return nil // it began at another gate: the server puts the two together
}

func (t *tx) Unregister(e *wire.Event) error {
	if err := t.tx.Exec("DELETE FROM registers WHERE seq = $1", int64(e.ID.Seq)); err != nil {
		return err
	}
	return t.tx.Exec("UPDATE registers SET ended = NULL, ended_at = NULL WHERE ended = $1", int64(e.ID.Seq))
}

// Registers lists who is out, or in, by a register that began here, and those
// who were until lately: the open ones first, then by time, the latest first.
func (j *Journal) Registers(ctx context.Context) ([]lane.Registered, error) {
	rows, err := j.db.Read().QueryContext(ctx,
		registerColumns+" ORDER BY ended IS NOT NULL, coalesce(ended_at, at) DESC, seq DESC LIMIT $1", listed)
	if err != nil {
		return nil, fmt.Errorf("registers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []lane.Registered{}
	for rows.Next() {
		r, err := j.id.scanRegister(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("registers: %w", err)
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("registers: %w", err)
	}
	return list, nil
}
