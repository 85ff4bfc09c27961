package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"campusgate/signing/verdict"
)

const (
	laneCount = 8
	perLane   = 50 // scans of each lane in one turn
)

// lanes measures eight lanes that present at once, each waiting for its
// decision, against a single thread of floors.
func (r *run) lanes(ctx context.Context, c *campus, a *gatePC, f *floor) error {
	e := r.effort(40, 20)
	size := laneCount * r.size(perLane)
	// The passes of figures measured before are used up.
	texts, err := c.bearers(1_000_000, (e.turns+1)*size)
	if err != nil {
		return err
	}
	names := make([]string, laneCount)
	for i := range names {
		names[i] = fmt.Sprintf("lane %d", i+1)
	}
	d, err := a.open(r.o, names, nil)
	if err != nil {
		return err
	}
	ours := func() error {
		batch := texts[:size]
		texts = texts[size:]
		return d.presentAll(ctx, names, batch)
	}
	p, o, err := turns(ctx, e, func() error { return f.appendTimes(size) }, ours)
	if stopped := d.stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return err
	}
	return r.print(Figure{Name: "lanes8_decisions", Value: Number(float64(size) / o.median()), Unit: "decisions/s", Min: true}.
		against("an append of 4 KiB and fdatasync, one thread", float64(size)/p.median(), 0.45))
}

// presentAll shares the texts out to the lanes; every one must be admitted.
func (d *opened) presentAll(ctx context.Context, names, texts []string) error {
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			for j := i; j < len(texts) && errs[i] == nil; j += len(names) {
				errs[i] = d.present(ctx, name, texts[j])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (d *opened) present(ctx context.Context, name, text string) error {
	res, err := d.Present(ctx, name, "api", text)
	if err != nil {
		return err
	}
	if res.Reason != verdict.Granted || !res.Opens {
		return fmt.Errorf("%s: %v instead of an admission", name, res.Reason)
	}
	return nil
}
