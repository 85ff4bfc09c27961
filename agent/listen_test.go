package agent

import (
	"strings"
	"testing"
	"time"

	"campusgate/devices"
)

var shanghai = time.FixedZone("CST", 8*3600)

func clockAt(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, shanghai)
}

func hours(t *testing.T, s string) opening {
	t.Helper()
	o, err := parseOpening(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestListening_AScannerThatScannedAndSaysNothingIsSilent(t *testing.T) {
	l := listening{silentAfter: 2 * time.Hour, zone: shanghai}
	state := func(at time.Time) string { return l.health(at.UTC()).State }
	if got := state(clockAt(21, 12, 0)); got != "" {
		t.Errorf("one that never scanned is %s", got)
	}
	l.heard("CP1:A", clockAt(21, 12, 0))
	if got := state(clockAt(21, 13, 59)); got != "" {
		t.Errorf("within two hours: %s", got)
	}
	if h := l.health(clockAt(21, 14, 0)); h.State != devices.Silent || !h.Since.Equal(clockAt(21, 12, 0)) || !strings.Contains(h.Detail, "2h") {
		t.Errorf("after two hours: %+v", h)
	}
	l.heard("CP1:B", clockAt(21, 15, 0))
	if got := state(clockAt(21, 15, 1)); got != "" {
		t.Errorf("after a scan: %s", got)
	}
	if off := (&listening{last: clockAt(1, 0, 0), zone: shanghai}); off.health(clockAt(21, 0, 0)).State != "" {
		t.Error("an alarm that nobody asked for")
	}
}

func TestListening_OnlySilenceWithinOpeningCounts(t *testing.T) {
	for name, c := range map[string]struct {
		opening string
		last    time.Time
		silent  map[string]bool // "day hour:minute" → alarm
	}{
		"day": {"06:30-22:00", clockAt(20, 21, 50), map[string]bool{
			"20 21:59": false, "20 23:59": false, "21 06:29": false, "21 06:31": false, "21 08:29": false, "21 08:30": true, "21 21:59": true, "21 22:00": false,
		}},
		"past midnight": {"20:00-04:00", clockAt(20, 12, 0), map[string]bool{
			"20 19:59": false, "20 21:59": false, "20 22:00": true, "21 03:59": true, "21 04:00": false, "21 20:01": false, "21 22:00": true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := listening{silentAfter: 2 * time.Hour, opening: hours(t, c.opening), zone: shanghai}
			l.heard("CP1:A", c.last)
			for at, want := range c.silent {
				when, err := time.ParseInLocation("2006-01-2 15:04", "2026-11-"+at, shanghai)
				if err != nil {
					t.Fatal(err)
				}
				if got := l.health(when.UTC()).State == devices.Silent; got != want {
					t.Errorf("at %s silent is %v", at, got)
				}
			}
		})
	}
}

func TestListening_TenReadsThatAreNoCodeAreGarbage(t *testing.T) {
	l := listening{zone: shanghai}
	at := clockAt(21, 12, 0)
	for i := range garbledAfter {
		if h := l.health(at); h.State != "" {
			t.Fatalf("after %d: %s", i, h.State)
		}
		text := "\uFFFD\uFFFD\x1c\uFFFD"
		if i%2 == 1 {
			text = "WXP://F2F0ABC"
		}
		l.heard(text, at.Add(time.Duration(i)*time.Second))
	}
	if h := l.health(at.Add(time.Minute)); h.State != devices.Garbled || !h.Since.Equal(at) {
		t.Errorf("after all: %+v", h)
	}
	for _, good := range []string{"https://gate.example.edu/v/ABC", "CP1:X"} {
		l.foreign = garbledAfter
		if l.heard(good, at); l.health(at).State != "" {
			t.Errorf("after %s: %s", good, l.health(at).State)
		}
	}
	l.foreign = garbledAfter
	if l.heard("CP1:X\uFFFD", at); l.health(at).State != devices.Garbled {
		t.Error("a damaged code counts as one")
	}
}

func TestOpening_WhatIsNoneIsRefused(t *testing.T) {
	for _, s := range []string{"06:30", "06:30-", "6-22", "06:30-25:00", "08:00-08:00", "-"} {
		if o, err := parseOpening(s); err == nil || !strings.Contains(err.Error(), "06:30-22:00") {
			t.Errorf("%q: %v, %v", s, o, err)
		}
	}
}
