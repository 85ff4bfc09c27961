package store_test

import (
	"fmt"
	"sync"
	"testing"

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
