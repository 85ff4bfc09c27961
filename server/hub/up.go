package hub

import (
	"fmt"

	"campusgate/signing/wire"
)

// ingest is the server's side of the up stream: it commits each frame of
// events and then says up to where everything is held.
func (c *conn) ingest() {
	for {
		var m wire.Events
		select {
		case m = <-c.events:
		case <-c.ctx.Done():
			return
		}
		held, ok := c.commit(m.Records)
		if !ok {
			return
		}
		frame, err := wire.EncodeFrame(wire.Up, wire.TypeAcked, wire.Acked{Seq: held})
		if err == nil {
			err = c.out.Put(c.ctx, wire.Up, frame)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// commit tries until the store has taken the records. It reports false when
// the connection has ended.
func (c *conn) commit(records []wire.Record) (held uint64, ok bool) {
	for failures := 1; ; failures++ {
		held, err := c.h.store.Ingest(c.ctx, c.agent.ID, c.agent.Epoch, records)
		if err == nil && c.last > 0 && held >= c.last {
			if err = c.h.store.Heard(c.ctx, c.agent.ID); err == nil {
				c.last = 0
			}
		}
		if c.ctx.Err() != nil {
			return 0, false
		}
		last := records[len(records)-1].Seq
		switch {
		case err == nil && held >= last:
			c.acked(held)
			return held, true
		case err == nil:
			// The store has less than this connection started from. A new one
			// starts from what there is.
			c.upFault(fmt.Sprintf("events up to %d came, but only %d are held without a gap", last, held))
			c.fail(&farewell{wire.ByeInternal, "events are missing here: send them again"})
			return 0, false
		}
		c.upFault(err.Error())
		c.h.cfg.Log.Warn("events not taken", "agent", c.agent.ID, "first", records[0].Seq, "last", last, "err", err)
		if !pause(c.ctx, failures) {
			return 0, false
		}
	}
}

func (c *conn) acked(seq uint64) {
	c.note(false, func(st *State) { st.Acked, st.UpFault = seq, "" })
}

func (c *conn) upFault(text string) {
	c.note(false, func(st *State) { st.UpFault = text })
}
