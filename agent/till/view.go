package till

import (
	"context"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// View is a till as its pages see it. Money is fen, times are unix ms.
type View struct {
	Till          *Rules       `json:"till"` // null = none have come
	Mode          string       `json:"mode"` // terminal
	Period        *Period      `json:"period"`
	Day           string       `json:"day"`
	Batch         Batch        `json:"batch"` // number 0 = there was none
	Sale          *Sale        `json:"sale"`
	Offline       bool         `json:"offline"`
	Backlog       Backlog      `json:"backlog"`
	SnapshotAgeMS int64        `json:"snapshot_age_ms"`
	Cashier       *Cashier     `json:"cashier"` // null = nobody is on duty
	Last          *desk.Result `json:"last"`    // the last charge
}

// Rules is the part of the till's rules that the pages show.
type Rules struct {
	Name     string            `json:"name"`
	Merchant string            `json:"merchant"`
	Version  string            `json:"version"`
	Entry    wire.EntryMode    `json:"entry"`
	FixedFen int64             `json:"fixed_fen"`
	Menu     []wire.MenuKey    `json:"menu"`
	Periods  []wire.MealPeriod `json:"periods"`
}

// Period is the meal period of now.
type Period struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	NameEn   string `json:"name_en,omitempty"`
	PriceFen int64  `json:"price_fen"`
	Until    int64  `json:"until"`
}

// Backlog is what was accepted, charges and voids, and the server does not hold.
type Backlog struct {
	Records  uint64 `json:"records"`
	Fen      int64  `json:"fen"`
	OldestAt int64  `json:"oldest_at"` // 0 = there is none
}

// Cashier is who is on duty.
type Cashier struct {
	Number     string `json:"number"`
	Name       string `json:"name"`
	Supervisor bool   `json:"supervisor"`
}

// View gives the till as it is. An error is the store's.
func (d *Desk) View(ctx context.Context) (View, error) {
	rules, now := d.Till(), d.deps.Corrected()
	v := View{Mode: "terminal", Offline: d.Stamp().Offline, Sale: d.sale.Load(), Last: d.last()}
	if rules != nil {
		v.Till = &Rules{
			Name: rules.Name, Merchant: rules.Merchant, Version: rules.Version, Entry: rules.Entry, FixedFen: rules.FixedFen,
			Menu: append([]wire.MenuKey{}, rules.Menu...), Periods: append([]wire.MealPeriod{}, rules.Periods...),
		}
	}
	day, period := when(rules, now, d.zone)
	if v.Day = day; period.ID != "" {
		v.Period = &Period{
			ID: period.ID, Name: period.Name, NameEn: period.NameEn, PriceFen: period.PriceFen,
			Until: ends(&period, time.UnixMilli(now).In(d.zone)),
		}
	}
	if s := v.Sale; s != nil && s.Entry == wire.EntryPeriod {
		v.Sale = new(*s)
		v.Sale.AmountFen = period.PriceFen
	}
	if at := d.deps.Confirmed(); at > 0 {
		v.SnapshotAgeMS = now - at
	}
	if on := d.Shift(); on != (desk.Shift{}) {
		g, _ := d.deps.Guard(on.Number)
		v.Cashier = &Cashier{Number: on.Number, Name: on.Name, Supervisor: g.Supervisor}
	}
	batches, err := d.Batches(ctx, 1)
	if len(batches) > 0 {
		v.Batch = batches[0]
	}
	if err == nil {
		v.Backlog, err = d.deps.Ledger.Backlog(ctx)
	}
	return v, err
}

func (d *Desk) last() *desk.Result {
	for _, r := range d.Recent() {
		if r.Charge != nil && r.Reason == verdict.Granted && !r.Repeat {
			return &r
		}
	}
	return nil
}

// ends is when a period ends that holds now.
func ends(p *wire.MealPeriod, now time.Time) int64 {
	y, m, day := now.Date()
	if p.Until <= now.Hour()*60+now.Minute() {
		day++
	}
	return time.Date(y, m, day, 0, p.Until, 0, 0, now.Location()).UnixMilli()
}
