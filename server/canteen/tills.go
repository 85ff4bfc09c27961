package canteen

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Till is a till with its rules. Rules.Version, Name and Merchant are for the
// till; who changes rules leaves them empty.
type Till struct {
	Gate         uint16
	Name         string
	Zone         int
	Place        string
	Merchant     int64
	MerchantName string
	Open         bool // its merchant is active
	Version      int64
	Rules        wire.Till
}

// TillChange changes what is given.
type TillChange struct {
	Name     *string
	Zone     *int
	Place    *string
	Merchant *int64
	Rules    *wire.Till
}

const tillColumns = `SELECT t.gate, g.name, g.zone, t.place, v.merchant, m.name, m.active, v.version, v.rules
	FROM tills t JOIN gates g ON g.id = t.gate
	JOIN till_versions v ON v.gate = t.gate AND v.version = t.version
	JOIN merchants m ON m.id = v.merchant`

func scanTill(rows *sql.Rows) (t Till, err error) {
	var rules string
	err = rows.Scan(&t.Gate, &t.Name, &t.Zone, &t.Place, &t.Merchant, &t.MerchantName, &t.Open, &t.Version, &rules)
	if err == nil {
		err = json.Unmarshal([]byte(rules), &t.Rules)
	}
	t.Rules.Version, t.Rules.Name, t.Rules.Merchant = strconv.FormatInt(t.Version, 10), t.Name, t.MerchantName
	return t, err
}

// Tills lists the tills of the merchants that somebody sees, by number; of one
// merchant unless that is 0.
func (s *Service) Tills(ctx context.Context, src store.Source, by Sight, merchant int64) ([]Till, error) {
	return store.List(ctx, src, scanTill, tillColumns+" WHERE "+seen+" AND ($3 = 0 OR m.id = $4) ORDER BY t.gate",
		by.All, by.Person, merchant, merchant)
}

// Till gives one till that somebody sees, or store.ErrNotFound.
func (s *Service) Till(ctx context.Context, src store.Source, by Sight, gate uint16) (Till, error) {
	found, err := store.List(ctx, src, scanTill, tillColumns+" WHERE "+seen+" AND t.gate = $3", by.All, by.Person, gate)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: till %d", store.ErrNotFound, gate)
	}
	if err != nil {
		return Till{}, err
	}
	return found[0], nil
}

// At gives a till as it was in a version, for what was rung up by that one: its
// rules, its merchant's number then, its names now. A version that never was is
// taken for the present one. Not found: the gate is no till.
func (s *Service) At(ctx context.Context, src store.Source, gate uint16, version string) (Till, bool, error) {
	of, _ := strconv.ParseInt(version, 10, 64)
	var t Till
	var rules string
	err := src.QueryRowContext(ctx, `SELECT t.gate, g.name, t.place, v.merchant, m.name, m.active, v.version, v.rules
		FROM tills t JOIN gates g ON g.id = t.gate
		JOIN till_versions v ON v.gate = t.gate AND v.version = coalesce(
			(SELECT o.version FROM till_versions o WHERE o.gate = t.gate AND o.version = $1), t.version)
		JOIN merchants m ON m.id = v.merchant WHERE t.gate = $2`, of, gate).
		Scan(&t.Gate, &t.Name, &t.Place, &t.Merchant, &t.MerchantName, &t.Open, &t.Version, &rules)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	if err == nil {
		t.Rules, err = s.parsed(gate, rules)
	}
	t.Rules.Version, t.Rules.Name, t.Rules.Merchant = strconv.FormatInt(t.Version, 10), t.Name, t.MerchantName
	return t, err == nil, err
}

// read is the last text of a till's rules that was parsed: reading a menu takes
// longer than all else that a charge needs of its till.
type read struct {
	text  string
	rules wire.Till
}

func (s *Service) parsed(gate uint16, text string) (wire.Till, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.last[gate]; last.text == text {
		return last.rules, nil
	}
	r := read{text: text}
	if err := json.Unmarshal([]byte(text), &r.rules); err != nil {
		return r.rules, fmt.Errorf("rules of till %d: %w", gate, err)
	}
	s.last[gate] = r
	return r.rules, nil
}

