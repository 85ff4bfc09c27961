package cards

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/server/store"
	"campusgate/signing/paycode"
)

// Caps bound what is spent, at all tills together; 0 = no limit.
type Caps struct {
	PerTxFen   int64 `json:"per_tx_fen" minimum:"0" doc:"of one payment; 0 = no limit"`
	PerMealFen int64 `json:"per_meal_fen" minimum:"0" doc:"in one meal period; 0 = no limit"`
	PerDayFen  int64 `json:"per_day_fen" minimum:"0" doc:"on one business day; 0 = no limit"`
}

// Offline bounds what tills accept without the server. Zero allows nothing.
type Offline struct {
	Enabled   bool   `json:"enabled"`
	PerTxFen  int64  `json:"per_tx_fen" minimum:"0" doc:"of one payment"`
	PerDayFen int64  `json:"per_day_fen" minimum:"0" doc:"at one till on one day"`
	MaxTx     uint32 `json:"max_tx" maximum:"1000" doc:"payments at one till until it has the network again"`
}

// Terms are the campus's own, for every card that the office has set nothing
// else for.
type Terms struct {
	Limits  Caps    `json:"limits"`
	Offline Offline `json:"offline"`
}

// Defaults are the terms of a new campus: payments without a network are off
// until somebody answers for the debts that they can make.
var Defaults = Terms{
	Limits:  Caps{PerTxFen: 20_000, PerDayFen: 50_000},
	Offline: Offline{PerTxFen: 3_000, PerDayFen: 6_000, MaxTx: 5},
}

// Overrides are what the office has set for one card, lower or higher than the
// campus; nil = as the campus.
type Overrides struct {
	PerTxFen, PerMealFen, PerDayFen *int64
	Offline                         *bool
	OfflinePerTxFen                 *int64
	OfflinePerDayFen                *int64
	OfflineMaxTx                    *int64
}

// own is what the holder has set; nil = nothing.
type own struct {
	perTx, perDay *int64
	offline       bool
	offTx, offDay *int64
}

// termsRow is where Terms are kept, in table settings.
const termsRow = "cards"

// Terms gives those in force.
func (s *Service) Terms(ctx context.Context) (Terms, error) {
	return terms(ctx, s.Store.Reader())
}

func terms(ctx context.Context, src store.Source) (Terms, error) {
	v := Defaults
	err := store.Kept(ctx, src, termsRow, &v)
	return v, err
}

// PutTerms puts others into force, for payments from then on; what is allowed
// without a network changes with each phone's next credential. The error is a
// *people.Fault.
func (s *Service) PutTerms(ctx context.Context, actor string, v Terms) error {
	for _, n := range []struct {
		field string
		fen   int64
	}{
		{"limits.per_tx_fen", v.Limits.PerTxFen},
		{"limits.per_meal_fen", v.Limits.PerMealFen},
		{"limits.per_day_fen", v.Limits.PerDayFen},
		{"offline.per_tx_fen", v.Offline.PerTxFen},
		{"offline.per_day_fen", v.Offline.PerDayFen},
	} {
		if err := amount(n.field, n.fen); err != nil {
			return err
		}
	}
	if v.Offline.MaxTx > maxOfflineTx {
		return fault("offline.max_tx", fmt.Sprintf("最多 %d 笔", maxOfflineTx), fmt.Sprintf("at most %d", maxOfflineTx))
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		return errors.Join(
			t.Keep(termsRow, v),
			t.Trail(actor, "cards.settings", "", v),
		)
	})
}

const maxOfflineTx = 1000

// amount is a fault of a field that is no amount of money.
func amount(field string, fen int64) error {
	if fen < 0 || fen > paycode.MaxFen {
		return fault(field, "金额超出范围", "no such amount")
	}
	return nil
}

// apply puts the campus, the office and the holder together.
func (c *Account) apply(v Terms) {
	or := func(set *int64, site int64) int64 {
		if set != nil {
			return *set
		}
		return site
	}
	o := c.Office
	c.Ceiling = Terms{
		Limits: Caps{or(o.PerTxFen, v.Limits.PerTxFen), or(o.PerMealFen, v.Limits.PerMealFen), or(o.PerDayFen, v.Limits.PerDayFen)},
		Offline: Offline{
			v.Offline.Enabled, or(o.OfflinePerTxFen, v.Offline.PerTxFen), or(o.OfflinePerDayFen, v.Offline.PerDayFen),
			uint32(or(o.OfflineMaxTx, int64(v.Offline.MaxTx))),
		},
	}
	if o.Offline != nil {
		c.Ceiling.Offline.Enabled = *o.Offline
	}
	c.Limits, c.Offline = c.Ceiling.Limits, c.Ceiling.Offline
	c.Limits.PerTxFen = lower(c.Limits.PerTxFen, c.own.perTx)
	c.Limits.PerDayFen = lower(c.Limits.PerDayFen, c.own.perDay)
	c.Offline.Enabled = c.Offline.Enabled && c.own.offline
	c.Offline.PerTxFen = min(c.Offline.PerTxFen, or(c.own.offTx, c.Offline.PerTxFen))
	c.Offline.PerDayFen = min(c.Offline.PerDayFen, or(c.own.offDay, c.Offline.PerDayFen))
}

// lower is the lower of two limits, where 0 is none.
func lower(limit int64, own *int64) int64 {
	if own == nil || limit != 0 && limit < *own {
		return limit
	}
	return *own
}

