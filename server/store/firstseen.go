package store

import (
	"context"
	"database/sql"
	"sync"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// leasing remembers the gates that are to be pinged.
type leasing struct {
	mu    sync.Mutex
	stale <-chan struct{} // closed when the feed has grown since
	gates []uint16
}

// Leased gives the gates of the policy first_seen that can be proven current:
// those of which no earlier journal may be missing. Nobody, when the database
// fails.
func (s *Store) Leased() []uint16 {
	l := &s.leased
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.stale:
	default:
		if l.stale != nil {
			return l.gates
		}
	}
	stale := s.Changed() // before the question
	gates, err := List(context.Background(), s.read, func(rows *sql.Rows) (id uint16, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT id FROM gates WHERE mode = $1 AND draining_since IS NULL ORDER BY id", string(verdict.FirstSeen))
	if err != nil {
		return nil
	}
	l.stale, l.gates = stale, gates
	return gates
}

// share is what is known of a pass that gates of the policy first_seen admit
// each on its own.
type share struct {
	yes  bool
	dark []uint16 // gates other than the asking one that may have, by number
}

// shared finds out whether a pass is shared, and by whom. A gate that was moved
// to another zone, or has left the policy, is of every group until somebody
// confirms that it holds nothing back.
func (t *Tx) shared(c *wire.Claim, p *terms) (s share, err error) {
	if p.uses != 1 {
		return share{}, nil
	}
	type sharing struct {
		gate              uint16
		zone              int
		present, draining bool
		enrolled          bool
	}
	gates, err := List(t.ctx, t, func(rows *sql.Rows) (g sharing, err error) {
		err = rows.Scan(&g.gate, &g.zone, &g.present, &g.draining, &g.enrolled)
		return g, err
	}, `SELECT id, zone, mode = $1, draining_since IS NOT NULL, EXISTS (SELECT 1 FROM agents WHERE agents.gate = gates.id)
		FROM gates WHERE shares = 1 ORDER BY id`, string(verdict.FirstSeen))
	if err != nil {
		return share{}, err
	}
	owned := p.owner == 0
	for _, g := range gates {
		owned = owned || g.present && g.gate == p.owner
		if g.gate != c.Gate && g.enrolled && (g.draining || p.zones.Admit(g.zone)) {
			s.dark = append(s.dark, g.gate)
		}
	}
	s.yes = owned && (len(s.dark) > 0 || c.Reserve != wire.ReserveNone || p.owner != 0)
	return s, nil
}

// supersede gives back what an agent was granted for a pass before and did not
// open with: it would not ask again. Its own annul may still be on its way.
func (t *Tx) supersede(c *wire.Claim) error {
	id, err := wire.ParseEventID(c.ID)
	if err != nil {
		return err
	}
	earlier, err := List(t.ctx, t, func(rows *sql.Rows) (ref string, err error) {
		err = rows.Scan(&ref)
		return ref, err
	}, "SELECT ref FROM uses WHERE pass = $1 AND annulled_at IS NULL AND gate = $2", c.Pass[:], c.Gate)
	if err != nil {
		return err
	}
	for _, ref := range earlier {
		claim, ok := claimOf(ref)
		if !ok || claim == c.ID {
			continue
		}
		if was, err := wire.ParseEventID(claim); err != nil || was.Agent != id.Agent || was.Epoch != id.Epoch || was.Seq > id.Seq {
			continue
		}
		if err := t.annulUse(c.Pass, ref); err != nil {
			return err
		}
		if err := t.Exec("UPDATE claims SET state = $1 WHERE id = $2", claimReleased, claim); err != nil {
			return err
		}
	}
	return nil
}

// others counts the uses of a pass that hold, but for the one of a claim.
func (t *Tx) others(c *wire.Claim) (count uint32, first *verdict.Use, own bool, err error) {
	rows, err := List(t.ctx, t, func(rows *sql.Rows) (u useOfClaim, err error) {
		err = rows.Scan(&u.At, &u.Gate, &u.ref, &u.claim)
		return u, err
	}, "SELECT at, gate, ref, claim FROM uses WHERE pass = $1 AND annulled_at IS NULL ORDER BY at, arrival", c.Pass[:])
	for i := range rows {
		if rows[i].claim.String == c.ID || rows[i].ref == claimRef(c.ID) {
			own = true
			continue
		}
		if count++; first == nil {
			first = &rows[i].Use
		}
	}
	return count, first, own, err
}

type useOfClaim struct {
	verdict.Use
	ref   string
	claim sql.NullString
}

// decideShared answers a claim about a pass that is shared. Unlike Owner's
// answers this one may turn from granted to used: somebody who was dark has told
// meanwhile.
func (t *Tx) decideShared(c *wire.Claim, s *share, p *terms, before *wire.Answer) (wire.Answer, error) {
	if before != nil && before.State != verdict.ClaimGranted {
		return *before, nil
	}
	if before == nil {
		if err := t.supersede(c); err != nil {
			return wire.Answer{}, err
		}
	}
	count, first, own, err := t.others(c)
	if err != nil {
		return wire.Answer{}, err
	}
	a := wire.Answer{ID: c.ID, State: verdict.ClaimGranted, Dark: s.dark}
	if count >= p.uses {
		a = wire.Answer{ID: c.ID, State: verdict.ClaimUsed, First: first}
	}
	if before != nil {
		return a, nil
	}
	if own { // the event that it led to came before the question
		return a, t.Exec(`INSERT INTO claims (id, pass, gate, at, decided_at, state, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			c.ID, c.Pass[:], c.Gate, c.At, t.now, claimGranted, p.expires)
	}
	return a, t.keepClaim(c, &a, *p)
}

// merge turns the use of a granted claim into that of the event with which the
// gate admitted under it without having heard of the grant.
func (t *Tx) merge(u *use) (merged bool, err error) {
	if u.claim == "" {
		return false, nil
	}
	revision, err := t.revisions(1)
	if err != nil {
		return false, err
	}
	n, err := t.Affect(`UPDATE uses SET ref = $1, claim = $2, at = $3, revision = $4
		WHERE pass = $5 AND ref = $6 AND annulled_at IS NULL`, u.ref, u.claim, u.at, revision, u.pass[:], claimRef(u.claim))
	return n > 0, err
}
