package admission

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"campusgate/signing/verdict"
)

// world is one run: what happens, in order of time.
type world struct {
	cfg     Run
	dir     string
	zone    *time.Location
	rng     *rand.Rand
	now     int64 // unix ms
	order   uint64
	queue   agenda
	faults  bool // things fail at present
	weather weather
	pace    pace

	net     *network
	server  *server
	gates   []*gate // by number, from 1
	holders []*holder
	witness *witness
	result  *Result
}

// weather is how badly this seed does.
type weather struct {
	oneWay    bool    // links fail in one direction
	drift     bool    // clocks run too fast or too slow
	serverOff bool    // the server goes down now and then
	documents bool    // some gates ask for a document
	loss      float64 // of a message
	replyLoss float64 // of an answer, besides
	twice     float64 // comes twice
	late      float64 // comes seconds late
	disk      float64 // a commit fails
}

func (w *world) forecast() weather {
	if w.cfg.Calm {
		return weather{}
	}
	r, times := w.rng, float64(w.cfg.Trouble)
	return weather{
		oneWay: r.IntN(2) == 0, drift: r.IntN(2) == 0, serverOff: r.IntN(2) == 0, documents: r.IntN(3) == 0,
		loss: r.Float64() * 0.03 * times, replyLoss: r.Float64() * 0.03 * times, twice: r.Float64() * 0.05 * times,
		late: r.Float64() * 0.05 * times, disk: r.Float64() * 0.006 * times,
	}
}

// event is something that happens at a time.
type event struct {
	at    int64
	order uint64
	do    func() error
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].order < a[j].order
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(e any)   { *a = append(*a, e.(event)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	*a = (*a)[:last]
	return e
}

// after has something happen in ms.
func (w *world) after(ms int64, do func() error) {
	w.order++
	heap.Push(&w.queue, event{w.now + ms, w.order, do})
}

// pass lets ms pass.
func (w *world) pass(ms int64) error {
	until := w.now + ms
	for len(w.queue) > 0 && w.queue[0].at <= until {
		e := heap.Pop(&w.queue).(event)
		w.now = max(w.now, e.at)
		if err := e.do(); err != nil {
			return err
		}
	}
	w.now = until
	return nil
}

func (w *world) time() time.Time { return time.UnixMilli(w.now) }

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// spell is how long something lasts, about mean ms.
func (w *world) spell(mean float64) int64 { return int64(w.rng.ExpFloat64()*mean) + 1 }

// between is from low to high, both included.
func (w *world) between(low, high int64) int64 { return low + w.rng.Int64N(high-low+1) }

// bytes are what keys and ids are made of.
func (w *world) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rng.Uint32())
	}
	return b
}

// pace is how people come. A pass may be shown a second time while the first is
// still asked about, or, where gates may act on their own, while what they promised
// before still holds.
type pace struct {
	apart int64   // ms between the first presentations of two passes, about
	often float64 // how often one presentation follows another soon
	soon  int64   // within so many ms
}

func (r *Run) pace() pace {
	switch {
	case r.Flicker:
		return pace{1_500, 0.7, 1_000}
	case r.Policy == verdict.FirstSeen:
		return pace{6_000, 0.2, 2_000}
	}
	return pace{6_000, 0.2, 300}
}

// play is the time in which people come and things fail.
func (w *world) play() error {
	w.faults = !w.cfg.Calm
	length := int64(w.cfg.Passes) * w.pace.apart
	if w.faults {
		w.net.begin()
		w.misfortunes(length)
	}
	for _, h := range w.holders {
		h.plan(length)
	}
	return w.pass(length + within)
}

// misfortunes are what happens to each gate once, and to the server.
func (w *world) misfortunes(length int64) {
	for _, g := range w.gates {
		w.after(w.rng.Int64N(length), g.arm)
		for range w.cfg.Trouble {
			w.after(w.rng.Int64N(length), g.setClock)
		}
	}
	if w.weather.serverOff {
		w.after(w.spell(300_000), w.server.fail)
	}
	if w.cfg.Amnesia {
		for range w.cfg.Trouble + w.rng.IntN(2) {
			g := w.gates[w.rng.IntN(len(w.gates))]
			w.after(w.rng.Int64N(length), g.estrange)
		}
	}
}

// settled is how long what is under way may take with everything up: a question
// that nobody answered is given back after a minute.
const settled = 3 * 60_000

// drain mends everything and waits until nothing more is to be said.
func (w *world) drain() error {
	w.faults = false
	w.net.mend()
	if err := w.server.mend(); err != nil {
		return err
	}
	for _, g := range w.gates {
		if err := g.mend(); err != nil {
			return err
		}
	}
	return w.pass(settled)
}

func (w *world) close() error {
	var errs []error
	for _, g := range w.gates {
		errs = append(errs, g.stop())
	}
	if w.server != nil && w.server.db != nil {
		errs = append(errs, w.server.db.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}
