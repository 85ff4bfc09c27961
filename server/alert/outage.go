package alert

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Devices gives the devices of every gate and till that has an agent, by its own
// last report. Those of a gate whose agent is not connected are nil: nobody knows
// of them.
type Devices func(context.Context) (map[uint16][]wire.Device, error)

// The states of a device, as agents report them, in which it is of use, or in
// which nobody can say yet.
const (
	deviceOK       = "ok"
	deviceStarting = "starting"
)

// device names one.
type device struct {
	gate             uint16
	lane, kind, name string
}

// Outage is a device that was down for too long while its gate was open.
type Outage struct {
	ID       int64  `json:"id"`
	Gate     uint16 `json:"gate"`
	GateName string `json:"gate_name"`
	Lane     string `json:"lane" doc:"empty = it belongs to none"`
	Kind     string `json:"kind" doc:"scanner, barrier, sensor, printer; more may come"`
	Name     string `json:"name" doc:"where a lane has several of a kind"`
	Driver   string `json:"driver"`
	State    string `json:"state" doc:"when it was found: lost, stuck, silent or garbled; more may come"`
	Detail   string `json:"detail"`
	Since    int64  `json:"since" doc:"when the server first heard that it was down"`
	FoundAt  int64  `json:"found_at"`
	EndedAt  int64  `json:"ended_at,omitempty" doc:"when it was well again, or gone; absent = it is down"`
}

func (o *Outage) device() device { return device{o.Gate, o.Lane, o.Kind, o.Name} }

func scanOutage(rows *sql.Rows) (o Outage, err error) {
	err = rows.Scan(&o.ID, &o.Gate, &o.GateName, &o.Lane, &o.Kind, &o.Name, &o.Driver, &o.State, &o.Detail, &o.Since, &o.FoundAt, &o.EndedAt)
	return o, err
}

// Outages gives the newest outages, at most limit: those that go on, or all.
func (s *Service) Outages(ctx context.Context, all bool, limit int) ([]Outage, error) {
	return store.List(ctx, s.Store.Reader(), scanOutage, `SELECT o.id, o.gate, coalesce(g.name, ''), o.lane, o.kind, o.name, o.driver,
		o.state, o.detail, o.since, o.found_at, coalesce(o.ended_at, 0)
		FROM outages o LEFT JOIN gates g ON g.id = o.gate WHERE $1 OR o.ended_at IS NULL ORDER BY o.id DESC LIMIT $2`, all, limit)
}

// mostOutages is more than there can be at once.
const mostOutages = 1 << 20

// Watch looks once at all devices, finds outages and ends them. One begins when
// a device was down for DownAfter without a break that the server knows of, and
// the gate is open, and was at the beginning of that time. It ends when the
// device is well again, at any hour, or is not there any more.
func (s *Service) Watch(ctx context.Context) error {
	if s.DownAfter <= 0 {
		return nil
	}
	gates, err := s.Devices(ctx)
	if err != nil {
		return err
	}
	open, err := s.Outages(ctx, false, mostOutages)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	fitted := s.note(gates, now)
	known := map[device]bool{}
	for _, o := range open {
		d := o.device()
		known[d] = true
		devices, any := gates[o.Gate]
		if any && devices == nil {
			continue
		}
		if state := fitted[d].State; !any || state == "" || state == deviceOK {
			if err := s.end(ctx, o); err != nil {
				return err
			}
		}
	}
	for d, since := range s.down {
		if w, connected := fitted[d]; connected && !known[d] && now.Sub(since) >= s.DownAfter {
			if err := s.begin(ctx, d, w, since, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// note keeps since when devices are down, and gives those that somebody knows
// of. Where two have the same name, the worse stands for both.
func (s *Service) note(gates map[uint16][]wire.Device, now time.Time) map[device]wire.Device {
	fitted := map[device]wire.Device{}
	for gate, devices := range gates {
		for _, w := range devices {
			d := device{gate, w.Lane, w.Kind, w.Name}
			if is(fitted[d].State) != down {
				fitted[d] = w
			}
		}
	}
	for d, w := range fitted {
		switch is(w.State) {
		case down:
			if _, known := s.down[d]; !known {
				s.down[d] = now
			}
		case well:
			delete(s.down, d)
		case unknown:
		}
	}
	for d := range s.down {
		devices, any := gates[d.gate]
		if _, there := fitted[d]; !there && (!any || devices != nil) {
			delete(s.down, d)
		}
	}
	return fitted
}

type condition int

const (
	unknown condition = iota
	well
	down
)

func is(state string) condition {
	switch state {
	case deviceOK:
		return well
	case "", deviceStarting:
		return unknown
	}
	return down
}

func (s *Service) begin(ctx context.Context, d device, w wire.Device, since, now time.Time) error {
	for _, at := range []time.Time{now.Add(-s.DownAfter), now} {
		if open, err := s.Open(ctx, d.gate, at); err != nil || !open {
			return err
		}
	}
	o := Outage{
		Gate: d.gate, Lane: d.lane, Kind: d.kind, Name: d.name, Driver: w.Driver, State: w.State, Detail: w.Detail, Since: since.UnixMilli(),
	}
	s.Log.Warn("a device is down", "gate", o.Gate, "lane", o.Lane, "kind", o.Kind, "name", o.Name, "state", o.State)
	return s.Store.Change(ctx, func(t *store.Tx) error {
		o.FoundAt = t.Now()
		err := t.QueryRowContext(t.Context(), `INSERT INTO outages (gate, lane, kind, name, driver, state, detail, since, found_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
			o.Gate, o.Lane, o.Kind, o.Name, o.Driver, o.State, o.Detail, o.Since, o.FoundAt).Scan(&o.ID)
		if err != nil {
			return err
		}
		if err := t.QueryRowContext(t.Context(), "SELECT coalesce(max(name), '') FROM gates WHERE id = $1", o.Gate).Scan(&o.GateName); err != nil {
			return err
		}
		return s.putOutage(t, &o, "device_down", o.FoundAt)
	})
}

func (s *Service) end(ctx context.Context, o Outage) error {
	s.Log.Info("a device is well again, or gone", "gate", o.Gate, "lane", o.Lane, "kind", o.Kind, "name", o.Name)
	return s.Store.Change(ctx, func(t *store.Tx) error {
		n, err := t.Affect("UPDATE outages SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL", t.Now(), o.ID)
		if err != nil || n == 0 {
			return err
		}
		return s.putOutage(t, &o, "device_up", t.Now())
	})
}

func (s *Service) putOutage(t *store.Tx, o *Outage, kind string, at int64) error {
	about := fmt.Sprintf("outage/%d", o.ID)
	return s.Put(t, about+"/"+kind, about, kind, map[string]any{
		"gate": o.Gate, "gate_name": o.GateName, "lane": o.Lane, "device": o.Kind, "name": o.Name, "driver": o.Driver,
		"state": o.State, "detail": o.Detail, "since": o.Since, "at": at,
	})
}
