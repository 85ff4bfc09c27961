package notify

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"campusgate/server/store"
)

// How messages are carried.
const (
	batch    = 20               // messages of a channel under way together with one read
	lookAt   = 10 * time.Minute // between looks, should a wake-up be missed
	giveUp   = 24 * time.Hour   // after the message was posted
	sendTime = 10 * time.Second // that a channel has for one message
)

// pauses before the second try, the third …; the last is used from then on.
var pauses = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// Run carries messages until ctx ends. Each channel has a goroutine of its
// own, so that one that is down holds up no other.
func (s *Service) Run(ctx context.Context) error {
	var group sync.WaitGroup
	for _, ch := range s.Channels {
		group.Go(func() { s.carry(ctx, ch) })
	}
	<-ctx.Done()
	group.Wait()
	return nil
}

func (s *Service) carry(ctx context.Context, ch Channel) {
	for {
		for s.round(ctx, ch) {
		}
		timer := time.NewTimer(s.pause(ctx, ch))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.wake[ch.Name()]:
			// The message that woke us is not committed yet. A change of our own,
			// though empty, comes after it. Its fault is found by the next look.
			_ = s.Store.Change(ctx, func(*store.Tx) error { return nil })
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// pause is the time until something is due on a channel.
func (s *Service) pause(ctx context.Context, ch Channel) time.Duration {
	var next sql.NullInt64
	err := s.Store.Reader().QueryRowContext(ctx, "SELECT min(next_at) FROM outbox WHERE channel = $1", ch.Name()).Scan(&next)
	if err != nil || !next.Valid {
		return lookAt
	}
	return min(lookAt, max(time.Second, time.Duration(next.Int64-s.Now().UnixMilli())*time.Millisecond))
}

// entry is one message that is due on a channel.
type entry struct {
	Message
	tries int
	next  int64
}

// round carries what is due and reports whether there may be more at once.
func (s *Service) round(ctx context.Context, ch Channel) bool {
	now := s.Now().UnixMilli()
	due, err := store.List(ctx, s.Store.Reader(), scanEntry, `SELECT m.id, m.person, m.kind, m.subject, m.text, m.link, m.at,
		o.tries, o.next_at FROM outbox o JOIN messages m ON m.id = o.message
		WHERE o.channel = $1 AND o.next_at <= $2 ORDER BY o.next_at, o.message LIMIT $3`, ch.Name(), now, batch)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("outbox not read", "channel", ch.Name(), "error", err)
		}
		return false
	}
	for _, e := range due {
		if ctx.Err() != nil {
			return false
		}
		if err := s.settle(ctx, ch, e, s.send(ctx, ch, e)); err != nil {
			if ctx.Err() == nil {
				s.Log.Error("outbox not written", "channel", ch.Name(), "error", err)
			}
			return false
		}
	}
	return len(due) == batch
}

func scanEntry(rows *sql.Rows) (e entry, err error) {
	err = rows.Scan(&e.ID, &e.Person, &e.Kind, &e.Subject, &e.Text, &e.Link, &e.At, &e.tries, &e.next)
	return e, err
}

func (s *Service) send(ctx context.Context, ch Channel, e entry) error {
	to, err := s.Recipient(ctx, e.Person)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return ch.Send(ctx, to, e.Message)
}

// settle takes a message out of the outbox, or plans the next try.
func (s *Service) settle(ctx context.Context, ch Channel, e entry, sent error) error {
	over := sent == nil || errors.Is(sent, ErrUnreachable) || errors.Is(sent, store.ErrNotFound)
	if !over && ctx.Err() != nil {
		return ctx.Err() // not the channel's fault: no try is counted
	}
	now := s.Now().UnixMilli()
	if !over && now-e.At >= giveUp.Milliseconds() {
		over = true
		s.Log.Warn("message given up", "channel", ch.Name(), "message", e.ID, "tries", e.tries+1)
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		err := t.Exec("DELETE FROM outbox WHERE channel = $1 AND next_at = $2 AND message = $3", ch.Name(), e.next, e.ID)
		if err != nil || over {
			return err
		}
		pause := pauses[min(e.tries, len(pauses)-1)]
		return t.Exec("INSERT INTO outbox (message, channel, tries, next_at) VALUES ($1, $2, $3, $4)",
			e.ID, ch.Name(), e.tries+1, now+pause.Milliseconds())
	})
}
