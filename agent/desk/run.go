package desk

import (
	"context"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	queueLength = 256 // inputs that wait for the next transaction
	batchLength = 64  // inputs in one transaction
)

// Run decides until ctx ends. It is called once. Everything that queued up is
// stepped in one transaction, and its effects follow the commit.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer func() {
		tick.Stop()
		close(d.done)
		d.asks.Wait()
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
			batch = append(batch[:0], &entry{in: Tick{d.Stamp()}})
		}
		d.settle(ctx, batch)
		d.turned.Store(int64(d.Elapsed()))
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
	inputs := make([]Input, len(batch))
	for i, e := range batch {
		inputs[i] = e.in
	}
	effects, err := d.deps.Settle(inputs)
	if err != nil {
		d.deps.Log.Error("nothing granted: the journal could not be written", "error", err)
	}
	d.perform(ctx, batch, effects)
}

// perform does first what the core's package does itself: a person waits at
// the barrier, and everybody else can wait for that.
func (d *Desk) perform(ctx context.Context, batch []*entry, effects [][]Effect) {
	for i, e := range batch {
		if id := e.in.Awaits(); id != "" && e.back != nil {
			d.waiters[id] = append(d.waiters[id], e)
		}
		if d.deps.Perform == nil {
			continue
		}
		for _, f := range effects[i] {
			d.deps.Perform(f)
		}
	}
	for i, e := range batch {
		for _, f := range effects[i] {
			switch f := f.(type) {
			case Show:
				d.show(f.Result)
			case Reply:
				e.deliver(outcome{answer: f.Answer, moved: f.Moved})
			case Reject:
				d.forget(f.ID, e)
				e.deliver(outcome{err: f.Err})
			case Shifted:
				d.shift.Store(&f.Shift)
				e.deliver(outcome{})
			case Done:
				e.deliver(outcome{result: f.Result})
			case Ask:
				d.asks.Go(func() { d.ask(ctx, f.Claim) })
			case Tell:
				d.asks.Go(func() { d.tell(ctx, f.Claim) })
			case Later:
				d.asks.Go(func() { d.later(ctx, f) })
			case Pong:
				e.deliver(outcome{pong: f.Pong})
			}
		}
	}
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

// ask waits for the decider as long as a person can be made to wait. An answer
// that comes later is dropped: the question stays open in the book, and is
// asked again or given back.
func (d *Desk) ask(ctx context.Context, c wire.Claim) {
	a := d.answer(ctx, c)
	d.put(ClaimReply{Stamp: d.Stamp(), From: c.Owner, Answer: a})
}

func (d *Desk) answer(ctx context.Context, c wire.Claim) wire.Answer {
	silent := c.Answer(verdict.ClaimSilent)
	if d.deps.Ask == nil {
		return silent
	}
	ctx, cancel := context.WithTimeout(ctx, wire.AskTimeoutMS*time.Millisecond)
	defer cancel()
	back := make(chan wire.Answer, 1)
	go func() { back <- d.deps.Ask(ctx, c) }()
	select {
	case got := <-back:
		if got.Answers() == c.Asked() {
			return got
		}
	case <-ctx.Done():
	}
	return silent
}

func (d *Desk) tell(ctx context.Context, c wire.Claim) {
	if d.deps.Ask == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wire.AskTimeoutMS*time.Millisecond)
	defer cancel()
	d.deps.Ask(ctx, c)
}

func (d *Desk) later(ctx context.Context, f Later) {
	t := time.NewTimer(time.Duration(f.MS) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		d.put(Waited{Stamp: d.Stamp(), Claim: f.Claim})
	case <-ctx.Done():
	}
}
