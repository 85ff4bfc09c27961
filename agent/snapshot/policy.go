package snapshot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"campusgate/agent/disk"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// policyItem is this gate's policy, or that it has none any more.
type policyItem struct{ body []byte }

// alarmItem is an alarm of a scope, or that it ended.
type alarmItem struct {
	scope string
	body  []byte // nil = ended
}

// insideItem is the server's word on who is inside. Like a release it is a fact
// of its own, and may be known before the cursor says so.
type insideItem struct {
	area   string
	pass   signing.PassID
	gone   bool
	inside wire.Inside
}

// readPolicy keeps the policy of this gate; nil = it is another's.
func (s *Snapshot) readPolicy(it *wire.Item) (*policyItem, error) {
	id, err := strconv.ParseUint(it.Key, 10, 16)
	if err != nil || id == 0 {
		return nil, fmt.Errorf("key: want a gate number")
	}
	if uint16(id) != s.gate {
		return nil, nil
	}
	if it.Gone {
		return &policyItem{}, nil
	}
	var p wire.Policy
	if err := json.Unmarshal(it.Body, &p); err != nil {
		return nil, err
	}
	return &policyItem{it.Body}, p.Check()
}

func readAlarm(it *wire.Item) (alarmItem, error) {
	item := alarmItem{scope: it.Key}
	if it.Key != wire.ScopeCampus && !strings.HasPrefix(it.Key, "zone:") && !strings.HasPrefix(it.Key, "gate:") {
		return item, fmt.Errorf("key: want campus, a zone or a gate")
	}
	if it.Gone {
		return item, nil
	}
	var a wire.Alarm
	if err := json.Unmarshal(it.Body, &a); err != nil {
		return item, err
	}
	item.body = it.Body
	return item, a.Check()
}

func readInside(it *wire.Item) (item insideItem, err error) {
	if item.area, item.pass, err = wire.ParseInsideKey(it.Key); err != nil || it.Gone {
		item.gone = it.Gone
		return item, err
	}
	return item, json.Unmarshal(it.Body, &item.inside)
}

func putPolicy(tx *disk.Tx, p *policyItem) error {
	if p.body == nil {
		return tx.Exec("DELETE FROM policy")
	}
	return tx.Exec("INSERT INTO policy (id, body) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body", p.body)
}

func putAlarm(tx *disk.Tx, a *alarmItem) error {
	if a.body == nil {
		return tx.Exec("DELETE FROM alarms WHERE source = $1 AND scope = $2", string(wire.AlarmFromServer), a.scope)
	}
	return tx.Exec(`INSERT INTO alarms (source, scope, body) VALUES ($1, $2, $3)
		ON CONFLICT (source, scope) DO UPDATE SET body = excluded.body`, string(wire.AlarmFromServer), a.scope, a.body)
}

// putInside replaces what the server said before. An own word gives way to a
// later one only.
func putInside(tx *disk.Tx, it *insideItem, gen int64) error {
	if it.gone {
		return tx.Exec("DELETE FROM presence WHERE area = $1 AND pass = $2 AND own = 0", it.area, it.pass[:])
	}
	in := &it.inside
	return tx.Exec(`INSERT INTO presence (area, pass, inside, since, gate, at, expires, own, gen, seq, was, was_since, was_gate)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, 0, 0, 0, 0)
		ON CONFLICT (area, pass) DO UPDATE SET inside = excluded.inside, since = excluded.since, gate = excluded.gate,
			at = excluded.at, expires = excluded.expires, own = 0, gen = excluded.gen, seq = 0, was = 0, was_since = 0, was_gate = 0
		WHERE presence.own = 0 OR excluded.at > presence.at`,
		it.area, it.pass[:], in.In, in.Since, int64(in.Gate), in.At, in.Expires, gen)
}

const (
	// What a reset did not say again.
	sweepInside = `DELETE FROM presence WHERE id IN
		(SELECT id FROM presence WHERE own = 0 AND gen < $1 LIMIT $2)`
	// Passes that ended, and who went out more than a week ago.
	pruneInside = `DELETE FROM presence WHERE id IN
		(SELECT id FROM presence WHERE expires < $1 OR inside = 0 AND at < $1 * 1000 - 604800000 LIMIT $2)`
)

// few runs a statement that removes at most chunk rows until none are left.
func (s *Snapshot) few(statement string, than int64) error {
	for n := int64(chunk); n == chunk; {
		err := s.db.Update(func(tx *disk.Tx) (err error) {
			n, err = tx.Count(statement, than, chunk)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
