package agent_test

import (
	"errors"
	"testing"
	"time"

	"campusgate/agent"
)

func TestRush_IsKnownByTheSameTimeOfTheDaysBefore(t *testing.T) {
	now := time.Date(2026, 11, 23, 6, 50, 0, 0, time.UTC)
	// at has so many events pass at a time of a day, one each second.
	type at struct {
		days    int // before
		clock   time.Duration
		persons int
	}
	for name, c := range map[string]struct {
		past []at
		want bool
	}{
		"a new gate":                         {nil, false},
		"the morning of a week ago":          {[]at{{7, 15 * time.Minute, 11}}, true},
		"yesterday, later in the day":        {[]at{{1, 31 * time.Minute, 500}}, false},
		"yesterday, before":                  {[]at{{1, -time.Hour, 500}}, false},
		"a few, each day":                    {[]at{{1, 0, 10}, {2, 0, 10}, {3, 0, 10}}, false},
		"eight days ago":                     {[]at{{8, 0, 500}}, false},
		"a rush that begins in half an hour": {[]at{{2, 29 * time.Minute, 100}}, true},
	} {
		between := func(from, until int64) (n uint64, err error) {
			for _, p := range c.past {
				for i := range p.persons {
					then := now.AddDate(0, 0, -p.days).Add(p.clock + time.Duration(i)*time.Second).UnixMilli()
					if then >= from && then < until {
						n++
					}
				}
			}
			return n, nil
		}
		if got := agent.Rush(now.UnixMilli(), between); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !agent.Rush(now.UnixMilli(), func(int64, int64) (uint64, error) { return 0, errors.New("disk") }) {
		t.Error("a journal that cannot be read is taken for a quiet one")
	}
}
