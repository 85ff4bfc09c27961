package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Agent is the program at a gate. A gate has one at most: whoever decides a
// pass must be alone in doing so.
type Agent struct {
	ID         uint32
	Gate       uint16
	Epoch      uint32 // rises with every enrolment
	PublicKey  ed25519.PublicKey
	Hostname   string
	EnrolledAt int64
	RevokedAt  int64           // 0 = it may connect
	SeenAt     int64           // last report of the hub; 0 = never
	State      json.RawMessage // of that report
	Acked      uint64          // of this epoch
}

const agentColumns = `SELECT a.id, a.gate, a.epoch, a.public, a.hostname, a.enrolled_at, coalesce(a.revoked_at, 0),
	coalesce(a.seen_at, 0), coalesce(a.state, 'null'), coalesce(j.acked, 0)
	FROM agents a LEFT JOIN journals j ON j.agent = a.id AND j.epoch = a.epoch`

func scanAgent(rows *sql.Rows) (a Agent, err error) {
	var public []byte
	var state string
	err = rows.Scan(&a.ID, &a.Gate, &a.Epoch, &public, &a.Hostname, &a.EnrolledAt, &a.RevokedAt, &a.SeenAt, &state, &a.Acked)
	a.PublicKey, a.State = public, json.RawMessage(state)
	return a, err
}

// Agents lists all agents by number.
func (s *Store) Agents(ctx context.Context) ([]Agent, error) {
	return List(ctx, s.read, scanAgent, agentColumns+" ORDER BY a.id")
}

// Agent gives one agent, or ErrNotFound.
func (s *Store) Agent(ctx context.Context, id uint32) (Agent, error) {
	found, err := List(ctx, s.read, scanAgent, agentColumns+" WHERE a.id = $1", id)
	if err != nil {
		return Agent{}, err
	}
	if len(found) == 0 {
		return Agent{}, fmt.Errorf("%w: agent %d", ErrNotFound, id)
	}
	return found[0], nil
}

// NewEnrolment keeps the hash of a one-time secret with which a gate's agent
// may enrol until expires (ms). Earlier unused ones of the gate end.
func (s *Store) NewEnrolment(ctx context.Context, actor string, id uint16, hash []byte, expires int64) error {
	return s.Change(ctx, func(t *Tx) error {
		if _, err := gate(t.ctx, t, id); err != nil {
			return err
		}
		err := t.Exec("UPDATE enrolments SET expires_at = $1 WHERE gate = $2 AND used_at IS NULL AND expires_at > $3",
			t.now, id, t.now)
		if err != nil {
			return err
		}
		err = t.Exec("INSERT INTO enrolments (hash, gate, created_at, expires_at) VALUES ($1, $2, $3, $4)",
			hash, id, t.now, expires)
		if err != nil {
			return err
		}
		return t.Trail(actor, "enrolment.created", gateTarget(id), map[string]any{"expires_at": expires})
	})
}

// Enrol redeems a one-time secret. The first agent of a gate owns all its
// passes; any later one has the next epoch and owns only what is issued from
// now on, until Drained. A revoked agent's gate can enrol again. The same
// secret with the same key gets the same answer again, for an agent that never
// saw the first. Errors: ErrNotFound for an unknown secret, ErrUsed, ErrEnded,
// ErrTaken when another gate's agent has this public key.
func (s *Store) Enrol(ctx context.Context, hash []byte, public ed25519.PublicKey, hostname string) (a Agent, err error) {
	err = s.Change(ctx, func(t *Tx) error {
		gateID, used, err := t.redeem(hash)
		if err != nil {
			return err
		}
		if used {
			a, err = t.enrolledWith(gateID, public)
			return err
		}
		again, err := t.everEnrolled(gateID)
		if err != nil {
			return err
		}
		a = Agent{Gate: gateID, PublicKey: public, Hostname: hostname, EnrolledAt: t.now}
		err = t.QueryRowContext(t.ctx, `INSERT INTO agents (gate, epoch, public, hostname, enrolled_at)
			VALUES ($1, 1, $2, $3, $4)
			ON CONFLICT (gate) DO UPDATE SET epoch = agents.epoch + 1, public = excluded.public,
				hostname = excluded.hostname, enrolled_at = excluded.enrolled_at, revoked_at = NULL,
				seen_at = NULL, state = NULL, addresses = '[]'
			RETURNING id, epoch`, gateID, []byte(public), hostname, t.now).Scan(&a.ID, &a.Epoch)
		if IsUnique(err) {
			return fmt.Errorf("%w: another gate's agent has this key", ErrTaken)
		}
		if err != nil {
			return err
		}
		if err := t.putPeer(a.ID); err != nil {
			return err
		}
		actor := fmt.Sprintf("agent %d", a.ID)
		if again {
			g, err := gate(t.ctx, t, gateID)
			if err != nil {
				return err
			}
			// Rounded up: a pass issued in this very second may be the old one's.
			g.OwnsFrom, g.DrainingSince = t.now/1000+1, t.now
			if err := t.saveGate(actor, "gate.draining", &g); err != nil {
				return err
			}
		}
		return t.Trail(actor, "agent.enrolled", gateTarget(gateID), map[string]any{"epoch": a.Epoch, "hostname": hostname})
	})
	return a, err
}

func (t *Tx) redeem(hash []byte) (gate uint16, used bool, err error) {
	var expires int64
	err = t.QueryRowContext(t.ctx, "SELECT gate, expires_at, used_at IS NOT NULL FROM enrolments WHERE hash = $1", hash).
		Scan(&gate, &expires, &used)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, fmt.Errorf("%w: enrolment code", ErrNotFound)
	case err != nil || used:
		return gate, used, err
	case t.now >= expires:
		return 0, false, fmt.Errorf("%w: enrolment code", ErrEnded)
	}
	return gate, false, t.Exec("UPDATE enrolments SET used_at = $1 WHERE hash = $2", t.now, hash)
}

// enrolledWith gives a gate's agent if it has this key and holds.
func (t *Tx) enrolledWith(gate uint16, public ed25519.PublicKey) (Agent, error) {
	found, err := List(t.ctx, t, scanAgent, agentColumns+" WHERE a.gate = $1", gate)
	if err != nil {
		return Agent{}, err
	}
	if len(found) == 0 || !found[0].PublicKey.Equal(public) || found[0].RevokedAt > 0 {
		return Agent{}, fmt.Errorf("%w: enrolment code", ErrUsed)
	}
	return found[0], nil
}

// RevokeAgent takes an agent's right to connect away; its gate must enrol
// again.
func (s *Store) RevokeAgent(ctx context.Context, actor string, id uint32) error {
	return s.Change(ctx, func(t *Tx) error {
		n, err := t.Affect("UPDATE agents SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL", t.now, id)
		if err != nil {
			return err
		}
		if n == 0 {
			var known bool
			err := t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM agents WHERE id = $1", id).Scan(&known)
			if err == nil && !known {
				err = fmt.Errorf("%w: agent %d", ErrNotFound, id)
			}
			return err
		}
		return errors.Join(t.removePeer(id), t.Trail(actor, "agent.revoked", fmt.Sprintf("agent %d", id), nil))
	})
}

// Seen keeps the hub's last report of an agent.
func (s *Store) Seen(ctx context.Context, id uint32, state json.RawMessage) error {
	return s.Change(ctx, func(t *Tx) error {
		return t.Exec("UPDATE agents SET seen_at = $1, state = $2 WHERE id = $3", t.now, string(state), id)
	})
}
