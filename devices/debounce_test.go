package devices_test

import (
	"fmt"
	"testing"
	"time"

	"campusgate/devices"
)

var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

func TestACodeHeldInViewIsOneScan(t *testing.T) {
	d := devices.NewDebounce(0)
	passed := 0
	for i := range 300 { // a minute at one read every 200 ms
		if !d.Repeat("CP1:A", noon.Add(time.Duration(i)*200*time.Millisecond)) {
			passed++
		}
	}
	if passed != 1 || d.Suppressed() != 299 {
		t.Fatalf("passed %d, suppressed %d; want 1 and 299", passed, d.Suppressed())
	}
}

func TestACodeShownAgainAfterTheWindowIsANewScan(t *testing.T) {
	d := devices.NewDebounce(0)
	for i, step := range []struct {
		after  time.Duration
		text   string
		repeat bool
	}{
		{0, "A", false},
		{999 * time.Millisecond, "A", true},
		{1998 * time.Millisecond, "A", true}, // refreshed by the sighting before
		{2998 * time.Millisecond, "A", false},
		{3000 * time.Millisecond, "B", false}, // another code never waits
		{3100 * time.Millisecond, "A", true},  // nor makes the first one new
		{2000 * time.Millisecond, "A", false}, // the clock was set back
	} {
		if got := d.Repeat(step.text, noon.Add(step.after)); got != step.repeat {
			t.Errorf("step %d, %s at %v: repeat %v, want %v", i, step.text, step.after, got, step.repeat)
		}
	}
}

func TestANegativeWindowSuppressesNothing(t *testing.T) {
	d := devices.NewDebounce(-1)
	for range 3 {
		if d.Repeat("A", noon) {
			t.Fatal("suppressed")
		}
	}
}

func TestAFloodOfCodesForgetsTheOldestOnly(t *testing.T) {
	d := devices.NewDebounce(time.Hour)
	for i := range 1000 {
		d.Repeat(fmt.Sprint(i), noon.Add(time.Duration(i)*time.Millisecond))
	}
	at := noon.Add(time.Second)
	if !d.Repeat("999", at) {
		t.Error("the newest code was forgotten")
	}
	if d.Repeat("0", at) {
		t.Error("the oldest of 1000 codes is still held")
	}
}
