package wire_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/signing/wire"
)

func campus(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func meals() []wire.MealPeriod {
	return []wire.MealPeriod{
		{ID: "breakfast", Name: "早餐", From: 390, Until: 540, PriceFen: 500},
		{ID: "lunch", Name: "午餐", From: 660, Until: 810, PriceFen: 1200},
		{ID: "night", Name: "夜宵", From: 1290, Until: 90, PriceFen: 900}, // 21:30 to 01:30
	}
}

func TestTill_DaysAndMealsAcrossMidnight(t *testing.T) {
	for _, c := range []struct {
		at       string
		dayStart int
		day, id  string
	}{
		{"2026-11-21 06:29", 0, "2026-11-21", ""},
		{"2026-11-21 06:30", 0, "2026-11-21", "breakfast"},
		{"2026-11-21 08:59", 0, "2026-11-21", "breakfast"},
		{"2026-11-21 09:00", 0, "2026-11-21", ""},
		{"2026-11-21 21:30", 0, "2026-11-21", "night"},
		{"2026-11-22 00:00", 0, "2026-11-21", "night"},
		{"2026-11-22 01:29", 0, "2026-11-21", "night"},
		{"2026-11-22 01:30", 0, "2026-11-22", ""},
		{"2026-11-22 03:59", 240, "2026-11-21", ""},
		{"2026-11-22 04:00", 240, "2026-11-22", ""},
		{"2027-01-01 00:30", 240, "2026-12-31", "night"},
		{"2028-03-01 00:30", 0, "2028-02-29", "night"},
		// A day that begins within a meal: the meal is of the day it began in.
		{"2026-11-22 00:45", 30, "2026-11-21", "night"},
		{"2026-11-21 23:00", 1380, "2026-11-20", "night"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, campus(t))
		if err != nil {
			t.Fatal(err)
		}
		till := wire.Till{DayStart: c.dayStart, Periods: meals()}
		if day, p := till.When(at); day != c.day || p.ID != c.id {
			t.Errorf("%s, day from minute %d: %s %q, want %s %q", c.at, c.dayStart, day, p.ID, c.day, c.id)
		}
	}
}

// Through all of a day and night each meal has one business day, and days never
// go back.
func TestTill_AMealIsOfOneDayAndDaysNeverGoBack(t *testing.T) {
	zone := campus(t)
	rapid.Check(t, func(t *rapid.T) {
		till := wire.Till{Entry: wire.EntryAmount, DayStart: rapid.IntRange(0, 1439).Draw(t, "start")}
		from := rapid.IntRange(0, 1439).Draw(t, "from")
		length := rapid.IntRange(1, 1439).Draw(t, "length")
		till.Periods = []wire.MealPeriod{{ID: "one", Name: "餐", From: from, Until: (from + length) % 1440}}
		if err := till.Check(); err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2026, 11, 20, 0, 0, 0, 0, zone)
		meal, minutes, last := "", 0, ""
		for i := range 3 * 1440 {
			day, p := till.When(begin.Add(time.Duration(i) * time.Minute))
			switch {
			case p.ID == "":
				meal, minutes = "", 0
				if day < last {
					t.Fatalf("minute %d: day %s after %s", i, day, last)
				}
				last = day
				continue
			case meal == "":
				meal = day
			case meal != day:
				t.Fatalf("minute %d: a meal of %s and %s", i, meal, day)
			}
			if minutes++; minutes > length {
				t.Fatalf("minute %d: a meal of more than %d minutes", i, length)
			}
		}
	})
}

func TestTill_RulesThatNoTillCanFollowAreRefused(t *testing.T) {
	good := wire.Till{
		Entry: wire.EntryPeriod, Periods: meals(), Menu: []wire.MenuKey{{Key: 1, Name: "米饭", PriceFen: 50}, {Key: 99, Name: "牛肉面", PriceFen: 1500}},
		DayStart: 240, PinAboveFen: 3000, PerTxFen: 5000, Offline: wire.OfflineCaps{PerTxFen: 2000, PerAccountFen: 5000, MaxRecords: 1000, MaxAgeMS: 86_400_000},
	}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(r *wire.Till){
		"entry":                 func(r *wire.Till) { r.Entry = "free" },
		"fixed_fen":             func(r *wire.Till) { r.Entry = wire.EntryFixed },
		"no price":              func(r *wire.Till) { r.Periods[1].PriceFen = 0 },
		"periods: none":         func(r *wire.Till) { r.Periods = nil },
		"menu: no keys":         func(r *wire.Till) { r.Entry, r.Menu = wire.EntryMenu, nil },
		"key 0":                 func(r *wire.Till) { r.Menu[0].Key = 0 },
		"key 100":               func(r *wire.Till) { r.Menu[0].Key = 100 },
		"there twice":           func(r *wire.Till) { r.Menu[0].Key = 99 },
		"costs -1":              func(r *wire.Till) { r.Menu[0].PriceFen = -1 },
		"name is missing":       func(r *wire.Till) { r.Menu[0].Name = "" },
		"cannot be shown":       func(r *wire.Till) { r.Menu[0].Name = "\u202e饭" },
		"not UTF-8":             func(r *wire.Till) { r.Periods[0].Name = "\xff" },
		"at most 64":            func(r *wire.Till) { r.Periods[0].NameEn = strings.Repeat("x", 65) },
		"before the one before": func(r *wire.Till) { r.Periods[1].From = 530 },
		"goes on into":          func(r *wire.Till) { r.Periods[2].Until = 400 },
		"two minutes":           func(r *wire.Till) { r.Periods[0].Until = r.Periods[0].From },
		"from -1":               func(r *wire.Till) { r.Periods[0].From = -1 },
		"until 1441":            func(r *wire.Till) { r.Periods[0].Until = 1441 },
		"day_start":             func(r *wire.Till) { r.DayStart = 1440 },
		"pin_above_fen":         func(r *wire.Till) { r.PinAboveFen = -1 },
		"per_tx_fen":            func(r *wire.Till) { r.PerTxFen = -1 },
		"per_day_fen":           func(r *wire.Till) { r.PerDayFen = 1 << 62 },
		"per_meal_tx":           func(r *wire.Till) { r.PerMealTx = -1 },
		"offline.per_tx_fen":    func(r *wire.Till) { r.Offline.PerTxFen = -1 },
		"offline.max_records":   func(r *wire.Till) { r.Offline.MaxRecords = -1 },
		"offline.max_age_ms":    func(r *wire.Till) { r.Offline.MaxAgeMS = -1 },
	} {
		bad := good
		bad.Periods, bad.Menu = meals(), append([]wire.MenuKey(nil), good.Menu...)
		spoil(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	whole := wire.Till{Entry: wire.EntryAmount, Periods: []wire.MealPeriod{{ID: "all", Name: "全天", From: 0, Until: 1440}}}
	if err := whole.Check(); err != nil {
		t.Error(err)
	}
}
