package wire

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

const dayMinutes = 24 * 60

// Bounds of a till's rules.
const (
	maxPeriods  = 12
	maxKeys     = 99
	maxPriceFen = 100_000_00 // nothing that a canteen sells costs more
)

// BusinessDay gives the business day of a moment. Days begin dayStart minutes
// after midnight in at's zone, which has to be that of the campus.
func BusinessDay(at time.Time, dayStart int) string {
	return businessDay(at, minuteOf(at), dayStart)
}

// PeriodAt gives the period that a moment falls in, and whether there is one:
// periods begin at From and end before Until, in at's zone, which has to be
// that of the campus.
func PeriodAt(at time.Time, periods []MealPeriod) (MealPeriod, bool) {
	for _, p := range periods {
		if p.holds(minuteOf(at)) {
			return p, true
		}
	}
	return MealPeriod{}, false
}

// When gives the business day and the meal period of a moment in at's zone,
// which has to be that of the campus; between meals the period's ID is "". A
// meal belongs to the day it began in, also for who eats after midnight.
func (t *Till) When(at time.Time) (day string, period MealPeriod) {
	p, ok := PeriodAt(at, t.Periods)
	if !ok {
		return BusinessDay(at, t.DayStart), p
	}
	if minuteOf(at) < p.From {
		at = noonBefore(at)
	}
	return businessDay(at, p.From, t.DayStart), p
}

// businessDay is that of a minute of date's day.
func businessDay(date time.Time, minute, dayStart int) string {
	if minute < dayStart {
		date = noonBefore(date)
	}
	return date.Format(time.DateOnly)
}

func (p *MealPeriod) holds(minute int) bool {
	if p.Until < p.From {
		return minute >= p.From || minute < p.Until
	}
	return minute >= p.From && minute < p.Until
}

func minuteOf(at time.Time) int { return at.Hour()*60 + at.Minute() }

// noonBefore is noon of the day before: a moment that every zone has.
func noonBefore(at time.Time) time.Time {
	y, m, d := at.Date()
	return time.Date(y, m, d-1, 12, 0, 0, 0, at.Location())
}

// Check refuses rules that a till could not follow, or would follow otherwise
// than somebody meant. The error names every fault. Version, Name and Merchant
// are whoever's who keeps the tills and are not looked at.
func (t *Till) Check() error {
	faults := []error{t.checkEntry(), t.checkMenu(), t.checkPeriods()}
	amounts := []struct {
		name string
		fen  int64
	}{
		{"fixed_fen", t.FixedFen},
		{"pin_above_fen", t.PinAboveFen},
		{"per_tx_fen", t.PerTxFen},
		{"per_day_fen", t.PerDayFen},
		{"per_meal_fen", t.PerMealFen},
		{"offline.per_tx_fen", t.Offline.PerTxFen},
		{"offline.per_account_fen", t.Offline.PerAccountFen},
	}
	for _, a := range amounts {
		if a.fen < 0 || a.fen > maxPriceFen {
			faults = append(faults, fmt.Errorf("%s: %d fen, want 0 to %d", a.name, a.fen, maxPriceFen))
		}
	}
	counts := []struct {
		name string
		n    int64
		most int64
	}{
		{"day_start", int64(t.DayStart), dayMinutes - 1},
		{"per_meal_tx", int64(t.PerMealTx), 100},
		{"offline.max_records", int64(t.Offline.MaxRecords), 1_000_000},
		{"offline.max_age_ms", t.Offline.MaxAgeMS, 31 * dayMinutes * 60_000},
	}
	for _, c := range counts {
		if c.n < 0 || c.n > c.most {
			faults = append(faults, fmt.Errorf("%s: %d, want 0 to %d", c.name, c.n, c.most))
		}
	}
	return errors.Join(faults...)
}

func (t *Till) checkEntry() error {
	switch t.Entry {
	case EntryAmount:
	case EntryFixed:
		if t.FixedFen == 0 {
			return errors.New("fixed_fen: a fixed price is missing")
		}
	case EntryPeriod:
		if len(t.Periods) == 0 {
			return errors.New("periods: none, though a sale costs what its period says")
		}
		for _, p := range t.Periods {
			if p.PriceFen == 0 {
				return fmt.Errorf("periods: %q has no price", p.ID)
			}
		}
	case EntryMenu:
		if len(t.Menu) == 0 {
			return errors.New("menu: no keys")
		}
	default:
		return fmt.Errorf("entry: %q, want amount, fixed, period or menu", t.Entry)
	}
	return nil
}

func (t *Till) checkMenu() error {
	if len(t.Menu) > maxKeys {
		return fmt.Errorf("menu: %d keys, at most %d", len(t.Menu), maxKeys)
	}
	seen := map[int]bool{}
	for _, k := range t.Menu {
		switch {
		case k.Key < 1 || k.Key > maxKeys:
			return fmt.Errorf("menu: key %d, want 1 to %d", k.Key, maxKeys)
		case seen[k.Key]:
			return fmt.Errorf("menu: key %d is there twice", k.Key)
		case k.PriceFen <= 0 || k.PriceFen > maxPriceFen:
			return fmt.Errorf("menu: key %d costs %d fen, want 1 to %d", k.Key, k.PriceFen, maxPriceFen)
		}
		seen[k.Key] = true
		if err := errors.Join(named("name", k.Name, 1), named("name_en", k.NameEn, 0)); err != nil {
			return fmt.Errorf("menu: key %d: %w", k.Key, err)
		}
	}
	return nil
}

// checkPeriods wants them in the order of the business day. The last may go on
// into the next one, until where the first begins.
func (t *Till) checkPeriods() error {
	if len(t.Periods) > maxPeriods {
		return fmt.Errorf("periods: %d, at most %d", len(t.Periods), maxPeriods)
	}
	seen := map[string]bool{}
	first, end := 0, 0 // minutes of the business day
	for i, p := range t.Periods {
		switch {
		case seen[p.ID]:
			return fmt.Errorf("periods: %q is there twice", p.ID)
		case p.From < 0 || p.From >= dayMinutes || p.Until < 0 || p.Until > dayMinutes || p.From == p.Until:
			return fmt.Errorf("periods: %q is from %d until %d, want two minutes of a day", p.ID, p.From, p.Until)
		case p.PriceFen < 0 || p.PriceFen > maxPriceFen:
			return fmt.Errorf("periods: %q costs %d fen, want 0 to %d", p.ID, p.PriceFen, maxPriceFen)
		}
		seen[p.ID] = true
		if err := errors.Join(named("id", p.ID, 1), named("name", p.Name, 1), named("name_en", p.NameEn, 0)); err != nil {
			return fmt.Errorf("periods: %w", err)
		}
		begin := (p.From - t.DayStart + dayMinutes) % dayMinutes
		if i > 0 && begin < end {
			return fmt.Errorf("periods: %q begins before the one before it ends", p.ID)
		}
		if i == 0 {
			first = begin
		}
		end = begin + (p.Until-p.From+dayMinutes)%dayMinutes
		if p.From == 0 && p.Until == dayMinutes {
			end = begin + dayMinutes
		}
	}
	if end > first+dayMinutes {
		return errors.New("periods: the last one goes on into the first one of the next day")
	}
	return nil
}

func named(what, s string, least int) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not text", what)
	}
	return within(what, s, least, maxName)
}
