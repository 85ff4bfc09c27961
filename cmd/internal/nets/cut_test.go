//go:build linux

package nets_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
)

// A gate without a network lets in whom it decides on, names the gate that
// decides on the others, and sends everything when the cable is back.
func TestNets_GateCutOffDecidesItsOwnAndDrainsLater(t *testing.T) {
	scenario(t, func(w *world) {
		own, theirs := w.issue(w.west, 3), w.issue(w.east, 2)
		w.west.at.plug(false)
		w.admits(w.west, own[0]) // before anybody has noticed
		w.refuses(w.west, theirs[0], w.east)
		w.says(w.west, false)
		w.hears(w.west, false)
		if r := w.admits(w.west, own[1]); !r.Offline {
			w.Errorf("%+v is not marked as decided offline", r)
		}
		w.refuses(w.west, theirs[0], w.east)
		w.refuses(w.east, own[2], w.west)
		w.admits(w.east, theirs[0])

		w.west.at.plug(true)
		w.says(w.west, true)
		w.hears(w.west, true)
		w.used(w.west, theirs[0], w.east)
		w.used(w.east, own[0], w.west)
		w.used(w.east, own[1], w.west)
		w.letsIn(w.east, own[2])
		w.letsIn(w.west, theirs[1])
		w.once(own[2], theirs[1])
	})
}

// What the gate asks arrives, the answers do not: the owner grants, the gate
// refuses, and asks the same again until it hears it.
func TestNets_AnswersLostOnTheWayToTheGate(t *testing.T) {
	scenario(t, func(w *world) {
		own, theirs := w.issue(w.west, 1), w.issue(w.east, 2)
		lost := func(p campus.Pass) {
			w.server.mute(w.west.at, true)
			eventually(w.T, "the owner grants", func(ctx context.Context) (bool, error) {
				w.refuses(w.west, p, w.east)
				return w.granted(ctx, p)
			})
			w.refuses(w.west, p, w.east)
			w.used(w.east, p, w.west)
		}
		lost(theirs[0])
		w.server.mute(w.west.at, false) // before anybody has noticed
		w.letsIn(w.west, theirs[0])

		lost(theirs[1])
		w.says(w.west, false)
		w.admits(w.west, own[0])
		w.server.mute(w.west.at, false)
		w.says(w.west, true)
		w.letsIn(w.west, theirs[1])
		w.once(theirs...)
	})
}

// What the gate sends is lost, what is sent to it arrives: as owner it grants,
// and the answer does not get out.
func TestNets_EverythingLostOnTheWayFromTheGate(t *testing.T) {
	scenario(t, func(w *world) {
		own, theirs := w.issue(w.west, 2), w.issue(w.east, 1)
		w.west.at.mute(w.server, true)
		w.refuses(w.west, theirs[0], w.east)
		w.admits(w.east, theirs[0])
		w.refuses(w.east, own[0], w.west)
		// The question has arrived. On a machine so loaded that it did not, the pass is
		// still its owner's to admit.
		mine := w.answered(w.west, own[0]).Opens
		w.hears(w.west, false)
		w.says(w.west, false)
		w.admits(w.west, own[1])
		w.refuses(w.east, own[1], w.west)

		w.west.at.mute(w.server, false)
		w.says(w.west, true)
		w.hears(w.west, true)
		w.used(w.west, theirs[0], w.east)
		w.used(w.east, own[1], w.west)
		if mine {
			w.used(w.east, own[0], w.west)
		} else {
			w.letsIn(w.east, own[0])
			w.once(own[0])
		}
	})
}

// Cables have a loose contact while people come to both gates with passes of
// both.
func TestNets_LinkFlapsTwentyTimesUnderScans(t *testing.T) {
	scenario(t, func(w *world) {
		random := rand.New(rand.NewPCG(20, 0))
		var visits []visit
		for i, g := range []*gate{w.east, w.west} {
			for _, p := range w.issue(g, 30) {
				visits = append(visits, visit{code: p.Code, id: p.ID, gates: [2]int{i, 1 - i}})
			}
		}
		random.Shuffle(len(visits), func(i, j int) { visits[i], visits[j] = visits[j], visits[i] })
		ctx, stop := context.WithCancel(t.Context())
		var people sync.WaitGroup
		for at, g := range w.c.Gates {
			people.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					if _, err := scan(w.Context(), g, visits[(i*(1+2*at))%len(visits)].code); err != nil {
						w.Error(err)
						return
					}
				}
			})
		}
		for i := range 20 {
			loose := []*machine{w.west.at, w.east.at, w.server}[i%3]
			loose.plug(false)
			pause(ctx, time.Duration(random.IntN(300))*time.Millisecond)
			loose.plug(true)
			pause(ctx, time.Duration(random.IntN(300))*time.Millisecond)
		}
		stop()
		people.Wait()
		for _, g := range []*gate{w.east, w.west} {
			w.says(g, true)
		}
		everybody(w.T, w.c, visits)
		w.last = append(w.last, func(k kept) {
			if len(k.admitted) != len(visits) {
				w.Errorf("%d of %d passes were let in", len(k.admitted), len(visits))
			}
		})
	})
}

// The server cannot be reached by anybody, but the gates reach each other: one
// admits the other's passes by asking it directly.
func TestNets_GatesAskEachOtherWithoutTheServer(t *testing.T) {
	among(t, campus.Options{Peers: true}, func(w *world) {
		own, theirs := w.issue(w.west, 1), w.issue(w.east, 4)
		w.knows(w.west, w.east)
		w.knows(w.east, w.west)
		w.server.plug(false)
		w.letsIn(w.west, theirs[0]) // before anybody has noticed
		w.says(w.west, false)
		w.says(w.east, false)
		w.letsIn(w.west, theirs[1])
		w.used(w.east, theirs[1], w.west)
		w.letsIn(w.east, own[0])
		w.used(w.west, own[0], w.east)
		w.admits(w.east, theirs[2])
		w.used(w.west, theirs[2], w.east)

		w.east.at.mute(w.west.at, true) // the question arrives, the answer does not
		w.refuses(w.west, theirs[3], w.east)
		w.used(w.east, theirs[3], w.west)
		w.east.at.mute(w.west.at, false)
		w.letsIn(w.west, theirs[3])

		w.server.plug(true)
		w.says(w.west, true)
		w.says(w.east, true)
		w.once(own[0], theirs[0], theirs[1], theirs[3])
	})
}

// The server cannot be reached by anybody, and the gates do not ask each other.
func TestNets_GatesTogetherWithoutTheServer(t *testing.T) {
	scenario(t, func(w *world) {
		own, theirs := w.issue(w.west, 2), w.issue(w.east, 2)
		w.server.plug(false)
		w.says(w.west, false)
		w.says(w.east, false)
		w.admits(w.west, own[0])
		w.admits(w.east, theirs[0])
		w.refuses(w.west, theirs[1], w.east)
		w.refuses(w.east, own[1], w.west)

		w.server.plug(true)
		w.says(w.west, true)
		w.says(w.east, true)
		w.used(w.east, own[0], w.west)
		w.used(w.west, theirs[0], w.east)
		w.letsIn(w.west, theirs[1])
		w.letsIn(w.east, own[1])
		w.once(theirs[1], own[1])
	})
}
