package journal

import (
	"encoding/json"
	"fmt"

	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// owner puts into a standing who decides the pass now: of what the server told
// and what this gate itself did or heard of, the later word.
func (t *tx) owner(s *lane.Standing, told, gave wire.Ownership) {
	if gave.Epoch > told.Epoch {
		s.Record.Owner, s.Moves = gave.Gate, gave.Epoch
		return
	}
	s.Record.Owner, s.Moves = told.Gate, told.Epoch
	if told.Gate != t.id.Gate || told.AgentEpoch == 0 {
		return
	}
	s.Record.Moved = verdict.MovedEarlier
	if told.AgentEpoch == t.id.Epoch {
		s.Record.Moved = verdict.MovedHere
	}
}

func (t *tx) Given(pass signing.PassID) (m wire.Move, ok bool, err error) {
	var body []byte
	ok, err = t.tx.Get("SELECT body FROM moves WHERE pass = $1 AND seq > 0", []any{pass[:]}, &body)
	if err != nil || !ok {
		return m, false, err
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, false, fmt.Errorf("move of pass %s: %w", pass, err)
	}
	return m, true, nil
}

const putMove = `INSERT INTO moves (pass, id, gate, epoch, seq, body, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (pass) DO UPDATE SET id = excluded.id, gate = excluded.gate, epoch = excluded.epoch, seq = excluded.seq,
		body = excluded.body, expires = excluded.expires WHERE excluded.epoch > moves.epoch`

func (t *tx) Give(m wire.Move, e wire.EventID) error {
	body, err := json.Marshal(&m)
	if err != nil {
		return err
	}
	return t.tx.Exec(putMove, m.Pass[:], m.ID, int64(m.To), int64(m.Epoch), int64(e.Seq), body, m.Expires)
}

func (t *tx) Heard(pass signing.PassID, gate uint16, epoch uint32, expires int64) error {
	return t.tx.Exec(putMove, pass[:], "", int64(gate), int64(epoch), 0, nil, expires)
}
