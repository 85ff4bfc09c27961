package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// presence is the latest word on whether a pass is inside an area.
type presence struct {
	area     string
	pass     signing.PassID
	inside   bool
	since    int64
	gate     uint16
	at       int64
	kind     signing.Kind
	expires  int64 // seconds
	ref      string
	was      bool
	wasSince int64
	wasGate  uint16
}

const presenceColumns = `SELECT area, pass, inside, since, gate, at, kind, expires, ref, was, was_since, was_gate FROM presence`

func scanPresence(rows *sql.Rows) (p presence, err error) {
	var pass []byte
	err = rows.Scan(&p.area, &pass, &p.inside, &p.since, &p.gate, &p.at, &p.kind, &p.expires, &p.ref, &p.was, &p.wasSince, &p.wasGate)
	copy(p.pass[:], pass)
	return p, err
}

// keptBy gives the area in which a gate keeps who is inside; "" = it does not.
func (t *Tx) keptBy(gate uint16) (string, error) {
	var any bool
	if err := t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM areas").Scan(&any); err != nil || !any {
		return "", err
	}
	p, err := policy(t.ctx, t, gate)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil || !p.Policy.Area.Kept() {
		return "", err
	}
	return p.Area, nil
}

// moved records who came in and went out by what an event says.
func (t *Tx) moved(area string, e *entry) error {
	ev := &e.event
	c := ev.Case
	v := verdict.Verdict{Reason: ev.Reason, Repeat: ev.Verdict.Repeat, Mark: ev.Verdict.Mark}
	if c == nil || !v.Opens() {
		return nil
	}
	kind, err := signing.ParseKind(c.Code.Kind)
	if err != nil || !kind.OpensGates() {
		return nil // a kind of a later version is in nobody's list here
	}
	in := v.Admits(c.Lane.Direction)
	if !in && c.Lane.Direction != verdict.Exit {
		return nil
	}
	before, err := t.presence(area, ev.Pass)
	if err != nil || before.at > ev.At {
		return err // what is known is later
	}
	p := presence{
		area: area, pass: ev.Pass, inside: in, gate: ev.Gate, at: ev.At, kind: kind, expires: max(before.expires, c.Code.Expires),
		ref: e.id.String(), was: before.inside, wasSince: before.since, wasGate: before.gate,
	}
	if in {
		p.since = ev.At
	}
	return t.setPresence(&p)
}

// unmoved puts back what an annulled event found, wherever nothing came after it.
func (t *Tx) unmoved(e *entry) error {
	list, err := List(t.ctx, t, scanPresence, presenceColumns+" WHERE pass = $1 AND ref = $2", e.event.Pass[:], e.event.Annuls)
	for i := 0; i < len(list) && err == nil; i++ {
		p := &list[i]
		p.inside, p.since, p.gate = p.was, p.wasSince, p.wasGate
		p.at, p.ref, p.was, p.wasSince, p.wasGate = max(p.at+1, e.event.At), e.id.String(), false, 0, 0
		err = t.setPresence(p)
	}
	return err
}

func (t *Tx) presence(area string, pass signing.PassID) (presence, error) {
	found, err := List(t.ctx, t, scanPresence, presenceColumns+" WHERE area = $1 AND pass = $2", area, pass[:])
	if err != nil || len(found) == 0 {
		return presence{}, err
	}
	return found[0], nil
}

func (t *Tx) setPresence(p *presence) error {
	err := t.Exec(`INSERT INTO presence (area, pass, inside, since, gate, at, kind, expires, ref, was, was_since, was_gate)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (area, pass) DO UPDATE SET inside = excluded.inside, since = excluded.since, gate = excluded.gate, at = excluded.at,
			kind = excluded.kind, expires = excluded.expires, ref = excluded.ref, was = excluded.was,
			was_since = excluded.was_since, was_gate = excluded.was_gate`,
		p.area, p.pass[:], p.inside, p.since, p.gate, p.at, int64(p.kind), p.expires, p.ref, p.was, p.wasSince, p.wasGate)
	if err != nil {
		return err
	}
	return t.put(rankInside, wire.InsideKey(p.area, p.pass), wire.Inside{
		In: p.inside, Since: p.since, Gate: p.gate, At: p.at, Expires: p.expires,
	}, p.expires*1000)
}

// tellPresence forgets who is inside an area that nobody keeps any more. While
// one is kept the gates have been told all along.
func (t *Tx) tellPresence(name string) error {
	a, err := area(t.ctx, t, name)
	if err != nil || a.Kept() {
		return err
	}
	gone, err := List(t.ctx, t, scanPresence, presenceColumns+" WHERE area = $1", name)
	for i := 0; i < len(gone) && err == nil; i++ {
		err = t.remove(rankInside, wire.InsideKey(name, gone[i].pass))
	}
	if err != nil {
		return err
	}
	return t.Exec("DELETE FROM presence WHERE area = $1", name)
}

