package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

// ErrBroken: the chain of events does not hold.
var ErrBroken = errors.New("journal is broken")

// Chain is a walk along a chain of events.
type Chain struct {
	Seq  uint64
	Hash wire.Hash
}

// Next checks that r is the record that follows, with an event of that number
// in it, and steps onto it. It wraps ErrBroken and names the seq.
func (c *Chain) Next(r *wire.Record) error {
	if r.Seq != c.Seq+1 {
		return fmt.Errorf("%w: event %d follows %d", ErrBroken, r.Seq, c.Seq)
	}
	if wire.Chain(c.Hash, r.Body) != r.Hash {
		return fmt.Errorf("%w: event %d does not have its hash", ErrBroken, r.Seq)
	}
	var e struct {
		ID wire.EventID `json:"id"`
	}
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return fmt.Errorf("%w: event %d: %w", ErrBroken, r.Seq, err)
	}
	if e.ID.Seq != r.Seq {
		return fmt.Errorf("%w: event %d says that it is %v", ErrBroken, r.Seq, e.ID)
	}
	c.Seq, c.Hash = r.Seq, r.Hash
	return nil
}

// Report is what Verify found.
type Report struct {
	First  uint64 // 0 = no event is kept
	Last   uint64
	Acked  uint64
	Events uint64
}

// Verify walks the whole journal from where it was pruned. It wraps ErrBroken
// at the first fault; the report says how far it came.
func (j *Journal) Verify(ctx context.Context) (r Report, err error) {
	var chain Chain
	err = j.db.Update(func(tx *disk.Tx) error {
		chain, err = begin(tx)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("verify journal: %w", err)
	}
	r.Acked = j.acked.Load()
	for r.Last = chain.Seq; ; {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		list, err := j.After(chain.Seq, 500)
		if err != nil {
			return r, err
		}
		for i := range list {
			if err := chain.Next(&list[i]); err != nil {
				return r, err
			}
			if r.First == 0 {
				r.First = chain.Seq
			}
			r.Last, r.Events = chain.Seq, r.Events+1
		}
		if len(list) == 0 {
			return r, nil
		}
	}
}

// begin is where the chain starts: at the zero hash, or after the last event
// that was removed.
func begin(tx *disk.Tx) (c Chain, err error) {
	var seq int64
	var hash []byte
	if _, err := tx.Get("SELECT pruned, pruned_hash FROM progress WHERE id = 1", nil, &seq, &hash); err != nil {
		return c, err
	}
	if len(hash) != len(c.Hash) {
		return c, fmt.Errorf("%w: beginning has a hash of %d bytes", ErrBroken, len(hash))
	}
	return Chain{Seq: uint64(seq), Hash: wire.Hash(hash)}, nil
}
