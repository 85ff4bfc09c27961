package verdict

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"campusgate/signing"
)

const dayMinutes = 24 * 60

// Bounds of opening hours.
const (
	maxHours = 8  // one for each kind that opens gates, and some
	maxSpans = 70 // of one Hours: ten a day
	maxDates = 60
	maxDays  = 400 // between the first and the last day of an exception
)

// Hours say when passes of some kinds let people in. A kind that no Hours are
// about is let in at any time. Times are minutes after midnight of the wall
// clock, in the zone of the campus.
type Hours struct {
	Kinds signing.KindSet `json:"kinds"`
	Week  []WeekSpan      `json:"week"`            // none = closed, but for the dates
	Dates []DateSpans     `json:"dates,omitempty"` // in place of the week
}

// Span is open from a minute, until a minute that is not in it. One that ends at
// or before its beginning goes on into the next day; 0 to 1440 is a whole day.
type Span struct {
	From  int `json:"from"`
	Until int `json:"until"`
}

// WeekSpan is a span that begins on a day of each week: 1 is Monday, 7 Sunday.
type WeekSpan struct {
	Day int `json:"day"`
	Span
}

// DateSpans are the spans that begin on the days of an exception, both dates
// (2006-01-02) included. None = closed. What began the day before goes on.
type DateSpans struct {
	From  string `json:"from"`
	Until string `json:"until"`
	Spans []Span `json:"spans,omitempty"`
}

// OpenAt reports whether hours let a kind in at a moment, whose location is that
// of the campus. The wall clock counts: where it is put forward or back, an hour
// is missing or comes twice, and so it is open or closed.
func OpenAt(hours []Hours, kind signing.Kind, at time.Time) bool {
	for i := range hours {
		if hours[i].Kinds.Has(kind) {
			return hours[i].open(at)
		}
	}
	return true
}

// AnyOpenAt reports whether hours let anybody in at a moment.
func AnyOpenAt(hours []Hours, at time.Time) bool {
	return slices.ContainsFunc(signing.GateKinds.Kinds(), func(k signing.Kind) bool { return OpenAt(hours, k, at) })
}

func (h *Hours) open(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	y, m, d := at.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC) // a date and no more: UTC has each day once
	for _, s := range h.spans(today) {
		if minute >= s.From && minute < s.end() {
			return true
		}
	}
	for _, s := range h.spans(today.AddDate(0, 0, -1)) {
		if minute+dayMinutes < s.end() {
			return true
		}
	}
	return false
}

// spans are those that begin on a date.
func (h *Hours) spans(date time.Time) (list []Span) {
	text := date.Format(time.DateOnly)
	for i := range h.Dates {
		if d := &h.Dates[i]; d.From <= text && text <= d.Until {
			return d.Spans
		}
	}
	day := (int(date.Weekday())+6)%7 + 1
	for _, s := range h.Week {
		if s.Day == day {
			list = append(list, s.Span)
		}
	}
	return list
}

// end is the minute after the span, counted from the midnight before it begins.
func (s Span) end() int {
	if s.Until <= s.From {
		return s.Until + dayMinutes
	}
	return s.Until
}

func (s Span) check() error {
	if s.From < 0 || s.From >= dayMinutes || s.Until < 0 || s.Until > dayMinutes || s.From == s.Until {
		return fmt.Errorf("from %d until %d, want two minutes of a day", s.From, s.Until)
	}
	return nil
}

