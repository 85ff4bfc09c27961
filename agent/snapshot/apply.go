package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

const (
	// chunk is how many rows one short transaction writes or removes: the lanes
	// wait for at most one of them.
	chunk = 128
	// small is up to how many rows a group is applied directly.
	small = 256
)

// Apply brings a whole group of deltas, and its cursor, into force: all of it or
// nothing. Errors wrap ErrKeyring, ErrItem, ErrGroup or the store's. Applying a
// group again is harmless.
func (s *Snapshot) Apply(deltas []wire.Delta) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.check(deltas)
	if err != nil {
		return fmt.Errorf("apply snapshot: %w", err)
	}
	if err := s.apply(g); err != nil {
		// A failed commit may have been done.
		if again := s.db.Update(func(tx *disk.Tx) error { return s.load(tx) }); again != nil {
			err = fmt.Errorf("%w; then %w", err, again)
		}
		return fmt.Errorf("apply snapshot: %w", err)
	}
	s.adopt(g)
	return nil
}

func (s *Snapshot) apply(g *group) error {
	base, current, dirty, err := s.generations()
	if err != nil {
		return err
	}
	if !g.reset && len(g.rows)+len(g.releases)+len(g.inside) <= small {
		return s.db.Update(func(tx *disk.Tx) error {
			for i := range g.rows {
				if err := replace(tx, &g.rows[i], current); err != nil {
					return err
				}
			}
			return s.settle(tx, g, base, current, dirty)
		})
	}
	if dirty {
		if err := s.sweep(base, current); err != nil {
			return err
		}
	}
	next := current + 1
	if err := s.stage(g, next); err != nil {
		return err
	}
	if g.reset {
		base = next
	}
	err = s.db.Update(func(tx *disk.Tx) error { return s.settle(tx, g, base, next, true) })
	if err != nil {
		return err
	}
	return s.sweep(base, next)
}

func (s *Snapshot) generations() (base, current int64, dirty bool, err error) {
	err = s.db.Update(func(tx *disk.Tx) error {
		_, err := tx.Get("SELECT base, current, dirty FROM snapshot WHERE id = 1", nil, &base, &current, &dirty)
		return err
	})
	return base, current, dirty, err
}

// stage writes the rows of a large group under a generation not yet in force.
// Releases are facts of their own, and may be known before the cursor says so.
func (s *Snapshot) stage(g *group, gen int64) error {
	err := s.db.Update(func(tx *disk.Tx) error {
		return tx.Exec("UPDATE snapshot SET dirty = 1 WHERE id = 1")
	})
	if err != nil {
		return err
	}
	// In the order of their keys, neighbours share pages: a short transaction
	// then writes a few of them instead of one for every row. Of several rows
	// with one key the last stays the last.
	slices.SortStableFunc(g.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), bytes.Compare(a.key[:], b.key[:]))
	})
	err = s.chunks(len(g.rows), func(tx *disk.Tx, i int) error { return insert(tx, &g.rows[i], gen) })
	if err != nil {
		return err
	}
	releases := g.releases
	g.releases = nil
	err = s.chunks(len(releases), func(tx *disk.Tx, i int) error { return keep(tx, releases[i]) })
	if err != nil {
		return err
	}
	inside := g.inside
	g.inside = nil
	return s.chunks(len(inside), func(tx *disk.Tx, i int) error { return putInside(tx, &inside[i], gen) })
}

