package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// maxGate is the largest gate number that fits a signed code.
const maxGate = 65535

// Gate is a way into the campus. Its number is in signed codes and is never
// given out again.
type Gate struct {
	ID        uint16
	Name      string
	Zone      int
	Mode      verdict.Mode
	Documents bool
	OwnsFrom  int64 // seconds: passes issued before are not its agent's to decide
	// DrainingSince is when the gate's decider changed (another agent, or the
	// server): uses decided before may not have arrived. 0 = all have.
	DrainingSince int64
	CreatedAt     int64
	// Offline is what the gate may do on its own, under first_seen. Nothing under
	// any other policy.
	Offline wire.Offline

	shares bool // it has been first_seen, and may hold something back
}

// Zone is a part of the campus; every gate leads to one.
type Zone struct {
	ID   int
	Name string
}

const (
	gateColumns = `SELECT id, name, zone, mode, documents, owns_from, coalesce(draining_since, 0), created_at,
		offline_max, offline_age_ms, offline_confirm, shares FROM gates`
	// A till has a number and an agent as a gate has, and is no way into anything.
	waysIn = " WHERE id NOT IN (SELECT gate FROM tills)"
)

func scanGate(rows *sql.Rows) (g Gate, err error) {
	err = rows.Scan(&g.ID, &g.Name, &g.Zone, &g.Mode, &g.Documents, &g.OwnsFrom, &g.DrainingSince, &g.CreatedAt,
		&g.Offline.Max, &g.Offline.MaxAgeMS, &g.Offline.Confirm, &g.shares)
	return g, err
}

// Gates lists all gates by number, without the tills.
func (s *Store) Gates(ctx context.Context) ([]Gate, error) {
	return List(ctx, s.read, scanGate, gateColumns+waysIn+" ORDER BY id")
}

// Gates is Store.Gates within a change.
func (t *Tx) Gates(ctx context.Context) ([]Gate, error) {
	return List(ctx, t, scanGate, gateColumns+waysIn+" ORDER BY id")
}

// Gate gives one gate or till, or ErrNotFound.
func (s *Store) Gate(ctx context.Context, id uint16) (Gate, error) { return gate(ctx, s.read, id) }

func gate(ctx context.Context, src Source, id uint16) (Gate, error) {
	found, err := List(ctx, src, scanGate, gateColumns+" WHERE id = $1", id)
	if err != nil {
		return Gate{}, err
	}
	if len(found) == 0 {
		return Gate{}, fmt.Errorf("%w: gate %d", ErrNotFound, id)
	}
	return found[0], nil
}

// AddGate makes a gate and gives it its number. Its zone comes to be if it has
// no name yet. ErrTaken when the name is in use, ErrFull after gate 65535.
func (s *Store) AddGate(ctx context.Context, actor string, g Gate) (Gate, error) {
	err := s.Change(ctx, func(t *Tx) (err error) {
		g, err = t.AddGate(actor, g)
		return err
	})
	return g, err
}

// AddGate is Store.AddGate within a change, which its errors must end.
func (t *Tx) AddGate(actor string, g Gate) (Gate, error) {
	if err := t.needZone(g.Zone); err != nil {
		return g, err
	}
	g.CreatedAt = t.now
	g.limit()
	var id int64
	err := t.QueryRowContext(t.ctx, `INSERT INTO gates (name, zone, mode, documents, created_at,
			offline_max, offline_age_ms, offline_confirm, shares)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`, g.Name, g.Zone, string(g.Mode), g.Documents, t.now,
		g.Offline.Max, g.Offline.MaxAgeMS, g.Offline.Confirm, g.shares).Scan(&id)
	switch {
	case IsUnique(err):
		return g, fmt.Errorf("%w: gate name %q", ErrTaken, g.Name)
	case err != nil:
		return g, err
	case id > maxGate:
		return g, fmt.Errorf("%w: %d gates were made already", ErrFull, maxGate)
	}
	g.ID = uint16(id)
	return g, errors.Join(t.putGate(&g), t.rezone(g.ID), t.Trail(actor, "gate.created", gateTarget(g.ID), g.notes()))
}

// ChangeGate lets change edit name, zone, mode and documents. A gate that
// hands its decisions over to the server, or leaves first_seen or its zone there,
// is draining until Drained. Errors:
// ErrNotFound, ErrTaken, and those of change, which change nothing.
func (s *Store) ChangeGate(ctx context.Context, actor string, id uint16, change func(*Gate) error) (g Gate, err error) {
	err = s.Change(ctx, func(t *Tx) error {
		if g, err = t.wayIn(id); err != nil {
			return err
		}
		before := g
		if err := change(&g); err != nil {
			return err
		}
		g.ID, g.OwnsFrom, g.CreatedAt, g.shares = before.ID, before.OwnsFrom, before.CreatedAt, before.shares
		left := before.Mode == verdict.FirstSeen && g.Mode != verdict.FirstSeen
		if before.Mode != verdict.Online && g.Mode == verdict.Online || left || before.shares && g.Zone != before.Zone {
			enrolled, err := t.everEnrolled(id)
			if err != nil {
				return err
			}
			if enrolled {
				g.DrainingSince = t.now
			}
		}
		if left {
			// What other gates admitted of its passes meanwhile is not in its record.
			g.OwnsFrom = t.now/1000 + 1
		}
		return t.saveGate(actor, "gate.changed", &g)
	})
	return g, err
}

