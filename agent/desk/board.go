package desk

import "sync"

const (
	boardLength      = 50 // attempts that are remembered with their names
	subscriberLength = 64 // results that a subscriber may be behind
)

// board is the latest attempts and who wants to hear of new ones.
type board struct {
	mu     sync.Mutex
	list   []Result // oldest first
	next   int
	heard  map[int]chan Result
	closed bool
}

// load shows attempts of before the start; past is newest first.
func (b *board) load(past []Result) {
	for i := len(past) - 1; i >= 0; i-- {
		b.put(past[i])
	}
}

// publish remembers a result and hands it on. What the same attempt was shown
// with before is kept where r does not know it: an annulled admission comes out
// of the journal, without a name.
func (b *board) publish(r Result) Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	r = b.put(r)
	b.tell(r)
	return r
}

// tell hands a result to whoever listens. mu is held.
func (b *board) tell(r Result) {
	for id, c := range b.heard {
		select {
		case c <- r:
		default:
			close(c)
			delete(b.heard, id)
		}
	}
}

func (b *board) put(r Result) Result {
	for i := range b.list {
		if old := &b.list[i]; old.ID == r.ID {
			if r.Name == "" && r.Doc4 == "" {
				r.Name, r.Doc4 = old.Name, old.Doc4
			}
			if r.Passage == "" {
				r.Passage = old.Passage
			}
			*old = r
			return r
		}
	}
	if b.list = append(b.list, r); len(b.list) > boardLength {
		b.list = append(b.list[:0], b.list[1:]...)
	}
	return r
}

// passed hands an attempt on again with what a sensor saw of it.
func (b *board) passed(id string, passage Passage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.list {
		if r := &b.list[i]; r.ID == id {
			r.Passage = passage
			b.tell(*r)
		}
	}
}

func (b *board) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.list {
		if b.list[i].ID == id {
			return true
		}
	}
	return false
}

func (b *board) recent() []Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Result, 0, len(b.list))
	for i := len(b.list) - 1; i >= 0; i-- {
		list = append(list, b.list[i])
	}
	return list
}

func (b *board) subscribe() (<-chan Result, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := make(chan Result, subscriberLength)
	if b.closed {
		close(c)
		return c, func() {}
	}
	if b.heard == nil {
		b.heard = map[int]chan Result{}
	}
	id := b.next
	b.next++
	b.heard[id] = c
	return c, func() { b.drop(id) }
}

func (b *board) drop(id int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.heard[id]; c != nil {
		close(c)
		delete(b.heard, id)
	}
}

func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, c := range b.heard {
		close(c)
		delete(b.heard, id)
	}
	b.closed = true
}
