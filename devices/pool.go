package devices

import (
	"io"
	"sync"
)

// Pool shares what a computer lets one user open at a time, such as a serial
// port: all who name the same thing have the one that is open. What is plugged in
// is there once, so a driver's pool is a variable of its package. The zero value
// is ready to use. Safe for concurrent use.
type Pool[T io.Closer] struct {
	mu   sync.Mutex
	open map[string]*pooled[T]
}

// pooled is an open thing and its users.
type pooled[T io.Closer] struct {
	opening sync.Once
	thing   T
	err     error // of opening it
	users   int   // under Pool.mu
}

// Share is one user's part in an open thing.
type Share[T io.Closer] struct {
	Of   T
	pool *Pool[T]
	name string
	held *pooled[T]
	left sync.Once
}

// Join opens the thing of that name, or joins those who have it open. Those who
// come while it is being opened wait, and get the same error.
func (p *Pool[T]) Join(name string, open func() (T, error)) (*Share[T], error) {
	p.mu.Lock()
	held := p.open[name]
	if held == nil {
		held = new(pooled[T])
		if p.open == nil {
			p.open = map[string]*pooled[T]{}
		}
		p.open[name] = held
	}
	held.users++
	p.mu.Unlock()
	held.opening.Do(func() {
		held.err = Catch(func() (err error) { held.thing, err = open(); return err })
	})
	s := &Share[T]{Of: held.thing, pool: p, name: name, held: held}
	if held.err != nil {
		s.Forget()
		return nil, held.err
	}
	return s, nil
}

// Forget makes the next one who joins open the thing anew: this one failed.
func (s *Share[T]) Forget() {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.forget()
}

// forget is Forget with the pool's mu held.
func (s *Share[T]) forget() {
	if s.pool.open[s.name] == s.held {
		delete(s.pool.open, s.name)
	}
}

// Close leaves the thing, and closes it after the last user. Whoever joins
// meanwhile waits until it is closed. Once more does nothing.
func (s *Share[T]) Close() (err error) {
	s.left.Do(func() {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		if s.held.users--; s.held.users == 0 {
			s.forget()
			err = s.Of.Close()
		}
	})
	return err
}
