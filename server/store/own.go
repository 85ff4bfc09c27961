package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Events that the server itself is the author of have agent 0. Their first
// epoch is this; a restored server begins another.
const ownEpoch = 1

// ownJournal is how far the server's own events have come. It is kept beside
// them, since events are forgotten after a while.
type ownJournal struct {
	Epoch uint32 `json:"epoch,omitempty"` // 0 = the first
	Seq   uint64 `json:"seq"`
	Head  string `json:"head"`
}

func (o ownJournal) epoch() uint32 { return max(o.Epoch, ownEpoch) }

// RecordOwn stores an event that the server itself is the author of: what a
// guard did on the page of a pass. It gets the next id of agent 0 and is chained
// like any journal. It counts no use: the claim that it names does, and is
// settled by this. An annul of a claim has the effect of any agent's.
func (s *Store) RecordOwn(ctx context.Context, e wire.Event) (id wire.EventID, err error) {
	err = s.Change(ctx, func(t *Tx) (err error) {
		id, err = t.recordOwn(e)
		return err
	})
	return id, err
}

func (t *Tx) recordOwn(e wire.Event) (id wire.EventID, err error) {
	var at ownJournal
	if err := Kept(t.ctx, t, settingOwn, &at); err != nil {
		return id, err
	}
	head, err := hex.DecodeString(at.Head)
	if err != nil {
		return id, err
	}
	var prev wire.Hash
	copy(prev[:], head)
	e.Counts, e.ID = false, wire.EventID{Epoch: at.epoch(), Seq: at.Seq + 1}
	r, err := wire.Seal(prev, &e)
	if err != nil {
		return id, err
	}
	one := []entry{readRecord(e.ID, r)}
	if one[0].problem != "" {
		return id, fmt.Errorf("own event: %s", one[0].problem)
	}
	return e.ID, errors.Join(
		t.insertEvents(one),
		t.effects(one),
		t.Exec("DELETE FROM own_claims WHERE id = $1", e.Claim),
		t.Keep(settingOwn, ownJournal{Epoch: at.Epoch, Seq: r.Seq, Head: r.Hash.String()}),
	)
}

// OpenClaim remembers that the server is about to ask a claim, so that the
// answer is given back should nobody settle it. Doing it again changes nothing.
func (s *Store) OpenClaim(ctx context.Context, c wire.Claim) error {
	return s.Change(ctx, func(t *Tx) error {
		return t.Exec("INSERT INTO own_claims (id, pass, gate, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			c.ID, c.Pass[:], c.Gate, t.now)
	})
}

// GiveBack annuls the claims of the server's own that were asked before a time
// (ms) and never settled. What was granted to them is free again, and a late
// question of theirs is answered with silence.
func (s *Store) GiveBack(ctx context.Context, before int64) error {
	return s.Change(ctx, func(t *Tx) error {
		open, err := List(t.ctx, t, func(rows *sql.Rows) (e wire.Event, err error) {
			var pass []byte
			err = rows.Scan(&e.Claim, &pass, &e.Gate)
			copy(e.Pass[:], pass)
			return e, err
		}, "SELECT id, pass, gate FROM own_claims WHERE made_at < $1 ORDER BY made_at, id LIMIT 100", before)
		for i := 0; i < len(open) && err == nil; i++ {
			open[i].Type, open[i].At = wire.EventAnnul, t.now
			open[i].Verdict.Reason = verdict.Annulled
			_, err = t.recordOwn(open[i])
		}
		return err
	})
}
