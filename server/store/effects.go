package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Where neither the event nor our own records tell when a pass ends, its use
// is remembered for this long.
const unknownLifeMS = 90 * 24 * 3600 * 1000

// effects does what new events say, in their order: uses are counted and taken
// back, claims are released, people are inside or not.
func (t *Tx) effects(entries []entry) error {
	if err := t.movements(entries); err != nil {
		return err
	}
	var uses []use
	for i := range entries {
		e := &entries[i]
		if e.problem != "" || e.event.Pass.IsZero() {
			continue
		}
		switch e.event.Type {
		case wire.EventScan, wire.EventGrant:
			if !e.event.Counts {
				u, counted, err := t.forgottenClaim(e)
				if err != nil {
					return err
				}
				if counted {
					uses = append(uses, u)
				}
				continue
			}
			if !e.mayCount() {
				if err := t.refuseEffect(e, "counts a use that another decides"); err != nil {
					return err
				}
				continue
			}
			u, counted, err := t.useOf(e)
			if err != nil {
				return err
			}
			if counted {
				if counted, err = t.alone(e, &u); err != nil {
					return err
				}
			}
			if counted {
				uses = append(uses, u)
			}
		case wire.EventAnnul:
			// It may take back a use of this very batch.
			if err := t.addUses(uses); err != nil {
				return err
			}
			uses = nil
			if err := t.annul(e); err != nil {
				return err
			}
		case wire.EventRelease:
			if err := t.gaveUp(e.event.Pass); err != nil {
				return err
			}
		case wire.EventEntry, wire.EventRegister, wire.EventShift,
			wire.EventCharge, wire.EventVoid, wire.EventBatch, wire.EventAlarm: // use no pass up
		}
	}
	return t.addUses(uses)
}

