package hub

import (
	"fmt"
	"time"

	"campusgate/signing/wire"
)

// feed is the server's side of the down stream: it sends what follows the
// agent's cursor as one group, waits for the answer, and sends the next group
// when the feed has grown. Where nothing follows it says so, with an empty
// Delta: at the start, after each group, and every 30 s.
func (c *conn) feed() {
	cursor, owed := c.start, true
	for {
		changed := c.h.feed.wait()
		d, err := c.sendGroup(cursor, owed)
		if err != nil {
			c.fail(err)
			return
		}
		if d.sent {
			var refused bool
			if cursor, refused, err = c.answered(d.last); err != nil {
				c.fail(err)
				return
			}
			owed = refused || !d.empty
			continue
		}
		idle := time.NewTimer(wire.FreshMS * time.Millisecond)
		select {
		case <-changed:
		case <-idle.C:
			owed = true
		case <-c.applied:
			err = fmt.Errorf("%w: an answer to no group", wire.ErrProtocol)
		case <-c.ctx.Done():
			err = c.ctx.Err()
		}
		idle.Stop()
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// group is what sendGroup did.
type group struct {
	sent  bool
	empty bool        // it said only that nothing follows
	reset bool        // it is a snapshot
	last  wire.Cursor // of the last frame
}

// sendGroup sends everything after the cursor, page by page. Where there is
// nothing it says so if that is owed. Only the end of the connection is an
// error: a store that fails is asked for the same page again.
func (c *conn) sendGroup(after wire.Cursor, owed bool) (g group, err error) {
	for start := after; ; {
		d, frames, err := c.page(after)
		if err != nil {
			return g, err
		}
		g.empty = !g.sent && !d.Reset && !d.More && len(d.Items) == 0 && d.Cursor == start
		if g.empty && !owed {
			return g, nil
		}
		for _, frame := range frames {
			if err := c.out.Put(c.ctx, wire.Down, frame); err != nil {
				return g, err
			}
		}
		after, g.last, g.sent, g.reset = d.Cursor, d.Cursor, true, g.reset || d.Reset
		if !d.More {
			if g.reset {
				c.compare(start, g.last)
			}
			return g, nil
		}
	}
}

// page reads the next page of the feed and cuts it into frames.
func (c *conn) page(after wire.Cursor) (wire.Delta, [][]byte, error) {
	for failures := 1; ; failures++ {
		d, err := c.h.store.Feed(c.ctx, after, wire.MaxBatch)
		if c.ctx.Err() != nil {
			return d, nil, c.ctx.Err()
		}
		var frames [][]byte
		if err == nil {
			if frames, err = wire.DeltaFrames(d); err == nil {
				return d, frames, nil
			}
		}
		c.downFault(err.Error())
		c.h.cfg.Log.Warn("feed cannot be sent", "agent", c.agent.ID, "revision", after.Revision, "err", err)
		if !pause(c.ctx, failures) {
			return d, nil, c.ctx.Err()
		}
	}
}

// compare finds that an agent has seen more of this very feed than there is: an
// older copy of the database was put back. What was withdrawn since is not in it.
func (c *conn) compare(seen, held wire.Cursor) {
	if seen.Lineage != held.Lineage || seen.Revision <= held.Revision {
		return
	}
	c.h.cfg.Log.Error("the database was put back", "agent", c.agent.ID, "seen", seen.Revision, "held", held.Revision)
	c.note(true, func(st *State) {
		st.Alarm = fmt.Sprintf("this agent has seen revision %d of the feed, the database is at %d: an older copy was put back; "+
			"stop the server, run gateserver restored, and do again what is missing", seen.Revision, held.Revision)
	})
}

// answered waits until the agent has taken the group that ends at last, or has
// refused it and asks again, and gives the cursor to go on from.
func (c *conn) answered(last wire.Cursor) (next wire.Cursor, refused bool, err error) {
	for {
		select {
		case m := <-c.applied:
			switch {
			case m.Fault != "":
				refused = true
				c.downFault("the agent says: " + m.Fault)
			case m.Cursor != last && !refused:
				return last, false, fmt.Errorf("%w: applied revision %d, but sent up to %d", wire.ErrProtocol, m.Cursor.Revision, last.Revision)
			default:
				c.note(false, func(st *State) {
					st.Applied = m.Cursor
					if !refused {
						st.DownFault = ""
					}
				})
				return m.Cursor, refused, nil
			}
		case <-c.ctx.Done():
			return last, refused, c.ctx.Err()
		}
	}
}

func (c *conn) downFault(text string) {
	c.note(false, func(st *State) { st.DownFault = text })
}
