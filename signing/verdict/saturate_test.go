package verdict

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// edges draws numbers of which many are at the ends of the range or near zero.
func edges() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64(), rapid.Int64Range(-2, 2),
		rapid.Int64Range(math.MinInt64, math.MinInt64+2), rapid.Int64Range(math.MaxInt64-2, math.MaxInt64),
		rapid.Int64Range(math.MaxInt64/1000-1, math.MaxInt64/1000+1), rapid.Int64Range(math.MinInt64/1000-1, math.MinInt64/1000+1),
	)
}

// held is the nearest int64.
func held(n *big.Int) int64 {
	switch {
	case n.IsInt64():
		return n.Int64()
	case n.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

func TestMinus_StopsAtTheEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := edges().Draw(t, "a"), edges().Draw(t, "b")
		if got, want := minus(a, b), held(new(big.Int).Sub(big.NewInt(a), big.NewInt(b))); got != want {
			t.Fatalf("%d - %d = %d, want %d", a, b, got, want)
		}
	})
}

func TestMinus_AtTheEnds(t *testing.T) {
	for _, tc := range []struct{ a, b, want int64 }{
		{0, math.MinInt64, math.MaxInt64},
		{-1, math.MinInt64, math.MaxInt64},
		{math.MaxInt64, math.MinInt64, math.MaxInt64},
		{math.MinInt64, math.MaxInt64, math.MinInt64},
		{math.MinInt64, 0, math.MinInt64},
		{-2, math.MaxInt64, math.MinInt64},
		{-1, math.MaxInt64, math.MinInt64},
	} {
		if got := minus(tc.a, tc.b); got != tc.want {
			t.Errorf("%d - %d = %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestMillis_StopsAtTheEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := edges().Draw(t, "seconds")
		if got, want := millis(s), held(new(big.Int).Mul(big.NewInt(s), big.NewInt(1000))); got != want {
			t.Fatalf("%d s = %d ms, want %d", s, got, want)
		}
	})
}
