package utility

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"campusgate/server/recharge"
	"campusgate/server/store"
)

// TestMeters are the built-in meters: rows of a table. Everybody who asks has
// one of the kind. Safe for concurrent use.
type TestMeters struct {
	Store *store.Store
	Kind  string
	Unit  string // of the reading: "kWh", "m³"

	// Fault says whether the next credit is carried out, and what is reported.
	// nil = all goes well.
	Fault func() (apply bool, err error)
}

var _ Adapter = (*TestMeters)(nil)

// TestKinds are electricity and hot water with test meters.
func TestKinds(db *store.Store) []Kind {
	return []Kind{
		{Electricity, recharge.Name{ZH: "电费", EN: "Electricity"}, &TestMeters{Store: db, Kind: Electricity, Unit: "kWh"}},
		{HotWater, recharge.Name{ZH: "热水", EN: "Hot water"}, &TestMeters{Store: db, Kind: HotWater, Unit: "m³"}},
	}
}

func (m *TestMeters) scan(rows *sql.Rows) (meter Meter, err error) {
	var thousandths int64
	err = rows.Scan(&meter.ID, &meter.Room, &meter.Fen, &thousandths)
	meter.Reading = fmt.Sprintf("%d.%03d %s", thousandths/1000, thousandths%1000, m.Unit)
	return meter, err
}

const meterColumns = "SELECT id, room, fen, reading FROM trial_meters"

// Meters gives a person's meter.
func (m *TestMeters) Meters(ctx context.Context, person string) ([]Meter, error) {
	mine := func(src store.Source) ([]Meter, error) {
		return store.List(ctx, src, m.scan, meterColumns+" WHERE kind = $1 AND person = $2 ORDER BY id", m.Kind, person)
	}
	found, err := mine(m.Store.Reader())
	if err != nil || len(found) > 0 {
		return found, err
	}
	sum := sha256.Sum256([]byte(m.Kind + "\x00" + person))
	id := "T" + hex.EncodeToString(sum[:4])
	err = m.Store.Change(ctx, func(t *store.Tx) error {
		err := t.Exec("INSERT INTO trial_meters (kind, id, room, person, fen, reading) VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT DO NOTHING",
			m.Kind, id, "测试房间 "+id, person)
		return err
	})
	if err != nil {
		return nil, err
	}
	return mine(m.Store.Reader())
}

// Read gives a meter. Errors: store.ErrNotFound.
func (m *TestMeters) Read(ctx context.Context, meter string) (Meter, error) {
	found, err := store.List(ctx, m.Store.Reader(), m.scan, meterColumns+" WHERE kind = $1 AND id = $2", m.Kind, meter)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("meter: %w", store.ErrNotFound)
	}
	if err != nil {
		return Meter{}, err
	}
	return found[0], nil
}

// Credit adds to a meter.
func (m *TestMeters) Credit(ctx context.Context, id, meter string, fen int64) error {
	apply, fault := true, error(nil)
	if m.Fault != nil {
		apply, fault = m.Fault()
	}
	if !apply {
		return fault
	}
	var refusal error
	err := m.Store.Change(ctx, func(t *store.Tx) error {
		refusal = nil
		var had string
		var hadFen int64
		err := t.QueryRowContext(t.Context(), "SELECT meter, fen FROM trial_credits WHERE id = $1", id).Scan(&had, &hadFen)
		if err == nil {
			if had != meter || hadFen != fen {
				refusal = fmt.Errorf("%w: the id was used for something else", ErrRefused)
			}
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		n, err := t.Affect("UPDATE trial_meters SET fen = fen + $1 WHERE kind = $2 AND id = $3", fen, m.Kind, meter)
		if err != nil {
			return err
		}
		if n == 0 {
			refusal = fmt.Errorf("%w: no such meter", ErrRefused)
			return nil
		}
		return t.Exec("INSERT INTO trial_credits (id, kind, meter, fen) VALUES ($1, $2, $3, $4)", id, m.Kind, meter, fen)
	})
	return errors.Join(err, refusal, fault)
}
