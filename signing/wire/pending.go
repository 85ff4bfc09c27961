package wire

import "sync"

// Pending matches answers to the questions that wait for them on one connection.
// The zero value is ready; all methods may be called at once.
type Pending[A any] struct {
	mu      sync.Mutex
	waiting map[string][]chan A
	count   int
}

// Wait registers for the answer to an id; several may wait for the same.
// The channel receives at most once. Forget must be called in the end. With
// AskWindow waiting already, ok is false.
func (p *Pending[A]) Wait(id string) (answer <-chan A, forget func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count >= AskWindow {
		return nil, nil, false
	}
	if p.waiting == nil {
		p.waiting = make(map[string][]chan A)
	}
	ch := make(chan A, 1)
	p.waiting[id] = append(p.waiting[id], ch)
	p.count++
	return ch, func() { p.forget(id, ch) }, true
}

func (p *Pending[A]) forget(id string, ch chan A) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.waiting[id] {
		if other != ch {
			continue
		}
		p.waiting[id] = append(p.waiting[id][:i], p.waiting[id][i+1:]...)
		p.count--
		break
	}
	if len(p.waiting[id]) == 0 {
		delete(p.waiting, id)
	}
}

// Settle hands the answer to an id to all who wait for it. An answer for which nobody
// waits, or waits any more, is dropped.
func (p *Pending[A]) Settle(id string, a A) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ch := range p.waiting[id] {
		select {
		case ch <- a:
		default: // settled before
		}
	}
}
