package lane_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// counter runs a desk in a synctest bubble.
type counter struct {
	*station
	desk   *lane.Desk
	pulses atomic.Int64
	stop   func()
}

// newCounter starts a desk on a fresh station; its computer's clock shows noon.
func newCounter(t *testing.T, policy func(*wire.Gate), change func(*lane.Deps)) *counter {
	t.Helper()
	c := &counter{station: newStation(t, newCampus(t), home, policy)}
	c.run(t, change)
	c.desk.SetOffset(0, c.now())
	return c
}

// now is the computer's clock: the bubble's begins with the year 2000.
func (c *counter) now() time.Time {
	return time.UnixMilli(noonMS).Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func (c *counter) run(t *testing.T, change func(*lane.Deps)) {
	t.Helper()
	pulse := func(context.Context) error { c.pulses.Add(1); return nil }
	deps := lane.Deps{
		Store: c.station, Keyring: c.snap.Keyring, Gate: c.snap.Gate, Now: c.now,
		Barriers: map[string]func(context.Context) error{"a": pulse, "b": pulse, "out": pulse},
	}
	if change != nil {
		change(&deps)
	}
	c.desk = must[*lane.Desk](t)(lane.NewDesk(gateConfig(), deps))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.desk.Run(ctx) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(c.stop)
}

func (c *counter) present(t *testing.T, at string, p pass.Pass) desk.Result {
	t.Helper()
	return must[desk.Result](t)(c.desk.Present(t.Context(), at, "serial", c.c.static(t, p)))
}

func (c *counter) wantPulses(t *testing.T, want int64) {
	t.Helper()
	synctest.Wait()
	if got := c.pulses.Load(); got != want {
		t.Fatalf("%d pulses, want %d", got, want)
	}
}

func TestDesk_AdmitsOnceWithOnePulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, nil)
		r := c.present(t, "a", single(1))
		if r.Reason != verdict.Granted || !r.Opens || r.Name == "" || !r.Offline {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 1)
		if again := c.present(t, "a", single(1)); !again.Repeat {
			t.Fatalf("again %+v", again)
		}
		time.Sleep(15 * time.Second)
		used := c.present(t, "b", single(1))
		if used.Reason != verdict.AlreadyUsed || used.FirstUse == nil || used.FirstUse.GateName != "东门" {
			t.Fatalf("used %+v", used)
		}
		c.wantPulses(t, 1)
		if got := c.desk.Recent(); len(got) != 3 || got[0].ID != used.ID || got[2].ID != r.ID {
			t.Fatalf("recent %+v", got)
		}
		if c.desk.LastScan() != noonMS+15_000 {
			t.Fatalf("last scan %d", c.desk.LastScan())
		}
	})
}

func TestDesk_SilenceTakesThreeHundredMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := newCounter(t, nil, func(d *lane.Deps) {
			d.Ask = func(_ context.Context, q wire.Claim) wire.Answer {
				<-release // not even the context ends it
				return wire.Answer{ID: q.ID, State: verdict.ClaimGranted}
			}
		})
		start := time.Now()
		r := c.present(t, "a", elsewhere(1))
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Fatalf("took %v", took)
		}
		if r.Reason != verdict.OfflineNotAllowed || r.Owner == nil || r.Owner.Name != "西门" {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 0)
	})
}

func TestDesk_AnswerInTimeOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, func(d *lane.Deps) {
			d.Online = func() bool { return true }
			d.Ask = func(_ context.Context, q wire.Claim) wire.Answer {
				time.Sleep(299 * time.Millisecond)
				return wire.Answer{ID: q.ID, State: verdict.ClaimGranted}
			}
		})
		if r := c.present(t, "a", elsewhere(1)); r.Reason != verdict.Granted || r.Offline {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 1)
	})
}

func TestDesk_AnswerToAnotherQuestionIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, func(d *lane.Deps) {
			d.Ask = func(context.Context, wire.Claim) wire.Answer {
				return wire.Answer{ID: "13-1-99", State: verdict.ClaimGranted}
			}
		})
		if r := c.present(t, "a", elsewhere(1)); r.Reason != verdict.OfflineNotAllowed {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 0)
	})
}

