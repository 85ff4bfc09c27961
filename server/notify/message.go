package notify

import (
	"context"

	"campusgate/server/store"
)

// Message is something that somebody should know. Nothing secret goes into one:
// no code of a pass, no number of a document.
type Message struct {
	ID      int64
	Person  string
	Kind    string // assigned, handled, returned, rejected, completed, terminated, urged, cc, comment, remind, notice
	Text    string // Chinese, as the flow's file words it
	Link    string // "/applications/ID", the same on phone and console
	At      int64  // ms
	ReadAt  int64  // 0 = not yet
	Subject string // title of the matter
}

// Poster takes messages in.
type Poster interface {
	// Post stores messages in the change that they tell of. Channels carry
	// them after its commit.
	Post(t *store.Tx, messages []Message) error
}

// Channel carries a message out of the house. Send may be called again for
// a message that arrived without our knowing.
type Channel interface {
	Name() string
	// Send returns nil when the message is out. ErrUnreachable is wrapped when
	// this person cannot be reached this way, and it is not tried again.
	Send(ctx context.Context, to Recipient, m Message) error
}

// Recipient is what a channel may know of a person.
type Recipient struct {
	Person string
	Name   string
	Phone  string // "" = none
	OpenID string // of an official account, "" = not bound
}

// Texter sends one-time codes by SMS.
type Texter interface {
	// Text sends a code. It returns once a gateway has taken it.
	Text(ctx context.Context, phone, code string) error
}
