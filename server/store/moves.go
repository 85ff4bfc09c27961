package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Why a pass is not moved to another gate. Nothing was changed.
var (
	// ErrMoveOver: the pass was used, was revoked or has ended.
	ErrMoveOver = errors.New("the pass is used, revoked or over")
	// ErrMoveDecider: the server decides the pass, or nobody has to.
	ErrMoveDecider = errors.New("no gate decides the pass")
	// ErrMoveGate: the gate cannot be given the pass: it has it, it has no agent, it
	// does not decide for itself, or the pass does not open its zone.
	ErrMoveGate = errors.New("the gate cannot decide the pass")
)

// Decider is the gate that decides the pass now; 0 = the server.
func (p *PassStatus) Decider() uint16 {
	if p.Moved != 0 {
		return p.Moved
	}
	return p.Owner
}

// BeginMove notes that somebody wants a pass decided by another gate, and gives
// what the owner is to be asked; the id is new. Asked for the same gate again it
// gives the same move, so that it is asked again with its id. ErrNotFound,
// ErrMoveOver, ErrMoveDecider, ErrMoveGate.
func (s *Store) BeginMove(ctx context.Context, actor string, pass signing.PassID, to uint16, id string) (m wire.Move, err error) {
	var refused error
	err = s.Change(ctx, func(t *Tx) error {
		m, err = t.beginMove(actor, pass, to, id)
		if refused = expected(err); refused != nil {
			return nil // nothing was written; the changes of others go on
		}
		return err
	})
	if err == nil {
		err = refused
	}
	return m, err
}

// expected gives the refusals that are a result and no fault.
func expected(err error) error {
	for _, is := range []error{ErrNotFound, ErrMoveOver, ErrMoveDecider, ErrMoveGate} {
		if errors.Is(err, is) {
			return err
		}
	}
	return nil
}

// MayReissue gives a pass that may be issued anew for another gate. Errors are
// those of BeginMove.
func (t *Tx) MayReissue(pass signing.PassID, to uint16) (p PassStatus, err error) {
	if p, err = t.movable(pass); err == nil {
		_, err = t.mayOwn(&p.Pass, to)
	}
	if err == nil && p.Decider() == to {
		err = fmt.Errorf("%w: gate %d decides it already", ErrMoveGate, to)
	}
	return p, err
}

// movable gives a pass that some gate decides and that holds and is unused.
func (t *Tx) movable(pass signing.PassID) (PassStatus, error) {
	p, err := t.Pass(pass)
	switch {
	case err != nil:
		return p, err
	case p.RevokedAt > 0 || p.Used > 0 || t.now >= p.Until*1000:
		return p, ErrMoveOver
	case p.Uses == 0 || p.Owner == 0:
		return p, ErrMoveDecider
	}
	return p, nil
}