// movements does what events say of who is inside, and of a gate's own alarms.
// All of them are of one gate.
func (t *Tx) movements(entries []entry) (err error) {
	area, asked := "", false
	for i := range entries {
		e := &entries[i]
		if e.problem != "" {
			continue
		}
		switch e.event.Type {
		case wire.EventAlarm:
			err = t.gateAlarm(e)
		case wire.EventScan, wire.EventAnnul:
			if !asked {
				area, err = t.keptBy(e.event.Gate)
				asked = true
			}
			switch {
			case area == "" || err != nil || e.event.Pass.IsZero():
			case e.event.Type == wire.EventAnnul:
				err = t.unmoved(e)
			default:
				err = t.moved(area, e)
			}
		default: // nobody goes anywhere by it
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mayCount reports whether the agent decided what it counts: an admission of
// a pass that is its own to decide, or a grant to somebody else's claim.
func (e *entry) mayCount() bool {
	ev := &e.event
	if ev.Type == wire.EventGrant {
		return ev.Claim != "" && !e.ownClaim()
	}
	return ev.Case == nil || ev.Case.decider() == ev.Gate || e.unreached()
}

// unreached reports an admission of a pass that gates share, under the agent's
// own claim, for which not everybody could be asked.
func (e *entry) unreached() bool {
	c := e.event.Case
	return c != nil && c.shared() && c.Claim.State == verdict.ClaimUnreached && e.ownClaim()
}

// alone takes in such an admission. Its claim may have been counted already; it
// reports whether the event is to be.
func (t *Tx) alone(e *entry, u *use) (bool, error) {
	if !e.unreached() {
		return true, nil
	}
	u.claim = e.event.Claim
	merged, err := t.merge(u)
	return !merged, err
}

// forgottenClaim gives the use of an admission under a claim that the server
// granted and does not know: it was restored from a copy made before. The claim
// is written down again, so that it counts once.
func (t *Tx) forgottenClaim(e *entry) (u use, counted bool, err error) {
	ev := &e.event
	if ev.Type != wire.EventScan || ev.Reason != verdict.Granted || ev.Claim == "" || !e.ownClaim() || ev.Case == nil ||
		ev.Case.decider() != 0 || ev.Case.Claim.State != verdict.ClaimGranted || ev.Verdict.Repeat {
		return u, false, nil
	}
	var known bool
	err = t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM claims WHERE id = $1", ev.Claim).Scan(&known)
	if err != nil || known {
		return u, false, err
	}
	if u, counted, err = t.useOf(e); err != nil {
		return u, false, err
	}
	u.ref, u.claim = claimRef(ev.Claim), ev.Claim
	return u, counted, t.Exec(`INSERT INTO claims (id, pass, gate, at, decided_at, state, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, ev.Claim, ev.Pass[:], ev.Gate, ev.At, t.now, claimGranted, u.expires)
}

// ownClaim reports whether the claim is one that this agent asked.
func (e *entry) ownClaim() bool {
	return strings.HasPrefix(e.event.Claim, fmt.Sprintf("%d-", e.id.Agent))
}

// useOf makes the use that an event counts; none for a pass without limit.
func (t *Tx) useOf(e *entry) (use, bool, error) {
	ev := &e.event
	u := use{pass: ev.Pass, ref: e.id.String(), gate: ev.Gate, at: ev.At}
	if ev.Type == wire.EventGrant {
		u.gate, u.claim = ev.For, ev.Claim
	}
	if ev.Case != nil {
		u.allowed, u.expires = ev.Case.Code.Uses, ev.Case.Code.Expires
		if ev.Case.Code.Bound {
			// A phone's credential ends long before its pass, and the use must not.
			p, known, err := t.terms(ev.Pass)
			if err != nil {
				return use{}, false, err
			}
			if known {
				u.expires = max(u.expires, p.expires)
			}
		}
		return u, u.allowed > 0, nil
	}
	p, known, err := t.terms(ev.Pass)
	if err != nil {
		return use{}, false, err
	}
	u.allowed, u.expires = p.uses, p.expires
	if !known {
		// Only a counted pass is ever granted to another gate.
		u.allowed, u.expires = 1, (ev.At+unknownLifeMS)/1000
	}
	return u, u.allowed > 0, nil
}

// terms are what the server's own record says of a pass.
type terms struct {
	uses    uint32
	owner   uint16 // that decides it now
	zones   signing.Zones
	expires int64 // seconds
	revoked bool
}

func (t *Tx) terms(pass signing.PassID) (p terms, known bool, err error) {
	err = t.QueryRowContext(t.ctx, `SELECT p.uses, coalesce(o.gate, p.owner), p.zones, p.valid_until, p.revoked_at IS NOT NULL
		FROM passes p LEFT JOIN ownerships o ON o.pass = p.id WHERE p.id = $1`,
		pass[:]).Scan(&p.uses, &p.owner, &p.zones, &p.expires, &p.revoked)
	if errors.Is(err, sql.ErrNoRows) {
		return terms{}, false, nil
	}
	return p, err == nil, err
}

// annul takes back an admission or a grant of the same agent, and gives back
// the claim under which it admitted.
func (t *Tx) annul(e *entry) error {
	ev := &e.event
	if ev.Annuls != "" && ev.Counts {
		id, err := wire.ParseEventID(ev.Annuls)
		if err != nil || id.Agent != e.id.Agent {
			return t.refuseEffect(e, "annuls an event that is not its own")
		}
		if err := t.annulUse(ev.Pass, ev.Annuls); err != nil {
			return err
		}
	}
	if ev.Claim == "" {
		return nil
	}
	if !e.ownClaim() {
		// An owner that annuls its grant names the claim of the gate that asked.
		if ev.Annuls == "" {
			return t.refuseEffect(e, "gives back a claim that is not its own")
		}
		return nil
	}
	return t.release(e)
}

// refuseEffect leaves the event in the record without doing what it says.
func (t *Tx) refuseEffect(e *entry, why string) error {
	t.store.stats.alarms.Add(1)
	return t.Trail(fmt.Sprintf("agent %d", e.id.Agent), "event.refused", e.id.String(), map[string]any{"problem": why})
}

// release gives a claim back: the server's own decision here, a gate's by an
// item of the feed. The claim's id is dead from then on, also when the
// question itself has yet to come.
func (t *Tx) release(e *entry) error {
	ev := &e.event
	var state string
	err := t.QueryRowContext(t.ctx, "SELECT state FROM claims WHERE id = $1", ev.Claim).Scan(&state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case state == claimGranted:
		if err := t.annulUse(ev.Pass, claimRef(ev.Claim)); err != nil {
			return err
		}
		return t.Exec("UPDATE claims SET state = $1 WHERE id = $2", claimReleased, ev.Claim)
	default:
		return nil
	}

	p, known, err := t.terms(ev.Pass)
	if err != nil {
		return err
	}
	if !known {
		p.expires = (ev.At + unknownLifeMS) / 1000
	}
	err = t.Exec(`INSERT INTO claims (id, pass, gate, at, decided_at, state, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		ev.Claim, ev.Pass[:], ev.Gate, ev.At, t.now, claimDead, p.expires)
	if err != nil {
		return err
	}
	owner, err := t.claimOwner(e, p.owner)
	if err != nil || owner == 0 {
		return err
	}
	return t.put(rankRelease, ev.Claim, wire.Release{Owner: owner, Pass: ev.Pass}, p.expires*1000)
}

// claimOwner finds the gate that was asked: what the asking gate went by when
// it judged, or else the owner that the pass was signed with.
func (t *Tx) claimOwner(e *entry, signed uint16) (uint16, error) {
	if e.event.Case != nil {
		return e.event.Case.decider(), nil
	}
	var body []byte
	err := t.QueryRowContext(t.ctx, `SELECT body FROM events WHERE claim = $1 AND agent = $2 AND type = $3
		ORDER BY position LIMIT 1`, e.event.Claim, e.id.Agent, string(wire.EventScan)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return signed, nil
	}
	if err != nil {
		return 0, err
	}
	asked, err := readEvent(body)
	if err != nil || asked.Case == nil {
		return signed, nil
	}
	return asked.Case.decider(), nil
}
