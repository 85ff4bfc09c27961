package hub

import (
	"container/list"
	"sync"
)

// door bounds the handshakes that are under way. To somebody new it opens all
// the same, and shows out whoever has been there longest: an agent proves who it
// is in no time, and those who say nothing must not keep it out.
type door struct {
	mu      sync.Mutex
	waiting list.List // of func(), which end a handshake; the longest wait is first
}

// enter lets somebody in whose handshake cut ends; leave is called when it is
// over, and may be called again.
func (d *door) enter(cut func()) (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting.Len() >= maxHandshakes {
		d.waiting.Remove(d.waiting.Front()).(func())()
	}
	place := d.waiting.PushBack(cut)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.waiting.Remove(place) // nothing, when it was shown out
	}
}
