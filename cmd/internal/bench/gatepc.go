package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// gatePC is the inside of a gate's agent, without a server.
type gatePC struct {
	db       *disk.DB
	journal  *journal.Journal
	snapshot *snapshot.Snapshot
}

// newGatePC enrols a gate that owns its passes into a new store, gives it a
// snapshot with these items and sets its clock.
func newGatePC(path string, c *campus, items []wire.Item) (*gatePC, error) {
	id := journal.Identity{
		Agent: agentID, Epoch: 1, Gate: gateID, Site: site, TimeZone: zoneName, Server: nowhere,
		Root: c.rootKey(), Private: c.root,
	}
	err := disk.Create(path, func(tx *disk.Tx) error {
		return errors.Join(journal.Enrol(tx, id), snapshot.Enrol(tx, id.Root, site, c.signed))
	})
	if err != nil {
		return nil, err
	}
	a := &gatePC{}
	if a.db, err = disk.Open(path); err != nil {
		return nil, err
	}
	if err := a.fill(c, id, items); err != nil {
		return nil, errors.Join(err, a.db.Close())
	}
	return a, nil
}

// nowhere is an address where no server listens.
const nowhere = "http://127.0.0.1:9"

func (a *gatePC) fill(c *campus, id journal.Identity, items []wire.Item) (err error) {
	if a.journal, err = journal.Open(a.db); err != nil {
		return err
	}
	if a.snapshot, err = snapshot.Open(a.db, gateID, site, id.Root); err != nil {
		return err
	}
	gate, err := item(wire.ItemGate, strconv.Itoa(gateID), wire.Gate{ID: gateID, Name: "东门 East Gate", Zone: zone, Mode: verdict.Owner})
	if err != nil {
		return err
	}
	if err := a.snapshot.Apply(group(append(items, gate))); err != nil {
		return err
	}
	now := c.now.UnixMilli()
	err = a.journal.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: now, HighWater: now}) })
	if err != nil {
		return err
	}
	return a.snapshot.Current(c.now)
}

func item(kind wire.ItemKind, key string, body any) (wire.Item, error) {
	raw, err := json.Marshal(body)
	return wire.Item{Kind: kind, Key: key, Body: raw}, err
}

// group cuts the items of a snapshot into deltas of the link's size.
func group(items []wire.Item) (deltas []wire.Delta) {
	for len(items) > 0 {
		n := min(len(items), wire.MaxBatch)
		deltas = append(deltas, wire.Delta{Reset: deltas == nil, More: n < len(items), Items: items[:n]})
		items = items[n:]
	}
	deltas[len(deltas)-1].Cursor = wire.Cursor{Lineage: "bench", Revision: 1}
	return deltas
}

// opened is a lane.Desk that runs.
type opened struct {
	*lane.Desk
	stop func() error
}

// open runs a desk with these lanes on the agent's store.
func (a *gatePC) open(o Options, names []string, barriers map[string]func(context.Context) error) (*opened, error) {
	cfg := lane.Config{
		Gate: gateID, Site: site,
		ClockMaxAge: desk.DefaultClockMaxAge, PolicyMaxAge: desk.DefaultClockMaxAge,
	}
	for _, name := range names {
		cfg.Lanes = append(cfg.Lanes, lane.Lane{Name: name, Direction: verdict.Entry})
	}
	d, err := lane.NewDesk(cfg, lane.Deps{
		Store: a.journal, Keyring: a.snapshot.Keyring, Gate: a.snapshot.Gate, Barriers: barriers,
		Now: o.Now, Rand: o.Rand,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return &opened{d, func() error {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}}, nil
}

// gate measures the way from a scan to its decision, on one agent's store.
func (r *run) gate(ctx context.Context) (err error) {
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	a, err := newGatePC(filepath.Join(r.dir, "agent.db"), c, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.db.Close()) }()
	f, err := newFloor(r.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := r.scan(ctx, c, a, f); err != nil {
		return fmt.Errorf("scan to relay: %w", err)
	}
	if err := r.lanes(ctx, c, a, f); err != nil {
		return fmt.Errorf("eight lanes: %w", err)
	}
	return nil
}

// patience is how long one scan may take before the run gives up on it.
const patience = 10 * time.Second
