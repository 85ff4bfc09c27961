package charges

import (
	"fmt"

	"campusgate/server/store"
)

// Kinds of what a person has to look at.
const (
	problemQuarantined = "quarantined" // it cannot be read as money, or cannot be posted
	problemLedger      = "ledger"      // the ledger refused it
	problemFlow        = "flow"        // records are missing before it, or were renumbered
	problemSum         = "sum"         // the running sum is not that of the records
	problemBatch       = "batch"       // the till's totals are not those of the records
	problemVoid        = "void"        // of nothing that could be taken back
	problemAmount      = "amount"      // of a void: not that of its charge
)

// problem is a row of charge_problems.
type problem struct {
	kind          string
	expected, got *int64
	detail        string
	alarm         bool // somebody must look soon: a line of the trail too
}

// trouble keeps a problem of a record, once.
func (b *batch) trouble(t *store.Tx, r *record, p problem) error {
	if len(p.detail) > 500 {
		p.detail = p.detail[:500]
	}
	if b.again && (p.kind == problemQuarantined || p.kind == problemLedger) {
		b.failed = p.detail
		return nil // nothing of this change stays
	}
	n, err := t.Affect(`INSERT INTO charge_problems (event, gate, kind, expected, got, detail, found_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event, kind) DO NOTHING`,
		r.id(), r.gate, p.kind, p.expected, p.got, p.detail, t.Now())
	if err != nil || n == 0 {
		return err
	}
	if p.kind == problemQuarantined {
		b.tally.quarantined++
	}
	if !p.alarm {
		return nil
	}
	b.Log.Error("money was put aside", "event", r.id(), "gate", r.gate, "problem", p.kind, "why", p.detail)
	return t.Trail(fmt.Sprintf("agent %d", r.agent), "charge."+p.kind, r.id(), map[string]any{"problem": p.detail})
}
