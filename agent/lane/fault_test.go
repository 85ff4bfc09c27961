package lane_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var errDisk = errors.New("disk on fire")

// faulty is a store whose commits fail on demand.
type faulty struct {
	lane.Store
	fail atomic.Bool
	done bool // the data is there all the same
}

func (f *faulty) Update(do func(lane.Book) error) error {
	if !f.fail.Load() {
		return f.Store.Update(do)
	}
	if f.done {
		if err := f.Store.Update(do); err != nil {
			return err
		}
		return errDisk
	}
	return f.Store.Update(func(book lane.Book) error {
		if err := do(book); err != nil {
			return err
		}
		return errDisk
	})
}

// onFault runs a test with both forms of a failing commit.
func onFault(t *testing.T, policy func(*wire.Gate), test func(t *testing.T, c *counter, f *faulty)) {
	for name, done := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &faulty{done: done}
				c := newCounter(t, policy, func(d *lane.Deps) {
					f.Store, d.Store = d.Store, f
					d.Ask = func(_ context.Context, q wire.Claim) wire.Answer {
						return wire.Answer{ID: q.ID, State: verdict.ClaimGranted}
					}
				})
				synctest.Wait()
				test(t, c, f)
			})
		})
	}
}

func TestFault_NobodyIsAdmittedByAFailedCommit(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		f.fail.Store(true)
		r := c.present(t, "a", single(1))
		if r.Reason != verdict.Internal || r.Opens || r.Event != nil || r.Name == "" {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 0)
		f.fail.Store(false)
		// Nothing moved: a use that is on the disk all the same is taken back first.
		again := c.present(t, "a", single(1))
		if !again.Opens || again.Repeat {
			t.Fatalf("again %+v", again)
		}
		c.wantPulses(t, 1)
		taken := 0
		for _, e := range c.events() {
			if e.Type == wire.EventAnnul && e.Source == lane.SourceStore && e.Scan == r.ID && e.Counts && e.Guard == "" {
				taken++
			}
		}
		if want := map[bool]int{true: 1}[f.done]; taken != want {
			t.Errorf("taken back %d times, want %d", taken, want)
		}
	})
}

func TestFault_RestartAfterwardsOpensNothingTwice(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		f.fail.Store(true)
		c.present(t, "a", single(1))
		c.stop()
		c.reopen()
		c.run(t, nil)
		r := c.present(t, "a", single(1))
		if r.Repeat != f.done || r.Opens == f.done {
			t.Fatalf("result %+v, done=%v", r, f.done)
		}
		time.Sleep(time.Minute)
		if r := c.present(t, "a", single(1)); r.Reason != verdict.AlreadyUsed {
			t.Fatalf("later %+v", r)
		}
		c.events()
	})
}

func TestFault_AnswerIsGivenUp(t *testing.T) {
	onFault(t, withDocuments, func(t *testing.T, c *counter, f *faulty) {
		r := c.present(t, "a", single(1))
		f.fail.Store(true)
		got, err := c.desk.Answer(t.Context(), r.ID, []string{"id_card"}, false)
		if err != nil || got.Reason != verdict.Internal || got.ID != r.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := c.desk.Answer(t.Context(), "unheard of", []string{"id_card"}, false); !errors.Is(err, desk.ErrStore) {
			t.Fatalf("unknown scan: %v", err)
		}
		f.fail.Store(false)
		if _, err := c.desk.Answer(t.Context(), r.ID, []string{"id_card"}, false); !errors.Is(err, desk.ErrNotWaiting) {
			t.Fatalf("again: %v", err)
		}
		c.wantPulses(t, 0)
	})
}

func TestFault_ClaimReplyLosesNothing(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		// The question is written; the commit with the answer fails.
		fails := func(ctx context.Context, q wire.Claim) wire.Answer {
			f.fail.Store(true)
			return wire.Answer{ID: q.ID, State: verdict.ClaimGranted}
		}
		c.stop()
		c.run(t, func(d *lane.Deps) { f.Store, d.Store, d.Ask = d.Store, f, fails })
		r := c.present(t, "a", elsewhere(1))
		if r.Reason != verdict.Internal || r.Opens {
			t.Fatalf("result %+v", r)
		}
		c.wantPulses(t, 0)
		f.fail.Store(false)
		c.stop()
		asked := ""
		c.run(t, func(d *lane.Deps) {
			d.Ask = func(_ context.Context, q wire.Claim) wire.Answer {
				asked = q.ID
				return wire.Answer{ID: q.ID, State: verdict.ClaimGranted}
			}
		})
		r = c.present(t, "a", elsewhere(1))
		if f.done {
			if !r.Repeat || r.Opens || asked != "" {
				t.Fatalf("again %+v, asked %q", r, asked)
			}
			return
		}
		if !r.Opens || asked != "13-1-1" {
			t.Fatalf("again %+v, asked %q", r, asked)
		}
	})
}

func TestFault_QuestionThatWasNotWrittenDoesNotLeave(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		left := 0
		c.stop()
		c.run(t, func(d *lane.Deps) {
			f.Store, d.Store = d.Store, f
			d.Ask = func(_ context.Context, q wire.Claim) wire.Answer { left++; return wire.Answer{ID: q.ID} }
		})
		synctest.Wait()
		f.fail.Store(true)
		if r := c.present(t, "a", elsewhere(1)); r.Reason != verdict.Internal {
			t.Fatalf("result %+v", r)
		}
		if left != 0 {
			t.Fatal("the question left before it was on the disk")
		}
	})
}

func TestFault_OwnerStaysSilent_ThenGivesOneAnswer(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		q := claimOf(single(1), "15-1-1")
		f.fail.Store(true)
		if a := c.desk.Claimed(t.Context(), q); a.State != verdict.ClaimSilent {
			t.Fatalf("answer %+v", a)
		}
		f.fail.Store(false)
		if a := c.desk.Claimed(t.Context(), q); a.State != verdict.ClaimGranted {
			t.Fatalf("asked again %+v", a)
		}
		if a := c.desk.Claimed(t.Context(), claimOf(single(1), "16-1-1")); a.State != verdict.ClaimUsed {
			t.Fatalf("another gate %+v", a)
		}
		grants := 0
		for _, e := range c.events() {
			if e.Type == wire.EventGrant {
				grants++
			}
		}
		if grants != 1 {
			t.Fatalf("%d grants", grants)
		}
	})
}

func TestFault_AnnulIsRefused_AndTickTriesAgain(t *testing.T) {
	onFault(t, withDocuments, func(t *testing.T, c *counter, f *faulty) {
		r := c.present(t, "a", single(1))
		must[desk.Result](t)(c.desk.Answer(t.Context(), r.ID, []string{"id_card"}, false))
		waits := c.present(t, "a", single(2))
		f.fail.Store(true)
		if _, err := c.desk.Annul(t.Context(), r.ID); !errors.Is(err, desk.ErrStore) || !errors.Is(err, errDisk) {
			t.Fatalf("annul: %v", err)
		}
		time.Sleep(70 * time.Second) // the ticks fail as well
		f.fail.Store(false)
		time.Sleep(2 * time.Second)
		for _, got := range c.desk.Recent() {
			if got.ID == waits.ID && got.Reason != verdict.DocumentRequired && !f.done {
				t.Fatalf("the attempt that waited: %+v", got)
			}
		}
		if n := len(c.events()); n < 2 {
			t.Fatalf("%d events", n)
		}
	})
}
