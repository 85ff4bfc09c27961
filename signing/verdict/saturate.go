package verdict

import "math"

// Facts come from codes, clocks and stores that may hold any number. Arithmetic
// on them stops at the ends of the range instead of wrapping round, because a
// difference that wraps would turn long expired into fresh.

// minus is a-b, held inside int64.
func minus(a, b int64) int64 {
	d := a - b
	if (a < 0) == (b < 0) || (d < 0) == (a < 0) {
		return d
	}
	if a < 0 {
		return math.MinInt64
	}
	return math.MaxInt64
}

// millis turns unix seconds into unix milliseconds, held inside int64.
func millis(seconds int64) int64 {
	switch {
	case seconds > math.MaxInt64/1000:
		return math.MaxInt64
	case seconds < math.MinInt64/1000:
		return math.MinInt64
	}
	return seconds * 1000
}
