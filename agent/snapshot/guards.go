package snapshot

import (
	"encoding/json"
	"fmt"

	"campusgate/agent/disk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Guideline is the campus's guideline; nil = none is known. It is immutable and
// replaced as a whole.
func (s *Snapshot) Guideline() *verdict.Guideline { return s.guide.Load() }

// Guard gives somebody who may begin a shift at this gate.
func (s *Snapshot) Guard(number string) (wire.Guard, bool) {
	g, ok := (*s.guards.Load())[number]
	return g, ok
}

// loadGuards reads guards and guideline, which are few and kept in memory.
func loadGuards(tx *disk.Tx) (guards map[string]wire.Guard, guide *verdict.Guideline, err error) {
	guards = map[string]wire.Guard{}
	err = tx.Each("SELECT number, name, hash, supervisor FROM guards", nil, func(scan func(...any) error) error {
		var number string
		var g wire.Guard
		if err := scan(&number, &g.Name, &g.Hash, &g.Supervisor); err != nil {
			return err
		}
		guards[number] = g
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var body []byte
	known, err := tx.Get("SELECT body FROM guideline WHERE id = 1", nil, &body)
	if err != nil || !known {
		return guards, nil, err
	}
	guide = new(verdict.Guideline)
	if err := json.Unmarshal(body, guide); err != nil {
		return nil, nil, fmt.Errorf("guideline: %w", err)
	}
	return guards, guide, nil
}
