package store_test

import (
	"fmt"
	"sync"
	"testing"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// BenchmarkDecide answers claims of many gates at once: group commit shares
// the fsync.
func BenchmarkDecide(b *testing.B) {
	for _, askers := range []int{1, 64} {
		b.Run(fmt.Sprintf("askers=%d", askers), func(b *testing.B) {
			s, c := newStore(b)
			var wg sync.WaitGroup
			b.ResetTimer()
			for a := range askers {
				wg.Go(func() {
					for i := a; i < b.N; i += askers {
						claim := wire.Claim{
							ID: fmt.Sprintf("%d-1-%d", a+1, i), Pass: signing.PassID{byte(a), 1, byte(i >> 16), byte(i >> 8), byte(i)},
							Gate: 1, Uses: 1, Expires: c.seconds() + 3600, At: c.at(),
						}
						if _, err := s.Decide(b.Context(), claim); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
		})
	}
}

// BenchmarkFeed reads what an agent is told after one change, as each does after
// every one.
func BenchmarkFeed(b *testing.B) {
	s, _ := newStore(b)
	for range 100 {
		if err := s.Change(b.Context(), func(t *store.Tx) error { return t.PutTill(1, wire.Till{}) }); err != nil {
			b.Fatal(err)
		}
	}
	first, err := s.Feed(b.Context(), wire.Cursor{}, 1000)
	if err != nil {
		b.Fatal(err)
	}
	before := first.Cursor
	before.Revision--
	for b.Loop() {
		d, err := s.Feed(b.Context(), before, 100)
		if err != nil || len(d.Items) != 1 {
			b.Fatal(d, err)
		}
	}
}
