package devices

import (
	"context"
	"time"
)

// Settle is how long a contact must keep a new state before it counts: contacts
// bounce for some milliseconds.
const Settle = 20 * time.Millisecond

// Poll is the Run of an Input whose contact has to be asked. A new state counts
// when two readings that are Settle apart agree; the pause between readings is at
// least Settle too. It returns the error of read, or ctx.Err().
func Poll(ctx context.Context, read func() (bool, error), emit func(active bool)) error {
	tick := time.NewTicker(Settle)
	defer tick.Stop()
	var known, state, last, asked bool
	for {
		now, err := read()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		if asked && now == last && (!known || now != state) {
			known, state = true, now
			emit(now)
		}
		asked, last = true, now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
