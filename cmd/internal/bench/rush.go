package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"campusgate/agent"
	"campusgate/devices"
	"campusgate/devices/drivers"
)

const (
	rushLanes = 8
	// rushEvery is how often somebody comes to each lane.
	rushEvery = 200 * time.Millisecond
	// rushEnough is how many come to a lane at most, enough for a p99, unless there are
	// devices that hang: beside these they come for as long as they are told to.
	rushEnough = 600
	// rushPatience is the longest that anybody may stand there, whatever hangs.
	rushPatience = 3 * time.Second
)

// rush measures eight lanes of one agent with a person five times a second each,
// from the scanner's tty to the relay's, against one such lane alone; and again
// with a ninth lane whose devices hang.
func (r *run) rush(ctx context.Context) error {
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	took := r.o.Rush
	if took == 0 {
		took = r.effort(0, 30).time
	}
	if r.o.Rush == 0 && r.o.Tiny {
		took = time.Second
	}
	people := int(took / rushEvery)
	alone, err := r.crowd(ctx, c, "alone", 1, min(people, rushEnough), false)
	if err != nil {
		return fmt.Errorf("one lane: %w", err)
	}
	eight, err := r.crowd(ctx, c, "eight", rushLanes, min(people, rushEnough), false)
	if err != nil {
		return fmt.Errorf("eight lanes: %w", err)
	}
	hung, err := r.crowd(ctx, c, "hung", rushLanes, people, true)
	if err != nil {
		return fmt.Errorf("eight lanes and one that hangs: %w", err)
	}
	const peer = "one lane alone, p99"
	return r.print(
		Figure{Name: "lanes8_rush_p50", Value: Number(eight.median() * milli), Unit: "ms"}.
			against("one lane alone, p50", alone.median()*milli, 3),
		Figure{Name: "lanes8_rush_p99", Value: Number(eight.at(0.99) * milli), Unit: "ms"}.against(peer, alone.at(0.99)*milli, 3),
		Figure{Name: "lanes8_hung_p99", Value: Number(hung.at(0.99) * milli), Unit: "ms"}.against(peer, alone.at(0.99)*milli, 3),
	)
}

// crowd runs an agent and sends people to its lanes, each with a pass for one
// use. Everybody must be let in once, and soon; how long each stood there is what
// it gives.
func (r *run) crowd(ctx context.Context, c *campus, name string, lanes, people int, hang bool) (_ sample, err error) {
	data := filepath.Join(r.dir, name)
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	pc, err := newGatePC(filepath.Join(data, agent.StoreName), c, nil)
	if err != nil {
		return nil, err
	}
	if err := pc.db.Close(); err != nil {
		return nil, err
	}
	texts, err := c.bearers(0, lanes*people)
	if err != nil {
		return nil, err
	}
	file := &strings.Builder{}
	fmt.Fprintf(file, "server: https://gate.invalid\nlisten: 127.0.0.1:0\ndata: %q\nlanes:\n", data)
	all := make([]*wired, lanes)
	defer func() {
		for _, w := range all {
			if w != nil {
				err = errors.Join(err, w.close())
			}
		}
	}()
	for i := range all {
		w := &wired{frames: make(chan struct{}, people+1)}
		all[i] = w
		in, inErr := w.tty()
		out, outErr := w.tty()
		if err := errors.Join(inErr, outErr); err != nil {
			return nil, err
		}
		w.scanner = in
		w.playRelay(out)
		fmt.Fprintf(file, "  - name: lane %d\n    scanner: {driver: serial, path: %s}\n    barrier: {driver: lcus, path: %s, pulse_ms: 50}\n", i+1, in.Path, out.Path)
	}
	if hang {
		defer hangs()()
		fmt.Fprint(file, "  - name: stuck\n    scanner: {driver: hang, path: x}\n    barrier: {driver: hang, path: y}\n")
	}
	settings, err := agent.ParseConfig(name, []byte(file.String()))
	if err != nil {
		return nil, err
	}
	a, err := agent.New(settings, agent.Deps{Now: r.o.Now, Rand: r.o.Rand})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	if err := ready(ctx, a.Addr(), lanes); err != nil {
		return nil, err
	}
	if hang { // its barrier is asked for too
		body := strings.NewReader(`{"text": "nobody", "lane": "stuck"}`)
		resp, err := http.Post("http://"+a.Addr()+"/api/v1/scans", "application/json", body)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
	}
	return r.send(ctx, all, texts, people)
}

