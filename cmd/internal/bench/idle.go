package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// idle measures what the gateagent program takes of a PC while nobody comes: its
// share of one processor and its memory, with a scanner and a relay, a page that
// nobody looks at and a server that does not answer, which it keeps trying.
func (r *run) idle(ctx context.Context) (err error) {
	bin, err := r.agentProgram()
	if err != nil {
		return err
	}
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	p, err := r.prepare(c, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if _, err := p.start(ctx); err != nil {
		return err
	}
	// Starting is not idling.
	if err := rest(ctx, r.span(2*time.Second)); err != nil {
		return err
	}
	pid := p.cmd.Process.Pid
	before, err := processorTime(pid)
	if err != nil {
		return err
	}
	from := time.Now()
	if err := rest(ctx, r.span(30*time.Second)); err != nil {
		return err
	}
	took := time.Since(from)
	after, err := processorTime(pid)
	if err != nil {
		return fmt.Errorf("the agent ended: %w; it said: %s", err, p.said)
	}
	memory, err := resident(pid)
	if err != nil {
		return err
	}
	return r.print(
		Figure{Name: "idle_cpu", Value: Number(100 * (after - before).Seconds() / took.Seconds()), Unit: "% of a processor"}.atMost(1),
		Figure{Name: "idle_rss", Value: Number(memory), Unit: "MiB"}.atMost(60),
	)
}

// span is a stretch of time, shorter in a quick run.
func (r *run) span(full time.Duration) time.Duration {
	switch {
	case r.o.Tiny:
		return full / 30
	case r.o.Quick:
		return full / 6
	}
	return full
}

// rest lets time pass, which is what is measured.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
