package lane_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
)

const s = time.Second

// way is a lane's passages with a sensor that works.
func way() *lane.Passages {
	p := &lane.Passages{}
	p.Contact(0, false)
	return p
}

func outcomes(t *testing.T, got []lane.Outcome, want ...lane.Outcome) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}

// goes lets somebody through who is in the way for a second.
func goes(p *lane.Passages, at time.Duration) ([]lane.Outcome, bool) {
	p.Contact(at, true)
	return p.Contact(at+s, false)
}

func through(id string) lane.Outcome { return lane.Outcome{Scan: id, Went: desk.WentThrough} }
func nowhere(id string) lane.Outcome { return lane.Outcome{Scan: id, Went: desk.WentNowhere} }
func unknown(id string) lane.Outcome { return lane.Outcome{Scan: id, Went: desk.WentUnknown} }

func TestPassages_SomebodyGoesThroughAndNothingIsDue(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	out, stray := goes(p, 3*s)
	outcomes(t, out, through("a"))
	if stray {
		t.Error("a stray")
	}
	outcomes(t, p.Due(time.Hour))
}

func TestPassages_NobodyGoesThroughInEightSeconds(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	outcomes(t, p.Due(9*s-1))
	outcomes(t, p.Due(9*s), nowhere("a"))
	outcomes(t, p.Due(time.Hour))
}

func TestPassages_TwoAdmissionsAndTwoPassagesCountInOrder(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	p.Opened(2*s, "b")
	out, _ := goes(p, 3*s)
	outcomes(t, out, through("a"))
	out, _ = goes(p, 5*s)
	outcomes(t, out, through("b"))
	outcomes(t, p.Due(time.Hour))
}

func TestPassages_OfTwoAdmissionsTheSecondStays(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	p.Opened(1*s, "b")
	goes(p, 7*s) // until 8 s; b has eight more: nobody can go while another does
	outcomes(t, p.Due(16*s-1))
	outcomes(t, p.Due(16*s), nowhere("b"))
}

func TestPassages_WhoIsInTheWayWhenTheTimeIsOverGoesThrough(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	p.Contact(8*s, true)
	outcomes(t, p.Due(20*s))
	out, _ := p.Contact(21*s, false)
	outcomes(t, out, through("a"))
}

func TestPassages_WhoStoodInTheBeamBeforeTheScanGoesThrough(t *testing.T) {
	p := way()
	p.Contact(1*s, true)
	p.Opened(2*s, "a")
	out, _ := p.Contact(3*s, false)
	outcomes(t, out, through("a"))
}

func TestPassages_APassageWithoutAnAdmissionIsAStray(t *testing.T) {
	p := way()
	if out, stray := goes(p, 1*s); !stray || len(out) != 0 {
		t.Errorf("%v, stray %v", out, stray)
	}
}

func TestPassages_ALostSensorTakesNothingBack(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	outcomes(t, p.Lost(), unknown("a"))
	if p.Opened(2*s, "b") {
		t.Error("waits for a sensor that is lost")
	}
	outcomes(t, p.Due(time.Hour))
	p.Contact(time.Hour, false)
	if !p.Opened(time.Hour, "c") {
		t.Error("a sensor that is back is not used")
	}
}

func TestPassages_AStuckSensorTakesNothingBackAndSaysSo(t *testing.T) {
	p := way()
	p.Opened(1*s, "a")
	p.Contact(2*s, true)
	outcomes(t, p.Due(31*s))
	if f := p.Fault(31 * s); f != "" {
		t.Errorf("fault %q", f)
	}
	outcomes(t, p.Due(32*s), unknown("a"))
	if p.Fault(32*s) == "" || p.Opened(33*s, "b") {
		t.Error("a contact that is closed for half a minute is believed")
	}
	p.Contact(40*s, false)
	if f := p.Fault(40 * s); f != "" || !p.Opened(40*s, "c") {
		t.Errorf("fault %q when it is free again", f)
	}
}

func TestPassages_ASensorThatNeverSeesAnybodyIsNotBelieved(t *testing.T) {
	p := way()
	at := s
	for i := range 5 {
		id := fmt.Sprint(i)
		p.Opened(at, id)
		at += 8 * s
		want := nowhere(id)
		if i >= 2 {
			want = unknown(id)
		}
		outcomes(t, p.Due(at), want)
		if blind := p.Fault(at) != ""; blind != (i >= 2) {
			t.Errorf("after %d: fault %q", i+1, p.Fault(at))
		}
	}
	p.Opened(at, "seen")
	out, _ := goes(p, at+s)
	outcomes(t, out, through("seen"))
	p.Opened(at+3*s, "gone")
	outcomes(t, p.Due(at+11*s), nowhere("gone"))
	if f := p.Fault(at + 11*s); f != "" {
		t.Errorf("fault %q", f)
	}
}

// TestPassages_EveryAdmissionEndsOnce plays anything that can happen: whoever
// waits gets one outcome, in order, and never "nobody" from a sensor that is lost
// or while somebody is in the way.
func TestPassages_EveryAdmissionEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &lane.Passages{}
		var waiting []string
		var now time.Duration
		known, active := false, false
		take := func(out []lane.Outcome) {
			for _, o := range out {
				if len(waiting) == 0 || waiting[0] != o.Scan {
					t.Fatalf("outcome of %s, waiting %v", o.Scan, waiting)
				}
				if o.Went == desk.WentNowhere && (!known || active) {
					t.Fatalf("nobody went through, by a sensor that cannot tell")
				}
				waiting = waiting[1:]
			}
		}
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 12_000).Draw(t, "ms")) * time.Millisecond
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				if id := fmt.Sprint(i); p.Opened(now, id) {
					waiting = append(waiting, id)
				}
			case 1, 2:
				out, _ := p.Contact(now, !active)
				known, active = true, !active
				take(out)
			case 3:
				out := p.Lost()
				known, active = false, false
				take(out)
			case 4:
				take(p.Due(now))
			}
		}
		take(p.Lost())
		if len(waiting) > 0 {
			t.Fatalf("%v have no outcome", waiting)
		}
	})
}
