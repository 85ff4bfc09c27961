package main

import (
	"errors"
	"flag"
	"fmt"
	"time"
)

// campusZone is where dates without a time begin and end, unless -tz says
// otherwise.
const campusZone = "Asia/Shanghai"

// moment is a time given on the command line: RFC 3339, or a date, which means
// the campus midnight it begins with.
type moment struct {
	text string
	time time.Time
	date bool
}

// momentFlag adds a flag for a moment. It is only checked when resolve is
// called, since -tz may come after it.
func momentFlag(o *options, name, usage string) *moment {
	m := new(moment)
	o.StringVar(&m.text, name, "", usage)
	return m
}

// zoneFlag adds -tz.
func zoneFlag(o *options) *zone {
	z := &zone{time.UTC}
	if err := z.Set(campusZone); err != nil {
		// The time zone files are linked in.
		panic(err)
	}
	o.Var(z, "tz", "`ZONE` 园区时区 / campus time zone (default: "+campusZone+")")
	return z
}

// zone is a flag that holds a time zone.
type zone struct{ *time.Location }

var _ flag.Value = (*zone)(nil)

func (z *zone) String() string {
	if z.Location == nil {
		return ""
	}
	return z.Location.String()
}

func (z *zone) Set(name string) error {
	if name == "" || name == "Local" {
		return errors.New("want a name such as " + campusZone)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return err
	}
	z.Location = loc
	return nil
}

// resolve reads the text; absent stands for an empty one.
func (m *moment) resolve(z *zone, absent time.Time) error {
	if m.text == "" {
		m.time = absent
		return nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, m.text, z.Location); err == nil {
		m.time, m.date = t, true
		return nil
	}
	t, err := time.Parse(time.RFC3339, m.text)
	if err != nil {
		return fmt.Errorf("%q: want a date (2026-03-01) or RFC 3339 (2026-03-01T08:00:00+08:00)", m.text)
	}
	m.time = t
	return nil
}

// end is the first moment that is no longer included: of a date, the midnight
// after that day.
func (m *moment) end() time.Time {
	if m.date {
		return m.time.AddDate(0, 0, 1)
	}
	return m.time
}
