package link

import (
	"fmt"

	"campusgate/signing/wire"
)

// delta takes a frame of the down stream from the reader. While a group is
// being applied the server owes silence, so the reader never waits here for a
// store.
func (s *session) delta(d wire.Delta) error {
	if s.applies.Load() {
		return fmt.Errorf("%w: a delta before the last group was answered", wire.ErrProtocol)
	}
	if !d.More {
		s.applies.Store(true)
	}
	select {
	case s.deltas <- d:
	case <-s.ctx.Done():
	}
	return nil
}

// download is the agent's side of the down stream: it collects a group,
// applies it, and answers with where it stands then.
func (s *session) download() {
	for failures := 0; ; {
		group, err := s.collect()
		if err != nil {
			s.fail(err)
			return
		}
		if err := s.apply(group); err != nil {
			failures++
			s.l.fault(downFault, err.Error())
			refused := wire.Applied{Cursor: s.l.deps.Snapshot.Cursor(), Fault: wire.Clip(err.Error())}
			if s.send(wire.Down, wire.TypeApplied, refused) != nil || !s.pause(failures) {
				return
			}
		} else {
			failures = 0
			s.l.fault(downFault, "")
		}
		s.applies.Store(false)
		if s.send(wire.Down, wire.TypeApplied, wire.Applied{Cursor: s.l.deps.Snapshot.Cursor()}) != nil {
			return
		}
	}
}

// collect waits for all frames of a group. A frame with Reset starts it anew.
func (s *session) collect() ([]wire.Delta, error) {
	var group []wire.Delta
	items, bytes := 0, 0
	for {
		var d wire.Delta
		select {
		case d = <-s.deltas:
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
		if d.Reset {
			group, items, bytes = nil, 0, 0
		}
		items += len(d.Items)
		for i := range d.Items {
			bytes += len(d.Items[i].Key) + len(d.Items[i].Body)
		}
		if items > wire.MaxGroupItems || bytes > wire.MaxGroupBytes {
			return nil, fmt.Errorf("%w: a group of more than %d items or %d bytes", wire.ErrProtocol, wire.MaxGroupItems, wire.MaxGroupBytes)
		}
		group = append(group, d)
		if !d.More {
			return group, nil
		}
	}
}

// apply brings the snapshot to the end of the group, or leaves it as it was.
// Whether it did is read from the snapshot: a store may fail after its commit.
// An empty Delta with the snapshot's own cursor means that it is current.
func (s *session) apply(group []wire.Delta) error {
	at := s.l.cfg.Now()
	snapshot, last := s.l.deps.Snapshot, group[len(group)-1].Cursor
	if len(group) == 1 && !group[0].Reset && len(group[0].Items) == 0 && last == snapshot.Cursor() {
		if err := snapshot.Fresh(at.Round(0)); err != nil {
			return fmt.Errorf("note that revision %d is current: %w", last.Revision, err)
		}
		return nil
	}
	if err := snapshot.Apply(group); err != nil {
		return fmt.Errorf("apply the feed up to revision %d: %w", last.Revision, err)
	}
	if now := snapshot.Cursor(); now != last {
		return fmt.Errorf("apply the feed: the snapshot is at revision %d of %q instead of %d of %q", now.Revision, now.Lineage, last.Revision, last.Lineage)
	}
	return nil
}
