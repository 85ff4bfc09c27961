package store

import (
	"sync/atomic"

	"campusgate/signing/verdict"
)

// stats count since the start of the process, for metrics.
type stats struct {
	events  [statsMask + 1]atomic.Uint64 // taken in, by reason
	alarms  atomic.Uint64
	granted atomic.Uint64
	used    atomic.Uint64
	silent  atomic.Uint64
}

// More than any reason; a power of two less one.
const statsMask = 255

// Stats is what happened since the start of the process.
type Stats struct {
	Events  map[verdict.Reason]uint64 // taken in
	Alarms  uint64                    // records that did not fit: see Ingest
	Granted uint64                    // claims decided here
	Used    uint64
	Silent  uint64
}

// Stats reads the counters.
func (s *Store) Stats() Stats {
	out := Stats{
		Events: map[verdict.Reason]uint64{}, Alarms: s.stats.alarms.Load(),
		Granted: s.stats.granted.Load(), Used: s.stats.used.Load(), Silent: s.stats.silent.Load(),
	}
	for _, r := range verdict.Reasons() {
		out.Events[r] = s.stats.events[r&statsMask].Load()
	}
	return out
}
