package devices

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Interlock keeps barriers from being open at the same time: the two doors of a
// booth, for one. Each of them has a Door.
type Interlock struct {
	name string

	mu    sync.Mutex
	doors []*Door
	queue []*entrant // first come, first served
}

// Door is one barrier's part of an interlock. It is taken as often as somebody
// has a reason to keep it, and counts as closed when all have left. A nil Door
// belongs to no interlock. Safe for concurrent use.
type Door struct {
	lock  *Interlock
	name  string
	taken int
}

type entrant struct {
	door  *Door
	ready chan struct{}
}

// NewInterlock makes an interlock; its name is for messages.
func NewInterlock(name string) *Interlock { return &Interlock{name: name} }

// Door adds a barrier.
func (l *Interlock) Door(name string) *Door {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := &Door{lock: l, name: name}
	l.doors = append(l.doors, d)
	return d
}

// emergency marks a context.
type emergency struct{}

// Emergency gives a context under which no interlock holds a barrier back: when
// everybody has to get out, both doors of a booth open.
func Emergency(ctx context.Context) context.Context {
	return context.WithValue(ctx, emergency{}, true)
}

// Enter takes d as soon as no other door of the interlock is taken. When ctx
// ends first, the error says which one is.
func (d *Door) Enter(ctx context.Context) error {
	if d == nil {
		return nil
	}
	if ctx.Value(emergency{}) != nil {
		d.Stay()
		return nil
	}
	l := d.lock
	e := &entrant{door: d, ready: make(chan struct{})}
	l.mu.Lock()
	l.queue = append(l.queue, e)
	l.admit()
	l.mu.Unlock()
	select {
	case <-e.ready:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-e.ready: // at the last moment
		return nil
	default:
	}
	open := l.others(d)
	l.queue = slices.DeleteFunc(l.queue, func(o *entrant) bool { return o == e })
	l.admit()
	return fmt.Errorf("interlock %s: %s may be open: %w", l.name, strings.Join(open, ", "), ctx.Err())
}

// Stay takes d without waiting: what is open, or may be, is.
func (d *Door) Stay() {
	if d == nil {
		return
	}
	d.lock.mu.Lock()
	defer d.lock.mu.Unlock()
	d.taken++
}

// Leave undoes one Enter or Stay.
func (d *Door) Leave() {
	if d == nil {
		return
	}
	d.lock.mu.Lock()
	defer d.lock.mu.Unlock()
	d.taken--
	d.lock.admit()
}

// admit lets in who waits at the head of the queue. mu is held.
func (l *Interlock) admit() {
	for len(l.queue) > 0 {
		e := l.queue[0]
		if len(l.others(e.door)) > 0 {
			return
		}
		e.door.taken++
		close(e.ready)
		l.queue = l.queue[1:]
	}
}

// others names the doors that are taken beside d.
func (l *Interlock) others(d *Door) (names []string) {
	for _, o := range l.doors {
		if o != d && o.taken > 0 {
			names = append(names, o.name)
		}
	}
	return names
}
