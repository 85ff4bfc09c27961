package journal

import (
	"encoding/json"
	"fmt"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func (t *tx) claimID(number int64) string {
	return fmt.Sprintf("%d-%d-%d", t.id.Agent, t.id.Epoch, number)
}

func (t *tx) Ask(c *wire.Claim) error {
	var number int64
	if _, err := t.tx.Get("UPDATE progress SET claims = claims + 1 WHERE id = 1 RETURNING claims", nil, &number); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	c.ID = t.claimID(number)
	var charge []byte
	if c.Charge != nil {
		var err error
		if charge, err = json.Marshal(c.Charge); err != nil {
			return fmt.Errorf("ask: %w", err)
		}
	}
	return t.tx.Exec(`INSERT INTO claims (pass, number, state, at, owner, expires, charge) VALUES ($1, $2, 1, $3, $4, $5, $6)
		ON CONFLICT (pass) DO UPDATE SET number = excluded.number, state = excluded.state, at = excluded.at,
			owner = excluded.owner, expires = excluded.expires, charge = excluded.charge`,
		c.Pass[:], number, c.At, int64(c.Owner), c.Expires, charge)
}

func (t *tx) Settle(pass signing.PassID, state desk.ClaimState) error {
	return t.tx.Exec("UPDATE claims SET state = $2 WHERE pass = $1", pass[:], int64(state))
}

func (t *tx) Overdue(before, after int64) (list []desk.Question, err error) {
	err = t.tx.Each("SELECT pass, number, at FROM claims WHERE state = 1 AND (at <= $1 OR at > $2) ORDER BY at", []any{before, after},
		func(scan func(...any) error) error {
			var pass []byte
			var number int64
			q := desk.Question{State: desk.ClaimOpen}
			if err := scan(&pass, &number, &q.At); err != nil {
				return err
			}
			copy(q.Pass[:], pass)
			q.ID = t.claimID(number)
			list = append(list, q)
			return nil
		})
	return list, err
}

func (t *tx) Answered(claim string) (a lane.Answered, ok bool, err error) {
	var pass []byte
	var seq, gate, at int64
	ok, err = t.tx.Get(`SELECT pass, state, seq, coalesce(first_at, 0), coalesce(first_gate, 0), expires
		FROM answers WHERE claim = $1`, []any{claim}, &pass, &a.State, &seq, &at, &gate, &a.Expires)
	if err != nil || !ok {
		return a, false, err
	}
	a.ID = claim
	copy(a.Pass[:], pass)
	if seq != 0 {
		a.Event = wire.EventID{Agent: t.id.Agent, Epoch: t.id.Epoch, Seq: uint64(seq)}
	}
	if gate != 0 {
		a.First = &verdict.Use{At: at, Gate: uint16(gate)}
	}
	return a, true, nil
}

func (t *tx) Answer(a lane.Answered) error {
	var at, gate any
	if a.First != nil {
		at, gate = a.First.At, int64(a.First.Gate)
	}
	return t.tx.Exec(`INSERT INTO answers (claim, pass, state, seq, first_at, first_gate, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (claim) DO UPDATE SET state = excluded.state, first_at = excluded.first_at,
			first_gate = excluded.first_gate`,
		a.ID, a.Pass[:], a.State, int64(a.Event.Seq), at, gate, a.Expires)
}

func (t *tx) Releases() (list []lane.Answered, err error) {
	err = t.tx.Each("SELECT claim, pass FROM releases ORDER BY claim", nil, func(scan func(...any) error) error {
		var pass []byte
		var a lane.Answered
		if err := scan(&a.ID, &pass); err != nil {
			return err
		}
		copy(a.Pass[:], pass)
		list = append(list, a)
		return nil
	})
	return list, err
}

func (t *tx) Released(claim string) error {
	return t.tx.Exec("DELETE FROM releases WHERE claim = $1", claim)
}
