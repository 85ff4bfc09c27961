package relay

import (
	"fmt"
	"time"

	"campusgate/devices"
)

const (
	// aliveEvery is how often an idle relay is looked at. A stale descriptor of an
	// unplugged adapter would otherwise keep its name taken, so that the adapter
	// comes back under another one.
	aliveEvery = time.Second
	// retryMin and retryMax are the pauses between attempts to bring it to rest.
	retryMin = 100 * time.Millisecond
	retryMax = time.Second
)

// owner is the state of the one goroutine that uses the port. While there is no
// port, a rest is owed.
type owner struct {
	*Barrier
	port   Port
	owed   bool        // the relay will be brought to rest when timer fires
	timer  *time.Timer // runs only while owed
	retry  time.Duration
	inside int // how often the door is to be left when the relay is at rest
	held   bool
	up     bool // it is open, as far as this port was told
}

func newOwner(b *Barrier) *owner {
	b.c.Door.Stay() // nobody knows how an earlier run left the relay
	return &owner{Barrier: b, inside: 1}
}

func (o *owner) run() {
	defer close(o.done)
	o.timer = time.NewTimer(0)
	defer o.timer.Stop()
	look := time.NewTicker(aliveEvery)
	defer look.Stop()
	o.owe(0)
	o.rest() // before any request is heard
	for {
		select {
		case r := <-o.requests:
			r.reply <- o.serve(r)
		case <-o.timer.C:
			o.rest()
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
	if r.wish == release {
		if o.held {
			o.held = false
			o.owe(0)
		}
		return nil
	}
	if r.wish == hold && !o.held {
		o.held = true // from now on, also should the relay be away
		o.c.Door.Stay()
		o.inside++
	}
	err := o.ready(r)
	switch {
	case err != nil || r.wish == look:
		o.notAsked(r.wish)
		return err
	case r.wish == hold && o.up:
		return nil
	case r.wish == pulse:
		o.inside++
	}
	if err := o.move(true); err != nil {
		return err
	}
	if r.wish == pulse {
		o.owe(o.c.Pulse)
	}
	return nil
}

// ready opens the port where that is needed, in the time that the request has.
func (o *owner) ready(r request) error {
	err := r.ctx.Err()
	if err == nil {
		o.look() // a port gone stale since the last pulse must not cost an entry
		if err := o.renew(); err != nil {
			return err
		}
		err = r.ctx.Err() // both may take their time
	}
	if err != nil {
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	return nil
}

// look drops a port whose device is gone.
func (o *owner) look() {
	if o.port != nil && o.port.Alive() != nil {
		o.drop()
	}
}

// renew opens the port where there is none, and looks at it: a line may be there
// without its board.
func (o *owner) renew() error {
	if o.port != nil {
		return nil
	}
	if err := o.dial(); err != nil {
		return err
	}
	if err := o.port.Alive(); err != nil {
		o.drop()
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	return nil
}

// dial opens the port where there is none.
func (o *owner) dial() error {
	if o.port != nil {
		return nil
	}
	err := devices.Catch(func() error {
		port, err := o.c.Dial()
		if err == nil {
			o.port = contained{port}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	return nil
}

// contained is a port whose panics are faults like any other: the owner's
// goroutine has to go on, because it owes the relay a rest.
type contained struct{ port Port }

func (c contained) Switch(on bool) error {
	return devices.Catch(func() error { return c.port.Switch(on) })
}

func (c contained) Alive() error { return devices.Catch(c.port.Alive) }
func (c contained) Close() error { return devices.Catch(c.port.Close) }

// move opens the barrier or brings it to rest, or drops the port. A relay that
// gave an error may have moved all the same.
func (o *owner) move(open bool) error {
	if err := o.port.Switch(open != o.c.Inverted); err != nil {
		o.drop()
		return fmt.Errorf("relay %s: %w", o.c.Name, err)
	}
	o.up = open
	return nil
}

// drop gives the port up. A pulse that is running keeps its time.
func (o *owner) drop() {
	_ = o.port.Close() // it is dropped because it failed
	o.port, o.up = nil, false
	if !o.owed {
		o.owe(retryMin)
	}
}

// owe sets the time of the next rest.
func (o *owner) owe(in time.Duration) {
	o.owed, o.retry = true, retryMin
	o.timer.Reset(in)
}

// rest brings the relay to rest, or to where it is held, or sets the time of the
// next attempt.
func (o *owner) rest() {
	stale := o.port != nil
	err := o.tryRest()
	if err != nil && stale {
		err = o.tryRest() // a replug during the pulse must not keep the gate open
	}
	if err != nil {
		o.timer.Reset(o.retry)
		o.retry = min(2*o.retry, retryMax)
		return
	}
	o.timer.Stop()
}

func (o *owner) tryRest() error {
	err := o.dial()
	if err == nil && !(o.held && o.up) {
		err = o.move(o.held)
	}
	if err != nil {
		return err
	}
	o.owed = false
	for ; !o.held && o.inside > 0; o.inside-- {
		o.c.Door.Leave()
	}
	return nil
}

// shut brings the relay to rest at once where that is owed, on a fresh port if
// need be, and closes the port.
func (o *owner) shut() error {
	var err error
	if o.held {
		o.held, o.owed = false, true
	}
	for range 2 {
		if o.owed {
			err = o.tryRest()
		}
	}
	if o.port != nil {
		_ = o.port.Close() // the relay is at rest; there is nothing left to lose
	}
	return err
}
