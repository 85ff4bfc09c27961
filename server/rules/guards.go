package rules

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing/pin"
	"campusgate/signing/wire"
)

// SetPIN gives a guard or cashier the PIN with which they begin a shift, at the
// gates and tills of their posts and on the days of these. It wraps pin.ErrWeak; store.ErrNotFound
// where nobody has the number, and store.ErrState for somebody who is
// neither and will not be.
func (s *Service) SetPIN(ctx context.Context, actor, number, digits string) error {
	if err := pin.Check(digits); err != nil {
		return err
	}
	// Outside the change: hashing takes long on purpose.
	hash, err := pin.Make(s.Random, digits)
	if err != nil {
		return err
	}
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		if refusal = s.mayGuard(t.Context(), t, number); refusal != nil {
			return nil
		}
		err := t.Exec(`INSERT INTO pins (person, hash, set_at) VALUES ($1, $2, $3)
			ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at`, number, hash, t.Now())
		if err == nil {
			err = t.Trail(actor, "guard.pin_set", number, nil)
		}
		if err != nil {
			return err
		}
		return s.sync(t)
	})
	if err != nil {
		return err
	}
	return refusal
}

func (s *Service) mayGuard(ctx context.Context, src store.Source, number string) error {
	if _, err := s.People.Find(ctx, src, number); err != nil {
		return err
	}
	for role := range duties {
		_, total, err := s.People.Posts(ctx, src, people.PostQuery{Person: number, Role: role})
		if err != nil || total > 0 {
			return err
		}
	}
	return fmt.Errorf("%w: %s holds no post at a gate or till", store.ErrState, number)
}

// SyncGuards tells gates and tills who may begin a shift today. It is meant to run
// after posts were changed, and every few minutes: posts begin and end by the
// day.
func (s *Service) SyncGuards(ctx context.Context) error { return s.Store.Change(ctx, s.sync) }

func (s *Service) sync(t *store.Tx) error {
	told, err := toldGuards(t)
	if err != nil {
		return err
	}
	pins, err := store.List(t.Context(), t, func(rows *sql.Rows) (p [2]string, err error) {
		err = rows.Scan(&p[0], &p[1])
		return p, err
	}, "SELECT person, hash FROM pins ORDER BY person")
	if err != nil {
		return err
	}
	for _, p := range pins {
		number := p[0]
		g, onDuty, err := s.guard(t, number)
		if err != nil {
			return err
		}
		if g.Hash = p[1]; !onDuty {
			continue
		}
		body, err := json.Marshal(g)
		if err != nil {
			return err
		}
		if told[number] != string(body) {
			if err := t.PutGuard(number, g); err != nil {
				return err
			}
		}
		delete(told, number)
	}
	for number := range told {
		if err := t.RemoveGuard(number); err != nil {
			return err
		}
	}
	return nil
}

// guard makes a guard of the posts that somebody holds today: those at gates and
// those at tills. A post without a place is one at all gates, or at all tills.
// Who supervises one till supervises at all of theirs.
func (s *Service) guard(t *store.Tx, number string) (g wire.Guard, onDuty bool, err error) {
	posts, err := s.People.PostsOf(t.Context(), t, number, s.People.Today())
	if err != nil {
		return g, false, err
	}
	tills, err := places(t, true)
	if err != nil {
		return g, false, err
	}
	everywhere := false
	for _, o := range posts {
		if !duties[o.Role] {
			continue
		}
		g.Name = o.PersonName
		g.Supervisor = g.Supervisor || o.Role == people.Supervisor
		at := []uint16{o.Gate}
		switch {
		case o.Gate != 0:
		case o.Role != people.Guard:
			at = tills
		case len(tills) == 0: // gates that are yet to be made are theirs as well
			everywhere, at = true, nil
		default:
			if at, err = places(t, false); err != nil {
				return g, false, err
			}
		}
		g.Gates = append(g.Gates, at...)
	}
	if everywhere {
		g.Gates = nil
		return g, true, nil
	}
	slices.Sort(g.Gates)
	g.Gates = slices.Compact(g.Gates)
	// None would be every place there is.
	return g, len(g.Gates) > 0, nil
}

// duties are the posts with which one begins a shift.
var duties = map[string]bool{people.Guard: true, people.Cashier: true, people.Supervisor: true}

// places gives the numbers of all tills, or of all gates that are none.
func places(t *store.Tx, tills bool) ([]uint16, error) {
	return store.List(t.Context(), t, func(rows *sql.Rows) (id uint16, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT id FROM gates WHERE (id IN (SELECT gate FROM tills)) = $1 ORDER BY id", tills)
}

// toldGuards is what the gates know.
func toldGuards(t *store.Tx) (map[string]string, error) {
	told := map[string]string{}
	items, err := t.Guards()
	for _, it := range items {
		told[it.Key] = string(it.Body)
	}
	return told, err
}
