//go:build linux

package campus_test

import (
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

// A gate PC that is busy with something else in the middle of a code: what the
// scanner sent meanwhile belongs to it.
func TestFrozen_CodeThatWasHalfRead(t *testing.T) {
	t.Parallel()
	random := moments(t)
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	s := plug(t, gate)
	for i, p := range campustest.Issue(t, c, gate, 12) {
		half := len(p.Code) / 2
		s.send(t, p.Code[:half])
		pause(t, time.Duration(random.Int64N(int64(20*time.Millisecond))))
		gate.Agent.Freeze()
		s.send(t, p.Code[half:]+"\r")
		pause(t, 100*time.Millisecond) // longer than a silence that ends a code
		gate.Agent.Thaw()
		relay.Await(t, i+1)
	}
}
