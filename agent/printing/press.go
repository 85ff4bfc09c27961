// Package printing is the receipt printer of an agent: receipts and reports of a
// till, and what the server asks to have printed at a desk. Nothing waits for it
// but who asked: a till that prints no receipt still takes money.
package printing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/signing/wire"
)

// ErrBusy: too much is being printed.
var ErrBusy = errors.New("the printer has enough to do")

const (
	// queueLength is how many slips wait. Receipts for which there is no room are
	// not printed: nobody waits at a counter for the ninth before.
	queueLength = 8
	// probeEvery is how often a printer is asked how it is, and lostEvery one that
	// was lost.
	probeEvery = 15 * time.Second
	lostEvery  = 2 * time.Second
	probeLimit = 5 * time.Second
	// autoLimit is how old a receipt may become that nobody asked for.
	autoLimit = 30 * time.Second
)

// Store remembers what was printed by order; *journal.Journal is one.
type Store interface {
	// BeginPrint notes durably that an id is about to be printed, or gives what
	// came of it before.
	BeginPrint(id string, at int64) (before wire.Printed, fresh bool, err error)
	// EndPrint notes what came of it.
	EndPrint(p wire.Printed) error
}

// Till is what receipts are about; *till.Desk is one.
type Till interface {
	View(ctx context.Context) (till.View, error)
	Charge(ctx context.Context, event wire.EventID) (desk.Result, error)
	Batches(ctx context.Context, limit int) ([]till.Batch, error)
	Subscribe() (<-chan desk.Result, func())
}

// Config is what a Press works with. All but Till and Zone are required.
type Config struct {
	Printer devices.Printer
	Store   Store
	Till    Till           // nil at a gate
	Zone    *time.Location // of the campus; needed with Till
	// Always prints a receipt for each charge and void by itself.
	Always bool
	Now    func() time.Time // corrected
	Log    *slog.Logger
	// Changed is called when Health would answer differently. It must not wait.
	Changed func()
}

// Press prints one slip after the other. Its methods may be called at once; they
// print only while Run runs.
type Press struct {
	Config
	jobs    chan *job
	started int64

	mu      sync.Mutex
	health  devices.Health
	reason  wire.PrintReason
	printed memory
}

// New makes a press.
func New(c Config) *Press {
	now := c.Now()
	return &Press{
		Config: c, jobs: make(chan *job, queueLength), started: now.UnixMilli(),
		health: devices.Health{State: devices.Starting, Since: now},
	}
}

// Health is how the printer is, and why it is lost in a word for pages.
func (p *Press) Health() (devices.Health, wire.PrintReason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health, p.reason
}

// job is a slip on its way to the printer.
type job struct {
	ctx   context.Context
	run   func(context.Context) error
	taken atomic.Bool // by the press, or by who has given up
	done  chan error
}

// Run prints until ctx ends.
func (p *Press) Run(ctx context.Context) error {
	var following sync.WaitGroup
	if p.Always && p.Till != nil {
		following.Go(func() { p.follow(ctx) })
	}
	defer following.Wait()
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case j := <-p.jobs:
			if j.taken.CompareAndSwap(false, true) {
				j.done <- j.run(j.ctx)
			}
		case <-look.C:
			p.probe(ctx)
		}
		every := probeEvery
		if h, _ := p.Health(); h.State == devices.Lost {
			every = lostEvery
		}
		look.Reset(every)
	}
}

// put queues a job.
func (p *Press) put(ctx context.Context, run func(context.Context) error) (*job, error) {
	j := &job{ctx: ctx, run: run, done: make(chan error, 1)}
	select {
	case p.jobs <- j:
		return j, nil
	default:
		return nil, ErrBusy
	}
}

// wait queues a job and waits for it, or for ctx. Errors are the job's, ErrBusy
// and that of ctx; with ErrMaybePrinted the job goes on.
func (p *Press) wait(ctx context.Context, run func(context.Context) error) error {
	j, err := p.put(ctx, run)
	if err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
	}
	if j.taken.CompareAndSwap(false, true) {
		return ctx.Err() // its turn had not come
	}
	select {
	case err := <-j.done: // just now
		return err
	default:
		return fmt.Errorf("%w: %w", devices.ErrMaybePrinted, ctx.Err())
	}
}

// print hands a slip to the printer and notes how that went. It belongs to Run.
func (p *Press) print(ctx context.Context, s devices.Slip) error {
	err := p.Printer.Print(ctx, s)
	if err != nil && (errors.Is(err, devices.ErrSlip) || ctx.Err() != nil && !errors.Is(err, devices.ErrMaybePrinted)) {
		return err // which says nothing of the printer
	}
	p.found(err)
	return err
}

func (p *Press) probe(ctx context.Context) {
	prober, ok := p.Printer.(devices.Prober)
	if !ok {
		return
	}
	asking, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if _, err := prober.Probe(asking); ctx.Err() == nil {
		p.found(err)
	}
}

// found notes what the printer did last.
func (p *Press) found(err error) {
	h := devices.Health{State: devices.OK}
	reason := wire.PrintReason("")
	if err != nil {
		h = devices.Health{State: devices.Lost, Detail: err.Error()}
		reason = reasonOf(err)
	}
	p.mu.Lock()
	changed := h.State != p.health.State || reason != p.reason || h.Detail != p.health.Detail
	if h.Since = p.health.Since; h.State != p.health.State {
		h.Since = p.Now()
	}
	p.health, p.reason = h, reason
	p.mu.Unlock()
	if changed {
		p.Log.Info("printer", "state", h.State, "detail", h.Detail)
		p.Changed()
	}
}

// reasonOf names what a printer said.
func reasonOf(err error) wire.PrintReason {
	for _, known := range []struct {
		err    error
		reason wire.PrintReason
	}{
		{devices.ErrPaperOut, wire.PrintPaperOut},
		{devices.ErrCoverOpen, wire.PrintCoverOpen},
		{ErrBusy, wire.PrintBusy},
		{context.DeadlineExceeded, wire.PrintBusy},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return wire.PrintFault
}

// outcome says what an error of a job means.
func outcome(id string, err error) wire.Printed {
	switch {
	case err == nil:
		return wire.Printed{ID: id, State: wire.PrintDone}
	case errors.Is(err, devices.ErrMaybePrinted):
		return wire.Printed{ID: id, State: wire.PrintUnknown, Reason: reasonOf(err), Detail: wire.Clip(err.Error())}
	}
	return wire.Printed{ID: id, State: wire.PrintFailed, Reason: reasonOf(err), Detail: wire.Clip(err.Error())}
}

// Order prints what the server asks for, once for each id.
func (p *Press) Order(ctx context.Context, m wire.Print) wire.Printed {
	answer := wire.Printed{}
	err := p.wait(ctx, func(ctx context.Context) error {
		before, fresh, err := p.Store.BeginPrint(m.ID, p.Now().UnixMilli())
		if err != nil || !fresh {
			answer = before
			return err
		}
		answer = outcome(m.ID, p.print(ctx, ordered(m)))
		if err := p.Store.EndPrint(answer); err != nil {
			p.Log.Error("what was printed is not noted", "id", m.ID, "error", err)
		}
		return nil
	})
	if err != nil {
		return outcome(m.ID, err)
	}
	return answer
}
