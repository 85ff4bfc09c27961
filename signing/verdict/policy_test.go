package verdict_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func local(t testing.TB, zone *time.Location, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func span(from, until int) verdict.Span { return verdict.Span{From: from, Until: until} }

// A library's night shift: Monday to Friday 6:30 to 23:00, Saturday from 22:00
// past midnight, closed on Sundays and in the holidays but for one morning.
func library() []verdict.Hours {
	h := verdict.Hours{Kinds: signing.KindsOf(signing.Visitor, signing.ResidentSingle)}
	for day := 1; day <= 5; day++ {
		h.Week = append(h.Week, verdict.WeekSpan{Day: day, Span: span(6*60+30, 23*60)})
	}
	h.Week = append(h.Week, verdict.WeekSpan{Day: 6, Span: span(22*60, 2*60)})
	h.Dates = []verdict.DateSpans{
		{From: "2026-10-01", Until: "2026-10-07"},
		{From: "2026-10-08", Until: "2026-10-08", Spans: []verdict.Span{span(9*60, 12*60)}},
	}
	return []verdict.Hours{h, {Kinds: signing.KindsOf(signing.Vehicle)}}
}

func TestOpenAt(t *testing.T) {
	zone := shanghai(t)
	if err := verdict.CheckHours(library()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		at   string
		kind signing.Kind
		open bool
	}{
		{"2026-09-01 06:29:59", signing.Visitor, false}, // a Tuesday
		{"2026-09-01 06:30:00", signing.Visitor, true},
		{"2026-09-01 22:59:59", signing.Visitor, true},
		{"2026-09-01 23:00:00", signing.Visitor, false},
		{"2026-09-01 03:00:00", signing.Work, true},     // nobody set hours for them
		{"2026-09-01 12:00:00", signing.Vehicle, false}, // closed at any time
		{"2026-09-05 21:59:59", signing.Visitor, false}, // Saturday
		{"2026-09-05 22:00:00", signing.Visitor, true},
		{"2026-09-06 01:59:59", signing.Visitor, true}, // into Sunday
		{"2026-09-06 02:00:00", signing.Visitor, false},
		{"2026-09-06 22:30:00", signing.Visitor, false}, // Sunday itself
		{"2026-10-01 12:00:00", signing.Visitor, false}, // a Thursday, and a holiday
		{"2026-10-03 23:00:00", signing.Visitor, false}, // the Saturday among them
		{"2026-10-08 09:00:00", signing.Visitor, true},
		{"2026-10-08 12:00:00", signing.Visitor, false}, // not as on other Thursdays
		{"2026-10-09 06:30:00", signing.Visitor, true},
	} {
		if got := verdict.OpenAt(library(), tc.kind, local(t, zone, tc.at)); got != tc.open {
			t.Errorf("%s at %s: open %v, want %v", tc.kind, tc.at, got, tc.open)
		}
	}
}

// What began before a holiday goes on into it, and what begins on its last day
// goes on after it.
func TestAnyOpenAt_TheGateIsClosedWhenEveryKindIs(t *testing.T) {
	zone := shanghai(t)
	work := verdict.Hours{Kinds: signing.KindsOf(signing.Work), Week: []verdict.WeekSpan{{Day: 1, Span: verdict.Span{From: 480, Until: 600}}}}
	rest := verdict.Hours{Kinds: signing.GateKinds &^ signing.KindsOf(signing.Work)}
	for _, tc := range []struct {
		hours []verdict.Hours
		at    string
		open  bool
	}{
		{nil, "2026-05-04 03:00:00", true},
		{[]verdict.Hours{work}, "2026-05-04 03:00:00", true}, // residents come at any time
		{[]verdict.Hours{work, rest}, "2026-05-04 03:00:00", false},
		{[]verdict.Hours{work, rest}, "2026-05-04 08:00:00", true},
		{[]verdict.Hours{rest}, "2026-05-04 03:00:00", true},
	} {
		if got := verdict.AnyOpenAt(tc.hours, local(t, zone, tc.at)); got != tc.open {
			t.Errorf("%v at %s: open %v", tc.hours, tc.at, got)
		}
	}
}

func TestOpenAt_AWindowBelongsToTheDayItBeginsOn(t *testing.T) {
	zone := shanghai(t)
	hours := []verdict.Hours{{
		Kinds: signing.KindsOf(signing.Work),
		Week:  []verdict.WeekSpan{{Day: 3, Span: span(22*60, 2*60)}, {Day: 4, Span: span(22*60, 2*60)}},
		Dates: []verdict.DateSpans{{From: "2026-10-01", Until: "2026-10-01"}}, // a Thursday
	}}
	for at, open := range map[string]bool{
		"2026-09-30 22:00:00": true, "2026-10-01 01:00:00": true, "2026-10-01 22:30:00": false, "2026-10-02 01:00:00": false,
	} {
		if got := verdict.OpenAt(hours, signing.Work, local(t, zone, at)); got != open {
			t.Errorf("%s: open %v", at, got)
		}
	}
}

// The reference walks every window a minute at a time and notes the readings of
// the wall clock, as a person with a calendar would.
func TestOpenAt_AgreesWithACalendarMinuteByMinute(t *testing.T) {
	zones := []string{"Asia/Shanghai", "UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		minute := func(name string, top int) int { return rapid.IntRange(0, top).Draw(t, name) }
		draw := func(name string) verdict.Span {
			s := span(minute(name+" from", 1439), minute(name+" until", 1440))
			if s.From == s.Until {
				s.Until++
			}
			return s
		}
		h := verdict.Hours{Kinds: signing.KindsOf(signing.Work)}
		for range rapid.IntRange(0, 4).Draw(t, "windows") {
			h.Week = append(h.Week, verdict.WeekSpan{Day: rapid.IntRange(1, 7).Draw(t, "day"), Span: draw("week")})
		}
		// 2026-10-25 and 2026-11-01 put clocks back, 2026-03-08 and 2026-10-04 forward.
		from := rapid.SampledFrom([]string{"2026-10-25", "2026-11-01", "2026-03-08", "2026-10-04", "2026-12-31", "2024-02-29"}).Draw(t, "date")
		if rapid.Bool().Draw(t, "exception") {
			d := verdict.DateSpans{From: from, Until: from}
			for range rapid.IntRange(0, 2).Draw(t, "spans") {
				d.Spans = append(d.Spans, draw("date"))
			}
			h.Dates = append(h.Dates, d)
		}
		hours := []verdict.Hours{h}
		if err := verdict.CheckHours(hours); err != nil {
			t.Fatal(err)
		}
		readings := calendar(t, &h, from)
		noon, err := time.ParseInLocation(time.DateOnly, from, zone)
		if err != nil {
			t.Fatal(err)
		}
		at := noon.Add(time.Duration(rapid.IntRange(-36*3600, 60*3600).Draw(t, "second")) * time.Second)
		want := readings[at.Format("2006-01-02 15:04")]
		if got := verdict.OpenAt(hours, signing.Work, at); got != want {
			t.Fatalf("%s: open %v, the calendar says %v", at, got, want)
		}
	})
}