func TestDesk_DocumentWaitsSixtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, withDocuments, nil)
		heard, cancel := c.desk.Subscribe()
		defer cancel()
		start := time.Now()
		r := c.present(t, "a", single(1))
		if r.Need != verdict.NeedDocument {
			t.Fatalf("result %+v", r)
		}
		<-heard
		end := <-heard
		if took := time.Since(start); took < 60*time.Second || took > 61*time.Second {
			t.Fatalf("gave up after %v", took)
		}
		if end.ID != r.ID || end.Reason != verdict.DocumentRequired || end.Name != r.Name {
			t.Fatalf("end %+v", end)
		}
	})
}

func TestDesk_AnswerAndAnnul(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, withDocuments, nil)
		ctx := t.Context()
		r := c.present(t, "a", single(1))
		done, err := c.desk.Answer(ctx, r.ID, []string{"id_card"}, false)
		if err != nil || done.Reason != verdict.Granted || done.ID != r.ID {
			t.Fatalf("%+v, %v", done, err)
		}
		c.wantPulses(t, 1)
		if _, err := c.desk.Answer(ctx, r.ID, []string{"id_card"}, false); !errors.Is(err, desk.ErrNotWaiting) {
			t.Fatalf("answered twice: %v", err)
		}
		if _, err := c.desk.Answer(ctx, "unheard of", []string{"id_card"}, false); !errors.Is(err, desk.ErrNoScan) {
			t.Fatalf("unknown: %v", err)
		}
		back, err := c.desk.Annul(ctx, r.ID)
		if err != nil || !back.Annulled || back.Name != r.Name {
			t.Fatalf("%+v, %v", back, err)
		}
		if _, err := c.desk.Annul(ctx, r.ID); !errors.Is(err, lane.ErrNotAnnullable) {
			t.Fatalf("annulled twice: %v", err)
		}
		refused, err := c.desk.Present(ctx, "a", "serial", "nothing")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.desk.Annul(ctx, refused.ID); !errors.Is(err, lane.ErrNotAnnullable) {
			t.Fatalf("annulled a refusal: %v", err)
		}
		if _, err := c.desk.Annul(ctx, "unheard of"); !errors.Is(err, desk.ErrNoScan) {
			t.Fatalf("unknown: %v", err)
		}
		if _, err := c.desk.Present(ctx, "nowhere", "serial", "x"); !errors.Is(err, desk.ErrNoLane) {
			t.Fatalf("unknown lane: %v", err)
		}
		if got := c.desk.Recent(); len(got) != 2 || !got[1].Annulled {
			t.Fatalf("recent %+v", got)
		}
	})
}

func TestDesk_RestartShowsThePastWithoutNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, nil)
		r := c.present(t, "a", single(1))
		back := must[desk.Result](t)(c.desk.Annul(t.Context(), r.ID))
		c.stop()
		c.reopen()
		past := must[[]desk.Past](t)(c.j.Recent(50))
		c.run(t, func(d *lane.Deps) { d.Past = past })
		got := c.desk.Recent()
		if len(got) != 1 || got[0].ID != r.ID || got[0].Name != "" || !got[0].Annulled || got[0].Pass != back.Pass {
			t.Fatalf("recent %+v", got)
		}
		if next := c.present(t, "a", single(2)); next.ID == r.ID {
			t.Fatal("a scan id came twice")
		}
	})
}

func TestDesk_SlowSubscriberIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, nil)
		heard, cancel := c.desk.Subscribe()
		defer cancel()
		for range 100 {
			must[desk.Result](t)(c.desk.Present(t.Context(), "a", "serial", "nothing"))
		}
		n := 0
		for range heard {
			n++
		}
		if n == 0 || n >= 100 {
			t.Fatalf("heard %d of 100 before being dropped", n)
		}
	})
}

