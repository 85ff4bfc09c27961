package snapshot_test

import (
	"slices"
	"testing"
	"time"

	"campusgate/agent/lane"
	"campusgate/signing/wire"
)

// pauses writes events like lanes do, until stop is closed, and gives how long
// each transaction took.
func pauses(b *testing.B, s *store, stop <-chan struct{}) (list []time.Duration) {
	for {
		select {
		case <-stop:
			slices.Sort(list)
			return list
		case <-time.After(2 * time.Millisecond):
		}
		begin := time.Now()
		err := s.j.Update(func(book lane.Book) error { return book.Append(&wire.Event{Type: wire.EventScan}) })
		if err != nil {
			b.Error(err)
			return list
		}
		list = append(list, time.Since(begin))
	}
}

// BenchmarkApply replaces a snapshot by another, 100,000 revocations and 100,000
// uses in all, while a lane keeps writing: how long its transactions took
// meanwhile, and without an Apply for as long a time just after.
func BenchmarkApply(b *testing.B) {
	s := newStore(b)
	var items []wire.Item
	for n := range uint64(100_000) {
		items = append(items, revoked(b, n*7919), used(b, n*104_729, 1))
	}
	check(b, s.Apply(group(true, 1, items...)))
	var took time.Duration
	var busy, idle []time.Duration
	for i := 0; b.Loop(); i++ {
		stop := make(chan struct{})
		done := make(chan []time.Duration, 1)
		go func() { done <- pauses(b, s, stop) }()
		begin := time.Now()
		check(b, s.Apply(group(true, uint64(i)+2, items...)))
		spent := time.Since(begin)
		took += spent
		close(stop)
		busy = append(busy, <-done...)
		stop = make(chan struct{})
		time.AfterFunc(spent, func() { close(stop) })
		idle = append(idle, pauses(b, s, stop)...)
	}
	report := func(name string, list []time.Duration) {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)-1].Microseconds())/1000, name+"-worst-ms")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, name+"-p99-ms")
		b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, name+"-p50-ms")
	}
	report("applying", busy)
	report("idle", idle)
	b.ReportMetric(took.Seconds()/float64(b.N), "apply-s")
}
