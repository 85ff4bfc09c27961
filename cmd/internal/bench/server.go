package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/server/audit"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	allEvents = 100_000 // are taken in and judged again; a tenth in a quick run
	batches   = 5       // of the link's size in one turn
)

// server measures what becomes of events at the server: they are ingested in
// turns, and then all of them are judged again.
func (r *run) server(ctx context.Context) (err error) {
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	count := allEvents
	switch {
	case r.o.Tiny:
		count = (minTurns + 1) * r.size(batches) * wire.MaxBatch
	case r.o.Quick:
		count /= 10
	}
	records, err := r.events(c, count)
	if err != nil {
		return fmt.Errorf("make events: %w", err)
	}
	path := filepath.Join(r.dir, "server.db")
	s, who, err := r.newStore(ctx, c, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	peer, err := newTables(ctx, filepath.Join(r.dir, "tables.db"), path, records)
	if err != nil {
		return err
	}
	err = r.ingest(ctx, s, who, records, peer)
	if err = errors.Join(err, peer.close()); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if err := r.rejudge(ctx, s, count); err != nil {
		return fmt.Errorf("rejudge: %w", err)
	}
	return nil
}

// ingest hands all records to the store, in batches of the link's size.
func (r *run) ingest(ctx context.Context, s *store.Store, who store.Agent, records []wire.Record, peer *tables) error {
	taken, inTurn := 0, r.size(batches)*wire.MaxBatch
	ours := func() error {
		for range r.size(batches) {
			batch := records[taken : taken+wire.MaxBatch]
			taken += len(batch)
			acked, err := s.Ingest(ctx, who.ID, who.Epoch, batch)
			if err != nil {
				return err
			}
			if acked != uint64(taken) {
				return fmt.Errorf("%d events are held of %d", acked, taken)
			}
		}
		return nil
	}
	bare := func() error {
		for range r.size(batches) {
			if err := peer.insert(ctx, wire.MaxBatch); err != nil {
				return err
			}
		}
		return nil
	}
	// All of the turns: what follows needs every event.
	p, o, err := turns(ctx, effort{turns: len(records)/inTurn - 1, time: time.Hour}, bare, ours)
	if err != nil {
		return err
	}
	return r.print(Figure{Name: "ingest", Value: Number(float64(inTurn) / o.median()), Unit: "events/s", Min: true}.
		against("inserts of the same rows of events and uses into equal tables, as many in a transaction", float64(inTurn)/p.median(), 0.5))
}

// rejudge lets an auditor catch up with everything that was taken in. What it
// takes for fewer events is given for all.
func (r *run) rejudge(ctx context.Context, s *store.Store, count int) error {
	auditor := audit.New(s, nil)
	took, err := timed(func() error { return auditor.CatchUp(ctx) })
	if err != nil {
		return err
	}
	f, err := auditor.Figures(ctx)
	if err != nil {
		return err
	}
	if f.Judged != uint64(count) || f.Pending != 0 || f.Disagreements != 0 {
		return fmt.Errorf("of %d events %d were judged, %d are pending, %d differ", count, f.Judged, f.Pending, f.Disagreements)
	}
	return r.print(Figure{Name: "rejudge", Value: Number(took * allEvents / float64(count)), Unit: "s per 100,000 events"}.atMost(60))
}

// newStore makes a server's database with one enrolled agent.
func (r *run) newStore(ctx context.Context, c *campus, path string) (s *store.Store, who store.Agent, err error) {
	s, err = store.Create(ctx, path, store.Site{Name: site, TimeZone: zoneName, Root: c.rootKey()},
		store.Options{Now: r.o.Now, Random: r.o.Rand})
	if err != nil {
		return nil, who, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	const actor = "bench"
	gate, err := s.AddGate(ctx, actor, store.Gate{Name: "东门 East Gate", Zone: zone, Mode: verdict.Owner})
	if err != nil {
		return nil, who, err
	}
	secret := sha256.Sum256([]byte(actor))
	if err := s.NewEnrolment(ctx, actor, gate.ID, secret[:], c.now.Add(time.Hour).UnixMilli()); err != nil {
		return nil, who, err
	}
	public, _, err := ed25519.GenerateKey(r.o.Rand)
	if err != nil {
		return nil, who, err
	}
	who, err = s.Enrol(ctx, secret[:], public, "gate-pc")
	return s, who, err
}

// events lets a gate's core admit residents, and gives its journal. Only the
// signatures are left out, of which events carry none.
func (r *run) events(c *campus, count int) (records []wire.Record, err error) {
	a, err := newGatePC(filepath.Join(r.dir, "agent.db"), c, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.db.Close()) }()
	const step = 5000
	for from := 0; from < count; from += step {
		if err := a.admit(c, from, min(step, count-from)); err != nil {
			return nil, err
		}
	}
	for len(records) < count {
		more, err := a.journal.After(uint64(len(records)), step)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			return nil, fmt.Errorf("the journal holds %d events of %d", len(records), count)
		}
		records = append(records, more...)
	}
	return records, nil
}

// admit steps a core through count scans in one transaction.
func (a *gatePC) admit(c *campus, from, count int) error {
	cfg := lane.Config{Gate: gateID, Site: site, Lanes: []lane.Lane{{Name: "main", Direction: verdict.Entry}}}
	return a.journal.Update(func(book lane.Book) error {
		core, err := lane.NewCore(cfg, book)
		if err != nil {
			return err
		}
		for n := from; n < from+count; n++ {
			p := c.resident(n)
			effects, err := core.Step(book, &desk.Scan{
				Stamp: desk.Stamp{Wall: c.now.UnixMilli() + int64(n), Mono: int64(n)},
				ID:    fmt.Sprintf("bench-%d", n), Lane: "main", Source: "serial",
				Code: code.Code{Form: signing.FormStatic, Key: &c.ring.Keys[0], Pass: &p},
			})
			if err != nil {
				return err
			}
			if _, opens := effects[0].(lane.Open); !opens {
				return fmt.Errorf("resident %d was not admitted: %+v", n, effects)
			}
		}
		return nil
	})
}
