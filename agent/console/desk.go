package console

import (
	"context"

	"campusgate/agent/lane"
)

// Desk is what the console needs of the lanes; *lane.Desk is one. All methods
// are safe for concurrent use. Errors are those of package lane; any other is a
// fault of the agent's.
type Desk interface {
	// Present hands a code to the lane of that name as if its scanner had read it, and waits
	// for the result. A refusal, and a question to the guard, are results.
	Present(ctx context.Context, where, source, text string) (lane.Result, error)
	// Answer settles a question: one of the documents, or a refusal.
	Answer(ctx context.Context, id string, document string, refuse bool) (lane.Result, error)
	// Annul takes back an admission after which nobody went through.
	Annul(ctx context.Context, id string) (lane.Result, error)
	// Recent gives the latest attempts, newest first.
	Recent() []lane.Result
	// Subscribe delivers every result from now on, in order, and an attempt
	// again whenever it changes (answered, annulled). The channel is closed by
	// the returned function, when the subscriber is too far behind, or when the
	// lanes stop; after that Subscribe returns one that is closed already.
	Subscribe() (<-chan lane.Result, func())
}