// CheckHours refuses hours that say nothing, or that say two things of one kind or
// day.
func CheckHours(hours []Hours) error {
	if len(hours) > maxHours {
		return fmt.Errorf("%d entries, at most %d", len(hours), maxHours)
	}
	var seen signing.KindSet
	for i := range hours {
		h := &hours[i]
		switch {
		case h.Kinds == 0:
			return fmt.Errorf("entry %d: no kinds", i+1)
		case h.Kinds&^signing.GateKinds != 0:
			return fmt.Errorf("entry %d: %s opens no gate", i+1, h.Kinds&^signing.GateKinds)
		case seen&h.Kinds != 0:
			return fmt.Errorf("entry %d: %s has hours already", i+1, seen&h.Kinds)
		}
		seen |= h.Kinds
		if err := h.check(); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return nil
}

func (h *Hours) check() error {
	if len(h.Week) > maxSpans || len(h.Dates) > maxDates {
		return fmt.Errorf("%d windows and %d dates, at most %d and %d", len(h.Week), len(h.Dates), maxSpans, maxDates)
	}
	for _, s := range h.Week {
		if s.Day < 1 || s.Day > 7 {
			return fmt.Errorf("day %d, want 1 (Monday) to 7", s.Day)
		}
		if err := s.check(); err != nil {
			return fmt.Errorf("day %d: %w", s.Day, err)
		}
	}
	for i := range h.Dates {
		if err := h.Dates[i].check(); err != nil {
			return err
		}
		for j := range h.Dates[:i] {
			if h.Dates[j].From <= h.Dates[i].Until && h.Dates[i].From <= h.Dates[j].Until {
				return fmt.Errorf("dates: %s is there twice", max(h.Dates[j].From, h.Dates[i].From))
			}
		}
	}
	return nil
}

func (d *DateSpans) check() error {
	from, err := time.Parse(time.DateOnly, d.From)
	if err != nil {
		return fmt.Errorf("dates: %.20q, want year-month-day", d.From)
	}
	until, err := time.Parse(time.DateOnly, d.Until)
	if err != nil {
		return fmt.Errorf("dates: %.20q, want year-month-day", d.Until)
	}
	if until.Before(from) || until.Sub(from) > maxDays*24*time.Hour {
		return fmt.Errorf("dates: %s until %s, want at most %d days, in order", d.From, d.Until, maxDays)
	}
	if len(d.Spans) > maxSpans/7 {
		return fmt.Errorf("dates: %s has %d windows, at most %d", d.From, len(d.Spans), maxSpans/7)
	}
	if i := slices.IndexFunc(d.Spans, func(s Span) bool { return s.check() != nil }); i >= 0 {
		return fmt.Errorf("dates: %s: %w", d.From, d.Spans[i].check())
	}
	return nil
}

// Passback says what becomes of somebody who comes in while recorded as inside.
type Passback string

// The modes; any other value is none.
const (
	PassbackNone    Passback = ""
	PassbackAlert   Passback = "alert"   // let in, and a person should look
	PassbackEnforce Passback = "enforce" // refused
)

// Area is what gates with one way of being inside have in common: those of a
// zone, or of a named group.
type Area struct {
	Passback Passback `json:"passback,omitempty"`
	Limit    uint32   `json:"limit,omitempty"` // inside at once; 0 = no limit
	Watch    bool     `json:"watch,omitempty"` // who is inside is kept, also without a rule that needs it
	// ForgetHours is after how many hours somebody is taken to have left; 0 = never.
	ForgetHours int `json:"forget_hours,omitempty"`
	// DayEnd is the minute of the day at which everybody is taken to have left; nil =
	// never.
	DayEnd *int `json:"day_end,omitempty"`
}

// Kept reports whether who is inside has to be known.
func (a *Area) Kept() bool {
	return a.Watch || a.Limit > 0 || a.Passback == PassbackAlert || a.Passback == PassbackEnforce
}

// Since is the moment before which entries are forgotten, in unix ms: who came in
// earlier is taken to have left. now's location is that of the campus.
func (a *Area) Since(now time.Time) (since int64) {
	if a.ForgetHours > 0 {
		since = now.Add(-time.Duration(a.ForgetHours) * time.Hour).UnixMilli()
	}
	if a.DayEnd == nil {
		return since
	}
	y, m, d := now.Date()
	end := time.Date(y, m, d, *a.DayEnd/60, *a.DayEnd%60, 0, 0, now.Location())
	if end.After(now) {
		end = time.Date(y, m, d-1, *a.DayEnd/60, *a.DayEnd%60, 0, 0, now.Location())
	}
	return max(since, end.UnixMilli())
}

// maxForget is a year: who has not left by then is not kept in a list of people.
const maxForget = 366 * 24

// Check refuses what no gate could follow.
func (a *Area) Check() error {
	switch a.Passback {
	case PassbackNone, PassbackAlert, PassbackEnforce:
	default:
		return fmt.Errorf("passback: %.20q, want alert or enforce", a.Passback)
	}
	if a.ForgetHours < 0 || a.ForgetHours > maxForget {
		return fmt.Errorf("forget_hours: %d, want 0 to %d", a.ForgetHours, maxForget)
	}
	if a.DayEnd != nil && (*a.DayEnd < 0 || *a.DayEnd >= dayMinutes) {
		return fmt.Errorf("day_end: %d, want a minute of the day", *a.DayEnd)
	}
	if a.Limit > 1_000_000 {
		return errors.New("limit: more than a million")
	}
	return nil
}
