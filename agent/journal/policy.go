package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// rules is the last policy that was read, so that it is read once and not with
// every scan.
type rules struct {
	raw    []byte
	parsed *wire.Policy
}

func (r *rules) read(raw []byte) (*wire.Policy, error) {
	if raw == nil {
		return nil, nil
	}
	if r.parsed != nil && bytes.Equal(r.raw, raw) {
		return r.parsed, nil
	}
	p := new(wire.Policy)
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	r.raw, r.parsed = bytes.Clone(raw), p
	return p, nil
}

const presenceColumns = "SELECT area, pass, inside, since, gate, at, expires, seq, was, was_since, was_gate FROM presence"

func scanPresence(scan func(...any) error) (p lane.Presence, err error) {
	var pass []byte
	err = scan(&p.Area, &pass, &p.In, &p.Since, &p.Gate, &p.At, &p.Expires, &p.Seq, &p.Was.In, &p.Was.Since, &p.Was.Gate)
	copy(p.Pass[:], pass)
	return p, err
}

func (t *tx) Presence(area string, pass signing.PassID) (p lane.Presence, err error) {
	return scanPresence(func(dest ...any) error {
		_, err := t.tx.Get(presenceColumns+" WHERE area = $1 AND pass = $2", []any{area, pass[:]}, dest...)
		return err
	})
}

func (t *tx) PresenceBy(pass signing.PassID, seq uint64) (list []lane.Presence, err error) {
	err = t.tx.Each(presenceColumns+" WHERE pass = $1 AND own = 1 AND seq = $2", []any{pass[:], int64(seq)}, func(scan func(...any) error) error {
		p, err := scanPresence(scan)
		list = append(list, p)
		return err
	})
	return list, err
}

func (t *tx) SetPresence(p lane.Presence) error {
	return t.tx.Exec(`INSERT INTO presence (area, pass, inside, since, gate, at, expires, own, gen, seq, was, was_since, was_gate)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, $8, $9, $10, $11)
		ON CONFLICT (area, pass) DO UPDATE SET inside = excluded.inside, since = excluded.since, gate = excluded.gate,
			at = excluded.at, expires = max(presence.expires, excluded.expires), own = 1, gen = 0, seq = excluded.seq,
			was = excluded.was, was_since = excluded.was_since, was_gate = excluded.was_gate`,
		p.Area, p.Pass[:], p.In, p.Since, int64(p.Gate), p.At, p.Expires, int64(p.Seq), p.Was.In, p.Was.Since, int64(p.Was.Gate))
}

const occupiedQuery = `SELECT count(*) FROM
	(SELECT 1 FROM presence WHERE area = $1 AND inside = 1 AND since >= $2 LIMIT $3)`

func (t *tx) Occupied(area string, since int64, limit uint32) (n uint32, err error) {
	_, err = t.tx.Get(occupiedQuery, []any{area, since, int64(limit)}, &n)
	return n, err
}

func (t *tx) Alarms() (list []wire.AlarmMove, err error) {
	err = t.tx.Each(`SELECT source, scope, body FROM alarms WHERE scope IN ('', $1, $2,
			(SELECT 'zone:' || zone FROM gates WHERE id = $3)) ORDER BY source, scope`,
		[]any{wire.ScopeCampus, wire.ScopeGate(t.id.Gate), int64(t.id.Gate)}, func(scan func(...any) error) error {
			var source, scope string
			var body []byte
			var a wire.Alarm
			if err := scan(&source, &scope, &body); err != nil {
				return err
			}
			if err := json.Unmarshal(body, &a); err != nil {
				return fmt.Errorf("alarm: %w", err)
			}
			list = append(list, wire.AlarmMove{
				State: a.State, Source: wire.AlarmSource(source), Scope: scope, Reason: a.Reason, By: a.By, Since: a.Since, Until: a.Until,
			})
			return nil
		})
	return list, err
}

func (t *tx) SetOwnAlarm(source wire.AlarmSource, a wire.Alarm) error {
	if a.State == wire.AlarmNone {
		return t.tx.Exec("DELETE FROM alarms WHERE source = $1 AND scope = ''", string(source))
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return t.tx.Exec(`INSERT INTO alarms (source, scope, body) VALUES ($1, '', $2)
		ON CONFLICT (source, scope) DO UPDATE SET body = excluded.body`, string(source), body)
}

func (t *tx) Held() (held []wire.AlarmMove, err error) {
	var body []byte
	ok, err := t.tx.Get("SELECT body FROM held_alarms WHERE id = 1", nil, &body)
	if err != nil || !ok {
		return nil, err
	}
	if err := json.Unmarshal(body, &held); err != nil {
		return nil, fmt.Errorf("alarms in force: %w", err)
	}
	return held, nil
}

func (t *tx) SetHeld(held []wire.AlarmMove) error {
	body, err := json.Marshal(held)
	if err != nil {
		return err
	}
	return t.tx.Exec("INSERT INTO held_alarms (id, body) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body", body)
}

// Inside counts who is inside an area since a moment, as far as this gate knows.
func (j *Journal) Inside(ctx context.Context, area string, since int64) (n uint32, err error) {
	err = j.db.Read().QueryRowContext(ctx, "SELECT count(*) FROM presence WHERE area = $1 AND inside = 1 AND since >= $2", area, since).Scan(&n)
	return n, err
}
