package wire

import "time"

// Backoff gives how long to wait after the nth failure in a row: base doubled
// each time and at most limit, and of that between a half and all, by jitter,
// so that agents cut off together do not come back together.
func Backoff(n int, base, limit time.Duration, jitter uint32) time.Duration {
	d := base
	for ; n > 1 && d < limit; n-- {
		d *= 2
	}
	d = min(d, limit)
	return d/2 + time.Duration(float64(d/2)*(float64(jitter)/(1<<32-1)))
}
