package admission

// network is the links between the gates, and from each to the server, which is
// place 0; gates are the places of their numbers.
type network struct {
	w    *world
	ways [][]*way // from, to
}

// way is one direction of a link.
type way struct {
	up      bool
	changed int64 // when it went up or down last
	epoch   int   // of the process that has it go up and down
	rough   int64 // when it lost or delayed something last
}

// How long a link is down at a time, and how long it holds: down a fifth of the
// time.
const (
	meanDown = 30_000
	meanUp   = 120_000
	flicker  = 30 // so many times as often
)

func newNetwork(w *world) *network {
	n := &network{w: w}
	for range w.cfg.Gates + 1 {
		var row []*way
		for range w.cfg.Gates + 1 {
			row = append(row, &way{up: true, changed: w.now})
		}
		n.ways = append(n.ways, row)
	}
	return n
}

// begin has links go down and come back: both directions together, or each on
// its own.
func (n *network) begin() {
	for a := range n.ways {
		for b := range a {
			n.join(a, b)
		}
	}
}

// join has the link between two places live its own life.
func (n *network) join(a, b int) {
	there, back := n.ways[a][b], n.ways[b][a]
	if n.w.weather.oneWay {
		n.flap(there)
		n.flap(back)
	} else {
		n.flap(there, back)
	}
}

// part takes the link between two places down until they are joined.
func (n *network) part(a, b int) {
	ways := []*way{n.ways[a][b], n.ways[b][a]}
	for _, w := range ways {
		w.epoch++
	}
	n.set(false, ways)
}

func (n *network) flap(ways ...*way) {
	n.set(!n.w.chance(float64(meanDown)/(meanDown+meanUp)), ways)
	epoch := ways[0].epoch
	var next func() error
	wait := func() {
		mean := float64(meanUp)
		if !ways[0].up {
			mean = meanDown
		}
		if n.w.cfg.Flicker {
			mean /= flicker
		}
		n.w.after(n.w.spell(mean), next)
	}
	next = func() error {
		if ways[0].epoch == epoch {
			n.set(!ways[0].up, ways)
			wait()
		}
		return nil
	}
	wait()
}

func (n *network) set(up bool, ways []*way) {
	for _, w := range ways {
		if w.up != up {
			w.up, w.changed = up, n.w.now
		}
	}
}

// mend brings all links up for good.
func (n *network) mend() {
	for _, row := range n.ways {
		for _, w := range row {
			w.epoch++
			if !w.up {
				w.up, w.changed = true, n.w.now
			}
		}
	}
}

// held reports whether a way has been up since a moment.
func (n *network) held(from, to int, since int64) bool {
	w := n.ways[from][to]
	return w.up && w.changed <= since
}

// exchange reports whether two gates could have asked each other something all
// the time since a moment: directly, or through the server.
func (n *network) exchange(a, b int, since int64) bool {
	if n.held(a, b, since) && n.held(b, a, since) {
		return true
	}
	s := n.w.server
	return s.upSince <= since && s.up() && n.held(a, 0, since) && n.held(0, a, since) && n.held(b, 0, since) && n.held(0, b, since)
}

// send takes frames from one place to another, if it does. Answers are lost more
// often. Who receives it looks for itself whether it is there.
func (n *network) send(from, to int, answer bool, frames [][]byte, deliver func(frames [][]byte) error) {
	w := n.w
	w.result.Frames += len(frames)
	way, copies := n.ways[from][to], 1
	if w.faults && w.chance(w.weather.twice) {
		copies++
	}
	for range copies {
		if !way.up || w.faults && (w.chance(n.loss(from, to)) || answer && w.chance(w.weather.replyLoss)) {
			w.result.FramesLost += len(frames)
			way.rough = w.now
			continue
		}
		delay := n.delay()
		if delay > prompt {
			way.rough = w.now
		}
		w.after(delay, func() error {
			if !way.up {
				w.result.FramesLost += len(frames)
				way.rough = w.now
				return nil
			}
			return deliver(frames)
		})
	}
}

// loss is how often a frame goes missing. Were it seldom, gates would hear so much of
// each other that what the server knows of them hardly mattered.
func (n *network) loss(from, to int) float64 {
	if n.w.cfg.Flicker && from != 0 && to != 0 {
		return 0.4
	}
	return n.w.weather.loss
}

// prompt is how long a frame takes at most that is not late.
const prompt = 60

// delay is mostly some milliseconds. What is late may even be later than a question
// stays open.
func (n *network) delay() int64 {
	if n.w.cfg.Flicker && n.w.faults && n.w.chance(0.15) {
		return n.w.between(100, 900)
	}
	if n.w.faults && n.w.chance(n.w.weather.late) {
		if n.w.chance(0.06 * float64(n.w.cfg.Trouble)) {
			return n.w.between(3_000, 150_000)
		}
		return n.w.between(100, 3_000)
	}
	return n.w.spell(8)
}