// Insider is a pass that is inside an area.
type Insider struct {
	Area  string
	Pass  signing.PassID
	Kind  signing.Kind
	Name  string // as signed; "" where the pass was issued elsewhere
	Gate  uint16
	Since int64
}

// Occupancy is an area in which it is kept who is inside.
type Occupancy struct {
	Area   string
	Rule   verdict.Area
	Gates  []Gate
	Inside int
}

// Occupancies lists the areas that are kept, by name, with how many are inside.
// zone is the campus's.
func (s *Store) Occupancies(ctx context.Context, zone *time.Location) ([]Occupancy, error) {
	names, err := List(ctx, s.read, func(rows *sql.Rows) (name string, err error) {
		err = rows.Scan(&name)
		return name, err
	}, "SELECT area FROM areas ORDER BY area")
	if err != nil {
		return nil, err
	}
	gates, err := s.Gates(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := groups(ctx, s.read)
	if err != nil {
		return nil, err
	}
	list := []Occupancy{}
	for _, name := range names {
		o := Occupancy{Area: name}
		if o.Rule, err = area(ctx, s.read, name); err != nil {
			return nil, err
		}
		for _, g := range gates {
			if wire.AreaName(groups[g.ID], g.Zone) == name {
				o.Gates = append(o.Gates, g)
			}
		}
		if !o.Rule.Kept() || len(o.Gates) == 0 {
			continue
		}
		err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM presence WHERE area = $1 AND inside = 1 AND since >= $2",
			name, o.Rule.Since(s.now().In(zone))).Scan(&o.Inside)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// Insiders lists who is inside an area since a moment, the latest first, at most
// limit from an offset on; query is a part of the name or the beginning of a pass id.
func (s *Store) Insiders(ctx context.Context, area string, since int64, query string, limit, offset int) ([]Insider, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (i Insider, err error) {
		var pass []byte
		err = rows.Scan(&i.Area, &pass, &i.Kind, &i.Name, &i.Gate, &i.Since)
		copy(i.Pass[:], pass)
		return i, err
	}, `SELECT r.area, r.pass, r.kind, coalesce(p.name, ''), r.gate, r.since
		FROM presence r LEFT JOIN passes p ON p.id = r.pass
		WHERE r.area = $1 AND r.inside = 1 AND r.since >= $2
			AND ($3 = '' OR instr(lower(coalesce(p.name, '')), lower($4)) > 0 OR substr(lower(hex(r.pass)), 1, length($5)) = lower($6))
		ORDER BY r.since DESC, r.pass LIMIT $7 OFFSET $8`, area, since, query, query, query, query, limit, offset)
}

// PresenceOf says whether a pass is inside an area, and how many are, as the gates
// of the area judge at a moment. For whom is inside count says nothing.
func (s *Store) PresenceOf(ctx context.Context, area string, pass signing.PassID, since int64) (in *verdict.Use, count uint32, err error) {
	found, err := List(ctx, s.read, scanPresence, presenceColumns+" WHERE area = $1 AND pass = $2", area, pass[:])
	if err != nil {
		return nil, 0, err
	}
	if len(found) == 1 && found[0].inside && found[0].since >= since {
		return &verdict.Use{At: found[0].since, Gate: found[0].gate}, 0, nil
	}
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM presence WHERE area = $1 AND inside = 1 AND since >= $2", area, since).Scan(&count)
	return nil, count, err
}

// ClearPresence takes somebody out of the list by hand, wherever they are in it
// or in one area, and gives the areas. ErrNotFound: they are in none.
func (s *Store) ClearPresence(ctx context.Context, actor string, pass signing.PassID, area, reason string) (cleared []string, err error) {
	err = s.Change(ctx, func(t *Tx) error {
		cleared = nil
		list, err := List(t.ctx, t, scanPresence, presenceColumns+" WHERE pass = $1 AND inside = 1 AND ($2 = '' OR area = $3)", pass[:], area, area)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("%w: pass %s is inside nowhere", ErrNotFound, pass)
		}
		for i := range list {
			p := &list[i]
			p.inside, p.since, p.was, p.wasSince, p.wasGate = false, 0, false, 0, 0
			p.at, p.ref = max(t.now, p.at+1), "cleared"
			if err := t.setPresence(p); err != nil {
				return err
			}
			cleared = append(cleared, p.area)
		}
		return t.Trail(actor, "occupancy.cleared", "pass "+pass.String(), map[string]any{"areas": cleared, "reason": reason})
	})
	return cleared, err
}
