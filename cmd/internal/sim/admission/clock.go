package admission

import "time"

// clock is that of a gate's PC.
type clock struct {
	skew    int64   // ms ahead of the true time
	rate    float64 // of it, 1 = right
	origin  int64   // when skew and rate began to hold
	started int64   // when the PC was, for the monotonic clock
}

// maxDrift is how much a clock runs too fast or too slow at most.
const maxDrift = 0.05

func newClock(w *world) clock {
	c := clock{origin: w.now, started: w.now, rate: 1}
	if !w.cfg.Calm {
		c.skew = w.between(-300_000, 300_000)
	}
	if w.weather.drift {
		c.rate += (w.rng.Float64()*2 - 1) * maxDrift * 0.99
	}
	return c
}

func (c *clock) wall(now int64) int64 {
	return c.origin + c.skew + int64(float64(now-c.origin)*c.rate)
}

func (c *clock) time(now int64) time.Time { return time.UnixMilli(c.wall(now)) }

func (c *clock) mono(now int64) int64 { return int64(float64(now-c.started) * c.rate) }

// setClock has somebody set a gate's clock wrong, forward or back, by seconds to a
// day.
func (g *gate) setClock() error {
	if !g.w.faults {
		return nil
	}
	by := []int64{4_000, 30_000, 600_000, 3_600_000, 86_400_000}[g.w.rng.IntN(5)]
	if g.w.chance(0.5) {
		by = -by
	}
	g.clock.skew += by
	g.w.result.ClockSteps++
	return nil
}
