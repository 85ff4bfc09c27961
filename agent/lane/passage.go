package lane

import (
	"time"

	"campusgate/agent/desk"
)

const (
	// PassageTimeout is how long somebody has to go through, unless it is set.
	PassageTimeout = 8 * time.Second
	// stuckAfter is how long a person can stand in a turnstile. A contact that is
	// closed for longer is broken, or something was put into it.
	stuckAfter = 30 * time.Second
	// blindAfter is after how many admissions in a row without anybody a sensor is
	// taken to have lost its wire, of which it says nothing.
	blindAfter = 3
)

// Outcome is what became of the admission of a scan.
type Outcome struct {
	Scan string
	Went desk.Passage
}

// Passages says who went through a lane, by its sensor: a contact that closes
// when somebody is in the way and opens when they are through. It counts passages
// to whoever waits longest. Moments count from any beginning. It belongs to one
// goroutine; zero Timeout means PassageTimeout.
type Passages struct {
	Timeout time.Duration

	seen    bool // the contact has told its state since it was last lost
	active  bool
	since   time.Duration // of active
	waiting []waiter      // oldest first
	unseen  int           // admissions in a row after which nobody went through
}

type waiter struct {
	scan  string
	until time.Duration
}

// Opened tells that the lane was opened for a scan. It reports false when nobody
// can say what becomes of that.
func (p *Passages) Opened(now time.Duration, scan string) bool {
	if !p.seen || p.stuck(now) {
		return false
	}
	p.waiting = append(p.waiting, waiter{scan, now + p.timeout()})
	return true
}

// Contact tells the state of the contact. A passage that nobody was admitted for
// is a stray.
func (p *Passages) Contact(now time.Duration, active bool) (out []Outcome, stray bool) {
	was := p.active
	p.seen, p.active = true, active
	switch {
	case active:
		p.since = now
	case was && len(p.waiting) == 0:
		p.unseen = 0
		return nil, true
	case was:
		p.unseen = 0
		out = []Outcome{{p.waiting[0].scan, desk.WentThrough}}
		p.waiting = p.waiting[1:]
		for i := range p.waiting { // they could not go while another did
			p.waiting[i].until = max(p.waiting[i].until, now+p.timeout())
		}
	}
	return out, false
}

// Lost tells that the contact cannot be read any more. Nothing is known of those
// who wait.
func (p *Passages) Lost() []Outcome {
	p.seen, p.active = false, false
	return p.forget()
}

// Due gives those whose time is over. Nobody's is while somebody is in the way.
func (p *Passages) Due(now time.Duration) (out []Outcome) {
	switch {
	case p.stuck(now):
		return p.forget()
	case p.active:
		return nil
	}
	for len(p.waiting) > 0 && p.waiting[0].until <= now {
		o := Outcome{p.waiting[0].scan, desk.WentNowhere}
		if p.unseen++; p.unseen >= blindAfter {
			o.Went = desk.WentUnknown
		}
		p.waiting = p.waiting[1:]
		out = append(out, o)
	}
	return out
}

// Fault says what is wrong with a sensor that can be read; "" = nothing.
func (p *Passages) Fault(now time.Duration) string {
	switch {
	case p.stuck(now):
		return "closed for half a minute: is something in the way?"
	case p.unseen >= blindAfter:
		return "saw nobody after several admissions: is its wire broken?"
	}
	return ""
}

func (p *Passages) stuck(now time.Duration) bool { return p.active && now-p.since >= stuckAfter }

func (p *Passages) forget() (out []Outcome) {
	for _, w := range p.waiting {
		out = append(out, Outcome{w.scan, desk.WentUnknown})
	}
	p.waiting = nil
	return out
}

func (p *Passages) timeout() time.Duration {
	if p.Timeout == 0 {
		return PassageTimeout
	}
	return p.Timeout
}