func (t *Tx) beginMove(actor string, pass signing.PassID, to uint16, id string) (m wire.Move, err error) {
	p, err := t.movable(pass)
	if err != nil {
		return m, err
	}
	m = wire.Move{
		ID: id, Pass: pass, From: p.Decider(), To: to, Epoch: p.Moves + 1, Issued: p.IssuedAt / 1000, Expires: p.Until,
	}
	if m.AgentEpoch, err = t.mayOwn(&p.Pass, to); err != nil {
		return m, err
	}
	from, err := gate(t.ctx, t, m.From)
	if err != nil {
		return m, err
	}
	if from.Mode == verdict.Online {
		return m, ErrMoveDecider
	}
	if m.From == to {
		return m, fmt.Errorf("%w: gate %d decides it already", ErrMoveGate, to)
	}
	err = t.QueryRowContext(t.ctx, `SELECT id FROM moves WHERE pass = $1 AND to_gate = $2 AND epoch = $3 AND agent_epoch = $4
		ORDER BY asked_at LIMIT 1`, pass[:], to, m.Epoch, m.AgentEpoch).Scan(&m.ID)
	if !errors.Is(err, sql.ErrNoRows) {
		return m, err
	}
	return m, errors.Join(
		t.Exec(`INSERT INTO moves (id, pass, from_gate, to_gate, epoch, agent_epoch, asked_at, asked_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, m.ID, pass[:], m.From, to, m.Epoch, m.AgentEpoch, t.now, actor),
		t.Trail(actor, "pass.move_asked", passTarget(pass), map[string]any{"move": m.ID, "from": m.From, "to": to, "epoch": m.Epoch}),
	)
}

// mayOwn gives the epoch of the agent that would decide a pass at a gate.
func (t *Tx) mayOwn(p *Pass, to uint16) (epoch uint32, err error) {
	g, err := t.wayIn(to)
	if err != nil {
		return 0, err
	}
	if g.Mode != verdict.Owner {
		return 0, fmt.Errorf("%w: gate %d does not decide for itself", ErrMoveGate, to)
	}
	if !p.Zones.Admit(g.Zone) {
		return 0, fmt.Errorf("%w: it does not open the zone of gate %d", ErrMoveGate, to)
	}
	err = t.QueryRowContext(t.ctx, "SELECT epoch FROM agents WHERE gate = $1 AND revoked_at IS NULL", to).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("%w: gate %d has no program", ErrMoveGate, to)
	}
	return epoch, err
}

// Released brings a move into force that the owner has given the pass up by: the
// gates are told. Doing it again, or after a later move, changes nothing.
func (s *Store) Released(ctx context.Context, m wire.Move) error {
	return s.Change(ctx, func(t *Tx) error { return t.released(&m) })
}

func (t *Tx) released(m *wire.Move) error {
	known, err := t.ownership(m.Pass)
	if err != nil || m.Epoch <= known.Epoch {
		return err
	}
	by := fmt.Sprintf("gate %d", m.From)
	err = t.QueryRowContext(t.ctx, "SELECT asked_by FROM moves WHERE id = $1", m.ID).Scan(&by)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	o := wire.Ownership{Gate: m.To, Epoch: m.Epoch, AgentEpoch: m.AgentEpoch, Expires: m.Expires}
	return errors.Join(
		t.Exec(`INSERT INTO ownerships (pass, gate, epoch, agent_epoch, moved_at, expires) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (pass) DO UPDATE SET gate = excluded.gate, epoch = excluded.epoch, agent_epoch = excluded.agent_epoch,
				moved_at = excluded.moved_at, expires = excluded.expires`,
			m.Pass[:], m.To, m.Epoch, m.AgentEpoch, t.now, m.Expires),
		t.Exec("UPDATE moves SET released_at = $1 WHERE id = $2", t.now, m.ID),
		t.put(rankOwner, m.Pass.String(), o, m.Expires*1000),
		t.Trail(by, "pass.moved", passTarget(m.Pass), map[string]any{"move": m.ID, "from": m.From, "to": m.To, "epoch": m.Epoch}),
	)
}

// ownership is where a pass was moved to; epoch 0 = it never was.
func (t *Tx) ownership(pass signing.PassID) (o wire.Ownership, err error) {
	err = t.QueryRowContext(t.ctx, "SELECT gate, epoch, agent_epoch, expires FROM ownerships WHERE pass = $1", pass[:]).
		Scan(&o.Gate, &o.Epoch, &o.AgentEpoch, &o.Expires)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return o, err
}

// gaveUp does what the journals of gates say of a pass that they gave up, in the
// order of its epochs, whatever the order in which they came: each by the gate
// that owned it then. So a server that lost its own record has it again when the
// journals have come.
func (t *Tx) gaveUp(pass signing.PassID) error {
	bodies, err := List(t.ctx, t, func(rows *sql.Rows) (b []byte, err error) {
		err = rows.Scan(&b)
		return b, err
	}, "SELECT body FROM events WHERE pass = $1 AND type = $2 ORDER BY position", pass[:], string(wire.EventRelease))
	if err != nil {
		return err
	}
	for again := true; again; {
		again = false
		for _, body := range bodies {
			var e wire.Event
			if json.Unmarshal(body, &e) != nil || e.Move == nil || e.Move.Check() != nil {
				continue
			}
			before, err := t.ownership(pass)
			if err != nil {
				return err
			}
			owner := before.Gate
			if before.Epoch == 0 {
				p, known, err := t.terms(pass)
				if err != nil {
					return err
				}
				if owner = p.owner; !known {
					owner = e.Gate
				}
			}
			m := e.Move
			if m.Pass != pass || m.From != e.Gate || owner != e.Gate || m.Epoch != before.Epoch+1 {
				continue
			}
			if err := t.released(m); err != nil {
				return err
			}
			again = true
		}
	}
	return nil
}
