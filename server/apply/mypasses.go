package apply

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"campusgate/server/store"
	"campusgate/signing"
)

// Held is a pass of somebody's, with the application that it came of.
type Held struct {
	store.PassStatus
	Application string
	Serial      string
	Person      string // who applied
	Household   int64  // 0 = not a household's
	Phone       string // id of the phone key that stands for it; "" = no phone has it yet
}

func scanPassID(rows *sql.Rows) (id signing.PassID, err error) {
	var b []byte
	err = rows.Scan(&b)
	copy(id[:], b)
	return id, err
}

// passesOf gives the passes that a matter came to.
func passesOf(ctx context.Context, src store.Source, application string) ([]signing.PassID, error) {
	return store.List(ctx, src, scanPassID, "SELECT pass FROM application_passes WHERE application = $1 ORDER BY pass", application)
}

// Passes gives the passes that somebody holds, the latest first, at most limit:
// those they applied for, and the single-use codes of a household that they are
// a member of, since such a code is the household's.
func (s *Service) Passes(ctx context.Context, person string, limit int) ([]Held, error) {
	src := s.Store.Reader()
	held, err := s.held(ctx, src, "h.person = $1", person, limit)
	if err != nil {
		return nil, err
	}
	homes, err := s.People.HouseholdsOf(ctx, src, person)
	if err != nil {
		return nil, err
	}
	for _, h := range homes {
		shared, err := s.held(ctx, src, fmt.Sprintf("p.kind = %d AND h.household = $1", signing.ResidentSingle), h.ID, limit)
		if err != nil {
			return nil, err
		}
		held = append(held, shared...)
	}
	slices.SortStableFunc(held, func(a, b Held) int {
		return cmp.Or(cmp.Compare(b.IssuedAt, a.IssuedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	held = slices.CompactFunc(held, func(a, b Held) bool { return a.ID == b.ID })
	return held[:min(len(held), limit)], nil
}

func (s *Service) held(ctx context.Context, src store.Source, where string, arg any, limit int) ([]Held, error) {
	held, err := store.List(ctx, src, func(rows *sql.Rows) (h Held, err error) {
		var b []byte
		err = rows.Scan(&b, &h.Application, &h.Serial, &h.Person, &h.Household)
		copy(h.ID[:], b)
		return h, err
	}, `SELECT h.pass, h.application, a.serial, h.person, coalesce(h.household, 0) FROM application_passes h
		JOIN passes p ON p.id = h.pass JOIN applications a ON a.id = h.application
		WHERE `+where+" ORDER BY p.issued_at DESC, p.id LIMIT $2", arg, limit)
	for i := range held {
		h := &held[i]
		if err == nil {
			h.PassStatus, err = s.Store.Pass(ctx, h.ID)
		}
		if err == nil && h.Bound {
			h.Phone, err = s.phoneOf(ctx, h.ID)
		}
	}
	return held, err
}

func (s *Service) phoneOf(ctx context.Context, id signing.PassID) (string, error) {
	phones, err := s.Store.Phones(ctx, id)
	for _, p := range phones {
		if p.ReplacedAt == 0 {
			return p.ID.String(), err
		}
	}
	return "", err
}

// Holds reports whether somebody applied for a pass themselves: only they may
// put a bound pass on a phone.
func (s *Service) Holds(ctx context.Context, person string, id signing.PassID) (bool, error) {
	var n int
	err := s.Store.Reader().QueryRowContext(ctx,
		"SELECT count(*) FROM application_passes WHERE pass = $1 AND person = $2", id[:], person).Scan(&n)
	return n > 0 && person != "", err
}

// Live gives the holder a two-minute code of a bound pass, and when it ends
// (seconds); store.ErrNotFound to everybody else. Other errors are those of
// issue.Service.Brief.
func (s *Service) Live(ctx context.Context, person string, id signing.PassID) (text string, expires int64, err error) {
	mine, err := s.Holds(ctx, person, id)
	if err == nil && !mine {
		err = fmt.Errorf("%w: pass", store.ErrNotFound)
	}
	if err != nil {
		return "", 0, err
	}
	return s.Issue.Brief(ctx, id)
}

// Revoke takes a pass back, whether or not it came of an application, and gives
// its days after today back to the household. store.ErrNotFound.
func (s *Service) Revoke(ctx context.Context, actor string, id signing.PassID, reason string) error {
	var gone error
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		if _, gone = t.Pass(id); gone != nil {
			return nil // it is reported below; the changes of others go on
		}
		return s.RevokeIn(t, actor, id, reason)
	})
	if err == nil {
		err = gone
	}
	return err
}

// Holder is who a pass belongs to, as a guard sees it.
type Holder struct {
	Number string // of the applicant; "" of a household's pass
	Name   string
	Unit   string
	Reason string // as it stands in the form
}

// HolderOf gives who a pass belongs to; false when it came of no application.
func (s *Service) HolderOf(ctx context.Context, id signing.PassID) (h Holder, ok bool, err error) {
	src := s.Store.Reader()
	found, err := store.List(ctx, src, s.scanRecord,
		recordColumns+" WHERE a.id = (SELECT application FROM application_passes WHERE pass = $1)", id[:])
	if err != nil || len(found) == 0 {
		return h, false, err
	}
	in := found[0].Instance
	h.Reason, _ = in.Form["reason"].(string)
	if head, resident := in.Form["head"].(string); resident {
		h.Name = head
		return h, true, nil
	}
	h.Number, h.Name, h.Unit = in.Starter.ID, in.Starter.Name, in.Starter.UnitName
	return h, true, nil
}