// calendar notes the minutes that are open in the days around a date.
func calendar(t *rapid.T, h *verdict.Hours, around string) map[string]bool {
	center, err := time.Parse(time.DateOnly, around)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	walk := func(day time.Time, s verdict.Span) {
		minutes := s.Until - s.From
		if minutes <= 0 {
			minutes += 1440
		}
		for m := range minutes {
			open[day.Add(time.Duration(s.From+m)*time.Minute).Format("2006-01-02 15:04")] = true
		}
	}
	names := []string{"", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	for offset := -4; offset <= 4; offset++ {
		day := center.AddDate(0, 0, offset)
		excepted := false
		for _, d := range h.Dates {
			if day.Format(time.DateOnly) == d.From {
				excepted = true
				for _, s := range d.Spans {
					walk(day, s)
				}
			}
		}
		for _, s := range h.Week {
			if !excepted && names[s.Day] == day.Weekday().String() {
				walk(day, s.Span)
			}
		}
	}
	return open
}

func TestCheckHours_RefusesWhatSaysTwoThings(t *testing.T) {
	work := signing.KindsOf(signing.Work)
	week := func(day, from, until int) []verdict.Hours {
		return []verdict.Hours{{Kinds: work, Week: []verdict.WeekSpan{{Day: day, Span: span(from, until)}}}}
	}
	dates := func(list ...verdict.DateSpans) []verdict.Hours { return []verdict.Hours{{Kinds: work, Dates: list}} }
	for want, hours := range map[string][]verdict.Hours{
		"no kinds":       {{}},
		"opens no gate":  {{Kinds: signing.PayKinds}},
		"has hours":      {{Kinds: work}, {Kinds: work}},
		"day 0":          week(0, 0, 1),
		"day 8":          week(8, 0, 1),
		"from 60":        week(1, 60, 60),
		"from 1440":      week(1, 1440, 10),
		"from -1":        week(1, -1, 10),
		"until 1441":     week(1, 0, 1441),
		"year-month-day": dates(verdict.DateSpans{From: "2026-2-3", Until: "2026-02-03"}),
		"in order":       dates(verdict.DateSpans{From: "2026-02-04", Until: "2026-02-03"}),
		"there twice":    dates(verdict.DateSpans{From: "2026-02-03", Until: "2026-02-09"}, verdict.DateSpans{From: "2026-02-09", Until: "2026-02-10"}),
		"2026-02-03: fr": dates(verdict.DateSpans{From: "2026-02-03", Until: "2026-02-03", Spans: []verdict.Span{{From: 5, Until: 5}}}),
	} {
		if err := verdict.CheckHours(hours); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestArea_SinceIsTheLaterOfTheTwo(t *testing.T) {
	zone := shanghai(t)
	four := 4 * 60
	at := local(t, zone, "2026-09-01 03:59:59")
	for name, tc := range map[string]struct {
		area verdict.Area
		want string
	}{
		"never":             {verdict.Area{}, ""},
		"hours":             {verdict.Area{ForgetHours: 2}, "2026-09-01 01:59:59"},
		"the day before":    {verdict.Area{DayEnd: &four}, "2026-08-31 04:00:00"},
		"hours, being less": {verdict.Area{ForgetHours: 23, DayEnd: &four}, "2026-08-31 04:59:59"},
		"the day, being":    {verdict.Area{ForgetHours: 30, DayEnd: &four}, "2026-08-31 04:00:00"},
	} {
		want := int64(0)
		if tc.want != "" {
			want = local(t, zone, tc.want).UnixMilli()
		}
		if got := tc.area.Since(at); got != want {
			t.Errorf("%s: since %s", name, time.UnixMilli(got).In(zone))
		}
	}
	if got := (&verdict.Area{DayEnd: &four}).Since(at.Add(time.Second)); got != at.Add(time.Second).UnixMilli() {
		t.Errorf("at the day's end itself: %s", time.UnixMilli(got).In(zone))
	}
}

func TestArea_CheckRefuses(t *testing.T) {
	late := 1440
	for want, a := range map[string]verdict.Area{
		"passback": {Passback: "maybe"}, "forget_hours": {ForgetHours: -1}, "day_end": {DayEnd: &late}, "limit": {Limit: 1_000_001},
	} {
		if err := a.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestJudge_WhatThePolicySays(t *testing.T) {
	since := &verdict.Use{At: now - 3_600_000, Gate: 8}
	for name, tc := range map[string]struct {
		change func(*verdict.Case)
		want   verdict.Verdict
		opens  bool
	}{
		"inside already, and enforced": {
			func(c *verdict.Case) { c.Policy.Passback, c.Policy.Inside = true, since },
			verdict.Verdict{Reason: verdict.Antipassback, First: since},
			false,
		},
		"inside already, and a person should look": {
			func(c *verdict.Case) { c.Policy.Alert, c.Policy.Inside = true, since },
			verdict.Verdict{Reason: verdict.Attention, Mark: verdict.MarkPassback, First: since},
			true,
		},
		"the decider is asked first": {
			func(c *verdict.Case) { c.Policy.Alert, c.Code.Owner = true, 8 },
			verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedClaim, Owner: 8},
			false,
		},
		"inside already, nobody minds": {
			func(c *verdict.Case) { c.Policy.Inside = since }, verdict.Verdict{Reason: verdict.Granted}, true,
		},
		"lockdown": {func(c *verdict.Case) { c.Policy.Lockdown = true }, verdict.Verdict{Reason: verdict.Lockdown}, false},
		"leaving in a lockdown": {
			func(c *verdict.Case) { c.Policy.Lockdown, c.Lane.Direction = true, verdict.Exit },
			verdict.Verdict{Reason: verdict.Attention, Mark: verdict.MarkLockdown},
			true,
		},
		"leaving when full, inside and closed": {
			func(c *verdict.Case) {
				c.Lane.Direction = verdict.Exit
				c.Policy.Full, c.Policy.Passback, c.Policy.OutsideHours = true, true, true
			},
			verdict.Verdict{Reason: verdict.Granted},
			true,
		},
		"an emergency, and everything else is wrong": {
			func(c *verdict.Case) {
				c.Policy.Emergency, c.Policy.Full, c.Record.Revoked, c.Document.Required = true, true, true, true
			},
			verdict.Verdict{Reason: verdict.Attention, Mark: verdict.MarkEmergency},
			true,
		},
		"an emergency, and a code of a stolen key": {
			func(c *verdict.Case) { c.Policy.Emergency, c.Code.Compromised = true, true }, verdict.Verdict{Reason: verdict.Revoked}, false,
		},
		"an emergency, and no code": {
			func(c *verdict.Case) { c.Policy.Emergency, c.Read = true, verdict.Malformed }, verdict.Verdict{Reason: verdict.Malformed}, false,
		},
		"a lane for vehicles": {
			func(c *verdict.Case) { c.Lane.Kinds = signing.KindsOf(signing.Vehicle) },
			verdict.Verdict{Reason: verdict.WrongKind, Mark: verdict.MarkLane},
			false,
		},
		"a till": {
			func(c *verdict.Case) { c.Lane.Kinds = signing.PayKinds }, verdict.Verdict{Reason: verdict.WrongKind}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := gateCase()
			tc.change(c)
			got := verdict.Judge(c)
			if got != tc.want || got.Opens() != tc.opens {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
		})
	}
}

// What an emergency lets through uses nothing up, and an admission that a person
// should look at does.
func TestVerdict_Admits(t *testing.T) {
	for _, tc := range []struct {
		v    verdict.Verdict
		d    verdict.Direction
		want bool
	}{
		{verdict.Verdict{Reason: verdict.Granted}, verdict.Entry, true},
		{verdict.Verdict{Reason: verdict.Attention, Mark: verdict.MarkPassback}, verdict.Entry, true},
		{verdict.Verdict{Reason: verdict.Attention, Mark: verdict.MarkEmergency}, verdict.Entry, false},
		{verdict.Verdict{Reason: verdict.Granted}, verdict.Exit, false},
		{verdict.Verdict{Reason: verdict.Granted, Repeat: true}, verdict.Entry, false},
		{verdict.Verdict{Reason: verdict.Lockdown}, verdict.Entry, false},
	} {
		if got := tc.v.Admits(tc.d); got != tc.want {
			t.Errorf("%+v %s: %v", tc.v, tc.d, got)
		}
	}
}