// AddTill makes a till and gives it its number.
func (s *Service) AddTill(ctx context.Context, actor string, n Till) (out Till, err error) {
	if n, err = checked(n); err != nil {
		return n, err
	}
	err = s.People.Change(ctx, func(t *store.Tx) error {
		if err := mayBe(t, 0, n.Name, n.Merchant); err != nil {
			return err
		}
		g, err := t.AddGate(actor, store.Gate{Name: n.Name, Zone: n.Zone, Mode: verdict.Online})
		if err != nil {
			return err
		}
		n.Gate, n.Version = g.ID, 1
		if err := t.Exec("INSERT INTO tills (gate, place, version) VALUES ($1, $2, $3)", n.Gate, n.Place, n.Version); err != nil {
			return err
		}
		out, err = s.keep(t, actor, "till.added", n)
		return err
	})
	return out, err
}

// ChangeTill changes a till that somebody sees. Rules are changed as a whole.
func (s *Service) ChangeTill(ctx context.Context, actor string, by Sight, gate uint16, c TillChange) (out Till, err error) {
	err = s.People.Change(ctx, func(t *store.Tx) error {
		old, err := s.Till(t.Context(), t, by, gate)
		if err != nil {
			return err
		}
		n, err := checked(c.of(old))
		if err != nil {
			return err
		}
		// Nobody hands a till to a merchant whose books they may not see.
		if n.Merchant != old.Merchant {
			if _, err := s.Merchant(t.Context(), t, by, n.Merchant); err != nil {
				return fault("merchant", "没有这个商户", "no such merchant")
			}
		}
		if err := mayBe(t, gate, n.Name, n.Merchant); err != nil {
			return err
		}
		if n.Name != old.Name || n.Zone != old.Zone {
			if err := t.PlaceGate(actor, gate, n.Name, n.Zone); err != nil {
				return err
			}
		}
		n.Version++
		if err := t.Exec("UPDATE tills SET place = $1, version = $2 WHERE gate = $3", n.Place, n.Version, gate); err != nil {
			return err
		}
		out, err = s.keep(t, actor, "till.changed", n)
		return err
	})
	return out, err
}

func (c *TillChange) of(t Till) Till {
	if c.Name != nil {
		t.Name = *c.Name
	}
	if c.Zone != nil {
		t.Zone = *c.Zone
	}
	if c.Place != nil {
		t.Place = *c.Place
	}
	if c.Merchant != nil {
		t.Merchant = *c.Merchant
	}
	if c.Rules != nil {
		t.Rules = *c.Rules
	}
	return t
}

// checked checks everything of a till that needs no other rows.
func checked(n Till) (Till, error) {
	var err error
	if n.Name, err = words("name", n.Name, 1); err != nil {
		return n, err
	}
	if n.Place, err = words("place", n.Place, 0); err != nil {
		return n, err
	}
	if n.Zone < 1 || n.Zone > 32 {
		return n, fault("zone", "区域编号应为 1 到 32", "zones are numbered 1 to 32")
	}
	n.Rules.Version, n.Rules.Name, n.Rules.Merchant = "", "", ""
	if err := n.Rules.Check(); err != nil {
		return n, fault("rules", "收费规则有误:"+err.Error(), err.Error())
	}
	return n, nil
}

// mayBe refuses a name that another gate has, and a merchant that is not there.
func mayBe(t *store.Tx, gate uint16, name string, merchant int64) error {
	var names, merchants int
	err := t.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM gates WHERE name = $1 AND id <> $2),
		(SELECT count(*) FROM merchants WHERE id = $3)`, name, gate, merchant).Scan(&names, &merchants)
	switch {
	case err != nil:
		return err
	case names > 0:
		return taken("name", "已有同名的收银点或校门", "another till or gate has this name")
	case merchants == 0:
		return fault("merchant", "没有这个商户", "no such merchant")
	}
	return nil
}

// keep writes the version, the trail and what the till is told.
func (s *Service) keep(t *store.Tx, actor, action string, n Till) (Till, error) {
	text, err := json.Marshal(&n.Rules)
	if err != nil {
		return n, err
	}
	err = t.Exec(`INSERT INTO till_versions (gate, version, merchant, rules, changed_at, changed_by)
		VALUES ($1, $2, $3, $4, $5, $6)`, n.Gate, n.Version, n.Merchant, string(text), t.Now(), actor)
	if err != nil {
		return n, err
	}
	err = t.Trail(actor, action, fmt.Sprintf("till %d", n.Gate), map[string]any{
		"name": n.Name, "place": n.Place, "merchant": n.Merchant, "version": n.Version, "rules": &n.Rules,
	})
	if err != nil {
		return n, err
	}
	if n, err = s.Till(t.Context(), t, Sight{All: true}, n.Gate); err != nil {
		return n, err
	}
	return n, n.tell(t)
}

// tell gives the till its rules.
func (t *Till) tell(tx *store.Tx) error { return tx.PutTill(t.Gate, t.Rules) }