// ready waits until the scanners of the first lanes are open.
func ready(ctx context.Context, addr string, lanes int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the scanners did not open: %w", ctx.Err())
		case <-tick.C:
		}
		resp, err := http.Get("http://" + addr + "/api/v1/status")
		if err != nil {
			return err
		}
		var status struct {
			Lanes []struct{ Scanner struct{ State string } }
		}
		err = json.NewDecoder(resp.Body).Decode(&status)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		open := 0
		for _, l := range status.Lanes {
			if l.Scanner.State == devices.OK {
				open++
			}
		}
		if open == lanes {
			return nil
		}
	}
}

// send has somebody come to every lane again and again, not in step.
func (r *run) send(ctx context.Context, all []*wired, texts []string, people int) (sample, error) {
	took, errs := make([]sample, len(all)), make([]error, len(all))
	begin := time.Now()
	var crowd sync.WaitGroup
	for i, w := range all {
		crowd.Go(func() {
			offset := rushEvery * time.Duration(i) / time.Duration(len(all))
			for n := range people {
				select {
				case <-ctx.Done():
					errs[i] = ctx.Err()
					return
				case <-time.After(time.Until(begin.Add(offset + time.Duration(n)*rushEvery))):
				}
				seconds, err := w.stand(texts[i*people+n])
				if errs[i] = err; err != nil {
					errs[i] = fmt.Errorf("lane %d, person %d: %w", i+1, n+1, err)
					return
				}
				took[i] = append(took[i], seconds)
			}
		})
	}
	crowd.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i, w := range all {
		if n := len(w.frames); n > 0 {
			return nil, fmt.Errorf("lane %d: %d pulses for nobody", i+1, n)
		}
	}
	every := slices.Concat(took...)
	slices.Sort(every)
	return every, nil
}

// stand presents a code and waits for the pulse, in seconds.
func (w *wired) stand(text string) (float64, error) {
	start := time.Now()
	if _, err := io.WriteString(w.scanner, text+"\r"); err != nil {
		return 0, err
	}
	select {
	case <-w.frames:
		return time.Since(start).Seconds(), nil
	case <-time.After(rushPatience):
		return 0, fmt.Errorf("not let in within %v", rushPatience)
	}
}

// hangs adds drivers of devices that hang in every call, until the returned
// function is called.
func hangs() (release func()) {
	stuck := make(chan struct{})
	drivers.Scanners["hang"] = func(drivers.ScannerConfig) (devices.Scanner, error) { return hung(stuck), nil }
	drivers.Barriers["hang"] = drivers.BarrierDriver{
		Check: func(drivers.BarrierConfig) error { return nil },
		New:   func(drivers.BarrierConfig) (devices.Barrier, error) { return hung(stuck), nil },
	}
	return func() {
		close(stuck)
		delete(drivers.Scanners, "hang")
		delete(drivers.Barriers, "hang")
	}
}

// hung is deaf to everything until its channel closes.
type hung chan struct{}

func (h hung) Run(context.Context, func(devices.Scan)) error { <-h; return io.EOF }
func (h hung) Open(context.Context) error                    { <-h; return io.EOF }
func (h hung) Probe(context.Context) (string, error)         { <-h; return "", io.EOF }
func (h hung) Close() error                                  { <-h; return io.EOF }
