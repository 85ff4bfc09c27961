package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Policy is what holds at the lanes of a gate. Its Area is that of all gates of
// the area.
type Policy struct {
	wire.Policy
	Gate      uint16
	Area      string // name, see wire.AreaName
	Gates     []Gate // of the area
	ChangedAt int64  // of the gate's own part; 0 = never
	ChangedBy string
}

// Policy gives the policy of a gate, or ErrNotFound. A gate that has none gives
// the zero one.
func (s *Store) Policy(ctx context.Context, id uint16) (Policy, error) {
	return policy(ctx, s.read, id)
}

func policy(ctx context.Context, src Source, id uint16) (p Policy, err error) {
	gates, err := List(ctx, src, scanGate, gateColumns+waysIn+" ORDER BY id")
	if err != nil {
		return p, err
	}
	groups, err := groups(ctx, src)
	if err != nil {
		return p, err
	}
	p.Gate = id
	for _, g := range gates {
		if g.ID == id {
			p.Area = wire.AreaName(groups[id], g.Zone)
		}
	}
	if p.Area == "" {
		return p, fmt.Errorf("%w: gate %d", ErrNotFound, id)
	}
	for _, g := range gates {
		if wire.AreaName(groups[g.ID], g.Zone) == p.Area {
			p.Gates = append(p.Gates, g)
		}
	}
	var body string
	err = src.QueryRowContext(ctx, "SELECT body, changed_at, changed_by FROM policies WHERE gate = $1", id).
		Scan(&body, &p.ChangedAt, &p.ChangedBy)
	if err == nil {
		err = json.Unmarshal([]byte(body), &p.Policy)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("policy of gate %d: %w", id, err)
	}
	p.Group = groups[id]
	p.Policy.Area, err = area(ctx, src, p.Area)
	return p, err
}

// groups are the gates that count with a group instead of their zone.
func groups(ctx context.Context, src Source) (map[uint16]string, error) {
	by := map[uint16]string{}
	_, err := List(ctx, src, func(rows *sql.Rows) (struct{}, error) {
		var gate uint16
		var group string
		err := rows.Scan(&gate, &group)
		by[gate] = group
		return struct{}{}, err
	}, "SELECT gate, grouped FROM policies WHERE grouped <> ''")
	return by, err
}

func area(ctx context.Context, src Source, name string) (a verdict.Area, err error) {
	var body string
	err = src.QueryRowContext(ctx, "SELECT body FROM areas WHERE area = $1", name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &a)
	}
	return a, err
}

// SetPolicy replaces the policy of a gate, with what its area has in common, and
// tells the gates of the area. The caller has checked it. ErrNotFound.
func (s *Store) SetPolicy(ctx context.Context, actor string, id uint16, p wire.Policy) (out Policy, err error) {
	err = s.Change(ctx, func(t *Tx) error {
		g, err := t.wayIn(id)
		if err != nil {
			return err
		}
		before, err := policy(t.ctx, t, id)
		if err != nil {
			return err
		}
		common := p.Area
		name := p.AreaName(g.Zone)
		own := p
		own.Area = verdict.Area{}
		if err := t.keepPolicy(actor, id, &own); err != nil {
			return err
		}
		if err := t.keepArea(name, common); err != nil {
			return err
		}
		if out, err = policy(t.ctx, t, id); err != nil {
			return err
		}
		if err := t.tellArea(out.Gates); err != nil {
			return err
		}
		// The area that the gate left no longer counts it.
		if before.Area != name {
			if err := t.tellPresence(before.Area); err != nil {
				return err
			}
		}
		return errors.Join(t.tellPresence(name), t.Trail(actor, "gate.policy", gateTarget(id), p))
	})
	return out, err
}

func (t *Tx) keepPolicy(actor string, id uint16, p *wire.Policy) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return t.Exec(`INSERT INTO policies (gate, grouped, body, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (gate) DO UPDATE SET grouped = excluded.grouped, body = excluded.body,
			changed_at = excluded.changed_at, changed_by = excluded.changed_by`, id, p.Group, string(body), t.now, actor)
}