// Drained records an administrator's word that no earlier decider of the gate
// holds uses that are unknown here: that its journal has arrived whole, or
// that nobody is admitted by it any more. The gate may then decide passes that
// were issued before.
func (s *Store) Drained(ctx context.Context, actor string, id uint16) (g Gate, err error) {
	err = s.Change(ctx, func(t *Tx) error {
		if g, err = t.wayIn(id); err != nil {
			return err
		}
		g.OwnsFrom, g.DrainingSince, g.shares = 0, 0, false
		if err := t.Exec("DELETE FROM unheard WHERE agent IN (SELECT id FROM agents WHERE gate = $1)", id); err != nil {
			return err
		}
		return t.saveGate(actor, "gate.drained", &g)
	})
	return g, err
}

// wayIn gives a gate that is no till, or ErrNotFound.
func (t *Tx) wayIn(id uint16) (Gate, error) {
	found, err := List(t.ctx, t, scanGate, gateColumns+waysIn+" AND id = $1", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: gate %d", ErrNotFound, id)
	}
	if err != nil {
		return Gate{}, err
	}
	return found[0], nil
}

// PlaceGate gives a gate or till another name and zone within a change, which
// its errors must end: ErrNotFound, ErrTaken.
func (t *Tx) PlaceGate(actor string, id uint16, name string, zone int) error {
	g, err := gate(t.ctx, t, id)
	if err != nil {
		return err
	}
	g.Name, g.Zone = name, zone
	return t.saveGate(actor, "gate.changed", &g)
}

func (t *Tx) saveGate(actor, action string, g *Gate) error {
	if err := t.needZone(g.Zone); err != nil {
		return err
	}
	g.limit()
	err := t.Exec(`UPDATE gates SET name = $1, zone = $2, mode = $3, documents = $4, owns_from = $5, draining_since = $6,
			offline_max = $7, offline_age_ms = $8, offline_confirm = $9, shares = $10
		WHERE id = $11`, g.Name, g.Zone, string(g.Mode), g.Documents, g.OwnsFrom, nullable(g.DrainingSince),
		g.Offline.Max, g.Offline.MaxAgeMS, g.Offline.Confirm, g.shares, g.ID)
	if IsUnique(err) {
		return fmt.Errorf("%w: gate name %q", ErrTaken, g.Name)
	}
	if err != nil {
		return err
	}
	return errors.Join(t.putGate(g), t.rezone(g.ID), t.Trail(actor, action, gateTarget(g.ID), g.notes()))
}

// limit keeps limits where they mean something, and notes that the gate shares
// passes.
func (g *Gate) limit() {
	if g.Mode == verdict.FirstSeen {
		g.shares = true
	} else {
		g.Offline = wire.Offline{}
	}
}

// putGate tells every agent.
func (t *Tx) putGate(g *Gate) error {
	item := wire.Gate{
		ID: g.ID, Name: g.Name, Zone: g.Zone, Mode: g.Mode, OwnsFrom: g.OwnsFrom, Documents: g.Documents,
	}
	if g.Mode == verdict.FirstSeen {
		item.Offline = &g.Offline
	}
	return t.put(rankGate, strconv.Itoa(int(g.ID)), item, 0)
}

func (g *Gate) notes() map[string]any {
	notes := map[string]any{
		"name": g.Name, "zone": g.Zone, "mode": g.Mode, "documents": g.Documents,
		"owns_from": g.OwnsFrom, "draining_since": g.DrainingSince,
	}
	if g.Mode == verdict.FirstSeen {
		notes["offline"] = g.Offline
	}
	return notes
}

func gateTarget(id uint16) string { return fmt.Sprintf("gate %d", id) }

func (t *Tx) everEnrolled(gate uint16) (yes bool, err error) {
	err = t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM agents WHERE gate = $1", gate).Scan(&yes)
	return yes, err
}

// needZone makes a zone under its number where nobody has named it.
func (t *Tx) needZone(id int) error {
	return t.Exec("INSERT INTO zones (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", id, fmt.Sprintf("%d", id))
}

// Zones lists the zones by number.
func (s *Store) Zones(ctx context.Context) ([]Zone, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (z Zone, err error) {
		err = rows.Scan(&z.ID, &z.Name)
		return z, err
	}, "SELECT id, name FROM zones ORDER BY id")
}

// PutZone names a zone. ErrTaken when another zone has the name.
func (s *Store) PutZone(ctx context.Context, actor string, z Zone) error {
	return s.Change(ctx, func(t *Tx) error {
		err := t.Exec(`INSERT INTO zones (id, name) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name`, z.ID, z.Name)
		if IsUnique(err) {
			return fmt.Errorf("%w: zone name %q", ErrTaken, z.Name)
		}
		if err != nil {
			return err
		}
		return t.Trail(actor, "zone.named", fmt.Sprintf("zone %d", z.ID), map[string]any{"name": z.Name})
	})
}
