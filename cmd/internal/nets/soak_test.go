//go:build linux

package nets_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

var (
	soakFor    = flag.Duration("soak", 8*time.Second, "how long TestSoak goes on")
	soakAgents = flag.Int("soak-agents", 6, "agents of TestSoak")
	soakRate   = flag.Int("soak-rate", 20, "codes presented per second, at all gates together")
	soakSeed   = flag.Uint64("soak-seed", 1, "seed of what happens when")
)

// watched is how long a soak has to be for memory to be judged.
const watched = 5 * time.Minute

// TestSoak_AgentsOnBadLinesLoseNothing has many agents, each on a line of its
// own, work while lines are cut, silenced one way or both, slowed down and
// flapping, while agents are killed and frozen, and while the server is killed
// (in the first third, so that its memory can be looked at over the rest) and
// frozen.
func TestSoak_AgentsOnBadLinesLoseNothing(t *testing.T) {
	t.Parallel()
	names := make([]string, *soakAgents)
	for i := range names {
		names[i] = fmt.Sprintf("%d 号门 Gate %d", i+1, i+1)
	}
	s := &soak{
		t: t, c: start(t, campus.Options{Gates: names, Lines: true}), length: *soakFor,
		random: rand.New(rand.NewPCG(*soakSeed, 50)), busy: make([]bool, len(names)),
	}
	for _, g := range s.c.Gates {
		s.relays = append(s.relays, campustest.Watch(t, g))
		tty, err := os.OpenFile(g.Scanner.Device, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tty.Close() }()
		s.scanners = append(s.scanners, tty)
	}
	// Every fourth code is somebody's first; some come back at the same gate, some
	// elsewhere.
	n := max(1, int(s.length.Seconds())*(*soakRate)/4/len(names))
	for i, g := range s.c.Gates {
		for k, p := range campustest.Issue(t, s.c, g, n) {
			other := (i + 1 + k%max(1, len(names)-1)) % len(names)
			s.visits = append(s.visits, visit{code: p.Code, id: p.ID, gates: [2]int{i, other}})
		}
	}
	s.random.Shuffle(len(s.visits), func(i, j int) { s.visits[i], s.visits[j] = s.visits[j], s.visits[i] })

	s.begun = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), s.length)
	defer cancel()
	var work sync.WaitGroup
	work.Go(func() { s.present(ctx) })
	work.Go(func() { s.sample(ctx) })
	s.fault(ctx)
	work.Wait()
	s.faults.Wait()
	s.finish()
}

// soak is one run.
type soak struct {
	t        *testing.T
	c        *campus.Campus
	length   time.Duration
	begun    time.Time
	relays   []*campustest.Relay
	scanners []*os.File
	visits   []visit

	presented atomic.Int64
	faults    sync.WaitGroup
	told      [len(troubles)]atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
	busy   []bool // something is wrong with the gate already

	server series
	agents []series // of those that are never killed
}

func (s *soak) below(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

// present writes codes to scanners as people come.
func (s *soak) present(ctx context.Context) {
	tick := time.NewTicker(time.Second / time.Duration(*soakRate))
	defer tick.Stop()
	fresh := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at, code := s.below(len(s.scanners)), "二维码 not a code"
		switch what := s.below(20); {
		case what < 5 && fresh < len(s.visits):
			v := s.visits[fresh]
			fresh++
			at, code = v.gates[s.below(2)], v.code
		case what < 19 && fresh > 0:
			v := s.visits[s.below(fresh)]
			at, code = v.gates[s.below(2)], v.code
		}
		if _, err := s.scanners[at].WriteString(code + "\r"); err != nil {
			s.t.Error(err)
			return
		}
		s.presented.Add(1)
	}
}

// troubles are what befalls a gate or its line.
var troubles = [...]string{"cut", "silent up", "silent down", "silent", "slow", "flap", "agent killed", "agent frozen", "server frozen", "server killed"}

// fault lets something go wrong every now and then, at several gates at once.
func (s *soak) fault(ctx context.Context) {
	pace := max(s.length/600, 250*time.Millisecond)
	for pause(ctx, pace/2+time.Duration(s.below(int(pace)))) {
		what, at := troubles[s.below(8)], s.below(len(s.c.Gates))
		if chance := s.below(20); chance == 0 {
			what, at = "server frozen", -1
		} else if chance == 1 && time.Since(s.begun) < s.length/3 {
			what, at = "server killed", -1
		}
		if what == "agent killed" && at%2 == 1 {
			what = "cut" // every second agent lives to the end, and its memory is looked at
		}
		for i, name := range troubles {
			if name == what {
				s.told[i].Add(1)
			}
		}
		if at < 0 {
			s.atServer(ctx, what)
			continue
		}
		s.mu.Lock()
		taken := s.busy[at]
		s.busy[at] = true
		s.mu.Unlock()
		if taken {
			continue
		}
		s.faults.Go(func() {
			s.atGate(ctx, what, s.c.Gates[at])
			s.mu.Lock()
			s.busy[at] = false
			s.mu.Unlock()
		})
	}
}

// atGate befalls one gate for up to 40 s.
func (s *soak) atGate(ctx context.Context, what string, g *campus.Gate) {
	longest := min(40*time.Second, s.length/3)
	long := longest/20 + time.Duration(s.below(int(longest)))
	silence := func(ways ...campus.Way) {
		for _, way := range ways {
			g.Line.Silence(way, true)
			defer g.Line.Silence(way, false)
		}
		pause(ctx, long)
	}
	switch what {
	case "cut":
		g.Line.Cut(true)
		pause(ctx, long)
		g.Line.Cut(false)
	case "silent up":
		silence(campus.Up)
	case "silent down":
		silence(campus.Down)
	case "silent":
		silence(campus.Up, campus.Down)
	case "slow":
		g.Line.Delay(time.Duration(s.below(500)) * time.Millisecond)
		pause(ctx, long)
		g.Line.Delay(0)
	case "flap":
		for range 10 {
			g.Line.Cut(true)
			pause(ctx, time.Duration(s.below(300))*time.Millisecond)
			g.Line.Cut(false)
			pause(ctx, time.Duration(s.below(1000))*time.Millisecond)
		}
	case "agent killed":
		g.Agent.Kill()
		pause(ctx, long/4)
		s.again(g.Start)
	case "agent frozen":
		g.Agent.Freeze()
		pause(ctx, long/2)
		g.Agent.Thaw()
	}
}