func TestDesk_StuckBarrierHoldsNobodyElseUp_AndDoesNotOpenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var atA atomic.Int64
		c := newCounter(t, nil, func(d *lane.Deps) {
			d.Barriers["a"] = func(context.Context) error {
				if atA.Add(1) == 1 {
					time.Sleep(10 * time.Second)
				}
				return nil
			}
			d.Barriers["out"] = func(context.Context) error { return errors.New("no answer") }
		})
		for n := range uint64(8) {
			c.present(t, "a", single(n+1))
		}
		c.present(t, "b", single(9))
		c.wantPulses(t, 1)
		c.present(t, "out", single(9))
		time.Sleep(11 * time.Second)
		// Seven people were admitted while the barrier of a hung, and have gone.
		if got, lost := atA.Load(), c.desk.LostPulses(); got != 1 || lost != 7+1 {
			t.Fatalf("%d pulses at a, %d lost", got, lost)
		}
		c.present(t, "a", single(10))
		synctest.Wait()
		if got := atA.Load(); got != 2 {
			t.Fatalf("%d pulses at a after it came back", got)
		}
	})
}

func TestDesk_BurstAtOneLaneLosesNoPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, nil)
		for n := range uint64(60) {
			check(t, c.desk.Scan("a", "serial", c.c.static(t, single(n+1))))
		}
		c.wantPulses(t, 60)
		if lost := c.desk.LostPulses(); lost != 0 {
			t.Fatalf("%d pulses lost", lost)
		}
	})
}

func TestDesk_StoppedTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, nil)
		heard, _ := c.desk.Subscribe()
		c.stop()
		if _, err := c.desk.Present(t.Context(), "a", "serial", "x"); !errors.Is(err, desk.ErrBusy) {
			t.Fatalf("present: %v", err)
		}
		if err := c.desk.Scan("a", "serial", "x"); !errors.Is(err, desk.ErrBusy) {
			t.Fatalf("scan: %v", err)
		}
		if a := c.desk.Claimed(t.Context(), claimOf(single(1), "15-1-1")); a.State != verdict.ClaimSilent {
			t.Fatalf("claimed: %+v", a)
		}
		if _, ok := <-heard; ok {
			t.Fatal("the subscription is still open")
		}
		c.desk.SetOffset(0, c.now()) // returns
	})
}

func TestDesk_ScanDoesNotWait_AndReleasesAreNudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, nil)
		check(t, c.desk.Scan("a", "serial", c.c.static(t, single(1))))
		c.wantPulses(t, 1)
		p := single(2)
		if a := c.desk.Claimed(t.Context(), claimOf(p, "15-1-1")); a.State != verdict.ClaimGranted {
			t.Fatalf("claimed: %+v", a)
		}
		c.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRelease, "15-1-1", wire.Release{Owner: home, Pass: p.ID})}})
		c.desk.Nudge()
		if r := c.present(t, "a", p); r.Reason != verdict.Granted {
			t.Fatalf("after the release: %+v", r)
		}
	})
}

func TestDesk_RefusesAnIncompleteSetup(t *testing.T) {
	s := newStation(t, newCampus(t), home, nil)
	cfg := gateConfig()
	if _, err := lane.NewDesk(cfg, lane.Deps{}); err == nil {
		t.Error("no store")
	}
	deps := lane.Deps{Store: s, Keyring: s.snap.Keyring}
	deps.Barriers = map[string]func(context.Context) error{"nowhere": nil}
	if _, err := lane.NewDesk(cfg, deps); !errors.Is(err, desk.ErrNoLane) {
		t.Errorf("barrier of no lane: %v", err)
	}
	deps.Barriers = nil
	cfg.Lanes = append(cfg.Lanes, lane.Lane{Name: "a"})
	if _, err := lane.NewDesk(cfg, deps); err == nil {
		t.Error("two lanes of one name")
	}
	cfg = gateConfig()
	cfg.Gate = 0
	if _, err := lane.NewDesk(cfg, deps); err == nil {
		t.Error("gate 0")
	}
}