// chunks does n things in short transactions.
func (s *Snapshot) chunks(n int, do func(tx *disk.Tx, i int) error) error {
	for from := 0; from < n; from += chunk {
		err := s.db.Update(func(tx *disk.Tx) error {
			for i := from; i < min(from+chunk, n); i++ {
				if err := do(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settle is the transaction that brings a group into force, apart from rows.
func (s *Snapshot) settle(tx *disk.Tx, g *group, base, current int64, dirty bool) error {
	if g.reset {
		for _, clear := range []string{"DELETE FROM gates", "DELETE FROM guards", "DELETE FROM guideline", "DELETE FROM till", "DELETE FROM policy", "DELETE FROM peers", "DELETE FROM alarms WHERE source = 'server'"} {
			if err := tx.Exec(clear); err != nil {
				return err
			}
		}
	}
	for i := range g.guards {
		if err := putGuard(tx, &g.guards[i]); err != nil {
			return err
		}
	}
	if g.guide != nil {
		err := tx.Exec(`INSERT INTO guideline (id, body) VALUES (1, $1)
			ON CONFLICT (id) DO UPDATE SET body = excluded.body`, g.guide.body)
		if g.guide.guideline == nil {
			err = tx.Exec("DELETE FROM guideline")
		}
		if err != nil {
			return err
		}
	}
	if g.till != nil {
		if err := putTill(tx, g.till); err != nil {
			return err
		}
	}
	if g.policy != nil {
		if err := putPolicy(tx, g.policy); err != nil {
			return err
		}
	}
	for i := range g.alarms {
		if err := putAlarm(tx, &g.alarms[i]); err != nil {
			return err
		}
	}
	for i := range g.inside {
		if err := putInside(tx, &g.inside[i], current); err != nil {
			return err
		}
	}
	for i := range g.gates {
		if err := putGate(tx, &g.gates[i]); err != nil {
			return err
		}
	}
	for i := range g.peers {
		if err := putPeer(tx, &g.peers[i]); err != nil {
			return err
		}
	}
	for _, r := range g.releases {
		if err := keep(tx, r); err != nil {
			return err
		}
	}
	if g.ring != nil {
		err := tx.Exec("UPDATE keyring SET serial = $1, signed = $2 WHERE id = 1", int64(g.ring.Serial), g.signed)
		if err != nil {
			return err
		}
	}
	return tx.Exec("UPDATE snapshot SET lineage = $1, revision = $2, base = $3, current = $4, dirty = $5 WHERE id = 1",
		g.cursor.Lineage, int64(g.cursor.Revision), base, current, dirty)
}

// after is a list as a group leaves it, in a map of its own: others read the one
// that was. read gives an item's key and value, and whether it is gone.
func after[K comparable, V, I any](g *group, was *map[K]V, items []I, read func(*I) (K, V, bool)) *map[K]V {
	list := map[K]V{}
	if !g.reset {
		list = maps.Clone(*was)
	}
	for i := range items {
		key, value, gone := read(&items[i])
		if gone {
			delete(list, key)
		} else {
			list[key] = value
		}
	}
	return &list
}

// adopt replaces what is kept in memory.
func (s *Snapshot) adopt(g *group) {
	s.gates.Store(after(g, s.gates.Load(), g.gates, func(i *gateItem) (uint16, wire.Gate, bool) { return i.id, i.gate, i.gone }))
	s.guards.Store(after(g, s.guards.Load(), g.guards, func(i *guardItem) (string, wire.Guard, bool) { return i.number, i.guard, i.gone }))
	s.peers.Store(after(g, s.peers.Load(), g.peers, func(i *peerItem) (uint16, wire.Peer, bool) { return i.gate, i.peer, i.gone }))
	if g.guide != nil {
		s.guide.Store(g.guide.guideline)
	} else if g.reset {
		s.guide.Store(nil)
	}
	if g.till != nil {
		s.till.Store(g.till.rules)
	} else if g.reset {
		s.till.Store(nil)
	}
	if g.ring != nil {
		s.signed = g.signed
		s.ring.Store(g.ring)
	}
	cursor := g.cursor
	s.cur.Store(&cursor)
}

func putGate(tx *disk.Tx, item *gateItem) error {
	if item.gone {
		return tx.Exec("DELETE FROM gates WHERE id = $1", int64(item.id))
	}
	g := &item.gate
	var o wire.Offline
	if g.Offline != nil {
		o = *g.Offline
	}
	return tx.Exec(`INSERT INTO gates (id, name, zone, mode, owns_from, documents, offline_max, offline_age_ms, offline_confirm)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, mode = excluded.mode,
			owns_from = excluded.owns_from, documents = excluded.documents, offline_max = excluded.offline_max,
			offline_age_ms = excluded.offline_age_ms, offline_confirm = excluded.offline_confirm`,
		int64(g.ID), g.Name, g.Zone, string(g.Mode), g.OwnsFrom, g.Documents, int64(o.Max), o.MaxAgeMS, o.Confirm)
}

func putGuard(tx *disk.Tx, item *guardItem) error {
	if item.gone {
		return tx.Exec("DELETE FROM guards WHERE number = $1", item.number)
	}
	return tx.Exec(`INSERT INTO guards (number, name, hash, supervisor) VALUES ($1, $2, $3, $4)
		ON CONFLICT (number) DO UPDATE SET name = excluded.name, hash = excluded.hash, supervisor = excluded.supervisor`,
		item.number, item.guard.Name, item.guard.Hash, item.guard.Supervisor)
}

func keep(tx *disk.Tx, r release) error {
	return tx.Exec("INSERT INTO releases (claim, pass) VALUES ($1, $2) ON CONFLICT (claim) DO NOTHING", r.claim, r.pass[:])
}