// atServer befalls everybody for up to 20 s.
func (s *soak) atServer(ctx context.Context, what string) {
	long := time.Duration(s.below(int(min(20*time.Second, s.length/6))))
	if what == "server frozen" {
		s.c.Server.Freeze()
		pause(ctx, long)
		s.c.Server.Thaw()
		return
	}
	s.c.Server.Kill()
	pause(ctx, long)
	s.again(s.c.StartServer)
}

// again starts a daemon, also when the soak is just over.
func (s *soak) again(start func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 2*patience)
	defer cancel()
	if err := start(ctx); err != nil {
		s.t.Error(err)
	}
}

// pause reports false when it was cut short.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// finish has everybody who was not let in come once more, when all works again,
// and then counts.
func (s *soak) finish() {
	t := s.t
	if t.Failed() {
		return
	}
	for _, g := range s.c.Gates {
		drained(t, g)
	}
	late := everybody(t, s.c, s.visits)
	s.memory()
	k := settle(t, s.c, s.relays)
	if len(k.admitted) != len(s.visits) {
		t.Errorf("%d of %d passes were let in", len(k.admitted), len(s.visits))
	}
	said := ""
	for i, name := range troubles {
		said += fmt.Sprintf(" %s %d ·", name, s.told[i].Load())
	}
	t.Logf("%v: %d agents, %d codes presented, %d events, %d passes, each once (%d of them after the faults);%s",
		s.length, len(s.c.Gates), s.presented.Load(), len(k.events), len(k.admitted), late, said)
}

// sample reads the daemons' own figures now and then.
func (s *soak) sample(ctx context.Context) {
	s.agents = make([]series, len(s.c.Gates))
	every := max(s.length/240, time.Second)
	for pause(ctx, every) {
		at := time.Since(s.begun)
		s.server.read(ctx, s.c.Client, at)
		for i, g := range s.c.Gates {
			if i%2 == 1 {
				s.agents[i].read(ctx, g.Client(), at)
			}
		}
	}
}

// figures of a daemon.
const (
	goroutines = "go_goroutines"
	files      = "process_open_fds"
	heap       = "go_memstats_heap_alloc_bytes"
	resident   = "process_resident_memory_bytes"
)

// series are a daemon's figures over time.
type series []reading

type reading struct {
	at     time.Duration
	values map[string]float64
}

// read takes a reading; a daemon that does not answer gives none.
func (s *series) read(ctx context.Context, client campus.Client, at time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var text []byte
	if client.Do(ctx, http.MethodGet, "/metrics", nil, &text) != nil {
		return
	}
	*s = append(*s, reading{at, figures(text)})
}

// least is the smallest value of a figure in a stretch of time: garbage, and what
// is under way for a moment, come and go, but a leak stays.
func (s series) least(figure string, from, to time.Duration) (v float64) {
	v = -1
	for _, r := range s {
		if got := r.values[figure]; r.at >= from && r.at < to && (v < 0 || got < v) {
			v = got
		}
	}
	return v
}

// allowance is how much a figure may grow.
type allowance struct {
	figure       string
	factor, more float64
}

// The resident memory of the server includes what SQLite keeps of the database: up to
// 64 MiB of pages, for which its allocator takes twice that, since a page of 4 KiB and
// its head lie in 8. It grows with the database until that has 64 MiB, to some 180 in
// all, and not afterwards. Go's own heap stays under 20.
var (
	ofServer = []allowance{{goroutines, 1.1, 20}, {files, 1.1, 20}, {heap, 1.5, 8 << 20}, {resident, 1, 128 << 20}}
	ofAgent  = []allowance{{goroutines, 1.1, 20}, {files, 1.1, 10}, {heap, 1.5, 4 << 20}, {resident, 1.2, 8 << 20}}
)

// memory compares what the daemons hold after the server's last start with the
// last sixth of the time.
func (s *soak) memory() {
	s.compare("the server", s.server, ofServer)
	for tenth := range time.Duration(10) {
		from, to := s.length*tenth/10, s.length*(tenth+1)/10
		s.t.Logf("the server until %v: at least %.0f goroutines, %.0f files, %.1f MiB of heap, %.1f MiB resident", to,
			s.server.least(goroutines, from, to), s.server.least(files, from, to),
			s.server.least(heap, from, to)/(1<<20), s.server.least(resident, from, to)/(1<<20))
	}
	for i, run := range s.agents {
		if i%2 == 1 {
			s.compare(s.c.Gates[i].Name, run, ofAgent)
		}
	}
}

func (s *soak) compare(who string, run series, limits []allowance) {
	said := ""
	for _, a := range limits {
		then := run.least(a.figure, s.length*5/12, s.length*7/12)
		now := run.least(a.figure, s.length*5/6, s.length)
		said += fmt.Sprintf(" %s %.0f → %.0f;", a.figure, then, now)
		if s.length >= watched && (then < 0 || now > then*a.factor+a.more) {
			s.t.Errorf("%s: %s was %.0f and became %.0f", who, a.figure, then, now)
		}
	}
	s.t.Logf("%s:%s", who, said)
}
