package canteen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
)

// maxName bounds the names of merchants, tills and places, in bytes.
const maxName = 64

// Config is what a Service works with. All fields are required.
type Config struct {
	Store  *store.Store
	People *people.Service
}

// Service keeps merchants and tills. Safe for concurrent use. What it refuses is
// a people.Fault, which names a field, or wraps store.ErrNotFound or ErrTaken.
type Service struct {
	Config

	mu   sync.Mutex // guards last
	last map[uint16]read
}

// New makes a Service.
func New(c Config) *Service { return &Service{Config: c, last: map[uint16]read{}} }

// Sight is whose merchants somebody may see: all, or those that a person
// manages. The zero value sees none.
type Sight struct {
	All    bool
	Person string
}

// Merchant is who sells at tills and is paid for it.
type Merchant struct {
	ID        int64
	Name      string
	Managers  []string // numbers of persons
	Active    bool     // else its tills get no money online
	CreatedAt int64
}

// MerchantChange changes what is given.
type MerchantChange struct {
	Name     *string
	Managers *[]string
	Active   *bool
}

// seen is true of merchants m that a Sight of two parameters sees.
const seen = "($1 OR EXISTS (SELECT 1 FROM merchant_managers s WHERE s.merchant = m.id AND s.person = $2))"

// Merchants lists the merchants that somebody sees, by number.
func (s *Service) Merchants(ctx context.Context, src store.Source, by Sight) ([]Merchant, error) {
	all, err := store.List(ctx, src, scanMerchant, "SELECT m.id, m.name, m.active, m.created_at FROM merchants m WHERE "+seen+" ORDER BY m.id",
		by.All, by.Person)
	for i := range all {
		if err == nil {
			err = managers(ctx, src, &all[i])
		}
	}
	return all, err
}

// Merchant gives one merchant that somebody sees, or store.ErrNotFound.
func (s *Service) Merchant(ctx context.Context, src store.Source, by Sight, id int64) (Merchant, error) {
	found, err := store.List(ctx, src, scanMerchant,
		"SELECT m.id, m.name, m.active, m.created_at FROM merchants m WHERE "+seen+" AND m.id = $3", by.All, by.Person, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: merchant %d", store.ErrNotFound, id)
	}
	if err != nil {
		return Merchant{}, err
	}
	return found[0], managers(ctx, src, &found[0])
}

func scanMerchant(rows *sql.Rows) (m Merchant, err error) {
	err = rows.Scan(&m.ID, &m.Name, &m.Active, &m.CreatedAt)
	return m, err
}

func managers(ctx context.Context, src store.Source, m *Merchant) (err error) {
	m.Managers, err = store.List(ctx, src, func(rows *sql.Rows) (person string, err error) {
		err = rows.Scan(&person)
		return person, err
	}, "SELECT person FROM merchant_managers WHERE merchant = $1 ORDER BY person", m.ID)
	return err
}

// AddMerchant makes a merchant, which is active.
func (s *Service) AddMerchant(ctx context.Context, actor string, m Merchant) (Merchant, error) {
	var err error
	if m.Name, err = words("name", m.Name, 1); err != nil {
		return m, err
	}
	m.Active = true
	err = s.People.Change(ctx, func(t *store.Tx) error {
		if err := s.nameMerchant(t, 0, m.Name, m.Managers); err != nil {
			return err
		}
		m.CreatedAt = t.Now()
		err := t.QueryRowContext(t.Context(), "INSERT INTO merchants (name, active, created_at) VALUES ($1, $2, $3) RETURNING id",
			m.Name, m.Active, m.CreatedAt).Scan(&m.ID)
		if err != nil {
			return err
		}
		return s.keepMerchant(t, actor, "merchant.added", &m)
	})
	return m, err
}

// ChangeMerchant changes a merchant. A new name goes to its tills.
func (s *Service) ChangeMerchant(ctx context.Context, actor string, id int64, c MerchantChange) (m Merchant, err error) {
	if c.Name != nil {
		if *c.Name, err = words("name", *c.Name, 1); err != nil {
			return m, err
		}
	}
	err = s.People.Change(ctx, func(t *store.Tx) error {
		if m, err = s.Merchant(t.Context(), t, Sight{All: true}, id); err != nil {
			return err
		}
		renamed := c.Name != nil && *c.Name != m.Name
		if c.Name != nil {
			m.Name = *c.Name
		}
		if c.Managers != nil {
			m.Managers = *c.Managers
		}
		if c.Active != nil {
			m.Active = *c.Active
		}
		if err := s.nameMerchant(t, id, m.Name, m.Managers); err != nil {
			return err
		}
		if err := t.Exec("UPDATE merchants SET name = $1, active = $2 WHERE id = $3", m.Name, m.Active, id); err != nil {
			return err
		}
		if err := s.keepMerchant(t, actor, "merchant.changed", &m); err != nil || !renamed {
			return err
		}
		tills, err := s.Tills(t.Context(), t, Sight{All: true}, id)
		for i := range tills {
			if err == nil {
				err = tills[i].tell(t)
			}
		}
		return err
	})
	return m, err
}

// nameMerchant refuses a name that another has, and managers that are nobody.
func (s *Service) nameMerchant(t *store.Tx, id int64, name string, managers []string) error {
	var n int
	err := t.QueryRowContext(t.Context(), "SELECT count(*) FROM merchants WHERE name = $1 AND id <> $2", name, id).Scan(&n)
	if err == nil && n > 0 {
		err = taken("name", "已有同名商户", "another merchant has this name")
	}
	for _, person := range managers {
		if err != nil {
			return err
		}
		_, err = s.People.Find(t.Context(), t, person)
		if errors.Is(err, store.ErrNotFound) {
			err = fault("managers", "没有编号为 "+person+" 的人员", "no person has the number "+person)
		}
	}
	return err
}

// keepMerchant writes the managers and the trail.
func (s *Service) keepMerchant(t *store.Tx, actor, action string, m *Merchant) error {
	if err := t.Exec("DELETE FROM merchant_managers WHERE merchant = $1", m.ID); err != nil {
		return err
	}
	for _, person := range m.Managers {
		err := t.Exec("INSERT INTO merchant_managers (merchant, person) VALUES ($1, $2) ON CONFLICT DO NOTHING", m.ID, person)
		if err != nil {
			return err
		}
	}
	if err := t.Trail(actor, action, fmt.Sprintf("merchant %d", m.ID), map[string]any{
		"name": m.Name, "active": m.Active, "managers": m.Managers,
	}); err != nil {
		return err
	}
	return managers(t.Context(), t, m)
}

// words checks a name that people read.
func words(field, text string, least int) (string, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	if len(text) < least {
		return "", fault(field, "缺少名称", "missing")
	}
	if err := signing.CheckWords(text, maxName); err != nil {
		return "", fault(field, "太长(最多 64 字节)或含有不能显示的字符", err.Error())
	}
	return text, nil
}

func fault(field, zh, en string) error { return &people.Fault{Field: field, ZH: zh, EN: en} }

// takenFault is a Fault that is store.ErrTaken as well.
type takenFault struct{ people.Fault }

func (f *takenFault) Unwrap() []error { return []error{&f.Fault, store.ErrTaken} }

func taken(field, zh, en string) error {
	return &takenFault{people.Fault{Field: field, ZH: zh, EN: en}}
}
