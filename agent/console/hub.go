package console

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// hub hands every message to every feed and waits for none of them.
type hub struct {
	metrics *metrics

	mu    sync.Mutex
	feeds map[*feed]struct{}
	up    bool
	over  bool
	left  sync.WaitGroup
}

// feed is one page's queue. gone is closed once, with the code to say goodbye
// with.
type feed struct {
	visitor
	queue chan []byte
	gone  chan struct{}
	once  sync.Once
	code  int
}

// visitor is who a feed belongs to.
type visitor struct {
	kiosk bool // the kiosk's page, which is told of nobody
	guard bool // a guard's page, where calls can ring
}

func newHub(m *metrics) *hub { return &hub{metrics: m, feeds: map[*feed]struct{}{}} }

func (f *feed) close(code int) {
	f.once.Do(func() {
		f.code = code
		close(f.gone)
	})
}

// join adds a feed. It reports false when there are too many, or the console
// is stopping.
func (h *hub) join(v visitor) (*feed, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || len(h.feeds) >= maxFeeds {
		return nil, false
	}
	f := &feed{visitor: v, queue: make(chan []byte, feedQueue), gone: make(chan struct{})}
	h.feeds[f] = struct{}{}
	h.left.Add(1)
	h.metrics.feeds.Inc()
	return f, true
}

// leave ends a feed that join returned.
func (h *hub) leave(f *feed) {
	f.close(websocket.CloseNormalClosure)
	h.mu.Lock()
	delete(h.feeds, f)
	h.mu.Unlock()
	h.metrics.feeds.Dec()
	h.left.Done()
}

// send queues a message for the kiosk's feeds or for all others, and closes those
// that are full. It fails, and sends nothing, when the message has no JSON.
func (h *hub) send(kiosk bool, m any) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.feeds {
		if f.kiosk != kiosk {
			continue
		}
		select {
		case f.queue <- b:
		default:
			select {
			case <-f.gone:
			default:
				h.metrics.dropped.Inc()
				f.close(websocket.CloseTryAgainLater)
			}
		}
	}
	return nil
}

func (h *hub) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.feeds) == 0
}

// attended reports whether a guard's page is open.
func (h *hub) attended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.feeds {
		if f.guard {
			return true
		}
	}
	return false
}

func (h *hub) running() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up
}

func (h *hub) setRunning(up bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = up
}

// end closes every feed, lets no more in, and waits until they have left.
func (h *hub) end() {
	h.mu.Lock()
	h.up, h.over = false, true
	h.mu.Unlock()
	h.closeAll(websocket.CloseGoingAway, true)
	h.left.Wait()
}

// closeAll closes every feed, with those of the kiosk or without.
func (h *hub) closeAll(code int, kiosks bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.feeds {
		if kiosks || !f.kiosk {
			f.close(code)
		}
	}
}

// Run feeds the pages until ctx ends or the desk stops, then closes them. It
// may be called once. It returns nil.
func (c *Console) Run(ctx context.Context) error {
	results, cancel := c.desk.Subscribe()
	defer c.hub.end()
	defer func() { cancel() }()
	fresh := true // nothing came of this subscription yet
	c.told = c.guideline()
	c.hub.setRunning(true)
	tick := time.NewTicker(c.refresh)
	defer tick.Stop()
	changed := c.changed
	var tillChanged <-chan struct{}
	if c.till != nil {
		tillChanged = c.till.Changed()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case r, ok := <-results:
			if !ok && fresh {
				return nil
			}
			if fresh = !ok; fresh {
				// Left behind, or at the end: a second closed channel tells which. The
				// pages come back for what they missed, after we listen again.
				cancel()
				results, cancel = c.desk.Subscribe()
				c.hub.closeAll(websocket.CloseTryAgainLater, true)
				continue
			}
			c.metrics.count(r)
			c.send(message{Type: "scan", Scan: &r})
			if c.kiosk != nil {
				k := kioskScanOf(&r)
				c.sendTo(true, kioskMessage{Type: "scan", Scan: &k})
			}
		case _, ok := <-changed:
			if !ok {
				changed = nil
			}
			c.sendStatus()
		case <-c.calls.Changed():
			c.sendCalls()
		case <-tillChanged:
			c.sendTill(ctx)
		case <-tick.C:
			c.sendStatus()
			c.sendTill(ctx)
		}
	}
}

// sendStatus goes out each second even when nothing happened: ages and the
// clock move, and a page that hears nothing knows that the agent is gone.
func (c *Console) sendStatus() {
	if c.hub.idle() {
		return
	}
	if g := c.guideline(); g != c.told {
		c.told = g
		t := c.texts()
		c.send(message{Type: "texts", Texts: &t})
	}
	s := c.status()
	c.send(message{Type: "status", Status: &s})
	c.sendKiosk()
	c.unattend()
}

func (c *Console) send(m any) { c.sendTo(false, m) }

func (c *Console) sendTo(kiosk bool, m any) {
	if err := c.hub.send(kiosk, m); err != nil {
		c.log.Error("feed message not sent", "error", err)
	}
}
