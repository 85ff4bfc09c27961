package scanframe_test

import (
	"testing"
	"time"

	"campusgate/devices/scanframe"
)

func TestSilence_IsBelievedAtTheSecondLook(t *testing.T) {
	s := scanframe.NewSilence(50 * time.Millisecond)
	long, short := 50*time.Millisecond, 10*time.Millisecond
	for i, step := range []struct {
		wait  time.Duration
		heard bool
		over  bool
	}{
		{wait: long},
		{wait: short, over: true}, // quiet
		{wait: long},
		{wait: short, heard: true}, // the rest came at the second look
		{wait: long, heard: true},
		{wait: long},
		{wait: short, over: true},
		{wait: long},
	} {
		if got := s.Wait(); got != step.wait {
			t.Errorf("step %d waits %v, want %v", i, got, step.wait)
		}
		if step.heard {
			s.Heard()
		} else if got := s.Over(); got != step.over {
			t.Errorf("step %d: over %v, want %v", i, got, step.over)
		}
	}
}
