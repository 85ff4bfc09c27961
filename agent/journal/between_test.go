package journal_test

import (
	"testing"
	"time"

	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/signing/wire"
)

func TestBetween_CountsByTimeAlsoWhenEarlierEventsAreForgotten(t *testing.T) {
	_, j := enrolled(t)
	if n, err := j.Between(0, 1<<50); err != nil || n != 0 {
		t.Fatalf("%d in an empty journal, %v", n, err)
	}
	const day = int64(24 * time.Hour / time.Millisecond)
	for i := range int64(300) {
		check(t, j.Update(func(book lane.Book) error {
			return book.Append(&wire.Event{Type: wire.EventScan, At: (100 + i) * day})
		}))
	}
	counts := func(want map[[2]int64]uint64) {
		t.Helper()
		for of, n := range want {
			if got, err := j.Between(of[0]*day, of[1]*day); err != nil || got != n {
				t.Errorf("%v: %d, want %d, %v", of, got, n, err)
			}
		}
	}
	counts(map[[2]int64]uint64{{0, 1000}: 300, {100, 101}: 1, {99, 100}: 0, {150, 250}: 100, {399, 400}: 1, {400, 500}: 0, {250, 150}: 0})
	check(t, j.Ack(300))
	synced(t, j, 400*day)
	if n, err := j.Prune(time.UnixMilli(400*day), journal.Keep{}); err != nil || n == 0 {
		t.Fatalf("%d forgotten, %v", n, err)
	}
	counts(map[[2]int64]uint64{{100, 101}: 0, {390, 400}: 10, {399, 400}: 1, {400, 500}: 0})
}