// SetLimits lets a holder spend less than they may: 0 takes their own limit
// away. ErrLimit names the field and the most it can be.
func (s *Service) SetLimits(ctx context.Context, actor string, account uint64, perTx, perDay int64) (Account, error) {
	if err := errors.Join(amount("per_tx_fen", perTx), amount("per_day_fen", perDay)); err != nil {
		return Account{}, err
	}
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		for _, n := range []struct {
			field      string
			fen, limit int64
		}{{"per_tx_fen", perTx, c.Ceiling.Limits.PerTxFen}, {"per_day_fen", perDay, c.Ceiling.Limits.PerDayFen}} {
			if n.limit != 0 && n.fen > n.limit {
				return tooHigh(n.field, n.limit), nil
			}
		}
		if err := t.Exec("UPDATE cards SET own_tx = $1, own_day = $2 WHERE account = $3", some(perTx), some(perDay), int64(account)); err != nil {
			return nil, err
		}
		return nil, trail(t, actor, "card.limits", c, map[string]any{"own_per_tx_fen": perTx, "own_per_day_fen": perDay})
	})
}

func tooHigh(field string, most int64) error {
	return &Refusal{ErrLimit, map[string]any{"field": field, "most": most}}
}

// some stores zero as NULL.
func some(fen int64) sql.NullInt64 { return sql.NullInt64{Int64: fen, Valid: fen != 0} }

// SetOffline lets a holder lower what tills accept without the server, which
// counts from their next credential; 0 takes their own limit away. Switched off
// it counts at once: the credential they have is withdrawn. ErrLimit.
func (s *Service) SetOffline(ctx context.Context, actor string, account uint64, enabled bool, perTx, perDay int64) (Account, error) {
	if err := errors.Join(amount("per_tx_fen", perTx), amount("per_day_fen", perDay)); err != nil {
		return Account{}, err
	}
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		most := c.Ceiling.Offline
		switch {
		case enabled && !most.Enabled:
			return tooHigh("enabled", 0), nil
		case enabled && perTx > most.PerTxFen:
			return tooHigh("per_tx_fen", most.PerTxFen), nil
		case enabled && perDay > most.PerDayFen:
			return tooHigh("per_day_fen", most.PerDayFen), nil
		}
		err := t.Exec("UPDATE cards SET own_offline = $1, own_offline_tx = $2, own_offline_day = $3 WHERE account = $4",
			enabled, some(perTx), some(perDay), int64(account))
		if err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.offline", c, map[string]any{"enabled": enabled, "per_tx_fen": perTx, "per_day_fen": perDay}); err != nil {
			return nil, err
		}
		return nil, s.withdrawOffline(t, c)
	})
}

// withdrawOffline raises the epoch of a card that could pay without a network
// and now cannot.
func (s *Service) withdrawOffline(t *store.Tx, before Account) error {
	now, err := s.Find(t.Context(), t, before.Account)
	if err != nil || !before.Offline.Enabled || now.Offline.Enabled {
		return err
	}
	return s.raise(t, &now)
}

// Override sets what the office gives: nil stays, a negative amount is as the
// campus has it. AsCampus does so for the switch. The error may be a
// *people.Fault.
func (s *Service) Override(ctx context.Context, actor string, account uint64, o Overrides, asCampus bool) (Account, error) {
	if o.OfflineMaxTx != nil && *o.OfflineMaxTx > maxOfflineTx {
		return Account{}, fault("offline.max_tx", fmt.Sprintf("最多 %d 笔", maxOfflineTx), fmt.Sprintf("at most %d", maxOfflineTx))
	}
	for _, fen := range []*int64{o.PerTxFen, o.PerMealFen, o.PerDayFen, o.OfflinePerTxFen, o.OfflinePerDayFen} {
		if fen != nil && *fen > paycode.MaxFen {
			return Account{}, fault("limits", "金额超出范围", "no such amount")
		}
	}
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		set := map[string]any{}
		merge := func(name string, new, old *int64) any {
			switch {
			case new == nil && old == nil:
				return nil
			case new == nil:
				return *old
			case *new < 0:
				set[name] = nil
				return nil
			}
			set[name] = *new
			return *new
		}
		var offline any
		switch {
		case asCampus:
			set["offline"] = nil
		case o.Offline != nil:
			offline = *o.Offline
			set["offline"] = offline
		case c.Office.Offline != nil:
			offline = *c.Office.Offline
		}
		err := t.Exec(`UPDATE cards SET per_tx = $1, per_meal = $2, per_day = $3, offline = $4, offline_tx = $5, offline_day = $6,
			offline_max = $7 WHERE account = $8`,
			merge("per_tx_fen", o.PerTxFen, c.Office.PerTxFen), merge("per_meal_fen", o.PerMealFen, c.Office.PerMealFen),
			merge("per_day_fen", o.PerDayFen, c.Office.PerDayFen), offline,
			merge("offline_per_tx_fen", o.OfflinePerTxFen, c.Office.OfflinePerTxFen),
			merge("offline_per_day_fen", o.OfflinePerDayFen, c.Office.OfflinePerDayFen),
			merge("offline_max_tx", o.OfflineMaxTx, c.Office.OfflineMaxTx), int64(account))
		if err != nil {
			return nil, err
		}
		if err := trail(t, actor, "card.limits", c, set); err != nil {
			return nil, err
		}
		return nil, s.withdrawOffline(t, c)
	})
}
