package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"campusgate/server/store"
)

// ErrUnreachable: this person has no address on the channel.
var ErrUnreachable = errors.New("cannot be reached this way")

// Config is what a Service works with.
type Config struct {
	Store    *store.Store
	Channels []Channel // beside the list on the pages; may be none
	// Recipient says what channels may know of a person.
	Recipient func(ctx context.Context, person string) (Recipient, error)
	Now       func() time.Time
	Log       *slog.Logger // never sees a text or a phone number
}

// Service keeps messages and carries them out. Safe for concurrent use.
type Service struct {
	Config
	wake map[string]chan struct{} // by channel
}

// New makes a service. Messages go out once Run runs.
func New(c Config) *Service {
	s := &Service{Config: c, wake: map[string]chan struct{}{}}
	for _, ch := range c.Channels {
		s.wake[ch.Name()] = make(chan struct{}, 1)
	}
	return s
}

// maxText is in characters; what is longer is somebody's opinion, and is read
// in full where the matter is.
const maxText = 500

// Post stores messages in the change that they tell of. It makes Service a
// Poster.
func (s *Service) Post(t *store.Tx, messages []Message) error {
	for _, m := range messages {
		var id int64
		err := t.QueryRowContext(t.Context(), `INSERT INTO messages (person, kind, subject, text, link, at)
			VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
			m.Person, m.Kind, short(m.Subject), short(m.Text), m.Link, t.Now()).Scan(&id)
		if err != nil {
			return fmt.Errorf("post message: %w", err)
		}
		for _, ch := range s.Channels {
			err := t.Exec("INSERT INTO outbox (message, channel, next_at) VALUES ($1, $2, $3)", id, ch.Name(), t.Now())
			if err != nil {
				return fmt.Errorf("post message: %w", err)
			}
			select {
			case s.wake[ch.Name()] <- struct{}{}:
			default:
			}
		}
	}
	return nil
}

func short(text string) string {
	if r := []rune(text); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return text
}

// Filter chooses messages of one person.
type Filter struct {
	Unread bool
	From   int64 // ms, first moment; 0 = any
	Until  int64 // ms, first moment after; 0 = any
	Limit  int
	Offset int
}

const messageColumns = "SELECT id, person, kind, subject, text, link, at, coalesce(read_at, 0) FROM messages"

func scanMessage(rows *sql.Rows) (m Message, err error) {
	err = rows.Scan(&m.ID, &m.Person, &m.Kind, &m.Subject, &m.Text, &m.Link, &m.At, &m.ReadAt)
	return m, err
}

// List gives a person's messages, newest first, and how many fit the filter
// in all.
func (s *Service) List(ctx context.Context, person string, f Filter) (found []Message, total int, err error) {
	until := f.Until
	if until == 0 {
		until = 1<<63 - 1
	}
	const where = " WHERE person = $1 AND at >= $2 AND at < $3 AND (read_at IS NULL OR $4 = 0)"
	unread := 0
	if f.Unread {
		unread = 1
	}
	err = s.Store.Reader().QueryRowContext(ctx, "SELECT count(*) FROM messages"+where, person, f.From, until, unread).Scan(&total)
	if err != nil {
		return nil, 0, err
	}
	found, err = store.List(ctx, s.Store.Reader(), scanMessage, messageColumns+where+" ORDER BY id DESC LIMIT $5 OFFSET $6",
		person, f.From, until, unread, f.Limit, f.Offset)
	return found, total, err
}

// Unread counts what a person has not read.
func (s *Service) Unread(ctx context.Context, person string) (n int, err error) {
	err = s.Store.Reader().QueryRowContext(ctx,
		"SELECT count(*) FROM messages WHERE person = $1 AND read_at IS NULL", person).Scan(&n)
	return n, err
}

// Read marks one message of a person as read, or all of them when id is 0.
// Doing it again changes nothing. store.ErrNotFound when the message is not
// theirs.
func (s *Service) Read(ctx context.Context, person string, id int64) error {
	return s.Store.Change(ctx, func(t *store.Tx) error {
		if id == 0 {
			return t.Exec("UPDATE messages SET read_at = $1 WHERE person = $2 AND read_at IS NULL", t.Now(), person)
		}
		n, err := t.Affect("UPDATE messages SET read_at = coalesce(read_at, $1) WHERE id = $2 AND person = $3", t.Now(), id, person)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: message %d", store.ErrNotFound, id)
		}
		return err
	})
}
