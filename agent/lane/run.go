package lane

import (
	"context"
	"fmt"
	"sync"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Run decides until ctx ends. It is called once. Everything that queued up is
// stepped in one transaction, and its effects follow the commit.
func (d *Desk) Run(ctx context.Context) error {
	var barriers sync.WaitGroup
	for name, open := range d.deps.Barriers {
		barriers.Go(func() { d.pulse(ctx, name, open) })
	}
	tick := time.NewTicker(time.Second)
	defer func() {
		tick.Stop()
		close(d.done)
		d.asks.Wait()
		barriers.Wait()
		d.board.close()
	}()
	batch := make([]*entry, 0, batchLength)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-d.queue:
			batch = d.fill(append(batch[:0], e))
		case <-tick.C:
			batch = append(batch[:0], &entry{in: Tick{d.stamp()}})
		}
		d.settle(ctx, batch)
	}
}

// fill takes what else is queued.
func (d *Desk) fill(batch []*entry) []*entry {
	for len(batch) < batchLength {
		select {
		case e := <-d.queue:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// settle is one transaction and what follows it.
func (d *Desk) settle(ctx context.Context, batch []*entry) {
	effects := make([][]Effect, len(batch))
	err := d.deps.Store.Update(func(book Book) error {
		for i, e := range batch {
			var err error
			if effects[i], err = d.core.Step(book, e.in); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		d.core.Rollback()
		d.deps.Log.Error("nobody admitted: the journal could not be written", "error", err)
		cause := fmt.Errorf("%w: %w", ErrStore, err)
		for i, e := range batch {
			effects[i] = d.core.Failed(e.in, cause)
		}
	}
	d.core.Commit()
	d.perform(ctx, batch, effects)
}

// perform opens first: a person waits at the barrier, and everybody else can
// wait for that.
func (d *Desk) perform(ctx context.Context, batch []*entry, effects [][]Effect) {
	for i, e := range batch {
		if id := awaited(e.in); id != "" && e.back != nil {
			d.waiters[id] = append(d.waiters[id], e)
		}
		for _, f := range effects[i] {
			if open, ok := f.(Open); ok {
				d.open(open.Lane)
			}
		}
	}
	for i, e := range batch {
		for _, f := range effects[i] {
			switch f := f.(type) {
			case Show:
				d.show(f.Result)
			case Reply:
				e.deliver(outcome{answer: f.Answer})
			case Reject:
				d.forget(f.ID, e)
				e.deliver(outcome{err: f.Err})
			case Shifted:
				d.shift.Store(&f.Shift)
				e.deliver(outcome{})
			case Ask:
				d.asks.Go(func() { d.ask(ctx, f.Claim) })
			case Open:
			}
		}
	}
}

// awaited is the scan whose result answers the input.
func awaited(in Input) string {
	switch in := in.(type) {
	case *Scan:
		return in.ID
	case Answer:
		return in.ID
	case Annul:
		return in.ID
	case Entry:
		return in.ID
	}
	return ""
}

func (d *Desk) show(r Result) {
	d.name(&r)
	r = d.board.publish(r)
	for _, e := range d.waiters[r.ID] {
		e.deliver(outcome{result: r})
	}
	delete(d.waiters, r.ID)
}

func (d *Desk) forget(id string, gone *entry) {
	kept := d.waiters[id][:0]
	for _, e := range d.waiters[id] {
		if e != gone {
			kept = append(kept, e)
		}
	}
	if d.waiters[id] = kept; len(kept) == 0 {
		delete(d.waiters, id)
	}
}

// name adds the names of gates.
func (d *Desk) name(r *Result) {
	if d.deps.Gate == nil {
		return
	}
	if r.FirstUse != nil {
		g, _ := d.deps.Gate(r.FirstUse.Gate)
		r.FirstUse.GateName = g.Name
	}
	if r.Owner != nil && r.Owner.Gate != 0 {
		g, _ := d.deps.Gate(r.Owner.Gate)
		r.Owner.Name = g.Name
	}
}

// open hands a pulse to the lane's barrier without waiting: a stuck port of one
// lane is no other lane's business.
func (d *Desk) open(lane string) {
	if d.pulses[lane] == nil {
		return
	}
	select {
	case d.pulses[lane] <- d.Elapsed():
	default:
		d.lost.Add(1)
		d.deps.Log.Error("admitted, but the barrier is still busy with earlier pulses", "lane", lane)
	}
}

func (d *Desk) pulse(ctx context.Context, lane string, open func(context.Context) error) {
	for {
		var asked time.Duration
		select {
		case <-ctx.Done():
			return
		case asked = <-d.pulses[lane]:
		}
		if late := d.Elapsed() - asked; late > pulseLife {
			d.lost.Add(1)
			d.deps.Log.Error("admitted, but the barrier came back too late", "lane", lane, "late", late)
			continue
		}
		if err := open(ctx); err != nil {
			d.lost.Add(1)
			d.deps.Log.Error("admitted, but the barrier did not take the pulse", "lane", lane, "error", err)
		}
	}
}

// ask waits for the decider as long as a person can be made to wait. An answer
// that comes later is dropped: the question stays open in the book, and is
// asked again or given back.
func (d *Desk) ask(ctx context.Context, c wire.Claim) {
	answer := wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	if d.deps.Ask != nil {
		ctx, cancel := context.WithTimeout(ctx, wire.AskTimeoutMS*time.Millisecond)
		defer cancel()
		back := make(chan wire.Answer, 1)
		go func() { back <- d.deps.Ask(ctx, c) }()
		select {
		case got := <-back:
			if got.ID == c.ID {
				answer = got
			}
		case <-ctx.Done():
		}
	}
	d.put(ClaimReply{Stamp: d.stamp(), Answer: answer})
}
