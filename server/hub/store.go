package hub

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"campusgate/signing/wire"
)

// ErrUnknownAgent is what Store.Agent wraps when there is no such agent. Any
// other error of Agent is a fault of the store: the agent is told to come back.
var ErrUnknownAgent = errors.New("no such agent")

// Agent is an enrolled agent as the server's records have it now.
type Agent struct {
	ID        uint32
	Epoch     uint32 // the only one that may connect
	Gate      uint16 // the gate it stands for; 0 = none
	PublicKey ed25519.PublicKey
	Revoked   bool
}

// Store is what the hub needs of the server's database. Methods are called
// from many goroutines at once; those that take an agent are called for one
// connection of that agent at a time. Every error makes the calling stream
// back off and try again with the same arguments, so a call that failed after
// it had committed must come to the same end when it is repeated.
type Store interface {
	// Agent looks up an agent, or wraps ErrUnknownAgent.
	Agent(ctx context.Context, id uint32) (Agent, error)

	// Acked gives the highest seq up to which every event of the epoch is
	// held; 0 = none.
	Acked(ctx context.Context, agent, epoch uint32) (uint64, error)

	// Ingest commits records, whose seqs are consecutive, and gives the new
	// Acked. Records that are held already change nothing; the same id with
	// other content is put into quarantine and counts as held.
	Ingest(ctx context.Context, agent, epoch uint32, records []wire.Record) (acked uint64, err error)

	// Skip notes that an agent no longer has the events up to begins, of which
	// not all are held, and gives the new Acked. The next one follows head.
	Skip(ctx context.Context, agent, epoch uint32, begins uint64, head wire.Hash) (acked uint64, err error)

	// Heard notes that everything that the journal held when the agent connected
	// is held here.
	Heard(ctx context.Context, agent uint32) error

	// Feed gives what follows a cursor: at most limit items, More when there
	// are further ones (the next page follows the returned Cursor), Reset on
	// the first page of a snapshot. An up-to-date cursor gives an empty Delta
	// with the same cursor.
	Feed(ctx context.Context, after wire.Cursor, limit int) (wire.Delta, error)

	// Changed gives a channel that is closed, or receives, when the feed has
	// grown since the call. Only Hub.Run calls it.
	Changed() <-chan struct{}

	// Decide answers a claim that the server decides. The same claim id gets
	// the same answer. Dark are then all gates of the policy first_seen that may
	// have admitted the pass: the hub knows which of them are.
	Decide(ctx context.Context, claim wire.Claim) (wire.Answer, error)

	// Leased gives the gates that are to promise not to act on their own: those of
	// the policy first_seen that hold nothing back. It is asked several times a
	// second.
	Leased() []uint16

	// Charge answers a claim for money. The same claim id gets the same answer;
	// a gate that is no till is answered silent.
	Charge(ctx context.Context, claim wire.Claim) (wire.Answer, error)

	// Seen keeps the last known state of an agent for the console: at the
	// start and the end of a connection and once a minute between, and at once
	// when the agent says that it is reached elsewhere.
	Seen(ctx context.Context, agent uint32, state State) error
}

// State is what the hub knows of an agent. Times are the server's clock.
type State struct {
	Connected bool
	Since     time.Time // when the connection began, or ended
	LastSeen  time.Time // last heartbeat of the agent
	Remote    string    // its network address
	Software  string
	Epoch     uint32
	OffsetMS  *int64      // what the agent adds to its PC's clock; nil = not known
	Queue     uint64      // events that it has not been told are held
	Acked     uint64      // highest contiguous seq held
	Applied   wire.Cursor // what it has confirmed of the feed
	Health    wire.Health // its own last report
	Reported  bool        // one came on this connection
	DownFault string      // why the feed does not advance; "" = it does
	UpFault   string      // why events are not taken; "" = they are
	Alarm     string      // what a person has to see to: a store that was put back; "" = nothing
}
