package journal

import (
	"fmt"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

// BeginPrint notes durably that what has this id is about to be printed. Where
// that was noted before, before is what came of it, interrupted if nothing is
// known, and fresh is false.
func (j *Journal) BeginPrint(id string, at int64) (before wire.Printed, fresh bool, err error) {
	err = j.db.Update(func(tx *disk.Tx) error {
		before = wire.Printed{ID: id}
		known, err := tx.Get("SELECT state, reason, detail FROM prints WHERE id = $1", []any{id}, &before.State, &before.Reason, &before.Detail)
		if fresh = !known; err != nil || known {
			return err
		}
		return tx.Exec("INSERT INTO prints (id, at, state, reason, detail) VALUES ($1, $2, '', '', '')", id, at)
	})
	if err != nil {
		return before, false, fmt.Errorf("journal: %w", err)
	}
	if !fresh && before.State == "" {
		before.State, before.Reason = wire.PrintUnknown, wire.PrintInterrupted
	}
	return before, fresh, nil
}

// EndPrint notes what came of what BeginPrint has noted.
func (j *Journal) EndPrint(p wire.Printed) error {
	err := j.db.Update(func(tx *disk.Tx) error {
		return tx.Exec("UPDATE prints SET state = $1, reason = $2, detail = $3 WHERE id = $4", string(p.State), string(p.Reason), p.Detail, p.ID)
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
