package relay

import (
	"fmt"
	"time"
)

const (
	// aliveEvery is how often an idle relay is looked at. A stale descriptor of an
	// unplugged adapter would otherwise keep its name taken, so that the adapter
	// comes back under another one.
	aliveEvery = time.Second
	// retryMin and retryMax are the pauses between attempts to switch off.
	retryMin = 100 * time.Millisecond
	retryMax = time.Second
)

// owner is the state of the one goroutine that uses the port. While there is no
// port, an "off" is owed.
type owner struct {
	*Barrier
	on, off []byte

	port  Port
	owed  bool        // "off" will be sent when timer fires
	timer *time.Timer // runs only while owed
	retry time.Duration
}

func newOwner(b *Barrier) *owner {
	return &owner{Barrier: b, on: frame(b.c.Channel, opOn), off: frame(b.c.Channel, opOff)}
}

func (o *owner) run() {
	defer close(o.done)
	o.timer = time.NewTimer(0)
	defer o.timer.Stop()
	look := time.NewTicker(aliveEvery)
	defer look.Stop()
	o.owe(0)
	o.switchOff() // before any request is heard
	for {
		select {
		case r := <-o.requests:
			r.reply <- o.serve(r)
		case <-o.timer.C:
			o.switchOff()
		case <-look.C:
			o.look()
		case <-o.quit:
			o.closeErr = o.shut()
			return
		}
	}
}

// serve answers one request.
func (o *owner) serve(r request) error {
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	o.look() // a port gone stale since the last pulse must not cost an entry
	if err := o.dial(); err != nil || !r.open {
		return err
	}
	if err := o.write(o.on); err != nil {
		return err
	}
	o.owe(o.c.Pulse)
	return nil
}

// look drops a port whose device is gone.
func (o *owner) look() {
	if o.port != nil && o.port.Alive() != nil {
		o.drop()
	}
}

// dial opens the port where there is none.
func (o *owner) dial() error {
	if o.port != nil {
		return nil
	}
	port, err := o.c.Dial()
	if err != nil {
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	o.port = port
	return nil
}

// write sends a frame, or drops the port. A frame whose write failed may have
// arrived all the same.
func (o *owner) write(frame []byte) error {
	if _, err := o.port.Write(frame); err != nil {
		o.drop()
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	return nil
}

// drop gives the port up. A pulse that is running keeps its time.
func (o *owner) drop() {
	_ = o.port.Close() // it is dropped because it failed
	o.port = nil
	if !o.owed {
		o.owe(retryMin)
	}
}

// owe sets the time of the next "off".
func (o *owner) owe(in time.Duration) {
	o.owed, o.retry = true, retryMin
	o.timer.Reset(in)
}

// switchOff sends "off", or sets the time of the next attempt.
func (o *owner) switchOff() {
	err := o.dial()
	if err == nil {
		err = o.write(o.off)
	}
	if err != nil {
		o.timer.Reset(o.retry)
		o.retry = min(2*o.retry, retryMax)
		return
	}
	o.owed = false
	o.timer.Stop()
}

// shut sends an "off" that is owed at once, on a fresh port if need be, and
// closes the port.
func (o *owner) shut() error {
	var err error
	for range 2 {
		if !o.owed {
			break
		}
		if err = o.dial(); err == nil {
			err = o.write(o.off)
		}
		o.owed = err != nil
	}
	if o.port != nil {
		_ = o.port.Close() // the frame is out; there is nothing left to lose
	}
	return err
}