func (t *Tx) keepArea(name string, a verdict.Area) error {
	if a == (verdict.Area{}) {
		return t.Exec("DELETE FROM areas WHERE area = $1", name)
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return t.Exec("INSERT INTO areas (area, body) VALUES ($1, $2) ON CONFLICT (area) DO UPDATE SET body = excluded.body", name, string(body))
}

// tellArea gives gates their policies; one that says nothing is taken away.
func (t *Tx) tellArea(gates []Gate) error {
	for _, g := range gates {
		p, err := policy(t.ctx, t, g.ID)
		if err != nil {
			return err
		}
		body, err := json.Marshal(p.Policy)
		if err != nil {
			return err
		}
		key := strconv.Itoa(int(g.ID))
		var told string
		err = t.QueryRowContext(t.ctx, "SELECT body FROM feed WHERE kind = $1 AND key = $2 AND gone = $3", rankPolicy, key, false).Scan(&told)
		switch {
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		case told == string(body) || told == "" && string(body) == "{}":
		case string(body) == "{}":
			if err := t.remove(rankPolicy, key); err != nil {
				return err
			}
		default:
			if err := t.put(rankPolicy, key, p.Policy, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// rezone is for a gate that came to another zone: it counts with others now.
func (t *Tx) rezone(id uint16) error {
	p, err := policy(t.ctx, t, id)
	if errors.Is(err, ErrNotFound) {
		return nil // a till
	}
	if err != nil {
		return err
	}
	return errors.Join(t.tellArea(p.Gates), t.tellPresence(p.Area))
}

// Alarm is a lockdown or an emergency opening.
type Alarm struct {
	wire.Alarm
	Scope  string
	Gate   uint16 // that raised it itself; 0 = the server did
	Source wire.AlarmSource
}

func scanAlarm(rows *sql.Rows) (a Alarm, err error) {
	a.Source = wire.AlarmFromServer
	err = rows.Scan(&a.Scope, &a.State, &a.Reason, &a.By, &a.Since, &a.Until)
	return a, err
}

// Alarms lists what is in force: the server's by scope, then those that gates
// raised themselves, as far as they have said.
func (s *Store) Alarms(ctx context.Context) ([]Alarm, error) {
	now := s.now().UnixMilli()
	list, err := List(ctx, s.read, scanAlarm, `SELECT scope, state, reason, by_whom, since, coalesce(until, 0) FROM alarms
		WHERE until IS NULL OR until > $1 ORDER BY scope`, now)
	if err != nil {
		return nil, err
	}
	own, err := List(ctx, s.read, func(rows *sql.Rows) (a Alarm, err error) {
		err = rows.Scan(&a.Gate, &a.Source, &a.State, &a.Reason, &a.By, &a.Since)
		a.Scope = wire.ScopeGate(a.Gate)
		return a, err
	}, "SELECT gate, source, state, reason, by_whom, since FROM gate_alarms ORDER BY gate, source")
	return append(list, own...), err
}

// ScopeState is what the alarms in force come to at a gate: an emergency opening
// goes before a lockdown. The gate's own count too.
func (s *Store) ScopeState(ctx context.Context, g Gate) (state wire.AlarmState, err error) {
	all, err := s.Alarms(ctx)
	for _, a := range all {
		switch a.Scope {
		case wire.ScopeCampus, wire.ScopeZone(g.Zone), wire.ScopeGate(g.ID):
			state = max(state, a.State) // by the alphabet
		}
	}
	return state, err
}

// SetAlarm raises an alarm of a scope in place of any earlier, and tells the
// gates; with AlarmNone it ends. ErrNotFound: no such zone or gate, or nothing to
// end.
func (s *Store) SetAlarm(ctx context.Context, actor, scope string, a wire.Alarm) error {
	return s.Change(ctx, func(t *Tx) error {
		if err := t.scope(scope); err != nil {
			return err
		}
		if a.State == wire.AlarmNone {
			return t.endAlarm(actor, scope, a.Reason)
		}
		a.Since, a.By = t.now, actor
		err := t.Exec(`INSERT INTO alarms (scope, state, reason, by_whom, since, until) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (scope) DO UPDATE SET state = excluded.state, reason = excluded.reason, by_whom = excluded.by_whom,
				since = excluded.since, until = excluded.until`,
			scope, string(a.State), a.Reason, a.By, a.Since, nullable(a.Until))
		if err != nil {
			return err
		}
		return errors.Join(t.put(rankAlarm, scope, a, 0), t.Trail(actor, "alarm.raised", scope, a))
	})
}

func (t *Tx) endAlarm(actor, scope, reason string) error {
	n, err := t.Affect("DELETE FROM alarms WHERE scope = $1", scope)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: nothing is in force for %s", ErrNotFound, scope)
	}
	if err != nil {
		return err
	}
	return errors.Join(t.remove(rankAlarm, scope), t.Trail(actor, "alarm.ended", scope, map[string]any{"reason": reason}))
}

// scope refuses one that does not exist.
func (t *Tx) scope(scope string) error {
	kind, number, _ := strings.Cut(scope, ":")
	n, err := strconv.Atoi(number)
	known := false
	switch {
	case scope == wire.ScopeCampus:
		return nil
	case err != nil || strconv.Itoa(n) != number:
	case kind == "zone":
		err = t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM zones WHERE id = $1", n).Scan(&known)
	case kind == "gate":
		err = t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM gates WHERE id = $1 AND id NOT IN (SELECT gate FROM tills)", n).Scan(&known)
	}
	var syntax *strconv.NumError
	if err != nil && !errors.As(err, &syntax) {
		return err
	}
	if !known {
		return fmt.Errorf("%w: scope %.64q", ErrNotFound, scope)
	}
	return nil
}

// EndAlarms ends those whose time is over: gates do that by themselves.
func (s *Store) EndAlarms(ctx context.Context) error {
	var due bool
	err := s.read.QueryRowContext(ctx, "SELECT count(*) > 0 FROM alarms WHERE until <= $1", s.now().UnixMilli()).Scan(&due)
	if err != nil || !due {
		return err
	}
	return s.Change(ctx, func(t *Tx) error {
		over, err := List(t.ctx, t, scanAlarm, `SELECT scope, state, reason, by_whom, since, coalesce(until, 0) FROM alarms
			WHERE until <= $1`, t.now)
		for i := 0; i < len(over) && err == nil; i++ {
			err = t.endAlarm("schedule", over[i].Scope, "until")
		}
		return err
	})
}

// gateAlarm keeps what a gate says of an alarm of its own.
func (t *Tx) gateAlarm(e *entry) error {
	m := e.event.Alarm
	if m == nil || m.Source == wire.AlarmFromServer {
		return nil
	}
	if m.State == wire.AlarmNone {
		return t.Exec("DELETE FROM gate_alarms WHERE gate = $1 AND source = $2", e.event.Gate, string(m.Source))
	}
	return t.Exec(`INSERT INTO gate_alarms (gate, source, state, reason, by_whom, since) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (gate, source) DO UPDATE SET state = excluded.state, reason = excluded.reason, by_whom = excluded.by_whom,
			since = excluded.since`, e.event.Gate, string(m.Source), string(m.State), m.Reason, m.By, m.Since)
}
