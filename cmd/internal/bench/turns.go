package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// sample is how long each run of something took, in seconds, ascending.
type sample []float64

// minTurns is the least number of turns behind a median.
const minTurns = 7

// effort bounds a measurement: at most so many turns, and no more than
// minTurns once the time is up. A busy machine gives fewer turns, not a longer
// run.
type effort struct {
	turns int
	time  time.Duration
}

// turns runs peer and ours by turns, in pairs whose order alternates, after one
// pair that is not counted.
func turns(ctx context.Context, e effort, peer, ours func() error) (p, o sample, err error) {
	start := time.Now()
	for i := -1; i < e.turns; i++ {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if i >= minTurns && time.Since(start) > e.time {
			break
		}
		var a, b float64
		if i%2 == 0 {
			a, err = timed(peer)
			if err == nil {
				b, err = timed(ours)
			}
		} else {
			b, err = timed(ours)
			if err == nil {
				a, err = timed(peer)
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("turn %d: %w", i+1, err)
		}
		if i >= 0 {
			p, o = append(p, a), append(o, b)
		}
	}
	slices.Sort(p)
	slices.Sort(o)
	return p, o, nil
}

func timed(f func() error) (float64, error) {
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}

// at gives the value that a share q of the sample does not exceed.
func (s sample) at(q float64) float64 { return s[int(q*float64(len(s)-1)+0.5)] }

func (s sample) median() float64 { return s.at(0.5) }

// Units, as factors of seconds.
const (
	micro = 1e6
	milli = 1e3
)
