package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"campusgate/signing/wire"
)

// SetAddresses keeps where an agent of that epoch says that other gates may ask
// it, and tells them where that is news. What an earlier enrolment says comes
// too late and changes nothing.
func (s *Store) SetAddresses(ctx context.Context, agent, epoch uint32, list []string) error {
	if err := wire.CheckAddresses(list); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if list == nil {
		list = []string{}
	}
	said, ours, err := peerOf(ctx, s.read, agent)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (ours.Epoch != epoch || said && slices.Equal(ours.Addresses, list)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("addresses of agent %d: %w", agent, err)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return s.Change(ctx, func(t *Tx) error {
		n, err := t.Affect("UPDATE agents SET addresses = $1 WHERE id = $2 AND epoch = $3 AND revoked_at IS NULL",
			string(text), agent, epoch)
		if err != nil || n == 0 {
			return err
		}
		return t.putPeer(agent)
	})
}

// peerOf gives an agent as other gates may speak to it, and whether they have
// been told of this enrolment.
func peerOf(ctx context.Context, src Source, agent uint32) (said bool, p wire.Peer, err error) {
	var public []byte
	var addresses, body string
	var revoked, till bool
	err = src.QueryRowContext(ctx, `SELECT a.gate, a.id, a.epoch, a.public, a.addresses, a.revoked_at IS NOT NULL,
		EXISTS (SELECT 1 FROM tills t WHERE t.gate = a.gate),
		coalesce((SELECT f.body FROM feed f WHERE f.kind = $1 AND f.key = CAST(a.gate AS TEXT)), '')
		FROM agents a WHERE a.id = $2`, rankPeer, agent).
		Scan(&p.Gate, &p.Agent, &p.Epoch, &public, &addresses, &revoked, &till, &body)
	if err != nil {
		return false, p, err
	}
	p.Key = public
	if err := json.Unmarshal([]byte(addresses), &p.Addresses); err != nil {
		return false, p, fmt.Errorf("addresses of agent %d: %w", agent, err)
	}
	if revoked || till {
		return true, p, nil // nobody is to be told
	}
	var told wire.Peer
	if body != "" {
		if err := json.Unmarshal([]byte(body), &told); err != nil {
			return false, p, fmt.Errorf("peer %d: %w", p.Gate, err)
		}
	}
	return told.Same(&p) && slices.Equal(told.Addresses, p.Addresses), p, nil
}

// putPeer tells the gates of an agent that stands for one of them. A till
// decides no passes, so nobody is told of it.
func (t *Tx) putPeer(agent uint32) error {
	said, p, err := peerOf(t.ctx, t, agent)
	if err != nil || said {
		return err
	}
	return t.put(rankPeer, strconv.Itoa(int(p.Gate)), p, 0)
}

// removePeer takes it back.
func (t *Tx) removePeer(agent uint32) error {
	var gate uint16
	if err := t.QueryRowContext(t.ctx, "SELECT gate FROM agents WHERE id = $1", agent).Scan(&gate); err != nil {
		return err
	}
	return t.remove(rankPeer, strconv.Itoa(int(gate)))
}
